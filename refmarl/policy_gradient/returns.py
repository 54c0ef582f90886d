r"""Returns and advantages, from TD errors to GAE: the public face of the kernels.

    δ_t = r_t + γ (1 − d_t) V(s_{t+1}) − V(s_t)                          td_error       (3.4)
    A_t = Σ_l (γλ)^l δ_{t+l}, cut at episode ends                        gae            (3.5)
    G^λ_t = A_t + V(s_t)                                                 lambda_return
    G^{(n)}_t, at most n rewards and then V                              n_step_return  (4.1)
    e_t = x_t + γλ e_{t−1} within an episode                             trace

All take arrays (T, ...): T steps of any number of streams. ``terminated`` says that nothing
follows, ``ended`` that the next row is another episode (terminated or truncated), and
``next_value`` is V of the state in which the step ended, also where the next row already shows
a restarted episode. The last row is always a cut.

γ and λ are in [0, 1]; results are (T, ...), in the dtype of the rewards.
"""

import numpy as np

from ..check import InputError, positive
from ..kernels import returns as kernels
from ..value_grad import Real


def td_error(reward: Real, value: Real, next_value: Real, terminated: Real, gamma: float) -> Real:
    """δ (T, ...) of (3.4).

    Raises
    ------
    InputError
        If the shapes differ or γ is not in [0, 1].
    """
    (r, v, after), (d,), out = _streams((reward, value, next_value), (terminated,))
    kernels.td_errors(r, v, after, d, _unit(gamma, "gamma"), out)
    return out.reshape(np.shape(reward))


def gae(
    reward: Real,
    value: Real,
    next_value: Real,
    terminated: Real,
    ended: Real,
    gamma: float,
    lam: float,
) -> Real:
    """Generalised advantages A (T, ...) of (3.5).

    Raises
    ------
    InputError
        If the shapes differ, γ or λ is not in [0, 1], or a step terminates without ending.

    Examples
    --------
    Two steps, cut after the second: δ = (1, 1 + 0.5·4), so A = (1 + 0.5·3, 3).

    >>> gae(np.ones(2), np.zeros(2), np.array([0.0, 4.0]), np.zeros(2, bool),
    ...     np.array([False, True]), 0.5, 1.0)
    array([2.5, 3. ])
    """
    (r, v, after), (d, cut), out = _streams((reward, value, next_value), (terminated, ended))
    kernels.advantages(r, v, after, d, cut, _unit(gamma, "gamma"), _unit(lam, "lam"), out)
    return out.reshape(np.shape(reward))


def lambda_return(
    reward: Real, next_value: Real, terminated: Real, ended: Real, gamma: float, lam: float
) -> Real:
    """G^λ (T, ...): λ = 0 is the one-step target, λ = 1 the bootstrapped return.

    Raises
    ------
    InputError
        As :func:`gae`.
    """
    (r, after), (d, cut), out = _streams((reward, next_value), (terminated, ended))
    kernels.lambda_returns(r, after, d, cut, _unit(gamma, "gamma"), _unit(lam, "lam"), out)
    return out.reshape(np.shape(reward))


def trace(features: Real, ended: Real, gamma: float, lam: float) -> Real:
    """Eligibility traces e (T, ..., F) of features x (T, ..., F); e_{t−1} = 0 in a first step.

    TD(λ) moves weights along Σ_t δ_t e_t as steps come in; looking forward from each step it is
    Σ_t Â_t x_t with the advantages of :func:`gae`, the same sum in another order (Sutton 1988).

    Raises
    ------
    InputError
        If ``ended`` has not the shape of x without its last axis, or γ or λ is not in [0, 1].

    Examples
    --------
    >>> trace(np.ones((3, 1)), np.array([False, True, False]), 0.5, 1.0)[:, 0]
    array([1. , 1.5, 1. ])
    """
    x, cut = np.asarray(features), np.asarray(ended)
    if x.ndim < 2 or x.size == 0 or cut.shape != x.shape[:-1]:
        need = "features: need (T, ..., F) and ended (T, ...)"
        raise InputError(f"{need}, got shapes {x.shape}, {cut.shape}")
    dtype, shape = np.float32 if x.dtype == np.float32 else np.float64, (len(x), -1, x.shape[-1])
    rows = np.ascontiguousarray(x, dtype).reshape(shape)
    ends = np.ascontiguousarray(cut, bool).reshape(shape[:2])
    out = np.empty_like(rows)
    kernels.traces(rows, ends, _unit(gamma, "gamma") * _unit(lam, "lam"), out)
    return out.reshape(x.shape)


def n_step_return(
    reward: Real, next_value: Real, terminated: Real, ended: Real, gamma: float, n: int
) -> Real:
    """G^(n) (T, ...) of (4.1): min(n, steps to the episode's end) rewards, then V unless d.

    Raises
    ------
    InputError
        As :func:`gae`, or if n is not a whole number ≥ 1.
    """
    (r, after), (d, cut), out = _streams((reward, next_value), (terminated, ended))
    n = min(positive(n, "n"), len(r))
    kernels.n_step_returns(r, after, d, cut, _unit(gamma, "gamma"), n, out)
    return out.reshape(np.shape(reward))


def discounted_return(reward: Real, ended: Real, gamma: float) -> Real:
    """Σ_{k ≥ t} γ^{k−t} r_k (T, ...) to the end of the episode or of the rows.

    Raises
    ------
    InputError
        If the shapes differ or γ is not in [0, 1].
    """
    zero = np.zeros_like(np.asarray(reward, dtype=np.result_type(reward, np.float32)))
    return lambda_return(reward, zero, np.asarray(ended, dtype=bool), ended, gamma, 1.0)


def _streams(
    arrays: tuple[Real, ...], flags: tuple[Real, ...]
) -> tuple[list[Real], list[Real], Real]:
    """(arrays, flags, an empty result), all as contiguous (T, M); checks their shapes."""
    first = np.asarray(arrays[0])
    if first.ndim == 0 or first.size == 0:
        raise InputError(f"reward: need (T, ...) with T ≥ 1, got shape {first.shape}")
    dtype = np.float32 if first.dtype == np.float32 else np.float64
    reals = [np.ascontiguousarray(a, dtype) for a in arrays]
    bools = [np.ascontiguousarray(f, bool) for f in flags]
    for k, array in enumerate((*reals, *bools), start=1):
        if array.shape != first.shape:
            raise InputError(f"argument {k}: need shape {first.shape}, got {array.shape}")
    if len(bools) == 2 and (bools[0] > bools[1]).any():
        raise InputError("ended: a step that terminates must also have ended")
    if first.ndim != 2:
        rows = (len(first), -1)
        reals, bools = [a.reshape(rows) for a in reals], [f.reshape(rows) for f in bools]
    return reals, bools, np.empty_like(reals[0])


def _unit(value: float, name: str) -> float:
    if not 0.0 <= value <= 1.0:
        raise InputError(f"{name}: need a number in [0, 1], got {value!r}")
    return float(value)
