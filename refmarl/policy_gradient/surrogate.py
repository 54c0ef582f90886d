r"""Surrogate objectives of proximal policies: samples of an old policy say where to move.

    r_t = π_θ(a_t|o_t) / π_old(a_t|o_t)                                        (3.6)
    L^CLIP = E[ min(r_t A_t, clip(r_t, 1 − ε, 1 + ε) A_t) ]                    (3.7)
    L^KL = E[ r_t A_t − β KL(π_old ‖ π_θ) ]                                    (3.8)
    L = L^CLIP − c_1 E[(V − R̂)²] + c_2 E[H(π_θ)]                              (3.19)

Schulman et al. 2017, arXiv:1707.06347. All are to be ascended. Advantages and targets are numbers:
nothing is differentiated through them. At θ_old the first three have the gradient of the policy.
``[+]`` marks what the course's equations do not contain.

Axes: any rows M, D parameters of the distribution of each row.
"""

from typing import Any, NamedTuple

import numpy as np

from ..check import InputError
from ..nn.policy import Head
from ..value_grad import Real, ValueGrad, ValueGrads


def ratio(log_prob: Real, log_prob_old: Real) -> Real:
    """π_θ(a|o) / π_old(a|o) (M,) from the logarithms of both."""
    found: Real = np.exp(log_prob - log_prob_old)  # (3.6)
    return found


def clip_gain(
    log_prob: Real,
    log_prob_old: Real,
    advantage: Real,
    clip: float,
    *,
    dual: float = np.inf,
    acts: Real | None = None,
) -> ValueGrad:
    """L^CLIP and its gradient in log π_θ(a|o).

    Parameters
    ----------
    log_prob, log_prob_old, advantage : (M,) or any one shape
    clip : ε > 0; infinity leaves the ratio free
    dual : [+] c > 1: where A < 0 the gain is at least c A, so that one huge ratio cannot decide
        the step (Ye et al. 2020, arXiv:1912.09729, eq. 5); infinity leaves that out
    acts : bool, who counts; everybody by default

    Raises
    ------
    InputError
        If ε or c is out of range or the shapes differ.
    """
    if not clip > 0 or not dual > 1:
        raise InputError(f"need clip > 0 and dual > 1; got {clip!r} and {dual!r}")
    share = _shares(acts, log_prob, log_prob_old, advantage)
    r = ratio(log_prob, log_prob_old)
    free, held = r * advantage, np.clip(r, 1 - clip, 1 + clip) * advantage
    gain = np.minimum(free, held)  # (3.7)
    moves = ~(free > held)  # dr = r d log π; what is no number must not look like 0
    if dual < np.inf:
        least = np.where(advantage < 0, dual * advantage, -np.inf)
        moves, gain = moves & ~(gain <= least), np.maximum(gain, least)
    slope = np.where(moves, free, 0.0) * share
    return ValueGrad(float((gain * share).sum()), slope.astype(log_prob.dtype, copy=False))


def penalised_gain(
    head: Head,
    params: Real,
    params_old: Real,
    action: Real,
    advantage: Real,
    beta: float,
    acts: Real | None = None,
) -> ValueGrad:
    """L^KL and its gradient in the distribution's parameters (M, D); β ≥ 0.

    Raises
    ------
    InputError
        If β is negative or the shapes differ.
    """
    if not beta >= 0:
        raise InputError(f"beta: need a number ≥ 0, got {beta!r}")
    log_prob, log_prob_old = head.log_prob(params, action), head.log_prob(params_old, action)
    share = _shares(acts, log_prob, log_prob_old, advantage)
    free = ratio(log_prob, log_prob_old) * advantage
    gain = free - beta * head.kl(params_old, params)  # (3.8)
    slope = (free * share)[..., None] * head.d_log_prob(params, action)
    slope = slope - (beta * share)[..., None] * head.d_kl(params_old, params)
    return ValueGrad(float((gain * share).sum()), slope.astype(params.dtype, copy=False))


def next_beta(beta: float, kl: float, target: float) -> float:
    """β after an update that moved the policy by ``kl`` where ``target`` was wanted.

    Raises
    ------
    InputError
        If a number is not finite and ≥ 0, or the target is 0.
    """
    if not (0 <= beta < np.inf and 0 <= kl < np.inf and 0 < target < np.inf):
        raise InputError(f"need β, KL ≥ 0 and a target > 0; got {beta!r}, {kl!r}, {target!r}")
    if kl > 1.5 * target:
        return 2 * beta
    return beta / 2 if kl < target / 1.5 else beta


def value_loss(
    value: Real, value_old: Real, target: Real, clip: float, acts: Real | None = None
) -> ValueGrad:
    """[+] ½ E[max((V − R̂)², (V_old + clip(V − V_old, ±ε) − R̂)²)] and its gradient in V.

    Schulman's first implementation; ``clip`` = ∞ is ½ E[(V − R̂)²].

    Raises
    ------
    InputError
        If ε is not > 0 or the shapes differ.
    """
    if not clip > 0:
        raise InputError(f"clip: need a number > 0, got {clip!r}")
    share = _shares(acts, value, value_old, target)
    error, change = value - target, value - value_old
    held = value_old + np.clip(change, -clip, clip) - target
    # within the band both are the same but for rounding, which must not decide
    free = ~(abs(change) > clip) | ~(error**2 < held**2)
    loss = 0.5 * np.where(free, error**2, held**2)
    slope = np.where(free, error, 0.0) * share
    return ValueGrad(float((loss * share).sum()), slope.astype(value.dtype, copy=False))


class Weights(NamedTuple):
    """What stands before the parts of :func:`total_gain`."""

    clip: float = 0.2  # ε > 0
    value: float = 0.5  # c_1 ≥ 0
    entropy: float = 0.01  # c_2 ≥ 0


def total_gain(
    head: Head,
    params: Real,
    value: Real,
    action: Real,
    log_prob_old: Real,
    advantage: Real,
    target: Real,
    weights: Weights,
) -> ValueGrads:
    """L and its gradients in the distribution's parameters (M, D) and in V (M,).

    Raises
    ------
    InputError
        If a weight is out of range or the shapes differ.
    """
    clip, c_1, c_2 = weights
    if not (c_1 >= 0 and c_2 >= 0):
        raise InputError(f"need c_1, c_2 ≥ 0; got {c_1!r}, {c_2!r}")
    gain, d_log_prob = clip_gain(head.log_prob(params, action), log_prob_old, advantage, clip)
    share = _shares(None, value, target, advantage)
    error = value - target
    total = (
        gain - c_1 * (share * error**2).sum() + c_2 * (share * head.entropy(params)).sum()
    )  # (3.19)
    d_params = d_log_prob[..., None] * head.d_log_prob(params, action)
    d_params = d_params + (c_2 * share)[..., None] * head.d_entropy(params)
    return ValueGrads(float(total), (d_params, -2.0 * c_1 * share * error))


def kl_estimates(log_prob: Real, log_prob_old: Real) -> tuple[float, float, float]:
    """[+] Three means over samples of π_old that estimate KL(π_old ‖ π_θ).

    With x = log(π_θ / π_old): −x, which is unbiased and may be negative; x²/2, of low variance;
    eˣ − 1 − x, which is unbiased and never negative (J. Schulman, "Approximating KL divergence",
    2020).
    """
    x = np.asarray(log_prob - log_prob_old, dtype=np.float64)
    return float(-x.mean()), float((x**2).mean() / 2), float((np.expm1(x) - x).mean())


def _shares(acts: Real | None, *arrays: Any) -> Real:
    """The weight of each row in the mean, after making sure that there is one shape only."""
    shapes = {np.shape(a) for a in (*arrays, *(() if acts is None else (acts,)))}
    if len(shapes) != 1:
        raise InputError(f"need arrays of one shape, got {', '.join(map(str, sorted(shapes)))}")
    if acts is None:
        return np.full(arrays[0].shape, 1.0 / max(arrays[0].size, 1))
    share: Real = acts / max(np.count_nonzero(acts), 1)
    return share
