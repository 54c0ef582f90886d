"""What is measured: a task, our way to do it, and the peers'.

A task is data: sizes, inputs of a seed, and for everybody who takes part the same four steps,

    prepare(given)         the input in one's own form                 not timed
    run(prepared)          the call that a user makes                  timed
    answer(given, result)  the result in the task's common form        not timed
    same(truth, answer)    whether it is right                         not timed

A new task is a :class:`Task` in the tuple ``TASKS`` of a module that :mod:`refmarl.bench` lists.
Everything in it must be importable: the functions run in other processes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any


def _first(given: Any, answers: Sequence[Any]) -> Any:
    """Our own answer: good enough where ``same`` looks at what proves itself."""
    return answers[0]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A way to do a task; ours is one, too."""

    name: str
    package: str  # the module that must be there; else the peer is skipped
    prepare: Callable[[Any], Any]
    run: Callable[[Any], Any]
    answer: Callable[[Any, Any], Any]
    largest: int | None = None  # sizes beyond it are not tried
    seconds: Callable[[Any], float] | None = None  # read off the result, if not those of the call

    @property
    def installed(self) -> bool:
        """Whether its package can be imported."""
        return find_spec(self.package) is not None


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something that we and others can do, at several sizes."""

    name: str
    title: str
    size: str  # what the size counts
    sizes: tuple[int, ...]  # ascending
    quick: tuple[int, ...]  # those of --quick
    inputs: Callable[[int, int], Sequence[Any]]  # (seed, size) -> inputs, the same for everybody
    ours: Peer
    peers: tuple[Peer, ...]
    same: Callable[[Any, Any], bool]  # (truth, answer)
    truth: Callable[[Any, Sequence[Any]], Any] = _first  # (given, all answers, ours first)
    limit: Peer | None = None  # what nobody can be faster than
    part: Peer | None = None  # of ours, what the limit bounds; all of it if None
    patience: float = 0.0  # seconds of a peer's call at least allowed, whatever --limit says

    @property
    def everybody(self) -> tuple[Peer, ...]:
        """Ours, the peers, and those that are measured only: the limit and the part it bounds."""
        return (self.ours, *self.peers, *self.measured)

    @property
    def measured(self) -> tuple[Peer, ...]:
        """The limit and the part of ours that it bounds, if there are any: nobody judges them."""
        return tuple(peer for peer in (self.limit, self.part) if peer is not None)
