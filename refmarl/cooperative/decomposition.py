r"""Values of a team from values of its members: the equations of VDN, QMIX and their kin.

    Q_tot = Σ_i Q_i                                                       vdn           (2.7)
    Q_tot = f_s(Q_1 … Q_n),   ∂f/∂Q_i ≥ 0                                 monotone      (2.8)
    y     = r + γ (1 − d) Q'_tot(s', a'),   a'_i = argmax Q_i             td_target
    L     = E[(y − Q_tot)²],  y held                                      td_loss

In both an action that is best for every member is best for the team (IGM: individual and global
maxima agree), so that max_a' Q'_tot needs no search through joint actions. Sunehag et al. 2018,
arXiv:1706.05296; Rashid et al. 2018, arXiv:1803.11485. ``central_weight`` and
``optimistic_weight`` are those of weighted QMIX (Rashid et al. 2020, arXiv:2006.10800), the two
losses that ``qtran_loss`` gives those of QTRAN-base (Son et al. 2019, arXiv:1905.05408).

Axes: M rows, n agents, E units of the mixing layer, J values of a row (1, or n for independent
learners).
"""

from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError
from ..kernels import mixing as kernels
from ..value_grad import Real, ValueGrad, ValueGrads


def vdn(q: Real) -> ValueGrad:
    """Q_tot (M,) of utilities q (M, n), and its gradient: 1 for everybody.

    Examples
    --------
    >>> vdn(np.array([[1.0, 2.0]])).value
    array([3.])
    """
    return ValueGrad(q.sum(axis=-1), np.ones_like(q))  # (2.7)


class Mixture(NamedTuple):
    """What a monotone mixing gives, and what its derivatives need."""

    total: Real  # Q_tot (M,)
    hidden: Real  # (M, E)


def monotone(
    q: Real, w1: Real, b1: Real, w2: Real, v: Real, kind: tuple[str, str] = ("abs", "elu")
) -> Mixture:
    """Q_tot = Σ_e f(Σ_i q_i |W_ie| + b_e) |w_e| + v of each row, monotone in every q_i; Eq. (2.8).

    Parameters
    ----------
    q : utilities (M, n)
    w1 : W (M, n·E), row by row as (n, E); any sign, its absolute value is what counts
    b1, w2 : b and w (M, E)
    v : (M,)
    kind : ("abs" or "softplus", what makes weights positive; "elu" or "tanh", f)

    Raises
    ------
    InputError
        If the shapes do not fit together, or ``kind`` is another one.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> monotone(np.array([[1.0, 2.0]]), np.array([[-1.0, 1.0]]), 0 * one, -2 * one, one[0]).total
    array([7.])
    """
    a, b, c, d, e = _own(q, w1, b1, w2, v)
    _fit(a, b, (c, d), e)
    hidden, total = np.empty(c.shape, a.dtype), np.empty(len(a), a.dtype)
    kernels.forward(a, b, c, d, e, *_flags(kind), hidden, total)  # (2.8)
    return Mixture(total, hidden)


def monotone_gradient(
    q: Real, w1: Real, w2: Real, hidden: Real, dy: Real, kind: tuple[str, str] = ("abs", "elu")
) -> tuple[Real, Real, Real, Real]:
    """(∂L/∂q, ∂L/∂W, ∂L/∂b, ∂L/∂w) from dy = ∂L/∂Q_tot (M,); that in v is dy itself."""
    a, b, c, d, e = _own(q, w1, w2, hidden, dy)
    _fit(a, b, (c, d), e)
    dq, dw1, db1, dw2 = (np.empty(x.shape, a.dtype) for x in (a, b, c, c))
    kernels.pull_back(a, b, c, d, e, *_flags(kind), dq, dw1, db1, dw2)
    return dq, dw1, db1, dw2


def td_target(reward: Real, terminated: Real, value_next: Real, gamma: float | Real) -> Real:
    """y = r + γ (1 − d) Q'_tot of the greedy joint action at s'; all of one shape.

    d is termination alone: where only a clock cut the episode, s' is worth what it is worth. With
    n-step returns ``gamma`` is γ^m of each row, and ``reward`` the m discounted rewards.

    Examples
    --------
    >>> td_target(np.ones(2), np.array([False, True]), np.array([4.0, 4.0]), 0.5)
    array([3., 1.])
    """
    check.same_axes(reward=reward, terminated=terminated, value_next=value_next)
    y = reward + gamma * np.where(terminated, 0.0, value_next)  # (2.7) (2.8)
    return np.asarray(y, value_next.dtype)


def td_loss(q: Real, target: Real, weight: Real | None = None) -> ValueGrad:
    """Σ w (y − Q)² and its gradient in Q, y held, of one shape; w = 1 / M if none is given."""
    check.same_shape(q=q, target=target)
    error = q - target
    share = 1.0 / max(len(q), 1) if weight is None else weight
    slope = np.asarray(share * error, q.dtype)
    return ValueGrad(float((slope * error).sum(dtype=np.float64)), 2.0 * slope)  # (2.7)


def central_weight(greedy: Real, target: Real, best: Real, alpha: float) -> Real:
    """CW: 1 where the action was greedy or y exceeds Q*(s, û), else α; all (M,)."""
    return np.where(greedy | (target > best), 1.0, alpha)


def optimistic_weight(total: Real, target: Real, alpha: float) -> Real:
    """OW: 1 where Q_tot lies below y, else α; (M,)."""
    return np.where(total < target, 1.0, alpha)


def qtran_loss(total: Real, joint: Real, v: Real, taken: bool) -> ValueGrads:
    """E[(Σ Q_i − Q_jt + V)²] and its gradients in Σ Q_i and in V; Q_jt is held; all (M,).

    For the greedy joint action the difference shall vanish (L_opt); for the one ``taken`` it shall
    not be negative (L_nopt), so that only what is below 0 counts.
    """
    gap = total - joint + v
    gap = np.minimum(gap, 0.0) if taken else gap
    slope = np.asarray(2.0 * gap / len(gap), v.dtype)
    return ValueGrads(float(np.square(gap).mean(dtype=np.float64)), (slope, slope))


# -- one state: what sums can represent -------------------------------------------------


def main_effects(payoffs: Any, weights: Any = None) -> tuple[Array, ...]:
    """Utilities (A_i,) of each player whose sum comes nearest to a team's payoffs (A_1, …, A_n).

    Nearest in squares weighted by ``weights``, of the same shape (all 1 without). With all alike
    the sum is that of the main effects: for two players row mean + column mean − grand mean. Each
    utility has the same mean, where all actions count alike.

    Raises
    ------
    InputError
        If payoffs are no array of at least one axis, or weights have another shape or a sign.

    Examples
    --------
    >>> total = additive(main_effects([[0, 1], [1, 8]]))
    >>> print(total)
    [[-1.5  2.5]
     [ 2.5  6.5]]
    """
    table = check.real_array(payoffs, "payoffs")
    n = table.ndim
    if n == 0:
        raise InputError("payoffs: need at least one axis, got a number")
    if weights is None:
        mean = float(table.mean())
        axes = [tuple(j for j in range(n) if j != i) for i in range(n)]
        return tuple(table.mean(axis=a) - mean * (n - 1) / n for a in axes)
    given = check.real_array(weights, "weights", n)
    if given.shape != table.shape or (given < 0.0).any():
        raise InputError(f"weights: need numbers ≥ 0 of shape {table.shape}, got {given.shape}")
    root = np.sqrt(given.ravel())
    design = np.concatenate([_indicator(table.shape, i) for i in range(n)], axis=1)
    solved = np.linalg.lstsq(root[:, None] * design, root * table.ravel(), rcond=None)[0]
    return tuple(np.split(solved, np.cumsum(table.shape)[:-1]))


def additive(utilities: tuple[Array, ...]) -> Array:
    """Σ_i Q_i(a_i) of every joint action, (A_1, …, A_n)."""
    total = np.zeros(())
    for own in utilities:
        total = total[..., None] + own
    return total


def _indicator(shape: tuple[int, ...], player: int) -> Array:
    """(S, A_i): whether joint action s has a_i."""
    at = np.indices(shape)[player].ravel()
    found: Array = np.eye(shape[player])[at]
    return found


def _own(*given: Real) -> tuple[Real, ...]:
    """Contiguous, all of the first one's dtype, and writable: kernels are compiled for one kind."""
    arrays = [np.asarray(a) for a in given]
    kind = arrays[0].dtype if arrays[0].dtype.kind == "f" else np.dtype(float)
    return tuple(
        a
        if a.dtype == kind and a.flags.c_contiguous and a.flags.writeable
        else np.require(a, kind, ("C", "W"))
        for a in arrays
    )


def _fit(q: Real, w1: Real, units: tuple[Real, Real], rows: Real) -> None:
    """Kernels look at no bounds: what does not fit is refused before."""
    first, second = units
    size = first.shape
    whole = q.ndim == len(size) == 2 and second.shape == size and rows.shape == (len(q),)
    if not whole or size[0] != len(q) or w1.shape != (len(q), q.shape[1] * size[1]):
        got = ", ".join(str(a.shape) for a in (q, w1, first, second, rows))
        raise InputError(f"mixing: need shapes (M, n), (M, n·E), (M, E), (M, E), (M,); got {got}")


def _flags(kind: tuple[str, str]) -> tuple[bool, bool]:
    if kind[0] not in ("abs", "softplus") or kind[1] not in ("elu", "tanh"):
        raise InputError(f"kind: need abs or softplus, and elu or tanh; got {kind}")
    return kind[0] == "softplus", kind[1] == "tanh"
