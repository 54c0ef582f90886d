"""TRPO on CartPole: ``size`` environment steps, and the parts of one iteration by themselves.

8 copies × 128 steps, networks 4-64-64-2 and 4-64-64-1 of tanh, 15 products of conjugate gradients
on the whole batch, then 20 passes of the critic in 2 minibatches: sb3-contrib at the setting that
its authors publish for CartPole, with four times the copies.

``trpo-cartpole``: two runs need not be the same; that both take as many steps and that the last
update's KL is within δ is asked of everybody. ``trpo-part-…``: one iteration's collecting, ascent
(advantages and ∇E[r A]), product, candidate of the line search, and fit of the critic, after two
iterations. In a product the peers compute H v of the same policy, by differentiating twice.
"""

from dataclasses import replace
from functools import partial
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ...value_grad import Real
from ..task import Peer, Task
from .networks import LARGE, LIMIT, operations
from .training import Given, _run, steps

COPIES, ROWS, PRODUCTS, EPOCHS, MINIBATCHES = 8, 128, 15, 20, 2
GAMMA, LAM, RATE, DELTA, DAMPING = 0.99, 0.98, 1e-3, 0.01, 1e-3
BATCH, ACTOR, CRITIC = COPIES * ROWS, (4, 64, 64, 2), (4, 64, 64, 1)
CLOSE = 5e-5  # of the largest number: float32, in another order of summation


class Trained(NamedTuple):
    """What came out."""

    steps: float  # by those asked for
    kl: float  # of the last update, by δ


class Numbers(NamedTuple):
    """What a part gives, some of it where it is much."""

    x: Real


def same(truth: Trained, got: Trained) -> bool:
    """As many steps; a policy that moved, and not farther than it may."""
    return abs(got.steps - 1.0) < 1e-9 and 0.0 < got.kl <= 1.0


def alike(truth: Numbers, got: Numbers) -> bool:
    """The same numbers, up to rounding beside the largest of them."""
    size = max(float(np.abs(truth.x).max()), 1e-6)
    return got.x.shape == truth.x.shape and bool((abs(got.x - truth.x) <= CLOSE * size).all())


# --------------------------------------------------------------------------------------------- ours


class _Ours:
    def __init__(self, given: Given) -> None:
        from ...envs.cartpole import CartPole
        from ...policy_gradient import trpo

        self.iterations, self.env, self.trpo = given.steps // BATCH, CartPole(), trpo
        self.cfg = trpo.Config(
            gamma=GAMMA, lam=LAM, delta=DELTA, damping=DAMPING, cg_iterations=PRODUCTS,
            cg_tolerance=0.0, value_lr=RATE, value_epochs=EPOCHS, value_minibatches=MINIBATCHES,
            num_envs=COPIES, num_steps=ROWS,
        )  # fmt: skip
        self.progress = trpo.start(self.env, self.cfg, np.random.default_rng(given.seed))

    def run(self) -> tuple[int, float]:
        before = self.progress.steps
        for _ in range(self.iterations):
            self.progress, metrics = self.trpo.iterate(self.env, self.cfg, self.progress)
        return self.progress.steps - before, metrics["kl"]


class _Work:
    """What the parts of an iteration start from."""

    def __init__(self, given: Given) -> None:
        from ...policy_gradient import actor_critic

        whole = _Ours(given._replace(steps=2 * BATCH))
        whole.run()
        self.env, self.cfg, self.trpo = whole.env, whole.cfg, whole.trpo
        self.agent, self.roll = whole.progress.agent, whole.progress.roll
        self.critic = actor_critic.critic(self.env.groups[0], self.cfg.hidden)
        self.batch = self.collect()
        self.theta, self.phi = self.agent.theta[0], self.agent.phi[0]
        _, self.target = self.trpo.advantages(self.cfg, self.critic, self.phi, self.batch, 0)
        self.data, self.v = self._prepared()
        self.moved = self.theta + np.float32(1e-3) * self.v / np.float32(np.linalg.norm(self.v))

    def collect(self) -> Any:
        from ...rollout import collect

        act = self.trpo.policy(self.env, self.cfg, self.agent, np.random.default_rng(0))
        return collect(self.env, act, self.roll, ROWS)[1]

    def _prepared(self) -> tuple[Any, Real]:
        advantage, _ = self.trpo.advantages(self.cfg, self.critic, self.phi, self.batch, 0)
        data = self.trpo.prepare(self.env, self.cfg, self.theta, self.batch, advantage, 0)
        return data, self.trpo.gradient(self.theta, data)

    def ascent(self) -> Real:
        return self._prepared()[1]

    def product(self) -> Real:
        found: Real = self.trpo.product(self.cfg, self.theta, self.data)(self.v)
        return found

    def search(self) -> Real:
        gain, kl = self.trpo.judged(self.theta, self.moved, self.data)
        return np.array([gain, kl])

    def fit(self) -> Real:
        obs, rng = self.batch.obs[0][:-1], np.random.default_rng(0)
        state = self.agent.opt_phi[0]
        found: Real = self.trpo.fit(
            self.cfg, self.critic, self.phi, state, obs, self.target, rng
        )[0]  # fmt: skip
        return found


# -------------------------------------------------------------------------------------------- peers


class _Sb3:
    def __init__(self, given: Given) -> None:
        import_module("torch").set_num_threads(1)
        env_util = import_module("stable_baselines3.common.env_util")
        env = env_util.make_vec_env("CartPole-v1", n_envs=COPIES, seed=given.seed)
        self.steps = given.steps // BATCH * BATCH
        self.model = import_module("sb3_contrib").TRPO(
            "MlpPolicy", env, n_steps=ROWS, batch_size=BATCH // MINIBATCHES, gamma=GAMMA,
            gae_lambda=LAM, learning_rate=RATE, cg_max_steps=PRODUCTS, cg_damping=DAMPING,
            target_kl=DELTA, n_critic_updates=EPOCHS, seed=given.seed, device="cpu",
        )  # fmt: skip

    def run(self) -> tuple[int, float]:
        before = self.model.num_timesteps
        self.model.learn(self.steps, reset_num_timesteps=False)
        kl = float(self.model.logger.name_to_value["train/kl_divergence_loss"])
        return self.model.num_timesteps - before, kl


class _Torch:
    """H v as sb3-contrib has it: the gradient of ⟨∇KL, v⟩."""

    def __init__(self, given: Given) -> None:
        self.torch = torch = import_module("torch")
        torch.set_num_threads(1)
        work = _Work(given)
        pieces = [torch.tensor(part, requires_grad=True) for part in _blocks(work.theta)]
        h = torch.tensor(work.data.obs.reshape(-1, ACTOR[0]).astype(np.float32))
        for k in range(0, len(pieces), 2):
            h = h @ pieces[k] + pieces[k + 1]
            h = torch.tanh(h) if k + 2 < len(pieces) else h
        new = torch.distributions.Categorical(logits=h)
        old = torch.distributions.Categorical(logits=h.detach())
        kl = torch.distributions.kl_divergence(old, new).mean()
        slopes = torch.autograd.grad(kl, pieces, create_graph=True)
        self.slope = torch.cat([part.reshape(-1) for part in slopes])
        self.pieces, self.v = pieces, torch.tensor(work.v)

    def run(self) -> Real:
        grad, along = self.torch.autograd.grad, (self.slope * self.v).sum()
        parts = grad(along, self.pieces, retain_graph=True)
        found = self.torch.cat([part.reshape(-1) for part in parts]) + DAMPING * self.v
        return np.asarray(found)


class _Jax:
    """H v as a jitted derivative of the gradient along v."""

    def __init__(self, given: Given) -> None:
        jax = import_module("jax")
        np_, work = jax.numpy, _Work(given)
        obs = np_.asarray(work.data.obs.reshape(-1, ACTOR[0]))
        places = np.cumsum([part.size for part in _blocks(work.theta)])[:-1]
        shapes = [part.shape for part in _blocks(work.theta)]

        def log_probs(theta: Any) -> Any:
            parts = [p.reshape(s) for p, s in zip(np_.split(theta, places), shapes, strict=True)]
            h = obs
            for k in range(0, len(parts), 2):
                h = h @ parts[k] + parts[k + 1]
                h = np_.tanh(h) if k + 2 < len(parts) else h
            return jax.nn.log_softmax(h)

        theta, self.v = np_.asarray(work.theta), np_.asarray(work.v)
        old = log_probs(theta)

        def kl(theta: Any) -> Any:
            return (np_.exp(old) * (old - log_probs(theta))).sum(-1).mean()

        self.product = jax.jit(
            lambda v: jax.jvp(jax.grad(kl), (theta,), (v,))[1] + DAMPING * v
        )  # fmt: skip

    def run(self) -> Real:
        return np.asarray(self.product(self.v).block_until_ready())


def _blocks(theta: Real) -> list[Real]:
    """W_1, b_1, W_2, … of an actor's parameters."""
    from ...nn import MLP

    net = MLP(ACTOR)
    return [net.view(theta, block.name).copy() for block in net.blocks]


# ------------------------------------------------------------------------------------------- limits


def forward_operations(sizes: tuple[int, ...], rows: int) -> int:
    """Multiplications and additions of the products of a forward pass."""
    return 2 * rows * sum(i * o for i, o in pairwise(sizes))


def part_operations(part: str) -> int:
    """The same of all products in a part of an iteration."""
    ahead, judge = (forward_operations(sizes, BATCH) for sizes in (ACTOR, CRITIC))
    back = operations(ACTOR, BATCH) - ahead
    return {
        "collect": ahead,
        "ascent": judge + ahead + back,
        "product": 2 * back,  # R{h} W + h R{W} costs what the way back does
        "search": ahead,
        "fit": EPOCHS * operations(CRITIC, BATCH),
    }[part]


def whole_operations() -> int:
    """Of an iteration with one candidate; x · Hx takes one product more."""
    counted = {part: part_operations(part) for part in PARTS}
    return sum(counted.values()) + PRODUCTS * counted["product"]


PARTS = {
    "collect": "128 steps of 8 copies",
    "ascent": "advantages and ∇E[r A]",
    "product": "one Fisher-vector product",
    "search": "one candidate of the line search",
    "fit": "20 passes of the critic",
}


def _products(part: str, given: Given) -> tuple[int, Real, Real]:
    """(operations, a large matrix, room for a product)."""
    a = np.random.default_rng(0).standard_normal((LARGE, LARGE)).astype(np.float32)
    count = part_operations(part) if part else given.steps // BATCH * whole_operations()
    return count, a, np.empty_like(a)


def _trained(given: Given, result: tuple[int, float]) -> Trained:
    return Trained(result[0] / given.steps, result[1] / DELTA)


def _step(part: str, work: _Work) -> Any:
    return getattr(work, part)()


def _numbers(given: Given, result: Any) -> Numbers:
    """Every 97th number, or how many steps were collected, by those asked for."""
    whole = result if isinstance(result, np.ndarray) else [result.steps / given.steps]
    x = np.asarray(whole, dtype=float)
    return Numbers(x[:: 97 if len(x) > 97 else 1])


def _part(part: str) -> Task:
    peers = {"torch": _Torch, "jax": _Jax} if part == "product" else {}
    return Task(
        name=f"trpo-part-{part}",
        title=f"TRPO on CartPole: {PARTS[part]}",
        size="steps",
        sizes=(BATCH,),
        quick=(BATCH,),
        inputs=steps,
        ours=Peer(
            name="refmarl", package="refmarl", prepare=_Work, run=partial(_step, part),
            answer=_numbers,
        ),
        peers=tuple(
            Peer(name=name, package=name, prepare=way, run=_run, answer=_numbers)
            for name, way in peers.items()
        ),
        same=alike,
        limit=replace(LIMIT, prepare=partial(_products, part)),
        patience=20.0,
    )  # fmt: skip


TASKS = (
    Task(
        name="trpo-cartpole",
        title="TRPO on CartPole, 8 copies of 128 steps",
        size="steps",
        sizes=(2048, 10240),
        quick=(10240,),
        inputs=steps,
        ours=Peer(name="refmarl", package="refmarl", prepare=_Ours, run=_run, answer=_trained),
        peers=(
            Peer(
                name="sb3-contrib", package="sb3_contrib", prepare=_Sb3, run=_run, answer=_trained
            ),
        ),
        same=same,
        limit=replace(LIMIT, prepare=partial(_products, "")),
        patience=60.0,
    ),
    *map(_part, PARTS),
)
