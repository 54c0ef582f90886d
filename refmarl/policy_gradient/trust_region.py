r"""Trust regions: how far to move a policy, and where to, before samples stop being true.

    max_θ E[ r_t(θ) A_t ]   subject to   E[ KL(π_old ‖ π_θ) ] ≤ δ                          (3.9)
    H v = ∇²_θ E[ KL(π_old ‖ π_θ) ] v = E[ Jᵀ M J v ]   at θ = θ_old                       (3.10)
    θ_new = θ_old + βʲ √(2δ / xᵀHx) x,   x ≈ H⁻¹g                                          (3.12)

Schulman et al. 2015, arXiv:1502.05477. J is the Jacobian of the distribution's parameters in θ and
M their Fisher matrix: one forward-mode product, one product of each row with a small matrix, one
backward pass; H is never formed. Without the search along βʲ it is the natural policy gradient of
Kakade 2001, "A natural policy gradient". ``[+]`` marks what the course's equations do not contain.

Axes: T steps, B copies, N agents of a group, D parameters of a distribution, P of a network. The
mean of a system is over all rows where agents share θ (P,), and over an agent's own where each has
one, θ (N, P): then there are N systems side by side, each with a trust region of its own.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..check import InputError
from ..nn.mlp import Tape
from ..nn.policy import Head, Policy
from ..value_grad import Real, ValueGrad
from .actor_critic import rows, unrows
from .surrogate import ratio


class Search(NamedTuple):
    """Where a line search ended; one entry for each system, (*L,)."""

    theta: Real  # (*L, P)
    backtracks: Real  # j of βʲ; −1: none accepted, θ unchanged
    gain: Real  # E[r A] at θ
    kl: Real  # E[KL(π_old ‖ π_θ)] at θ


Judge = Callable[[Real], tuple[Real, Real]]  # θ ↦ (gain, KL), both (*L,)


def shares(theta: Real, shape: tuple[int, ...], acts: Real | None = None) -> Real:
    """The weight of each row in its system's mean, (..., N): 0 for those that do not act."""
    counted = np.ones(shape, bool) if acts is None else acts
    number = _own(theta, counted.astype(np.int64))
    return np.asarray(counted / np.maximum(number, 1))


def per_system(theta: Real, x: Real) -> Real:
    """The sums (*L,) of rows (..., N), in float64."""
    return _own(theta, x.astype(np.float64, copy=False))


def gain(head: Head, params: Real, old: Real, action: Real, advantage: Real, share: Real) -> Real:
    """Each row's part of E[r A] (...), as :func:`surrogate` has it."""
    moved = ratio(head.log_prob(params, action), head.log_prob(old, action))
    return (share * advantage).astype(params.dtype, copy=False) * moved  # (3.9)


def surrogate(
    head: Head, params: Real, old: Real, action: Real, advantage: Real, share: Real
) -> ValueGrad:
    """Each row's part of E[r A] (...), and its gradient in the distribution's parameters (..., D).

    Parameters
    ----------
    params, old : (..., D) of π_θ and π_old
    action : as the head has it
    advantage, share : (...); nothing is differentiated through them
    """
    each = gain(head, params, old, action, advantage, share)
    return ValueGrad(each, each[..., None] * head.d_log_prob(params, action))


def divergence(head: Head, params: Real, old: Real, share: Real) -> ValueGrad:
    """Each row's part of E[KL(π_old ‖ π_θ)] (...), and its gradient in ``params`` (..., D)."""
    share = share.astype(params.dtype, copy=False)
    kl = share * head.kl(old, params)  # (3.9)
    return ValueGrad(kl, share[..., None] * head.d_kl(old, params))


def fisher_product(
    actor: Policy, theta: Real, tape: Tape, params: Real, share: Real, v: Real
) -> Real:
    """H v (*L, P) at θ = θ_old, for v (*L, P).

    Parameters
    ----------
    actor, theta, tape : the policy and its forward pass on rows (..., N, O)
    params : (..., N, D) of it, restricted where actions are illegal
    share : (..., N) of :func:`shares`
    """
    moved = unrows(theta, actor.jvp(theta, tape, v))
    bent = actor.head.fisher(params, moved)
    weighed = share[..., None].astype(params.dtype, copy=False) * bent
    return actor.gradient(theta, tape, rows(theta, weighed))  # (3.10)


def full_step(x: Real, hx: Real, delta: float) -> Real:
    """√(2δ / xᵀHx) x (*L, P), on the border of the quadratic trust region; 0 where x is 0.

    Raises
    ------
    InputError
        If δ is not > 0, the shapes differ, or xᵀHx > 0 does not hold for an x that is not 0.

    Examples
    --------
    >>> full_step(np.array([3.0, 4.0]), np.array([3.0, 4.0]), 0.5)
    array([0.6, 0.8])
    """
    if not 0.0 < delta < np.inf:
        raise InputError(f"delta: need a number > 0, got {delta!r}")
    if np.shape(x) != np.shape(hx):
        raise InputError(f"hx: need the shape of x {np.shape(x)}, got {np.shape(hx)}")
    curvature = np.multiply(x, hx, dtype=np.float64).sum(axis=-1, keepdims=True)
    still = (x == 0.0).all(axis=-1, keepdims=True)
    if not ((curvature > 0.0) | still).all():
        raise InputError("x·Hx: need a number > 0; H is not positive definite along x")
    length = np.sqrt(2.0 * delta / np.where(still, 1.0, curvature))
    step: Real = np.where(still, 0.0, length * x).astype(x.dtype, copy=False)
    return step


def line_search(
    theta: Real, step: Real, judge: Judge, delta: float, shrink: float, tries: int
) -> Search:
    """The first of θ + step, θ + β step, … whose KL is ≤ δ and whose gain is above that of θ.

    Each system searches for itself; where none of ``tries`` is accepted θ stays what it is.
    """
    gain_old, kl_old = judge(theta)
    found = Search(theta, np.full(gain_old.shape, -1), gain_old, kl_old)
    for j in range(tries):
        tried = (theta + shrink**j * step).astype(theta.dtype, copy=False)  # (3.12)
        gain, kl = judge(tried)
        good = (found.backtracks < 0) & (kl <= delta) & (gain > gain_old)
        found = Search(
            np.where(good[..., None], tried, found.theta), np.where(good, j, found.backtracks),
            np.where(good, gain, found.gain), np.where(good, kl, found.kl),
        )  # fmt: skip
        if (found.backtracks >= 0).all():
            break
    return found


def _own(theta: Real, x: Real) -> Real:
    """Sums of x (..., N) over what belongs to each system."""
    axes = None if theta.ndim == 1 else tuple(range(x.ndim - 1))
    return np.asarray(x.sum(axis=axes))
