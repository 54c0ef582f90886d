"""MADDPG on navigation until a return is reached, beside PyTorch's.

``maddpg-return``: both programs of :mod:`.actors_critics`, for each of ``size`` seeds, until 500
greedy episodes bring −22 or more (standing still brings −24.4, uniform moves −26): the seconds are
the processor's while training. Every 2000 steps one looks; looking, the first 1100 steps, which
fill the memory, and a learner that is thrown away, for which everything is compiled, do not count.
Everybody plays the same episodes of our navigation: what it shows, and what it pays, is MPE2's.

A seed is trained once, and all laps tell its seconds: what matters is how seeds differ.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ...value_grad import Real
from ..task import Peer, Task
from ._torch import Given
from .actors_critics import EVERY
from .actors_critics import _Ours as Ours
from .actors_critics import _TorchMpe2 as TorchMpe2

TARGET, LOOK, GIVEN_UP = -22.0, 2000, 75  # a return; steps between two looks; looks
EPISODES = 500
Greedy = Callable[[Real], Real]  # observations (B, N, O) -> moves (B, N)


class Climbed(NamedTuple):
    """What came out of a seed."""

    seconds: float
    steps: int  # beyond those that do not count
    last: float  # return


def same(truth: float, got: float) -> bool:
    """Whether the target was reached."""
    return truth == got == 1.0


def returns(act: Greedy) -> float:
    """The mean return of greedy play, the same first states at each look."""
    from ...envs.navigation import Navigation

    env = Navigation()
    state, total = env.reset(np.random.default_rng(99), EPISODES), 0.0
    for _ in range(env.horizon):
        state, step = env.step(state, (act(env.observe(state)[0]),))
        total += float(step.reward[0].mean())
    return total


def given(seed: int, size: int) -> tuple[Given, ...]:
    """So many seeds; steps between two looks."""
    return tuple(Given(LOOK, seed + k) for k in range(size))


def climb(kind: Any, greedy: Callable[[Any, Real], Real], given: Given) -> Climbed:
    """Train, and look, until the target is reached or nobody believes in it any longer."""
    kind(Given(2 * EVERY, given.seed)).train()
    learner, seconds, looks, last = kind(given), 0.0, 0, -np.inf
    while last < TARGET and looks < GIVEN_UP:
        before = time.process_time()
        learner.train()
        seconds += time.process_time() - before
        looks += 1
        last = returns(lambda obs: greedy(learner, obs))
    return Climbed(seconds, looks * LOOK, last)


def our_greedy(learner: Any, obs: Real) -> Real:
    """What our actors do."""
    rng = np.random.default_rng(0)  # nothing is drawn
    act = learner.maddpg.policy(learner.env, learner.cfg, learner.progress.agent, rng, greedy=True)
    return np.asarray(act((obs,), (), ()).action[0])


def torch_greedy(learner: Any, obs: Real) -> Real:
    """What PyTorch's actors do."""
    torch = learner.torch
    with torch.no_grad():
        seen = torch.as_tensor(obs, dtype=torch.float32)
        moves = [net(seen[:, i]).argmax(dim=1).numpy() for i, net in enumerate(learner.actors)]
    return np.stack(moves, axis=1)


@cache
def _ours(given: Given) -> Climbed:
    return climb(Ours, our_greedy, given)


@cache
def _torch(given: Given) -> Climbed:
    return climb(TorchMpe2, torch_greedy, given)


def _prepared(given: Given) -> Given:
    return given


def _reached(given: Given, result: Climbed) -> float:
    return float(result.last >= TARGET)


def _seconds(result: Climbed) -> float:
    return result.seconds


def _peer(name: str, package: str, run: Any) -> Peer:
    return Peer(
        name=name, package=package, prepare=_prepared, run=run, answer=_reached, seconds=_seconds
    )


TASKS = (
    Task(
        name="maddpg-return",
        title=f"MADDPG on navigation until greedy play returns {TARGET:g}",
        size="seeds",
        sizes=(1, 3),
        quick=(),  # the peer needs half a minute for a seed
        inputs=given,
        ours=_peer("refmarl", "refmarl", _ours),
        peers=(_peer("torch-mpe2", "mpe2", _torch),),
        same=same,
        patience=900.0,
    ),
)
