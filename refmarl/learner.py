"""What a learning algorithm is: a module of pure functions, run by one loop.

    Config                                  a frozen dataclass; symbol and range beside each field
    start(env, cfg, rng) -> Progress        everything at the beginning
    iterate(env, cfg, progress) -> (Progress, metrics)      one iteration: collect and update
    policy(env, cfg, agent, rng, greedy) -> rollout.Policy  how the agent acts

``learn`` yields after every iteration. A :class:`Progress` holds all that the rest of the run
depends on: saving it and continuing from it gives the same bits as never having stopped.
Algorithms do not log, save, print, time or stop.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from .env_api import Env
from .rollout import Policy, Roll

Metrics = Mapping[str, float]


class Progress(NamedTuple):
    """A run between two iterations; its Generators advance, nothing else that it holds is changed.

    A memory shares its arrays with those that follow: see :mod:`refmarl.replay.ring` for what an
    old one still is, and use ``copy.deepcopy`` to go on from the same progress twice.
    """

    iteration: int  # done
    steps: int  # environment steps, all copies together
    agent: Any  # a NamedTuple of all that learning changes
    roll: Roll | Any  # where collecting stands
    rngs: tuple[np.random.Generator, ...]  # one for each purpose


class Algorithm(Protocol):
    """A module that learns."""

    Config: Any

    def start(self, env: Env, cfg: Any, rng: np.random.Generator) -> Progress:
        """A run's beginning."""
        ...

    def iterate(self, env: Env, cfg: Any, progress: Progress) -> tuple[Progress, Metrics]:
        """One iteration."""
        ...

    def policy(
        self, env: Env, cfg: Any, agent: Any, rng: np.random.Generator, greedy: bool
    ) -> Policy:
        """How the agent acts."""
        ...


def learn(
    algorithm: Algorithm,
    env: Env,
    cfg: Any,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> Iterator[tuple[Progress, Metrics]]:
    """Iterate for ``cfg.iterations``, from the start or from ``progress``."""
    if progress is None:
        progress = algorithm.start(env, cfg, rng)
    while progress.iteration < cfg.iterations:
        progress, metrics = algorithm.iterate(env, cfg, progress)
        yield progress, metrics
