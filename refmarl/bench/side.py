"""One side of a race: it holds prepared inputs and runs them under a clock."""

import gc
from collections.abc import Callable, Mapping
from importlib import import_module
from time import perf_counter
from typing import Any, NamedTuple

from .task import Peer, Task


class Run(NamedTuple):
    """Which peer, on which inputs: all that is needed to start again in a new process."""

    task: str
    peer: str
    size: int
    seed: int


class _Loaded(NamedTuple):
    run: Run
    peer: Peer
    given: tuple[Any, ...]
    prepared: tuple[Any, ...]


class Side:
    """All peers of one package, or ours; see :class:`refmarl.bench.task.Task` for the steps."""

    def __init__(
        self, tasks: Mapping[str, Task], clock: Callable[[], float] = perf_counter
    ) -> None:
        self._tasks, self._clock = tasks, clock
        self._loaded: dict[tuple[str, str], _Loaded] = {}

    def load(self, run: Run) -> int:
        """Import the peer's package, warm it up, prepare its inputs; returns their number."""
        return len(self._load(run).given)

    def _load(self, run: Run) -> _Loaded:
        found = self._loaded.get((run.task, run.peer))
        if found is not None and found.run == run:
            return found
        task = self._tasks[run.task]
        peer = next(p for p in task.everybody if p.name == run.peer)
        import_module(peer.package)
        if found is None:  # compile, fill caches
            peer.run(peer.prepare(task.inputs(run.seed, task.sizes[0])[0]))
        given = tuple(task.inputs(run.seed, run.size))
        loaded = _Loaded(run, peer, given, tuple(peer.prepare(g) for g in given))
        self._loaded[run.task, run.peer] = loaded
        return loaded

    def answer(self, run: Run, k: int) -> tuple[float, Any]:
        """(seconds, answer) of one run on input ``k``."""
        _, peer, given, prepared = self._load(run)
        start = self._clock()
        result = peer.run(prepared[k])
        seconds = self._clock() - start
        seconds = seconds if peer.seconds is None else peer.seconds(result)
        return seconds, peer.answer(given[k], result)

    def lap(self, run: Run, loops: int) -> float:
        """Seconds a run, the mean over all inputs, each run ``loops`` times in a row."""
        _, peer, _, prepared = self._load(run)
        total = 0.0
        gc.disable()  # a collection would be charged to whoever happens to run
        try:
            for one in prepared:
                start = self._clock()
                for _ in range(loops):
                    result = peer.run(one)
                seconds = self._clock() - start
                total += seconds / loops if peer.seconds is None else peer.seconds(result)
        finally:
            gc.enable()
        return total / len(prepared)
