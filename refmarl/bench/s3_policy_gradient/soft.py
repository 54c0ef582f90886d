"""SAC on Pendulum, one copy: ``size`` steps, an update of 256 rows after each.

Networks 3-U-U-2 and twice 4-U-U-1 of ReLU, Adam at 1e-3; with U = 256 that is Stable-Baselines3 if
nothing but the rate is said, with U = 64 ours. Before the clock starts 300 steps have been
collected, of which the last 200 were learnt from. Two runs need not be the same; that both make as
many updates, that critics stand where Pendulum's values are, and that the policy is not yet
certain, is asked of everybody.
"""

import os
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ...learner import Metrics
from ...value_grad import Real
from ..task import Peer, Task
from .networks import LARGE, LIMIT

ROWS, RATE, BEFORE, UNIFORM = 256, 1e-3, 300, 100
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


def operations(rows: int, units: int) -> int:
    """Multiplications and additions of an update's matrix products, the wide layers alone.

    Of a layer: one product forward, one for ∂L/∂x and one for ∂L/∂W. Actor at o′, 2 target
    critics: forward; 2 critics: all three; actor: all three; 2 critics again: forward, and ∂L/∂x
    of the smaller one's rows, which are as many as one critic's.
    """
    passes = 1 + 2 + 2 * 3 + 3 + 2 + 1
    return 2 * rows * units * units * passes


class _Ours:
    def __init__(self, units: int, given: Given) -> None:
        from ...envs.pendulum import Pendulum
        from ...policy_gradient import sac

        self.sac, self.env, self.steps = sac, Pendulum(), given.steps
        self.cfg = sac.Config(hidden=(units, units), batch=ROWS, lr=RATE, warmup=UNIFORM,
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

    package = "stable_baselines3"

    def __init__(self, units: int, given: Given) -> None:
        torch = import_module("torch")
        gymnasium, library = import_module("gymnasium"), import_module(self.package)
        torch.set_num_threads(1)
        self.steps = given.steps
        self.model = library.SAC(
            "MlpPolicy", gymnasium.make("Pendulum-v1"), learning_rate=RATE, batch_size=ROWS,
            learning_starts=UNIFORM, seed=given.seed, policy_kwargs={"net_arch": [units, units]},
            **self.more(),
        )  # fmt: skip
        self.model.learn(BEFORE)

    def more(self) -> dict[str, Any]:
        """What this library alone wants to be told."""
        return {"device": "cpu"}

    def run(self) -> tuple[float, float, float]:
        before = self.model._n_updates
        self.model.learn(self.steps, reset_num_timesteps=False)
        value, log_prob = self.judge(self.model, self.model.replay_buffer.sample(ROWS))
        return float(self.model._n_updates - before), value, -log_prob

    def judge(self, model: Any, batch: Any) -> tuple[float, float]:
        """Means of a critic and of log π over the batch."""
        with import_module("torch").no_grad():
            _, log_prob = model.actor.action_log_prob(batch.observations)
            value = model.critic(batch.observations, batch.actions)[0]
        return float(value.mean()), float(log_prob.mean())


class _Sbx(_Sb3):
    """The same in JAX, an update in one jitted call; XLA too is held to one thread."""

    package = "sbx"

    def __init__(self, units: int, given: Given) -> None:
        os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
        super().__init__(units, given)

    def more(self) -> dict[str, Any]:
        return {}

    def judge(self, model: Any, batch: Any) -> tuple[float, float]:
        jax, policy = import_module("jax"), model.policy
        obs, action = batch.observations.numpy(), batch.actions.numpy()
        values = policy.qf_state.apply_fn(policy.qf_state.params, obs, action)
        choice = policy.actor_state.apply_fn(policy.actor_state.params, obs)
        drawn = choice.sample(seed=jax.random.PRNGKey(0))
        return float(values[0].mean()), float(choice.log_prob(drawn).mean())


def _run(learner: Any) -> Any:
    return learner.run()


def _trained(given: Given, result: tuple[float, float, float]) -> Trained:
    updates, value, entropy = result
    return Trained(updates / given.steps, value / LEAST, entropy)


def _products(units: int, given: Given) -> tuple[int, Real, Real]:
    """(operations of all steps' products, a large matrix, room for a product)."""
    a = np.random.default_rng(0).standard_normal((LARGE, LARGE)).astype(np.float32)
    return given.steps * operations(ROWS, units), a, np.empty_like(a)


def _peer(name: str, package: str, way: Any, units: int) -> Peer:
    prepare = partial(way, units)
    return Peer(name=name, package=package, prepare=prepare, run=_run, answer=_trained)


TASKS = tuple(
    Task(
        name=name,
        title=f"SAC on Pendulum, one copy, {units}-{units}, an update for each step",
        size="steps",
        sizes=(200, 1000),
        quick=(200,),
        inputs=steps,
        ours=_peer("refmarl", "refmarl", _Ours, units),
        peers=(
            _peer("stable-baselines3", "stable_baselines3", _Sb3, units),
            _peer("sbx", "sbx", _Sbx, units),
        ),
        same=same,
        limit=replace(LIMIT, prepare=partial(_products, units)),
        patience=60.0,
    )
    for name, units in (("sac-pendulum", 256), ("sac-pendulum-small", 64))
)
