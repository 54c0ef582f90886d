"""Implementations handed to a student's test. The student chooses what they are called with.

They are ours, but arguments chosen to hurt could keep them busy for years or fill the memory. So
they run in a process of their own, which is stopped when the time is over and started again.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from ..course import VARIABLE
from ..sandbox import inside
from . import child as far
from . import wire
from .limits import Limits
from .pipes import Gone, Late
from .process import Child, spawn

_LOADER = "import sys; sys.path[:] = {path!r}; from {module} import main; main()"
_START = 60.0  # seconds for imports, and for compiling what the implementation uses
_MEMORY = 4 << 30
UNANSWERED = "the implementation has no answer to these arguments"


@dataclass(frozen=True)
class Candidate:
    """An implementation of an exercise's function: the library's own, or known mistake ``mistake``.

    A case may hold it where a student's function takes a function. In this process it can be
    called like the function that it names, whose errors all look the same from outside: their
    words would tell which one it is.
    """

    label: str
    mistake: int | None = None

    @property
    def function(self) -> Callable[..., Any]:
        """What it names."""
        return _function(self.label, self.mistake, os.environ.get(VARIABLE))

    def __call__(self, *args: Any, **named: Any) -> Any:
        """The function's answer.

        Raises
        ------
        ValueError
            Where it raises anything.
        """
        try:
            names = _names(self.label)[len(args) :] if named else ()
            left = [named.pop(name) for name in names]
            return self.function(*args, *left, **named)
        except Exception:
            raise ValueError(UNANSWERED) from None


@cache  # a student's test calls it often, and the tables are read anew for each label
def _function(label: str, mistake: int | None, course: str | None) -> Callable[..., Any]:
    from ..catalogue import spec

    law = spec(label)
    return law.reference if mistake is None else law.mistakes[mistake].answer


@cache
def _names(label: str) -> tuple[str, ...]:
    """The names of the arguments of an exercise's function."""
    from ..catalogue import spec
    from .corpus import draw

    case = draw(spec(label).cases, 0, 1)[0]
    return tuple(getattr(case, "_fields", ()))


class Helper:
    """The process that runs candidates, started when the first is called."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.child = limits, None
        self.loaded: set[Candidate] = set()

    child: Child | None

    def load(self, candidate: Candidate) -> None:
        """Make it ready, outside of anybody's time."""
        if self.child is None:
            code = _LOADER.format(path=sys.path, module=__name__)
            self.child = spawn([sys.executable, "-c", code], dict(os.environ), self.limits)
        if candidate not in self.loaded:
            self._ask(far.LOAD, (candidate.label, candidate.mistake), time.monotonic() + _START)
            self.loaded.add(candidate)

    def call(
        self, candidate: Candidate, args: tuple[Any, ...], named: dict[str, Any], deadline: float
    ) -> tuple[int, bytes]:
        """(RETURN or RAISE, body) of one call.

        Raises
        ------
        Late
            If it takes longer than until ``deadline``.
        """
        try:
            return self._ask(far.CALL, (candidate.label, candidate.mistake, args, named), deadline)
        except Gone:
            text = "these arguments need more memory than there is"
            return far.RAISE, wire.encode((["MemoryError"], text))

    def _ask(self, kind: int, value: Any, deadline: float) -> tuple[int, bytes]:
        assert self.child is not None
        try:
            self.child.ask(kind, wire.encode(value), deadline)
            reply, _, body = self.child.receive(deadline)
        except (Gone, Late):
            self.close()
            raise
        return reply, body

    def close(self) -> None:
        """End the process."""
        if self.child is not None:
            self.child.end()
        self.child, self.loaded = None, set()


def main() -> NoReturn:
    """Run candidates for the grader."""
    channel = far.Channel(os.dup(0), os.dup(1))
    os.dup2(2, 1)
    inside.apply({"level": 0, "rlimits": {"AS": _MEMORY, "CORE": 0}})
    while True:
        kind, nonce, body = channel.receive()
        try:
            asked = wire.decode(body)
            if kind == far.LOAD:
                _try(Candidate(*asked))
                value = None
            else:
                label, mistake, args, named = asked
                value = Candidate(label, mistake)(*args, **named)
            reply, body = far.RETURN, wire.encode(value)
        except BaseException as error:
            reply, body = far.RAISE, wire.encode(far.kinds_of(error))
        channel.send(reply, nonce, body)


def _try(candidate: Candidate) -> None:
    """Call it once, so that what it uses is compiled before the time counts."""
    from ..catalogue import spec
    from .corpus import draw

    try:
        candidate(*draw(spec(candidate.label).cases, 0, 1)[0])
    except Exception:  # a wrong answer may raise; it is asked for as it is
        return
