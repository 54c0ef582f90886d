"""Kernels that follow a path of logit equilibria; :mod:`~refmarl.games.quantal` explains it.

Axes: n players, A_i actions, N = Σ_i A_i, S = Π_i A_i, M = max_i A_i. ``payoffs`` is float64
(n, S), ``sizes`` int64 (n,). A point z (N + 1,) holds the logarithms y of all probabilities, the
first player's first, and λ. ``beta`` (n,) says how many times λ a player's own rationality is,
``bias`` (N,) is log p_i(a) of the profile at λ = 0.
"""

import numpy as np

from ..check import Array
from ..kernels._jit import kernel
from ..kernels.joint import Ints, mixed_values

MAX_CORRECTIONS = 8
FAR = 0.5  # a first correction beyond it: the prediction left the path
SLOW = 0.6  # a correction must shrink to this share of the one before
CLOSE, ROUNDING = 1e-11, 1e-14  # a correction below CLOSE + ROUNDING |z| ends the iteration


@kernel
def pair_values(payoffs: Array, sizes: Ints, x: Array, out: Array) -> None:
    """out[(i, a), (j, b)] = E u_i where i plays a, j plays b and the others x; (N, N), 0 if i = j.

    It is the derivative of player i's value of a with respect to x_j(b).
    """
    n = len(sizes)
    actions, first = np.zeros(n, np.int64), np.zeros(n, np.int64)
    after = np.ones(n + 1)
    for i in range(1, n):
        first[i] = first[i - 1] + sizes[i - 1]
    total = first[n - 1] + sizes[n - 1]
    for r in range(total):
        for c in range(total):
            out[r, c] = 0.0
    for s in range(payoffs.shape[1]):
        for i in range(n - 1, -1, -1):
            after[i] = after[i + 1] * x[i, actions[i]]
        before = 1.0
        for i in range(n):
            between, row = before, first[i] + actions[i]
            for j in range(i + 1, n):
                weight, column = between * after[j + 1], first[j] + actions[j]
                out[row, column] += weight * payoffs[i, s]
                out[column, row] += weight * payoffs[j, s]
                between *= x[j, actions[j]]
            before *= x[i, actions[i]]
        advance(actions, sizes)


@kernel
def advance(actions: Ints, sizes: Ints) -> None:
    """Step to the next joint action, the last player's first."""
    i = len(sizes) - 1
    while i >= 0:
        actions[i] += 1
        if actions[i] < sizes[i]:
            break
        actions[i] = 0
        i -= 1


@kernel
def system(
    payoffs: Array, sizes: Ints, beta: Array, bias: Array, z: Array, value: Array, slope: Array
) -> None:
    """H(z) and its Jacobian, written into the first N rows of ``value`` and ``slope`` (…, N + 1).

    Each player's most probable action r has the row Σ_a exp(y_a) - 1; another action a has
    y_a - y_r - (b_a - b_r) - λ β_i (v_a - v_r).
    """
    n, total = len(sizes), len(bias)
    x, v = np.zeros((n, total)), np.zeros((n, total))
    at = 0
    for i in range(n):
        for a in range(sizes[i]):
            x[i, a] = np.exp(z[at])
            at += 1
    mixed_values(payoffs, sizes, x, v)
    pair_values(payoffs, sizes, x, slope)
    first = 0
    for i in range(n):
        ref = 0
        for a in range(sizes[i]):
            if z[first + a] > z[first + ref]:
                ref = a
        own_rows(i, first, sizes[i], ref, z, beta[i], bias, x, v, value, slope)
        first += sizes[i]
    at = 0
    for j in range(n):  # d/dy = x d/dx, except in the player's own rows, which are done
        for b in range(sizes[j]):
            for r in range(total):
                if r < at - b or r >= at - b + sizes[j]:
                    slope[r, at] *= x[j, b]
            at += 1


@kernel
def own_rows(
    i: int, first: int, size: int, ref: int, z: Array, beta: float, bias: Array, x: Array,
    v: Array, value: Array, slope: Array,
) -> None:  # fmt: skip
    """The rows of player i; ``slope`` comes in with the derivatives of its values by x."""
    total, rate = len(bias), z[-1] * beta
    lead = first + ref
    for a in range(size):
        row = first + a
        if a == ref:
            continue
        gain = v[i, a] - v[i, ref]
        value[row] = z[row] - z[lead] - (bias[row] - bias[lead]) - rate * gain
        for c in range(total):
            slope[row, c] = -rate * (slope[row, c] - slope[lead, c])
        slope[row, row], slope[row, lead] = 1.0, -1.0
        slope[row, total] = -beta * gain
    mass = 0.0
    for c in range(total + 1):
        slope[lead, c] = 0.0
    for a in range(size):
        mass += x[i, a]
        slope[lead, first + a] = x[i, a]
    value[lead] = mass - 1.0


@kernel
def solve(matrix: Array, right: Array) -> bool:
    """Solve in place by elimination with row pivots; False if the matrix is singular."""
    size = len(right)
    for k in range(size):
        pivot = k
        for r in range(k + 1, size):
            if abs(matrix[r, k]) > abs(matrix[pivot, k]):
                pivot = r
        if not abs(matrix[pivot, k]) > 1e-300:  # NaN, too
            return False
        for c in range(k, size):
            matrix[k, c], matrix[pivot, c] = matrix[pivot, c], matrix[k, c]
        right[k], right[pivot] = right[pivot], right[k]
        for r in range(k + 1, size):
            factor = matrix[r, k] / matrix[k, k]
            if factor != 0.0:
                for c in range(k + 1, size):
                    matrix[r, c] -= factor * matrix[k, c]
                right[r] -= factor * right[k]
    for k in range(size - 1, -1, -1):
        for c in range(k + 1, size):
            right[k] -= matrix[k, c] * right[c]
        right[k] /= matrix[k, k]
    return True


@kernel
def largest(z: Array) -> float:
    """max |z_k|; NaN if a number is not finite."""
    size = 0.0
    for k in range(len(z)):
        if not np.isfinite(z[k]):
            return np.nan
        size = max(size, abs(z[k]))
    return size


@kernel
def turn(direction: Array, tangent: Array) -> float:
    """Norm ``direction`` into ``tangent``; their cosine, if direction · tangent is 1."""
    norm = 0.0
    for c in range(len(direction)):
        norm += direction[c] * direction[c]
    norm = np.sqrt(norm)
    if not np.isfinite(norm):
        return 0.0
    for c in range(len(direction)):
        tangent[c] = direction[c] / norm
    return float(1.0 / norm)


@kernel
def correct(
    payoffs: Array, sizes: Ints, beta: Array, bias: Array, border: Array, z: Array, tangent: Array
) -> float:
    """Newton's method from z to H = 0 in the hyperplane normal to ``border``; then the tangent.

    ``tangent`` becomes the unit tangent of the path at the new z, on the same side. Returns the
    cosine of the angle between both; 0 where z is too far from the path, or converges too slowly.
    """
    total, before, arrived = len(bias), 0.0, False
    matrix, right = np.zeros((total + 1, total + 1)), np.zeros(total + 1)
    for _ in range(MAX_CORRECTIONS + 1):
        system(payoffs, sizes, beta, bias, z, right, matrix)
        right[total] = 0.0
        for c in range(total + 1):
            matrix[total, c] = tangent[c] if arrived else border[c]
            if arrived:
                right[c] = float(c // total)
        if not solve(matrix, right):
            return 0.0
        if arrived:
            return turn(right, tangent)
        size = largest(right)
        close = CLOSE + ROUNDING * largest(z)
        if not size <= FAR or (before > 0.0 and size > close and size > SLOW * before):
            return 0.0
        for c in range(total + 1):
            z[c] -= right[c]
        before, arrived = size, size <= close
    return 0.0
