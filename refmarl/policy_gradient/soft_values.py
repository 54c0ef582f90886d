r"""Maximum-entropy values of a decision process whose tables are known, by linear algebra.

    J(π)  = Σ_t γ^t E[ r_t + α H(π(·|s_t)) ]                            evaluate_softly
    V(s)  = α log Σ_a e^{Q(s,a)/α} = max_π Σ_a π(a)(Q(s,a) − α log π(a))   soft_maximum   (3.13)
    π(a|s) ∝ e^{Q(s,a)/α},   Q(s,a) = R(s,a) + γ Σ_s' P(s'|s,a) V(s')      soft_policy, backup

The temperature α ≥ 0 is the price of a nat of entropy; α = 0 is the ordinary maximum. The operator
``backup`` contracts by γ, so that it has one fixed point V_soft, with
0 ≤ V_soft − V* ≤ α log A / (1 − γ). Haarnoja et al. 2017, arXiv:1702.08165.

Axes: S states, A actions; values of actions may have any leading axes.
"""

from typing import NamedTuple

import numpy as np

from ..check import Array, InputError, real_array
from ..games.mdp import MDP, evaluate_policy
from ..value_grad import Real

TOLERANCE = 1e-12  # of the values' size: less is no gain but rounding
MOST = 1000  # policies


class SoftSolution(NamedTuple):
    """The best soft values, the one policy that earns them, and how many were evaluated."""

    values: Array  # (S,)
    policy: Array  # (S, A)
    steps: int


def soft_maximum(q: Real, alpha: float) -> Real:
    """α log Σ_a e^{q_a/α} (...) of q (..., A): between max q and max q + α log A.

    Raises
    ------
    InputError
        If α is not a number ≥ 0.

    Examples
    --------
    >>> print(soft_maximum(np.array([0.0, 0.0, -1e9]), 2.0) / np.log(2))
    2.0
    """
    best = np.asarray(q).max(axis=-1)
    if _temperature(alpha) == 0.0:
        return np.asarray(best)
    with np.errstate(over="ignore"):  # (q − max)/α may be −∞: that action weighs nothing
        odds = np.exp((q - best[..., None]) / alpha)
    return np.asarray(best + alpha * np.log(odds.sum(axis=-1)))  # (3.13)


def soft_policy(q: Real, alpha: float) -> Real:
    """π ∝ e^{q/α} (..., A); for α = 0 uniform over the largest.

    Raises
    ------
    InputError
        If α is not a number ≥ 0.
    """
    best = np.asarray(q).max(axis=-1, keepdims=True)
    if _temperature(alpha) == 0.0:
        odds = np.asarray(q == best, dtype=float)
    else:
        with np.errstate(over="ignore"):
            odds = np.exp((q - best) / alpha)
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))


def backup(mdp: MDP, values: Array, alpha: float) -> Array:
    """(T V)(s) = α log Σ_a exp((R + γ P V)(s, a) / α), shape (S,), for any V (S,)."""
    return np.asarray(soft_maximum(mdp.action_values(values), alpha))


def evaluate_softly(mdp: MDP, policy: Array, alpha: float) -> Array:
    """J (S,) of a policy (S, A) from each state on, by one linear solve.

    Raises
    ------
    InputError
        If the policy does not fit the process, or α is not a number ≥ 0.
    """
    pi = mdp.policy(policy)
    log_pi = np.log(pi, where=pi > 0, out=np.zeros_like(pi))  # 0 log 0 = 0
    paid = mdp.reward - _temperature(alpha) * log_pi
    return evaluate_policy(MDP(mdp.transition, paid, mdp.gamma), pi)


def solve_softly(mdp: MDP, alpha: float, tolerance: float = TOLERANCE) -> SoftSolution:
    """The fixed point of ``backup``, by soft policy iteration: evaluate, then π ∝ e^{Q/α}.

    Values rise from policy to policy, and every step is Newton's on V = T V, so that few are
    needed; at the end |T V − V| ≤ ``tolerance`` (1 + |V|), and V is within 1/(1 − γ) of it.

    Raises
    ------
    InputError
        If α is not a number ≥ 0, or the tolerance is not reached in ``MOST`` steps.

    Examples
    --------
    One state, two actions that pay 0, γ = 1/2: only entropy is earned, log 2 each step.

    >>> found = solve_softly(MDP([[[1.0], [1.0]]], [[0.0, 0.0]], 0.5), alpha=1.0)
    >>> print(found.values / np.log(2), found.policy)
    [2.] [[0.5 0.5]]
    """
    policy = soft_policy(mdp.reward, alpha)
    for steps in range(1, MOST + 1):
        values = evaluate_softly(mdp, policy, alpha)
        after = mdp.action_values(values)
        if (abs(soft_maximum(after, alpha) - values) <= tolerance * (1.0 + abs(values))).all():
            return SoftSolution(values, soft_policy(after, alpha), steps)
        policy = soft_policy(after, alpha)
    raise InputError(f"tolerance: {tolerance!r} was not reached in {MOST} steps")


def soft_value_iteration(mdp: MDP, alpha: float, sweeps: int, values: Array | None = None) -> Array:
    """V (S,) after ``sweeps`` of ``backup``, from ``values`` or 0: within γ^sweeps of the end."""
    found = np.zeros(mdp.num_states) if values is None else real_array(values, "values", 1)
    for _ in range(sweeps):
        found = backup(mdp, found, alpha)
    return found


def _temperature(alpha: float) -> float:
    if not (alpha >= 0.0 and np.isfinite(alpha)):
        raise InputError(f"alpha: need a number ≥ 0, got {alpha!r}")
    return float(alpha)
