"""Text that a student's code wrote, made harmless before anybody keeps or shows it."""

import unicodedata
from typing import Any

_HARMFUL = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # controls, directions, halves of letters


def clean(text: str, most: int = 1 << 16) -> str:
    """It moves no cursor, colours nothing, turns nothing round, can be encoded, and is short."""
    if text.isascii() and text.isprintable():
        return text[:most]
    return "".join(_harmless(letter) for letter in text[:most])


def _harmless(letter: str) -> str:
    shown = letter in "\n\t" or unicodedata.category(letter) not in _HARMFUL
    return letter if shown else "\N{REPLACEMENT CHARACTER}"


def told(value: Any, most: int = 2000) -> str:
    """A text out of a message, which may be anything."""
    return clean(value, most) if type(value) is str else ""
