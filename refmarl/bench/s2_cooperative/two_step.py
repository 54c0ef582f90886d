"""QMIX from nothing to the optimum of the two-step game: steps, memory and updates together.

Eight copies of the game (choose a sure 7, or a table of 0, 1, 1 and 8) are played uniformly, with
an update of 64 rows after each step of all of them. ``qmix-two-step`` takes ``size`` environment
steps; ``qmix-optimum`` goes on, for each of ``size`` seeds, until greedy play has earned 8 at three
looks in a row, one every 400 steps. Both ask that greedy play earns 8, the best there is. The
networks of the PyTorch program are those of :mod:`.mixing`, its game is arrays of NumPy.
"""

from typing import Any, NamedTuple

import numpy as np

from ...games.markov_examples import two_step
from ...value_grad import Real
from ..task import Peer, Task
from .mixing import GAMMA, MIXING, NORM, UNITS, Program, Sizes

COPIES, ROWS, RATE, PERIOD, CAPACITY, WARMUP = 8, 64, 1e-3, 100, 5000, 100
STEPS = 50  # of all copies, between two looks
LOOK = STEPS * COPIES
LOOKS, GIVEN_UP = 3, 50  # in a row; looks in all
BEST = 8.0
STATES = 4  # choose, sure, both, over


class Given(NamedTuple):
    """How much, and a seed."""

    size: int
    seed: int


class Trained(NamedTuple):
    """What came out: updates by those asked for, and the least that greedy play earns."""

    updates: float
    worth: float


def given(seed: int, size: int) -> tuple[Given, ...]:
    """Steps, or seeds, are the size."""
    return (Given(size, seed),)


def same(truth: Trained, got: Trained) -> bool:
    """As many updates as were asked for, and the optimum."""
    return abs(got.updates - 1.0) < 1e-9 and abs(got.worth - BEST) < 1e-9


def updates(steps: int) -> int:
    """How many follow from so many environment steps."""
    return len([s for s in range(COPIES, steps + 1, COPIES) if s >= WARMUP])


def played(q: Real) -> float:
    """What both earn who take their best actions; ``q`` (3, n, A): choose, sure, both."""
    reward, first, last = two_step(GAMMA).reward[0], q[0, 0].argmax(), q[1:].argmax(axis=-1)
    return float(reward[(1 + first, *last[first])])


# ----------------------------------------------------------------------------------------- ours


class _Ours:
    def __init__(self, given: Given) -> None:
        from ...cooperative import qmix
        from ...envs.tabular import TabularEnv

        self.qmix, self.env, self.given = qmix, TabularEnv("two_step", 0), given
        self.cfg = qmix.Config(
            gamma=GAMMA, epsilon=1.0, epsilon_last=1.0, num_envs=COPIES, num_steps=STEPS,
            warmup=WARMUP, capacity=CAPACITY, batch=ROWS, period=PERIOD, lr=RATE, max_norm=NORM,
            hidden=(UNITS, UNITS), mixing=MIXING, ids=False,
        )  # fmt: skip
        self.net = qmix.nets(self.env, self.cfg)[0]
        state = self.env.reset(np.random.default_rng(0), 3)
        self.seen = self.env.observe(state._replace(s=np.arange(3)))

    def begin(self, seed: int) -> None:
        self.progress = self.qmix.start(self.env, self.cfg, np.random.default_rng(seed))

    def go(self) -> None:
        self.progress, _ = self.qmix.iterate(self.env, self.cfg, self.progress)

    @property
    def done(self) -> int:
        return int(self.progress.agent.opt.step)

    def values(self) -> Real:
        q: Real = self.net.forward(self.progress.agent.phi[: self.net.size], self.seen).q[0]
        return q


# -------------------------------------------------------------------------------------- PyTorch


class _Torch:
    """An array of states, a memory of arrays, ε-greedy play with ε = 1."""

    def __init__(self, given: Given) -> None:
        self.given, self.payoffs = given, two_step(GAMMA).reward[0].astype(np.float32)
        self.begin(given.seed)

    def begin(self, seed: int) -> None:
        self.program = Program(Sizes(2, 2 + STATES, 2, STATES, RATE, PERIOD), seed)
        self.rng, self.s, self.steps = np.random.default_rng(seed), np.zeros(COPIES, int), 0
        kinds = (((2, 2, 2 + STATES), np.float32), ((2, STATES), np.float32), ((2, 1), np.int64))
        one: tuple[tuple[int, ...], Any] = ((), np.float32)
        self.memory = [np.zeros((CAPACITY, *shape), kind) for shape, kind in (*kinds, one, one)]

    @property
    def done(self) -> int:
        return self.program.done

    def seen(self, s: Real) -> tuple[Real, Real]:
        """(observations (B, 2, 2 + S), states (B, S))."""
        state = np.eye(STATES, dtype=np.float32)[s]
        who = np.broadcast_to(np.eye(2, dtype=np.float32), (len(s), 2, 2))
        return np.concatenate([who, np.repeat(state[:, None], 2, axis=1)], axis=-1), state

    def values(self) -> Real:
        with self.program.torch.no_grad():
            obs = self.program.torch.as_tensor(self.seen(np.arange(3))[0])
            return np.asarray(self.program.net["agent"](obs).numpy())

    def go(self) -> None:
        torch = self.program.torch
        for _ in range(STEPS):
            self._step()
            if self.steps >= WARMUP:
                chosen = self.rng.integers(0, min(self.steps, CAPACITY), ROWS)
                obs, state, *rest = (torch.as_tensor(own[chosen]) for own in self.memory)
                self.program.learn(obs.transpose(0, 1), state.transpose(0, 1), *rest)

    def _step(self) -> None:
        obs, state = self.seen(self.s)
        with self.program.torch.no_grad():
            best = self.program.net["agent"](self.program.torch.as_tensor(obs)).argmax(-1).numpy()
        explores = self.rng.random(best.shape) < 1.0
        a = np.where(explores, self.rng.integers(2, size=best.shape), best)
        paid, over = self.payoffs[self.s, a[:, 0], a[:, 1]], self.s > 0
        after = np.where(over, STATES - 1, 1 + a[:, 0])
        then = self.seen(after)
        rows = (
            np.stack([obs, then[0]], axis=1), np.stack([state, then[1]], axis=1), a[..., None],
            paid, 1.0 - over,
        )  # fmt: skip
        at = (self.steps + np.arange(COPIES)) % CAPACITY
        for own, row in zip(self.memory, rows, strict=True):
            own[at] = row
        self.s, self.steps = np.where(over, 0, after), self.steps + COPIES


# ---------------------------------------------------------------------------------------- tasks


def _train(learner: Any) -> tuple[float, Real]:
    """All steps."""
    learner.begin(learner.given.seed)
    for _ in range(learner.given.size // LOOK):
        learner.go()
    return learner.done / updates(learner.given.size), learner.values()


def _until(learner: Any) -> tuple[float, Real]:
    """One seed after the other, until greedy play is best; the values of the worst."""
    found = [_climb(learner, learner.given.seed + k) for k in range(learner.given.size)]
    return 1.0, min(found, key=played)


def _climb(learner: Any, seed: int) -> Real:
    learner.begin(seed)
    row = 0
    for _ in range(GIVEN_UP):
        learner.go()
        q: Real = learner.values()
        row = row + 1 if played(q) == BEST else 0
        if row == LOOKS:
            break
    return q


def _trained(given: Given, result: tuple[float, Real]) -> Trained:
    return Trained(result[0], played(result[1]))


def _task(name: str, title: str, size: str, sizes: tuple[int, ...], run: Any) -> Task:
    def peer(name: str, package: str, prepare: Any) -> Peer:
        return Peer(name=name, package=package, prepare=prepare, run=run, answer=_trained)

    return Task(
        name=name,
        title=title,
        size=size,
        sizes=sizes,
        quick=sizes[:1],
        inputs=given,
        ours=peer("refmarl", "refmarl", _Ours),
        peers=(peer("torch", "torch", _Torch),),
        same=same,
        patience=60.0,
    )


TASKS = (
    _task(
        "qmix-two-step",
        "QMIX on the two-step game, eight copies, an update after each step of all",
        "steps",
        (4800, 9600),
        _train,
    ),
    _task(
        "qmix-optimum",
        "QMIX on the two-step game until greedy play is best",
        "seeds",
        (3, 10),
        _until,
    ),
)
