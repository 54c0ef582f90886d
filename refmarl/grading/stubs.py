"""How a stub comes out of a solution: by the markers in it."""

import ast
from collections.abc import Iterator
from functools import lru_cache

from ..check import InputError

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
BUG, MENDED = "# BEGIN BUG", "# END BUG"
CLOSES = {BEGIN: END, BUG: MENDED}
WRONG = "# -"  # before a line of a bug, which the stub shows in place of what mends it
WORDS = tuple(f"{way} {kind}" for way in ("BEGIN", "END") for kind in ("SOLUTION", "BUG"))


@lru_cache(maxsize=256)  # a class of two hundred asks for the same ones
def stub(source: str, label: str, function: str, file: str = "") -> str:
    """The student's file: ``source`` with each marked block replaced.

    A block of a solution becomes an error that names the exercise, a bug's block its wrong lines.
    ``file`` names the source in errors.

    Raises
    ------
    InputError
        If the markers are nested, unclosed, misspelt or missing, if a bug's block has no wrong
        line, if a block stands outside any function, or if the stub is no Python with that
        function. The message names file and line.
    """
    maker = _Maker(label, function, file or label)
    for number, line in enumerate(source.splitlines(), 1):
        maker.take(number, line)
    if maker.opened:
        raise maker.error(maker.begun[-1], f"{maker.opened} is not closed by {maker.closes}")
    if not maker.begun:
        raise maker.error(1, f"need {BEGIN} … {END} around a solution, {BUG} … {MENDED} a bug")
    text = "\n".join(maker.out) + "\n"
    maker.hold(source, text)
    return text


def solved(source: str) -> str:
    """A solution without its markers and without the wrong lines of a bug."""
    return "\n".join(line for line, _ in _right(source)) + "\n"


def hidden(source: str) -> list[str]:
    """The lines of a solution that no student is to see, without their indentation."""
    return [line.strip() for line, inside in _right(source) if inside]


def _right(source: str) -> Iterator[tuple[str, bool]]:
    """Each line of the right program, and whether it stands in a block."""
    opened = ""
    for line in source.splitlines():
        mark = line.strip()
        if mark in CLOSES:
            opened = mark
        elif mark in CLOSES.values():
            opened = ""
        elif opened != BUG or not mark.startswith(WRONG):
            yield line, bool(opened)


class _Maker:
    """Goes through a solution line by line; ``out`` is the stub so far."""

    def __init__(self, label: str, function: str, file: str) -> None:
        self.label, self.function, self.file = label, function, file
        self.out: list[str] = []
        self.begun: list[int] = []  # the lines on which blocks begin
        self.opened = ""  # the marker of the block we are in
        self.wrong = 0  # wrong lines in it

    @property
    def closes(self) -> str:
        """The marker that closes the block we are in."""
        return CLOSES.get(self.opened, "")

    def error(self, line: int, says: str) -> InputError:
        """To be raised: what is wrong at a line of the source."""
        return InputError(f"{self.file}:{line}: {says}")

    def take(self, number: int, line: str) -> None:
        """Go on by one line."""
        mark, indent = line.strip(), line[: len(line) - len(line.lstrip())]
        if mark in CLOSES:
            self._begin(number, mark, indent)
        elif mark in CLOSES.values():
            self._end(number, mark)
        elif mark.startswith("#") and any(word in mark.upper() for word in WORDS):
            known = ", ".join((*CLOSES, *CLOSES.values()))
            raise self.error(number, f"{mark!r} is no marker; there are {known}")
        elif self.opened == BUG and mark.startswith(WRONG):
            self.wrong += 1
            self.out.append((indent + mark.removeprefix(WRONG)[1:]).rstrip())
        elif not self.opened:
            self.out.append(line)

    def _begin(self, number: int, mark: str, indent: str) -> None:
        if self.opened:
            raise self.error(number, f"{mark} inside the block of line {self.begun[-1]}")
        self.begun.append(number)
        self.opened, self.wrong = mark, 0
        if mark == BEGIN:
            error = f'NotImplementedError("{self.label}: {self.function}")'
            self.out.append(f"{indent}raise {error}")

    def _end(self, number: int, mark: str) -> None:
        if mark != self.closes:
            raise self.error(number, f"{mark} closes nothing")
        if self.opened == BUG and not self.wrong:
            raise self.error(number, f"a bug without a wrong line, which begins with {WRONG!r}")
        self.opened = ""

    def hold(self, source: str, text: str) -> None:
        """Raise if a block is not in a function, or the stub is no Python with the function."""
        whole, left = self._parsed(source, self.file), self._parsed(text, f"{self.file}, its stub")
        inside = [node for node in ast.walk(whole) if isinstance(node, ast.FunctionDef)]
        for line in self.begun:
            if not any(f.lineno < line <= (f.end_lineno or 0) for f in inside):
                raise self.error(line, "a block must stand inside a function")
        kinds = (ast.FunctionDef, ast.ClassDef)
        if self.function not in [node.name for node in left.body if isinstance(node, kinds)]:
            raise self.error(1, f"defines no function {self.function}")

    def _parsed(self, text: str, name: str) -> ast.Module:
        try:
            return ast.parse(text)
        except SyntaxError as error:
            raise InputError(f"{name}:{error.lineno}: no Python: {error.msg}") from None
