"""Ours beside the peers that are installed: same inputs, one run, ratios (``refmarl bench``).

:mod:`~refmarl.bench.task` says what a task is, :mod:`~refmarl.bench.measure` how it is measured.
To add one, append a :class:`~refmarl.bench.task.Task` to the ``TASKS`` of a module, and a new
module to ``TASKS`` here.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from . import s1_games, s2_cooperative, s3_policy_gradient, startup
from .measure import Options, missing, race, tournament
from .task import Peer, Task

_ALL = (*s1_games.TASKS, *s2_cooperative.TASKS, *s3_policy_gradient.TASKS, *startup.TASKS)
TASKS: dict[str, Task] = {task.name: task for task in _ALL}

__all__ = ["TASKS", "Options", "Peer", "Task", "choose", "missing", "race", "tournament"]


def choose(patterns: Sequence[str], tasks: dict[str, Task] = TASKS) -> list[Task]:
    """The tasks that match a name or a pattern like ``equi*``, in their order; all without one.

    Raises
    ------
    KeyError
        If a pattern matches none.

    Examples
    --------
    >>> [task.name for task in choose(["process-*", "import"])]
    ['import', 'process-warm', 'process-cold']
    """
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in tasks):
            near = get_close_matches(pattern, tasks, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(tasks)}"
            raise KeyError(f"no task {pattern!r}{hint}")
    return [
        task
        for name, task in tasks.items()
        if not patterns or any(fnmatchcase(name, p) for p in patterns)
    ]
