"""A training step of a perceptron: forward, mean squared error, backward, Adam; float32, ReLU.

Everybody starts at the same parameters. The answer is the loss before the step and after it. The
limit is the time of the products of matrices in it, at the rate that a large product has: what the
passes forward and backward could reach if nothing else were to be done.
"""

from functools import partial
from importlib import import_module
from itertools import pairwise
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from ...value_grad import Real
from ..task import Peer, Task

RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-8
CLOSE = 1e-4  # of a loss: float32 in another order of summation
BATCHES = (32, 64, 256, 1024, 4096)
LARGE = 512  # rows and columns of the product that shows the machine's rate


class Given(NamedTuple):
    """A regression: parameters to begin with, x (M, I), targets (M, O)."""

    sizes: tuple[int, ...]
    theta: Real
    x: Real
    target: Real


class Losses(NamedTuple):
    """Before and after one step."""

    before: float
    after: float


def regression(sizes: tuple[int, ...], seed: int, batch: int) -> tuple[Given, ...]:
    """Sines of a random input."""
    from ...nn import MLP

    rng = np.random.default_rng([seed, batch])
    theta = MLP(sizes, "relu").init(rng, scheme="fan-in", dtype=np.float32)
    x = rng.standard_normal((batch, sizes[0])).astype(np.float32)
    target = np.sin(x[:, :1] * np.arange(1, sizes[-1] + 1)).astype(np.float32)
    return (Given(sizes, theta, x, target),)


def same(truth: Losses, got: Losses) -> bool:
    """Both losses, and their difference to a hundredth."""
    step, other = truth.after - truth.before, got.after - got.before
    return (
        abs(got.before - truth.before) < CLOSE * truth.before
        and abs(got.after - truth.after) < CLOSE * truth.before
        and abs(other - step) < 0.01 * abs(step) + 1e-6
    )


def blocks(given: Given) -> list[Real]:
    """W_1, b_1, W_2, … of the parameters."""
    from ...nn import MLP

    net = MLP(given.sizes, "relu")
    return [net.view(given.theta, block.name).copy() for block in net.blocks]


# --------------------------------------------------------------------------------------------- ways


class _Ours:
    def __init__(self, given: Given) -> None:
        from ...nn import MLP
        from ...nn.optim import Adam

        self.net, self.adam = MLP(given.sizes, "relu"), Adam(beta1=BETA_1, beta2=BETA_2)
        self.given, self.theta = given, given.theta
        self.state = self.adam.init(given.theta)

    def step(self) -> float:
        """One step; the loss before it."""
        y, tape = self.net.forward(self.theta, self.given.x)
        error = y - self.given.target
        gradient = self.net.gradient(self.theta, tape, error * np.float32(2.0 / error.size))
        self.state, self.theta = self.adam.update(self.state, self.theta, gradient, RATE)
        return float(np.vdot(error, error)) / error.size

    def loss(self) -> float:
        error = self.net.forward(self.theta, self.given.x)[0] - self.given.target
        return float(np.square(error).mean())


class _Torch:
    def __init__(self, fused: bool, given: Given) -> None:
        torch = import_module("torch")
        torch.set_num_threads(1)
        layers: list[Any] = []
        parts = blocks(given)
        for w, b in zip(parts[::2], parts[1::2], strict=True):
            linear = torch.nn.Linear(*w.shape)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(w.T.copy()))
                linear.bias.copy_(torch.from_numpy(b))
            layers += [linear, torch.nn.ReLU()]
        self.net, self.error = torch.nn.Sequential(*layers[:-1]), torch.nn.functional.mse_loss
        more = {"fused": True} if fused else {}
        self.adam = torch.optim.Adam(self.net.parameters(), lr=RATE, **more)
        self.x, self.target = torch.from_numpy(given.x), torch.from_numpy(given.target)

    def step(self) -> Any:
        loss = self.error(self.net(self.x), self.target)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        self.adam.step()
        return loss.detach()

    def loss(self) -> float:
        return float(self.error(self.net(self.x), self.target))


class _Jax:
    """A jitted step with Adam written out, so that no further package is needed."""

    def __init__(self, given: Given) -> None:
        jax = import_module("jax")
        np_ = jax.numpy
        x, target = np_.asarray(given.x), np_.asarray(given.target)

        def loss(parts: Any) -> Any:
            h = x
            for k in range(0, len(parts), 2):
                h = h @ parts[k] + parts[k + 1]
                h = jax.nn.relu(h) if k + 2 < len(parts) else h
            return np_.square(h - target).mean()

        def step(t: Any, parts: Any, m: Any, v: Any) -> Any:
            value, g = jax.value_and_grad(loss)(parts)
            t = t + 1
            m = [BETA_1 * a + (1 - BETA_1) * b for a, b in zip(m, g, strict=True)]
            v = [BETA_2 * a + (1 - BETA_2) * b * b for a, b in zip(v, g, strict=True)]
            rate, widen = RATE / (1 - BETA_1**t), 1 / np_.sqrt(1 - BETA_2**t)
            moved = zip(parts, m, v, strict=True)
            parts = [p - rate * a / (np_.sqrt(b) * widen + EPSILON) for p, a, b in moved]
            return value, (t, parts, m, v)

        self.parts = [np_.asarray(part) for part in blocks(given)]
        zeros = [np_.zeros_like(part) for part in self.parts]
        self.state = (np_.float32(0.0), self.parts, zeros, [z + 0 for z in zeros])
        self.value = jax.jit(loss)
        self.advance = jax.jit(step, donate_argnums=(1, 2, 3))

    def step(self) -> Any:
        value, self.state = self.advance(*self.state)
        return value.block_until_ready()

    def loss(self) -> float:
        return float(self.value(self.state[1]))


def _step(learner: Any) -> tuple[Any, Any]:
    return learner, learner.step()


def _losses(given: Given, result: tuple[Any, Any]) -> Losses:
    learner, before = result
    return Losses(float(before), learner.loss())


def _peer(name: str, prepare: Any) -> Peer:
    package = name.partition(" ")[0]
    return Peer(name=name, package=package, prepare=prepare, run=_step, answer=_losses)


# -------------------------------------------------------------------------------------------- limit


def operations(sizes: tuple[int, ...], rows: int) -> int:
    """Multiplications and additions of the products in both passes."""
    layers = [i * o for i, o in pairwise(sizes)]
    return 2 * rows * (3 * sum(layers) - layers[0])  # h W, hᵀ δ, and δ Wᵀ but for the first


def _large(given: Given) -> tuple[int, Real, Real]:
    a = np.random.default_rng(0).standard_normal((LARGE, LARGE)).astype(np.float32)
    return operations(given.sizes, len(given.x)), a, np.empty_like(a)


def _at_full_rate(prepared: tuple[int, Real, Real]) -> float:
    """Seconds of that many operations, at the rate of a large product, the best of three."""
    count, a, out = prepared
    took = np.inf
    for _ in range(3):  # the first finds the caches full of something else
        start = perf_counter()
        np.matmul(a, a, out=out)
        took = min(took, perf_counter() - start)
    return took * count / (2 * LARGE**3)


def _itself(seconds: float) -> float:
    return seconds


def _passes(learner: _Ours) -> Any:
    y, tape = learner.net.forward(learner.theta, learner.given.x)
    return learner.net.gradient(learner.theta, tape, y)


def _nothing(given: Given, result: Any) -> None:
    """Nobody judges it."""


LIMIT = Peer(
    name="limit",
    package="refmarl",
    prepare=_large,
    run=_at_full_rate,
    answer=_nothing,
    seconds=_itself,
)
PASSES = Peer(name="passes", package="refmarl", prepare=_Ours, run=_passes, answer=_nothing)


def _task(sizes: tuple[int, ...]) -> Task:
    shape = "-".join(map(str, sizes))
    return Task(
        name=f"network-{shape}",
        title=f"a training step of a {shape} network",
        size="rows",
        sizes=BATCHES,
        quick=(64, 1024),
        inputs=partial(regression, sizes),
        ours=_peer("refmarl", _Ours),
        peers=(
            _peer("torch", partial(_Torch, False)),
            _peer("torch fused", partial(_Torch, True)),
            _peer("jax", _Jax),
        ),
        same=same,
        limit=LIMIT,
        part=PASSES,
        patience=5.0,
    )


TASKS = tuple(map(_task, ((4, 64, 64, 2), (18, 64, 64, 5), (64, 64, 64, 1))))
