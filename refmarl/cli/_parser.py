"""The parser of the command line: what is misspelt is named with the nearest right word."""

import argparse
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

CHOICE = re.compile(r"invalid choice: '([^']*)' \(choose from (.*)\)")


class Parser(argparse.ArgumentParser):
    """An argparse parser, of all verbs or of one."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As argparse's; an unknown option ends here, where the known ones are."""
        found, rest = super().parse_known_args(args, namespace)
        for text in rest:
            if text.startswith("--"):
                name = text.partition("=")[0]
                self.error(f"no option {name}{_near(name, list(self._option_string_actions))}")
        return found, rest

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and what was probably meant; exit with status 2."""
        choice = CHOICE.search(message)
        if choice:
            known = [word.strip().strip("'") for word in choice[2].split(",")]
            message += _near(choice[1], known)
        super().error(message)


def _near(word: str, known: list[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
