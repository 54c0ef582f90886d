r"""The losses of soft actor–critic, pure: each value with its gradient.

    y    = r + γ (1 − d) (min_k Q'_k(s', a') − α log π(a'|s')),   a' ~ π      critic_target
    L(φ) = Σ_k ½ E[(Q_k(s, a) − y)²]                                          critic_loss   (3.14)
    L(θ) = E[α log π_θ(a|s) − min_k Q_k(s, a)],   a = tanh(μ + σ ε)           actor_loss    (3.16)
    J(α) = E[−α (log π(a|s) + H̄)]                                        temperature_loss  (3.20)

All are descended. Where actions are few, expectations over them are sums: with minima taken action
by action, V(s') = Σ_a π(a) (min_k Q'_k(s', a) − α log π(a)) stands in the target
(``discrete_value``) and the actor's loss is −E[V(s)] (``discrete_actor_loss``; Christodoulou 2019,
arXiv:1910.07207). Haarnoja et al. 2018, arXiv:1812.05905; the minimum of two critics is Fujimoto
et al. 2018's, arXiv:1802.09477.

E is Σ_m w_m over rows: w = 1 / rows if no ``weight`` is given. Targets are numbers: no derivative
goes into them. α is a number, or an array that broadcasts against the rows.

Axes: K critics, any rows, A actions.
"""

import numpy as np

from ..nn import categorical
from ..value_grad import Real, ValueGrad, ValueGrads


def critic_target(
    reward: Real,
    terminated: Real,
    q_next: Real,
    log_prob_next: Real,
    alpha: float | Real,
    gamma: float,
) -> Real:
    """y (...) from r, d, log π(a'|s') of those rows and Q' (K, ...) of the target critics.

    d is termination alone: where only a clock cut the episode, s' is worth what it is worth.

    Examples
    --------
    >>> q = np.array([[3.0, 3.0], [2.0, 2.0]])
    >>> over, none = np.array([False, True]), np.zeros(2)
    >>> critic_target(np.ones(2), over, q, none - 1.0, 1.0, 0.5)
    array([2.5, 1. ])
    """
    value = q_next.min(axis=0) - alpha * log_prob_next
    y = reward + gamma * np.where(terminated, 0.0, value)  # (3.14) (3.18)
    return np.asarray(y, q_next.dtype)


def critic_loss(q: Real, target: Real, weight: Real | None = None) -> ValueGrad:
    """Σ_k ½ E[(Q_k − y)²] and its gradient in Q (K, ...); y (...)."""
    error = q - target
    slope = error * _share(target, weight, q)
    return ValueGrad(_total(0.5 * error * slope), slope)  # (3.14)


def actor_loss(
    log_prob: Real, q: Real, alpha: float | Real, weight: Real | None = None
) -> ValueGrads:
    """E[α log π − min_k Q_k] and its gradients in log π (...) and in Q (K, ...).

    The slope in Q is that of the smaller critic, the first where they are equal.
    """
    share = _share(log_prob, weight, q)
    smaller = q.argmin(axis=0)
    chosen = np.arange(len(q)).reshape(-1, *(1,) * log_prob.ndim) == smaller
    value = _total(share * (alpha * log_prob - q.min(axis=0)))  # (3.16)
    d_log_prob = np.asarray(alpha * share, q.dtype)
    d_log_prob = np.broadcast_to(d_log_prob, log_prob.shape)
    return ValueGrads(value, (d_log_prob, np.where(chosen, -share, q.dtype.type(0.0))))


def temperature_loss(
    alpha: float | Real, log_prob: Real, entropy: float | Real, weight: Real | None = None
) -> ValueGrad:
    """E[−α (log π + H̄)] and its gradient in α: −(E log π + H̄), negative while entropy is short.

    ``entropy`` is the target H̄. With one α for each row of ``log_prob`` (N, M), shape (N, 1), the
    value is the sum over the N of them and the gradient (N, 1). In log α the gradient is α times
    this: of the same sign, so that both forms move α the same way.
    """
    share = _share(log_prob, weight, log_prob)
    if np.ndim(alpha) == 0 or np.size(alpha) == 1:
        missing = np.asarray((share * (log_prob + entropy)).sum())
        missing = missing.reshape(np.shape(alpha))
    else:
        missing = (share * (log_prob + entropy)).sum(axis=-1, keepdims=True)
    return ValueGrad(float(-(alpha * missing).sum()), -missing)  # (3.20)


def discrete_value(logits: Real, q: Real, alpha: float | Real) -> Real:
    """Σ_a π(a) (min_k Q_k(a) − α log π(a)) (...) for logits (..., A) and Q (K, ..., A)."""
    p, log_p = categorical.probs(logits), _finite_log(logits)
    price = np.asarray(alpha, logits.dtype)[..., None]
    return np.asarray((p * (q.min(axis=0) - price * log_p)).sum(axis=-1))


def discrete_actor_loss(
    logits: Real, q: Real, alpha: float | Real, weight: Real | None = None
) -> ValueGrad:
    """−E[V] of :func:`discrete_value` and its gradient in the logits; Q are numbers here.

    With c = α log π − min_k Q the slope is π (c − Σ π c): that of α log π itself sums to 0.
    """
    share = _share(logits[..., 0], weight, logits)
    price = np.asarray(alpha, logits.dtype)[..., None]
    cost = price * _finite_log(logits) - q.min(axis=0)
    p = categorical.probs(logits)
    value = _total(share * (p * cost).sum(axis=-1))
    return ValueGrad(value, share[..., None] * categorical.fisher(logits, cost))


def _finite_log(logits: Real) -> Real:
    """log π, 0 where an action is excluded: it has probability 0 and does not count."""
    log_p = categorical.log_probs(logits)
    return np.where(np.isneginf(log_p), log_p.dtype.type(0.0), log_p)


def _share(rows: Real, weight: Real | None, like: Real) -> Real:
    """What each row counts, in the dtype of ``like``."""
    if weight is None:
        return np.full(rows.shape, 1.0 / max(rows.size, 1), like.dtype)
    return np.asarray(weight, like.dtype)


def _total(terms: Real) -> float:
    return float(np.sum(terms, dtype=np.float64))
