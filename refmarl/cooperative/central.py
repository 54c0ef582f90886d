r"""The course's multi-agent actor–critic: critics that see all, likelihood-ratio actors.

    ∇_{θ_i} J_i = E_π[ Σ_t γ^t ∇ log π_i(a_i,t|o_i,t) (Q_i^π(s_t, a_t) − b_i(s_t, a_-i,t)) ]   (2.1)
    L(φ) = E[ (Q_φ(s, a) − y)² ],   y = r + γ (1 − d) E_{a'~π'} Q_φ'(s', a')                   (2.2)

(2.1) is ascended, (2.2) descended; y is a number, no derivative goes into it. Policies are drawn
from, so that y is an expectation over the next joint action: the course writes π_θ'(o') in its
place, which is right for deterministic policies only (docs/errata.md, A4). Any b_i that does not
look at a_i leaves the expectation of (2.1) as it is (B2): 0, V(s), or COMA's
(:mod:`~refmarl.cooperative.counterfactual`). Lowe et al. 2017, arXiv:1706.02275.

``weight`` (...) says what each row counts, 1 / rows if it is not given.

Axes: any rows, A_j actions of agent j.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from .. import check
from ..check import InputError
from ..value_grad import Real, ValueGrad


class Scores(Protocol):
    """What (2.1) asks of a distribution: log π and its derivative."""

    def log_prob(self, params: Real, action: Real) -> Real:
        """The log probability (density) of each action."""
        ...

    def d_log_prob(self, params: Real, action: Real) -> Real:
        """Its derivative in the parameters."""
        ...


def actor_gain(
    head: Scores, params: Real, action: Real, q: Real, baseline: Real, weight: Real | None = None
) -> ValueGrad:
    """Σ w (Q − b) log π_i(a_i|o_i) and its gradient in the distribution's parameters (..., D).

    ``q`` and ``baseline`` (...) are numbers in it; γ^t belongs into the weight.
    """
    share = _share(q, weight) * (q - baseline)  # (2.1)
    share = np.asarray(share, params.dtype)
    gain = (share * head.log_prob(params, action)).sum()
    return ValueGrad(float(gain), share[..., None] * head.d_log_prob(params, action))


def expected(q: Real, policies: Sequence[Real]) -> Real:
    """Σ_a Π_j π_j(a_j) Q(a) (...) from Q (..., A_1, …, A_n) and π_j (..., A_j).

    Raises
    ------
    InputError
        If the shapes do not fit.

    Examples
    --------
    >>> even = np.array([0.5, 0.5])
    >>> print(expected(np.array([[4.0, 0.0], [0.0, 0.0]]), [even, even]))
    1.0
    """
    lead = q.ndim - len(policies)
    for j, pi in enumerate(policies):
        if lead < 0 or pi.shape != (*q.shape[:lead], q.shape[lead + j]):
            raise InputError(f"policies: agent {j} has shape {pi.shape}, Q has {q.shape}")
    for pi in reversed(policies):  # the last axis is its own
        between = q.ndim - pi.ndim
        q = (q * np.expand_dims(pi, tuple(range(lead, lead + between)))).sum(axis=-1)
    return np.asarray(q)


def critic_target(reward: Real, terminated: Real, value_next: Real, gamma: float) -> Real:
    """y (...) from r, d and E_{a'~π'} Q'(s', a') of those rows, or one drawn Q'(s', a').

    d is termination alone: where only a clock cut the episode, s' is worth what it is worth.

    Examples
    --------
    >>> critic_target(np.ones(2), np.array([False, True]), np.full(2, 4.0), 0.5)
    array([3., 1.])
    """
    check.same_axes(reward=reward, terminated=terminated, value_next=value_next)
    y = reward + gamma * np.where(terminated, 0.0, value_next)  # (2.2)
    return np.asarray(y, value_next.dtype)


def critic_loss(q: Real, target: Real, weight: Real | None = None) -> ValueGrad:
    """Σ w (Q − y)² and its gradient in Q; Q and y of one shape (...)."""
    check.same_shape(q=q, target=target)
    error = q - target
    slope = 2.0 * _share(q, weight) * error
    return ValueGrad(float(np.sum(0.5 * slope * error, dtype=np.float64)), slope)  # (2.2)


def _share(rows: Real, weight: Real | None) -> Real:
    """What each row counts, in the dtype of the rows."""
    if weight is None:
        return np.full(rows.shape, 1.0 / max(rows.size, 1), rows.dtype)
    return np.asarray(weight, rows.dtype)
