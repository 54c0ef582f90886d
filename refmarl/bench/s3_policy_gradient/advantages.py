"""Generalised advantages of a batch, float32, from rewards, values, the last values and ends."""

from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ...value_grad import Real
from ..task import Peer, Task

GAMMA, LAMBDA = 0.99, 0.95
SHAPES = {64: (16, 4), 1024: (128, 8), 131072: (2048, 64)}  # (T, B) by T · B
LOOP = "generalized_advantage_estimate"  # of torchrl.objectives.value.functional
VECTORISED = f"vec_{LOOP}"
CLOSE = 1e-3  # advantages are about 5, sums of 20 terms in float32


class Given(NamedTuple):
    """T steps of B streams; ``last`` (B,) is the value of what follows."""

    reward: Real
    value: Real
    last: Real
    ended: Real  # (T, B) of 0.0 and 1.0


class Advantages(NamedTuple):
    """A (T, B)."""

    advantage: Real


def batch(seed: int, size: int) -> tuple[Given, ...]:
    """Normal numbers; one step in a hundred is the last of an episode."""
    rng, shape = np.random.default_rng([seed, size]), SHAPES[size]
    reward, value = rng.standard_normal((2, *shape)).astype(np.float32)
    last = rng.standard_normal(shape[1]).astype(np.float32)
    return (Given(reward, value, last, (rng.random(shape) < 0.01).astype(np.float32)),)


def same(truth: Advantages, got: Advantages) -> bool:
    """Every number."""
    return bool((abs(got.advantage - truth.advantage) < CLOSE).all())


def _ours(given: Given) -> tuple[Any, ...]:
    return given, given.ended.astype(bool)


def _ours_gae(prepared: Any) -> Any:
    from ...policy_gradient.returns import gae

    (reward, value, last, _), ended = prepared
    after = np.concatenate([value[1:], last[None]])
    return gae(reward, value, after, ended, ended, GAMMA, LAMBDA)


def _torch(given: Given) -> Any:
    torch = import_module("torch")
    torch.set_num_threads(1)
    return torch, tuple(torch.from_numpy(a) for a in given)


def _torch_gae(prepared: Any) -> Any:
    """The usual loop over time, backwards."""
    torch, (reward, value, last, ended) = prepared
    advantage, tail = torch.zeros_like(reward), 0.0
    for t in range(len(reward) - 1, -1, -1):
        follow = last if t == len(reward) - 1 else value[t + 1]
        on = 1.0 - ended[t]
        delta = reward[t] + GAMMA * follow * on - value[t]
        advantage[t] = tail = delta + GAMMA * LAMBDA * on * tail
    return advantage


def _torchrl(name: str, given: Given) -> Any:
    torch, parts = _torch(given)
    reward, value, last, ended = parts
    after = torch.cat([value[1:], last[None]])
    function = import_module("torchrl.objectives.value.functional")
    # it wants streams first and a last axis of features
    turned = [a.T.contiguous()[..., None] for a in (value, after, reward, ended)]
    ends = turned[3].bool()
    return getattr(function, name), (*turned[:3], ends, ends)


def _torchrl_gae(prepared: Any) -> Any:
    estimate, (value, after, reward, done, terminated) = prepared
    return estimate(GAMMA, LAMBDA, value, after, reward, done, terminated)[0][..., 0].T


def _rlax(given: Given) -> Any:
    jax, rlax = import_module("jax"), import_module("rlax")

    def one(reward: Any, ended: Any, value: Any) -> Any:
        discount = GAMMA * (1.0 - ended)
        return rlax.truncated_generalized_advantage_estimation(reward, discount, LAMBDA, value)

    def many(reward: Any, value: Any, last: Any, ended: Any) -> Any:
        values = jax.numpy.concatenate([value, last[None]])
        return jax.vmap(one, in_axes=1, out_axes=1)(reward, ended, values)

    return jax.jit(many), tuple(map(jax.numpy.asarray, given))


def _jax(given: Given) -> Any:
    jax = import_module("jax")

    def scan(reward: Any, value: Any, last: Any, ended: Any) -> Any:
        def step(carry: Any, row: Any) -> Any:
            tail, follow = carry
            r, v, on = row[0], row[1], 1.0 - row[2]
            tail = r + GAMMA * on * follow - v + GAMMA * LAMBDA * on * tail
            return (tail, v), tail

        begin = (jax.numpy.zeros_like(last), last)
        return jax.lax.scan(step, begin, (reward, value, ended), reverse=True, unroll=16)[1]

    return jax.jit(scan), tuple(map(jax.numpy.asarray, given))


def _call(prepared: Any) -> Any:
    function, arrays = prepared
    return function(*arrays).block_until_ready()


def _copy(prepared: Given) -> Any:
    """One array read and one written: nobody can do with less."""
    return prepared.reward.copy()


def _same(given: Given) -> Given:
    return given


def _advantages(given: Given, result: Any) -> Advantages:
    return Advantages(np.asarray(result))


def _peer(name: str, prepare: Any, run: Any) -> Peer:
    package = name.partition(" ")[0]
    package = "refmarl" if package == "limit" else package
    return Peer(name=name, package=package, prepare=prepare, run=run, answer=_advantages)


TASKS = (
    Task(
        name="gae",
        title="generalised advantages of a batch",
        size="T · B",
        sizes=tuple(SHAPES),
        quick=(1024,),
        inputs=batch,
        ours=_peer("refmarl", _ours, _ours_gae),
        peers=(
            _peer("torch loop", _torch, _torch_gae),
            _peer("torchrl", partial(_torchrl, VECTORISED), _torchrl_gae),
            _peer("torchrl loop", partial(_torchrl, LOOP), _torchrl_gae),
            _peer("rlax", _rlax, _call),
            _peer("jax scan", _jax, _call),
        ),
        same=same,
        limit=_peer("limit", _same, _copy),
        patience=5.0,
    ),
)
