"""Gambit's strategic games, ``.nfg`` version 1.

    NFG 1 R "title" { "player" … } strategies ["comment"] body

``strategies`` are numbers ``{ 2 3 }`` or names ``{ { "up" "down" } { "l" "m" "r" } }``. The body
is a list of payoffs, or a list of outcomes ``{ { "name" 1, 2 } … }`` followed by their numbers,
0 for the outcome that pays nothing. Either runs over the joint actions with the first player's
action changing fastest. Format: Gambit's documentation, "Game representation formats".

Space between tokens does not matter. ``\\"`` in a quoted text is a quote and ``\\\\`` a backslash;
a backslash before anything else stands for itself.
"""

import re
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np

from ... import check
from ...check import Array, InputError
from ..normal_form import NormalForm
from .limits import fraction, number, number_of_players, shortened, written

TOKEN = re.compile(r'\s*("[^"\\]*(?:\\.[^"\\]*)*"|[{},]|[^\s{},"]+)', re.DOTALL)
SPACE = re.compile(r"\s*")
PLAIN = re.compile(r"[0-9eE+\-.\s]*")
COUNT = re.compile(r"[0-9]{1,18}")
ESCAPE = re.compile(r'\\(["\\])')


class Tokens:
    """The tokens of a file, one ahead: ``current`` is "" at the end."""

    def __init__(self, text: str, exact: bool = False) -> None:
        self.text = text
        self.exact = exact  # payoffs are Fractions, not floats
        self.start = self.end = 0
        self.current = ""
        self.advance()

    def advance(self) -> str:
        """Step over the current token and return it."""
        passed = self.current
        match = TOKEN.match(self.text, self.end)
        if match:
            self.start, self.end = match.start(1), match.end()
            self.current = match[1]
            return passed
        space = SPACE.match(self.text, self.end)
        self.start = space.end() if space else self.end
        self.current = ""
        if self.start < len(self.text):
            self.fail('a text that starts with " has no end')
        return passed

    def fail(self, message: str) -> NoReturn:
        """Raise InputError with the line of the current token."""
        line = self.text.count("\n", 0, self.start) + 1
        raise InputError(f"line {line}: {message}")

    def missing(self, what: str) -> NoReturn:
        """Raise InputError: ``what`` was needed where the current token stands."""
        got = shortened(self.current) if self.current else "the end of the file"
        self.fail(f"need {what}, got {got}")

    def take(self, token: str, what: str = "") -> None:
        """Step over ``token``, which must come now."""
        if self.current != token:
            self.missing(what or token)
        self.advance()

    def quoted(self, what: str) -> str:
        """A text in quotes, without them."""
        if not self.current.startswith('"'):
            self.missing(f"{what} in quotes")
        return ESCAPE.sub(r"\1", self.advance()[1:-1])

    def count(self, what: str) -> int:
        """A whole number ≥ 0."""
        if not COUNT.fullmatch(self.current):
            self.missing(what)
        return int(self.advance())

    def payoff(self) -> Any:
        """A number of any form."""
        if not self.current or self.current[0] in '{},"':
            self.missing("a payoff")
        try:
            value = fraction(self.current) if self.exact else number(self.current)
        except InputError as error:
            self.fail(str(error))
        self.advance()
        return value


def parse(text: str) -> NormalForm:
    """The game that an .nfg file writes.

    Raises
    ------
    InputError
        With the line, if it is none or is larger than the caps.

    Examples
    --------
    >>> print(parse('NFG 1 R "" { "A" "B" } { 2 2 } 1 1  2 0  0 2  1/2 .5').payoffs[0])
    [[1.  0. ]
     [2.  0.5]]
    """
    body, title, players, actions = _parse(Tokens(text))
    return NormalForm(body, title, players, actions)


def exact(text: str) -> list[Any]:
    """The players' payoffs as nested lists of Fractions, of a text that :func:`parse` accepts.

    Examples
    --------
    >>> print(*exact('NFG 1 R "" { "A" "B" } { 2 1 } 1/3 .1  2 0')[1][0])
    1/10
    """
    payoffs: list[Any] = _parse(Tokens(text, exact=True))[0].tolist()
    return payoffs


def _parse(tokens: Tokens) -> tuple[Any, str, tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """(payoffs (n, A_1, …, A_n), title, players, actions)."""
    title, players, actions = _prologue(tokens)
    sizes = tuple(a if isinstance(a, int) else len(a) for a in actions)
    try:
        check.size_cap((len(sizes), *sizes), "payoffs")
    except InputError as error:
        tokens.fail(str(error))
    if tokens.current.startswith('"'):
        tokens.quoted("a comment")
    body = _outcomes(tokens, sizes) if tokens.current == "{" else _payoffs(tokens, sizes)
    if tokens.current:
        tokens.missing("the end of the file after the last joint action")
    names = tuple(tuple(str(k + 1) for k in range(a)) if isinstance(a, int) else a for a in actions)
    return body.reshape(*reversed(sizes), -1).T, title, players, names


def _prologue(tokens: Tokens) -> tuple[str, tuple[str, ...], list[int | tuple[str, ...]]]:
    """(title, players, the number of each one's actions or their names)."""
    tokens.take("NFG", "NFG, the mark of a Gambit strategic game")
    tokens.take("1", "version 1")
    if tokens.current not in ("R", "D"):
        tokens.missing("R or D")
    tokens.advance()
    title = tokens.quoted("the title")
    players = _names(tokens, "a player's name")
    try:
        number_of_players(len(players))
    except InputError as error:
        tokens.fail(str(error))
    tokens.take("{", "{ and the players' strategies")
    named = tokens.current == "{"
    actions: list[int | tuple[str, ...]] = []
    for player in players:
        if named:
            actions.append(_names(tokens, "a strategy's name"))
        else:
            actions.append(tokens.count(f"a number of strategies for {shortened(player)}"))
        if not actions[-1]:
            tokens.fail(f"player {shortened(player)} has no strategy")
    tokens.take("}", f"}} after the strategies of {len(players)} players")
    return title, players, actions


def _names(tokens: Tokens, what: str) -> tuple[str, ...]:
    """``{ "a" "b" … }``"""
    tokens.take("{")
    found = []
    while tokens.current != "}":
        found.append(tokens.quoted(what))
    tokens.take("}")
    return tuple(found)


def _payoffs(tokens: Tokens, sizes: tuple[int, ...]) -> Array:
    """The body of payoffs, flat."""
    needed = len(sizes) * _product(sizes)

    def payoffs() -> Iterator[float]:
        for k in range(needed):
            if not tokens.current:
                tokens.fail(f"need {needed} payoffs, got {k}")
            yield tokens.payoff()

    plain = None if tokens.exact else _plain(tokens, needed)
    return _flat(tokens, payoffs(), needed) if plain is None else plain


def _plain(tokens: Tokens, needed: int) -> Array | None:
    """The rest of a file of ``needed`` plain decimals, at once; None if it is anything else."""
    if not PLAIN.fullmatch(tokens.text, tokens.start):
        return None
    words = re.compile(r"\S+").finditer(tokens.text, tokens.start)
    try:
        flat = np.fromiter((float(word[0]) for word in words), dtype=np.float64)
    except ValueError:
        return None
    if len(flat) != needed or not np.isfinite(flat).all():
        return None
    tokens.start = tokens.end = len(tokens.text)
    tokens.current = ""
    return flat


def _outcomes(tokens: Tokens, sizes: tuple[int, ...]) -> Array:
    """The body of outcomes, flat: each joint action's payoffs."""
    table = [0.0] * len(sizes)
    tokens.take("{")
    while tokens.current == "{":
        tokens.advance()
        tokens.quoted("an outcome's name")
        for _ in sizes:
            table.append(tokens.payoff())
            if tokens.current == ",":
                tokens.advance()
        tokens.take("}", f"}} after the {len(sizes)} payoffs of an outcome")
    tokens.take("}", "{ or } in the list of outcomes")
    outcomes = np.reshape(table, (-1, len(sizes)))

    needed = _product(sizes)

    def indices() -> Iterator[float]:
        for k in range(needed):
            if not tokens.current:
                tokens.fail(f"need {needed} outcomes, one per joint action, got {k}")
            index = tokens.count("an outcome's number")
            if index >= len(outcomes):
                tokens.fail(f"outcome {index} of {len(outcomes) - 1}")
            yield index

    flat: Array = outcomes[_flat(tokens, indices(), needed).astype(np.intp)].ravel()
    return flat


def _flat(tokens: Tokens, values: Iterator[float], needed: int) -> Array:
    """``needed`` values as an array, made only if the rest of the file could hold them."""
    room = (len(tokens.text) - tokens.start + 1) // 2
    if room < needed:
        for _ in values:  # stops with the error of what is there
            pass
    kind: type = object if tokens.exact else np.float64
    return np.fromiter(values, dtype=kind, count=needed)


def _product(sizes: tuple[int, ...]) -> int:
    product = 1
    for k in sizes:
        product *= k
    return product


def build(game: NormalForm) -> bytes:
    """The game in the form with names and payoffs; each number as short as it can be.

    Examples
    --------
    >>> print(build(NormalForm([[1, 0.5]], title='"x"')).decode(), end="")
    NFG 1 R "\\"x\\"" { "1" } { { "1" "2" } }
    <BLANKLINE>
    1 0.5
    """
    n, first = game.num_players, game.num_actions[0]
    actions = " ".join(_braces(names) for names in game.actions)
    head = f"NFG 1 R {_quote(game.title)} {_braces(game.players)} {{ {actions} }}\n\n"
    rows = game.payoffs.T.reshape(-1, first * n)
    body = "".join(" ".join(map(written, row)) + "\n" for row in rows.tolist())
    return (head + body).encode("utf-8")


def _quote(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _braces(names: tuple[str, ...]) -> str:
    return "{ " + " ".join(map(_quote, names)) + " }"
