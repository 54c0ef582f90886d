r"""Deterministic policies and critics that are told actions: networks, targets, both gradients.

    y_i  = r_i + γ (1 − d) Q'_i(s', μ'_1(o'_1), …, μ'_n(o'_n))                           (2.3)
    L_i  = E[(Q_i(s, a) − y_i)²]                                    descended            (2.3)
    ∇J_i = E[∇μ_i(o_i) ∇_{a_i} Q_i(s, (a_i, a_-i))],  a_i = μ_i(o_i)   ascended          (2.4)

Actions of a box are a = tanh(out) in (−1, 1)^A, here and in the memory. Where an action is one of
K, critics see it one-hot and μ is the likeliest one; the gradient goes through a relaxed sample y
of the Gumbel-softmax  [+]: *straight-through* the critic sees its largest entry, one-hot, and the
derivative is that of y; *soft* the critic sees y. E is Σ_m w_m over rows.

Axes: M rows, N agents of a group, K critics (1, or 2 of MATD3) or actions, A numbers of an action,
E numbers that a critic sees of others. Arrays in the order of the networks are (M, N, …) where the
agents share one, (N, M, …) where each has its own.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from .. import check
from ..check import InputError
from ..env_api import Box, Discrete, Group
from ..nn import gumbel_softmax
from ..nn.mlp import MLP
from ..policy_gradient.soft_networks import beside, width
from ..value_grad import Real, ValueGrad


class Relaxation(NamedTuple):
    """How the gradient goes through a choice."""

    tau: float  # temperature of the Gumbel-softmax
    straight: bool  # whether the critic sees its largest entry, one-hot, rather than it


class Seen(NamedTuple):
    """What an actor's gradient looks at, in the order of the networks."""

    obs: Real  # (*L, ..., O)
    others: Real | None  # (o_j, a_j) of all others (*L, ..., E)
    mask: Real | None  # legal choices (*L, ..., A)


class Climb(NamedTuple):
    """The actor's objective and its gradient."""

    value: float  # J
    gradient: Real  # ∇J (*L, P)
    action: Real  # a_i (*L, ..., A), as the critic saw it


@cache
def actor(group: Group, hidden: tuple[int, ...], activation: str = "relu") -> MLP:
    """The network of μ: numbers before tanh, or logits.

    Raises
    ------
    InputError
        If its actions are neither numbers nor one of K.
    """
    if not isinstance(group.space, Box | Discrete):
        raise InputError(f"{group.name}: need actions in a Box or Discrete; got {group.space}")
    return MLP((group.obs_dim, *hidden, width(group)), activation)


@cache
def critic(group: Group, hidden: tuple[int, ...], activation: str = "relu", extra: int = 0) -> MLP:
    """Q of (o_i, a_i, E numbers of the others)."""
    return MLP((group.obs_dim + width(group) + extra, *hidden, 1), activation)


def greedy(group: Group, out: Real, mask: Real | None) -> Real:
    """μ(o) (..., A): tanh, or the likeliest legal choice, one-hot."""
    if isinstance(group.space, Box):
        return np.asarray(np.tanh(out))
    return gumbel_softmax.harden(out if mask is None else np.where(mask, out, -np.inf))


def critic_target(reward: Real, terminated: Real, q_next: Real, gamma: float) -> Real:
    """y (...) from r, d and Q'(s', μ'(o')) (K, ...), of which the smallest counts (MATD3)  [+].

    d is termination alone: where only a clock cut the episode, s' is worth what it is worth.

    Examples
    --------
    >>> critic_target(np.ones(2), np.array([False, True]), np.array([[4.0, 4.0]]), 0.5)
    array([3., 1.])
    """
    check.same_axes(reward=reward, terminated=terminated, q_next=q_next[0])
    after = np.where(terminated, q_next.dtype.type(0.0), q_next.min(axis=0))
    return np.asarray(reward + gamma * after, q_next.dtype)  # (2.3)


def critic_loss(q: Real, target: Real, weight: Real) -> ValueGrad:
    """Σ_k E[(Q_k − y)²] and its gradient in Q (K, ...); y and w (...)."""
    check.same_shape(q_of_one_critic=q[0], target=target)
    error = q - target
    return ValueGrad(_total(weight * error * error), 2.0 * weight * error)  # (2.3)


def critic_gradient(
    net: MLP, phi: Real, x: Real, target: Real, weight: Real
) -> tuple[float, Real, Real]:
    """(L, ∂L/∂φ (K, *L, P), Q (K, *L, ...)) at x (*L, ..., I): o_i, a_i and what others did."""
    q, tape = net.forward(phi, x[None])
    loss = critic_loss(q[..., 0], target, weight)
    return float(loss.value), net.gradient(phi, tape, loss.gradient[..., None]), q[..., 0]


def actor_gradient(
    space: Box | Discrete,
    nets: tuple[MLP, MLP],
    theta: Real,
    phi: Real,
    seen: Seen,
    noise: Real | None,
    relaxation: Relaxation,
    flat: float,
    weight: Real,
) -> Climb:
    """J = E[Q_i(s, (μ_i(o_i), a_-i))] − c E[out²] and ∇J, θ (*L, P), φ (*L, P') held.

    ``noise`` is the Gumbel noise (*L, ..., A) of choices, held, or None for numbers; ``flat`` is c,
    which keeps what comes before tanh, or the logits, from running away  [+]. Only the slot of
    a_i is differentiated: the others' actions are what they are.
    """
    (mu, q_net), (obs, others, mask) = nets, seen
    out, tape = mu.forward(theta, obs)
    if noise is None:
        action = np.tanh(out)
    else:
        soft = gumbel_softmax.relax(out, noise, relaxation.tau, mask)
        action = gumbel_softmax.harden(soft) if relaxation.straight else soft
    q, q_tape = q_net.forward(phi, beside(obs, action, others))
    own = slice(obs.shape[-1], obs.shape[-1] + action.shape[-1])
    d_action = q_net.input_gradient(phi, q_tape, weight[..., None])[..., own]
    if noise is None:
        d_out = d_action * (1.0 - action * action)
    else:
        d_out = gumbel_softmax.backward(soft, relaxation.tau, d_action)
    share = weight[..., None] * (flat / out.shape[-1])
    value = _total(weight * q[..., 0]) - _total(share * out * out)
    d_theta = mu.gradient(theta, tape, d_out - 2.0 * share * out)  # (2.4)
    return Climb(value, d_theta, action)


def _total(terms: Real) -> float:
    return float(np.sum(terms, dtype=np.float64))
