r"""The networks of soft actor–critic: actors, twin critics, what is drawn, and both gradients.

Critics see (o, a, what is given of others); where an action is one of K they give all K values
instead of being told one. Actions of a box are numbers in (−1, 1)^A here and in the memory, in
which log π is measured; :func:`outer` moves them to the box.

Axes: M rows of a batch, N agents of a group, K critics (2) or actions, A numbers of an action, E
numbers that a critic sees of others. Arrays in the order of the networks are (M, N, …) where the
agents share one, (N, M, …) where each has its own.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..check import InputError
from ..env_api import Actions, Box, Discrete, Env, Group
from ..nn import categorical, tanh_gaussian
from ..nn.mlp import MLP
from ..nn.policy import Policy
from ..rollout import Arrays
from ..value_grad import Real
from .off_policy import Choose
from .sac_losses import actor_loss, critic_loss, discrete_actor_loss

LOG_STD = (-20.0, 2.0)  # of the policy: no derivative goes on outside  [+]


class Drawn(NamedTuple):
    """Actions of a group's policy in the order of its networks: (M, N, …), or (N, M, …) if own."""

    action: Real  # in (−1, 1), or which one
    log_prob: Real
    params: Real  # of the distribution


@cache
def actor(group: Group, hidden: tuple[int, ...], activation: str = "relu") -> Policy:
    """The policy network of a group.

    Raises
    ------
    InputError
        If its actions are neither numbers nor one of K.
    """
    space, before = group.space, (group.obs_dim, *hidden)
    if isinstance(space, Box):
        return Policy(MLP((*before, 2 * space.size), activation), "tanh-gaussian")
    if isinstance(space, Discrete):
        return Policy(MLP((*before, space.n), activation), "categorical")
    raise InputError(f"{group.name}: SAC needs actions in a Box or Discrete; got {space}")


@cache
def critic(group: Group, hidden: tuple[int, ...], activation: str = "relu", extra: int = 0) -> MLP:
    """Q of a group: of (o, a, E more) or, if actions are one of K, of (o, E more) for each."""
    space, seen = group.space, group.obs_dim + extra
    if isinstance(space, Discrete):
        return MLP((seen, *hidden, space.n), activation)
    return MLP((seen + getattr(space, "size", 0), *hidden, 1), activation)


def critic_gradient(
    net: MLP, phi: Real, x: Real, action: Real | None, target: Real, weight: Real
) -> tuple[float, Real, Real]:
    """(L, ∂L/∂φ, Q of the actions (2, ...)); ``action`` (...) says which of K, None for numbers.

    ``x`` (*L, ..., I) is what the critics see, ``target`` and ``weight`` (...) as in the loss.
    """
    q, tape = net.forward(phi, x[None])
    if action is None:
        loss = critic_loss(q[..., 0], target, weight)
        return float(loss.value), net.gradient(phi, tape, loss.gradient[..., None]), q[..., 0]
    at = action[None, ..., None]
    taken = np.take_along_axis(q, at, axis=-1)[..., 0]
    loss, dq = critic_loss(taken, target, weight), np.zeros_like(q)
    np.put_along_axis(dq, at, loss.gradient[..., None], axis=-1)
    return float(loss.value), net.gradient(phi, tape, dq), taken


def actor_gradient(
    nets: tuple[Policy, MLP],
    theta: Real,
    phi: Real,
    seen: tuple[Real, Real | None, Real | None],
    noise: Real | None,
    alpha: Real,
    weight: Real,
) -> tuple[float, Real, Drawn]:
    """(L, ∂L/∂θ, what was drawn) with the noise ε (..., A) held, None where actions are one of K.

    ``seen`` is (observations (*L, ..., O), what critics see of others or None, mask or None).
    """
    (pi, q_net), (obs, extra, mask) = nets, seen
    params, tape = pi.forward(theta, obs)
    if noise is None:
        params = pi.restrict(params, mask)
        q = q_net.forward(phi, beside(obs, extra)[None])[0]
        found = discrete_actor_loss(params, q, alpha, weight)
        d_theta = pi.gradient(theta, tape, found.gradient)
        minus_entropy = -categorical.entropy(params)
        return float(found.value), d_theta, Drawn(params, minus_entropy, params)
    params, inside = bounded(params)
    drawn = tanh_gaussian.draw(params, noise)
    q, q_tape = q_net.forward(phi, beside(obs, drawn.action, extra)[None])
    loss = actor_loss(drawn.log_prob, q[..., 0], alpha, weight)
    d_log_prob, d_q = loss.gradients
    own = slice(obs.shape[-1], obs.shape[-1] + noise.shape[-1])
    d_action = q_net.input_gradient(phi, q_tape, d_q[..., None])[0][..., own]
    d_params = inside * tanh_gaussian.backward(params, drawn, d_action, d_log_prob)
    return (
        float(loss.value),
        pi.gradient(theta, tape, d_params),
        Drawn(drawn.action, drawn.log_prob, params),
    )


def bounded(params: Real) -> tuple[Real, Real]:
    """((μ, log σ) with log σ within its bounds, 1 where it was so already)."""
    bounded, inside = params.copy(), np.ones_like(params)
    half = params.shape[-1] // 2
    np.clip(params[..., half:], *LOG_STD, out=bounded[..., half:])
    inside[..., half:] = bounded[..., half:] == params[..., half:]
    return bounded, inside


def beside(*parts: Real | None) -> Real:
    """Side by side along the last axis."""
    return np.concatenate([part for part in parts if part is not None], axis=-1)


def draw(
    pi: Policy,
    theta: Real,
    obs: Real,
    mask: Real | None,
    rng: np.random.Generator,
    greedy: bool = False,
) -> Drawn:
    """Actions for obs (..., O), both in the order of the networks."""
    params, _ = pi.forward(theta, obs)
    if pi.kind == "categorical":
        params = pi.restrict(params, mask)
        return Drawn(*pi.draw(rng, params, greedy), params)
    params, _ = bounded(params)
    shape = (*params.shape[:-1], params.shape[-1] // 2)
    noise = np.zeros(shape, params.dtype) if greedy else normal(rng, shape, params.dtype)
    drawn = tanh_gaussian.draw(params, noise)
    return Drawn(drawn.action, drawn.log_prob, params)


def normal(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Real:
    """Standard normal numbers, as many bits of them as asked."""
    if dtype == np.float32:
        return rng.standard_normal(shape, dtype=np.float32)
    return rng.standard_normal(shape)


def outer(env: Env, actions: Arrays) -> Actions:
    """Actions of the environment: (−1, 1) becomes the box."""
    found = []
    for group, action in zip(env.groups, actions, strict=True):
        space = group.space
        if isinstance(space, Box):
            middle, half = 0.5 * (space.low + space.high), 0.5 * (space.high - space.low)
            action = middle + half * action.astype(np.float64)
        found.append(action)
    return tuple(found)


def uniform(env: Env, rng: np.random.Generator, dtype: str) -> Choose:
    """Any legal action with the same probability: the warm-up."""

    def choose(obs: Arrays, mask: Arrays) -> tuple[Arrays, Arrays]:
        inner: list[Real] = []
        for g, group in enumerate(env.groups):
            shape = (*obs[g].shape[:-1], width(group))
            if isinstance(group.space, Box):
                inner.append(rng.uniform(-1.0, 1.0, shape).astype(dtype))
            else:
                legal = mask[g] if mask else np.ones(shape, bool)
                inner.append(np.where(legal, rng.random(shape), -1.0).argmax(axis=-1))
        return tuple(inner), outer(env, tuple(inner))

    return choose


def width(group: Group) -> int:
    """How many numbers an action is: its own, or one for each choice."""
    space = group.space
    return int(space.size if isinstance(space, Box) else getattr(space, "n", 0))


def numbers(group: Group, action: Real) -> Real:
    """Actions (M, N, …) as a critic of others sees them: as they are, or one-hot (M, N, K)."""
    if isinstance(group.space, Box):
        return action
    found: Real = action[..., None] == np.arange(width(group))
    return found


def along(theta: Real, x: Real) -> Real:
    """``x`` (M, N) in the order of the networks."""
    return x if theta.ndim == 1 else x.T


def back(theta: Real, action: Real, group: Group) -> Real:
    """Actions in the order of the networks as (M, N, …)."""
    if isinstance(group.space, Box):
        return action if theta.ndim == 1 else np.moveaxis(action, 0, -2)
    return along(theta, action)
