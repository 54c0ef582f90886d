"""SAC on Pendulum, one copy: ``size`` steps, an update of 256 rows after each.

Networks 3-256-256-2 and twice 4-256-256-1 of ReLU, Adam at 1e-3, as Stable-Baselines3 has them if
nothing but the rate is said. Before the clock starts 300 steps have been collected, of which the
last 200 were learnt from. Two runs need not be the same; that both make as many updates, that
critics stand where Pendulum's values are, and that the policy is not yet certain, is asked of
everybody.
"""

from dataclasses import replace
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ...learner import Metrics
from ...value_grad import Real
from ..task import Peer, Task
from .networks import LARGE, LIMIT

UNITS, ROWS, RATE, BEFORE, UNIFORM = 256, 256, 1e-3, 300, 100
LEAST = 400.0  # critics that have begun to learn are nowhere below minus this


class Given(NamedTuple):
    """How many environment steps, and a seed."""

    steps: int
    seed: int


class Trained(NamedTuple):
    """What came out."""

    updates: float  # by those asked for
    value: float  # mean of a critic over rows of the memory, by LEAST
    entropy: float  # of actions in (−1, 1), nats


def steps(seed: int, size: int) -> tuple[Given, ...]:
    """The number of steps is the size."""
    return (Given(size, seed),)


def same(truth: Trained, got: Trained) -> bool:
    """As many updates; values below 0 and above what can be; an entropy between sharp and flat."""
    return (
        abs(got.updates - 1.0) < 1e-9
        and -1.0 < got.value < 0.0
        and -3.0 < got.entropy < np.log(2.0) + 1e-3
    )


def operations(rows: int = ROWS, units: int = UNITS) -> int:
    """Multiplications and additions of an update's matrix products, the wide layers alone.

    Of a layer: one product forward, one for ∂L/∂x and one for ∂L/∂W. Actor at o′, 2 target
    critics: forward; 2 critics: all three; actor: all three; 2 critics again: forward and ∂L/∂x.
    """
    passes = 1 + 2 + 2 * 3 + 3 + 2 * 2
    return 2 * rows * units * units * passes


class _Ours:
    def __init__(self, given: Given) -> None:
        from ...envs.pendulum import Pendulum
        from ...policy_gradient import sac

        self.sac, self.env, self.steps = sac, Pendulum(), given.steps
        self.cfg = sac.Config(hidden=(UNITS, UNITS), batch=ROWS, lr=RATE, warmup=UNIFORM,
                              num_steps=100)  # fmt: skip
        self.progress = sac.start(self.env, self.cfg, np.random.default_rng(given.seed))
        for _ in range(BEFORE // 100):
            self.progress, _ = sac.iterate(self.env, self.cfg, self.progress)

    def run(self) -> tuple[float, float, float]:
        before = self.progress.agent.opt_phi[0].step
        metrics: Metrics = {}
        for _ in range(self.steps // self.cfg.num_steps):
            self.progress, metrics = self.sac.iterate(self.env, self.cfg, self.progress)
        done = self.progress.agent.opt_phi[0].step - before
        return float(done), metrics["q"], metrics["entropy"]


class _Sb3:
    """Stable-Baselines3's SAC as it is, on Gymnasium's Pendulum."""

    def __init__(self, given: Given) -> None:
        self.torch = torch = import_module("torch")
        gymnasium, sb3 = import_module("gymnasium"), import_module("stable_baselines3")
        torch.set_num_threads(1)
        env = gymnasium.make("Pendulum-v1")
        self.steps = given.steps
        self.model = sb3.SAC(
            "MlpPolicy", env, learning_rate=RATE, batch_size=ROWS, learning_starts=UNIFORM,
            seed=given.seed, device="cpu",
        )  # fmt: skip
        self.model.learn(BEFORE)

    def run(self) -> tuple[float, float, float]:
        torch, model = self.torch, self.model
        before = model._n_updates
        model.learn(self.steps, reset_num_timesteps=False)
        batch = model.replay_buffer.sample(ROWS)
        with torch.no_grad():
            _, log_prob = model.actor.action_log_prob(batch.observations)
            value = model.critic(batch.observations, batch.actions)[0].mean()
        return float(model._n_updates - before), float(value), -float(log_prob.mean())


def _run(learner: Any) -> Any:
    return learner.run()


def _trained(given: Given, result: tuple[float, float, float]) -> Trained:
    updates, value, entropy = result
    return Trained(updates / given.steps, value / LEAST, entropy)


def _products(given: Given) -> tuple[int, Real, Real]:
    """(operations of all steps' products, a large matrix, room for a product)."""
    a = np.random.default_rng(0).standard_normal((LARGE, LARGE)).astype(np.float32)
    return given.steps * operations(), a, np.empty_like(a)


TASKS = (
    Task(
        name="sac-pendulum",
        title="SAC on Pendulum, one copy, an update for each step",
        size="steps",
        sizes=(200, 1000),
        quick=(200,),
        inputs=steps,
        ours=Peer(name="refmarl", package="refmarl", prepare=_Ours, run=_run, answer=_trained),
        peers=(
            Peer(
                name="stable-baselines3", package="stable_baselines3", prepare=_Sb3, run=_run,
                answer=_trained,
            ),
        ),
        same=same,
        limit=replace(LIMIT, prepare=_products),
        patience=60.0,
    ),
)  # fmt: skip
