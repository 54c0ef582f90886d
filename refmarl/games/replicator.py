"""Replicator dynamics: shares grow at the rate of their advantage (course §1).

    ẋ_a = x_a (u(a, x) - ū(x)),     ū(x) = Σ_b x_b u(b, x)                    (1.10)

One population plays a symmetric game against itself, u(a, x) = (A x)_a. In a game of n players
there is a population for each of them and u_i(a, x_-i) takes the place of u(a, x).

Trajectories are integrated in the logarithms: z = log x obeys ż_a = u(a, x) - ū(x) with
x = softmax(z). So every share stays ≥ 0 and they sum to 1 whatever the steps are; a share that
falls to 1e-200 and comes back keeps its relative accuracy; and near a pure attractor, where
the logarithms run in straight lines, steps grow instead of being held back by stability. Zero
shares have no logarithm: they are left out and stay exactly zero. With mutation they do not, and
x itself is integrated.

Axes: K actions of a population, n players with A_i actions, T times; leading axes of the
strategies are a batch of starting points.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, InputError, Profile
from .normal_form import NormalForm, values_against

RTOL, ATOL = 1e-10, 1e-12
FINEST = 3e-14  # smaller relative tolerances are rounding errors


def replicator_field(A: Any, x: Any, mutation: Any = None) -> Array:
    """ẋ of one population with payoffs u(a, x) = (A x)_a, shape (..., K); Eq. (1.10).

    With ``mutation`` Q it is the replicator-mutator field ẋ_a = Σ_b x_b u(b, x) Q_ba - x_a ū(x),
    where payoffs are birth rates, hence ≥ 0 (Page & Nowak 2002).

    Parameters
    ----------
    A : float (K, K)
        ``A[a, b]`` is what a gets against b.
    x : float (..., K)
        Shares, each row ≥ 0 with sum 1.
    mutation : float (K, K), optional
        ``Q[b, a]`` is the probability that the offspring of b is an a; rows sum to 1.

    Raises
    ------
    InputError
        If A is not square and finite, x or a row of Q is not a distribution, or A has negative
        entries beside a mutation.

    Examples
    --------
    >>> print(replicator_field([[0, 2], [1, 0]], [0.5, 0.5]))
    [ 0.125 -0.125]
    """
    A = _square(A)
    x = check.mixture(x, len(A), "x")
    u = x @ A.T
    field: Array = x * (u - _mean(x, u))  # (1.10)
    if mutation is not None:
        field += (x * u) @ _mutation(mutation, A) - x * u
    return field


def population_field(game: NormalForm, profile: Sequence[Any]) -> Profile:
    """ẋ_i,a = x_i,a (u_i(a, x_-i) - u_i(x)) of every player, shapes (..., A_i); Eq. (1.10).

    Examples
    --------
    >>> pennies = NormalForm.zero_sum([[1, -1], [-1, 1]])
    >>> for velocity in population_field(pennies, ([0.75, 0.25], [0.5, 0.5])):
    ...     print(velocity)
    [0. 0.]
    [-0.25  0.25]
    """
    strategies = game.profile(profile)
    values = (values_against(game, strategies, i) for i in range(game.num_players))
    return tuple(
        x * (u - _mean(x, u))  # (1.10)
        for x, u in zip(strategies, values, strict=True)
    )


def replicator(
    A: Any, x0: Any, times: Any, mutation: Any = None, rtol: float = RTOL, atol: float = ATOL
) -> Array:
    """The shares x(t) at the given times from x(times[0]) = x0, shape (T, ..., K); Eq. (1.10).

    Each step of the eighth-order method of Dormand and Prince errs by at most
    ``atol + rtol |log x_a|`` in every log x_a; with ``mutation`` by ``atol + rtol x_a`` in x_a.
    By default that leaves some ten digits after a few turns of a cycle. Shares below 1e-308 are
    returned as 0, and yet may come back.

    Parameters
    ----------
    A : float (K, K)
    x0 : float (..., K)
        One start or a batch of them. Zero shares stay exactly zero, unless there is mutation.
    times : float (T,), increasing
    mutation : float (K, K), optional
        As in :func:`replicator_field`.
    rtol, atol : float > 0

    Raises
    ------
    InputError
        As :func:`replicator_field`; or if the times do not increase or are too many to be kept,
        a tolerance is not positive, or payoffs are so large that no step is small enough.

    Examples
    --------
    >>> print(replicator([[0, 2], [1, 0]], [0.5, 0.5], [0, 50]).round(6))
    [[0.5      0.5     ]
     [0.666667 0.333333]]
    """
    A = _square(A)
    start = _shares(x0, len(A), "x0")
    if mutation is None:
        return _flow(lambda x: (x[0] @ A.T,), (start,), times, rtol, atol)[0]
    Q = _mutation(mutation, A)

    def velocity(flat: Array) -> Array:
        x = _onto_simplex(flat.reshape(start.shape))
        u = x @ A.T
        dx: Array = (x * u) @ Q - x * _mean(x, u)
        return dx.ravel()

    path = _solve(velocity, start.ravel(), times, rtol, atol)
    return _onto_simplex(path.reshape(-1, *start.shape))


def replicate(
    game: NormalForm, profile: Sequence[Any], times: Any, rtol: float = RTOL, atol: float = ATOL
) -> Profile:
    """Every player's x_i(t) from x(times[0]) = profile, shapes (T, ..., A_i); Eq. (1.10).

    Accuracy and errors are those of :func:`replicator`.

    Examples
    --------
    >>> stag_hunt = NormalForm.bimatrix([[4, 1], [3, 3]], [[4, 3], [1, 3]])
    >>> hunters, _ = replicate(stag_hunt, ([0.7, 0.3], [0.7, 0.3]), [0, 1000])
    >>> print(hunters)
    [[0.7 0.3]
     [1.  0. ]]
    """
    strategies = game.profile(profile)
    starts = tuple(
        _shares(x, k, f"strategy of player {i}")
        for i, (x, k) in enumerate(zip(strategies, game.num_actions, strict=True))
    )

    def payoffs(x: Profile) -> Profile:
        return tuple(values_against(game, x, i) for i in range(game.num_players))

    return _flow(payoffs, starts, times, rtol, atol)


def discrete_replicator(A: Any, x: Any) -> Array:
    """One generation, x'_a = x_a (A x)_a / x·Ax, shape (..., K): the map that (1.10) smooths.

    With u + c in place of u and large c, c (x' - x) tends to the field (1.10).

    Raises
    ------
    InputError
        As :func:`replicator_field`; or if an action in use has a negative payoff (A x)_a, or
        none has a positive one: they count offspring.

    Examples
    --------
    >>> print(discrete_replicator([[1, 2], [3, 0]], [0.5, 0.5]))
    [0.5 0.5]
    """
    A = _square(A)
    x = check.mixture(x, len(A), "x")
    u = x @ A.T
    mean = _mean(x, u)
    if ((u < 0) & (x > 0)).any() or (mean <= 0).any():
        raise InputError(
            "discrete replicator: need payoffs (A x)_a ≥ 0 of the actions in use and a mean > 0; "
            f"got smallest {u[x > 0].min():g}, mean {mean.min():g}; add a constant to A"
        )
    offspring: Array = x * u / mean
    return offspring


def rest_point_eigenvalues(A: Any, x: Any) -> NDArray[np.complex128]:
    """Eigenvalues (K-1,) of the linearised (1.10) at x along the simplex, largest real part first.

    At a rest point: all real parts < 0, it attracts its neighbourhood; one > 0, it does not;
    on the imaginary axis linearisation does not tell.

    Raises
    ------
    InputError
        As :func:`replicator_field`; x is a single point, not a batch.

    Examples
    --------
    >>> hawk_dove = [[-1, 4], [0, 2]]
    >>> print(rest_point_eigenvalues(hawk_dove, [2/3, 1/3]).real.round(6))
    [-0.666667]
    """
    A = _square(A)
    x = check.mixture(check.real_array(x, "x", 1), len(A), "x")
    u = A @ x
    jacobian = np.diag(u - x @ u) + x[:, None] * (A - u - x @ A)
    tangent = np.linalg.svd(np.ones((1, len(x))))[2][1:]  # orthonormal rows, each of sum 0
    found = np.linalg.eigvals(tangent @ jacobian @ tangent.T).astype(np.complex128)
    ordered: NDArray[np.complex128] = found[np.argsort(-found.real, kind="stable")]
    return ordered


def _mean(x: Array, u: Array) -> Array:
    """ū = Σ_a x_a u_a, shape (..., 1)."""
    mean: Array = (x * u).sum(axis=-1, keepdims=True)
    return mean


def _square(A: Any) -> Array:
    """The payoff matrix of one population."""
    matrix = check.real_array(A, "A", 2)
    if matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"A: need a square matrix, got shape {matrix.shape}")
    return matrix


def _mutation(Q: Any, A: Array) -> Array:
    """The mutation matrix, if it fits these payoffs."""
    matrix = check.mixture(check.real_array(Q, "mutation", 2), len(A), "mutation")
    if matrix.shape != A.shape:
        raise InputError(f"mutation: need shape {A.shape}, got {matrix.shape}")
    if (A < 0).any():
        raise InputError(f"A: mutation needs payoffs ≥ 0 (birth rates), got {A.min():g}")
    return matrix


def _onto_simplex(x: Array) -> Array:
    """Without the negative parts that rounding left, and of sum 1."""
    x = np.maximum(x, 0.0)
    shares: Array = x / x.sum(axis=-1, keepdims=True)
    return shares


def _shares(x: Any, size: int, name: str) -> Array:
    """A checked start, exactly on the simplex."""
    return _onto_simplex(check.mixture(x, size, name))


def _times(times: Any) -> Array:
    """The times at which to report, increasing."""
    t = check.real_array(times, "times", 1)
    if (np.diff(t) <= 0).any():
        raise InputError("times: need increasing numbers")
    return t


def _flow(
    payoffs: Callable[[Profile], Profile], starts: Profile, times: Any, rtol: float, atol: float
) -> Profile:
    """Integrate ż_i,a = u_i(a, x_-i) - u_i(x) for all populations at once; x_i = softmax(z_i)."""
    alive = [x > 0 for x in starts]
    ends = np.cumsum([0, *(x.size for x in starts)])

    def shares(z: Array) -> Profile:
        """The shares at z of shape (..., total size)."""
        parts = (z[..., i:j] for i, j in pairwise(ends))
        return tuple(
            _softmax(part.reshape(*z.shape[:-1], *x.shape), live)
            for part, x, live in zip(parts, starts, alive, strict=True)
        )

    def log_growth(z: Array) -> Array:
        x = shares(z)
        growth = [
            np.where(live, u - _mean(x_i, u), 0.0)  # (1.10), divided by x_a
            for x_i, u, live in zip(x, payoffs(x), alive, strict=True)
        ]
        return np.concatenate([g.ravel() for g in growth])

    z0 = [np.log(np.where(live, x, 1.0)).ravel() for x, live in zip(starts, alive, strict=True)]
    return shares(_solve(log_growth, np.concatenate(z0), times, rtol, atol))


def _softmax(z: Array, alive: NDArray[np.bool_]) -> Array:
    """exp(z_a) / Σ exp(z_b) over the actions that are alive, 0 elsewhere."""
    z = np.where(alive, z, -np.inf)
    return _onto_simplex(np.exp(z - z.max(axis=-1, keepdims=True)))


def _solve(
    velocity: Callable[[Array], Array], start: Array, times: Any, rtol: float, atol: float
) -> Array:
    """The solution of ẏ = velocity(y) from ``start`` at the given times, shape (T, len(start)).

    The solver bounds the root mean square of the errors over all coordinates; tolerances divided
    by the root of their number bound each of them, so that a trajectory in a batch is no less
    accurate than alone.
    """
    from scipy.integrate import solve_ivp  # here: it takes a while to load

    t = _times(times)
    if len(t) * start.size > check.MAX_ENTRIES:
        raise InputError(
            f"times: {len(t)} records of {start.size} numbers; the cap is {check.MAX_ENTRIES}"
        )
    for value, name in ((rtol, "rtol"), (atol, "atol")):
        if not 0 < value < np.inf:
            raise InputError(f"{name}: need a number > 0, got {value!r}")
    share = np.sqrt(start.size)
    if len(t) == 1:
        return start[None].copy()
    with np.errstate(over="ignore", invalid="ignore"):  # such steps are rejected
        found = solve_ivp(
            lambda _, y: velocity(y),
            (t[0], t[-1]),
            start,
            method="DOP853",
            t_eval=t,
            rtol=max(rtol / share, FINEST),
            atol=atol / share,
        )
    if not found.success:
        reached = found.t[-1] if len(found.t) else t[0]
        raise InputError(f"no step is small enough after t = {reached:g}: {found.message}")
    path: Array = found.y.T
    return path
