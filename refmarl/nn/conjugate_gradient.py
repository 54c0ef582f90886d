r"""Conjugate gradients: H x = g for a symmetric positive definite H that is known by its products.

    x ← x + α p,  r ← r − α H p,  α = ⟨r, r⟩ / ⟨p, H p⟩                                   (3.11)
    p ← r′ + (⟨r′, r′⟩ / ⟨r, r⟩) p,   from x = 0, r = p = g

Hestenes & Stiefel 1952, J. Res. NBS 49. The k-th iterate is the best one in the span of g, Hg, …,
H^{k−1} g: no other is nearer to the solution in the norm ‖e‖_H = √⟨e, He⟩, which falls at every
iteration (the norm of the residual need not). P iterations suffice in exact arithmetic, and as
many as H has different eigenvalues.

Axes: L systems (any leading axes, or none) side by side, P unknowns; each is solved as if alone.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..check import InputError
from ..value_grad import Real


class Solution(NamedTuple):
    """What was found."""

    x: Real  # (*L, P)
    residual: Real  # ‖g − H x‖ (*L,), as the recurrence has it
    iterations: int  # of the system that took most


def conjugate_gradient(
    product: Callable[[Real], Real], g: Real, *, iterations: int = 10, tolerance: float = 1e-10
) -> Solution:
    """x with H x ≈ g.

    Parameters
    ----------
    product : v (*L, P) ↦ H v, linear, symmetric and positive definite for each system
    g : (*L, P) of floats
    iterations : at most this many
    tolerance : a system is solved when ‖g − H x‖ ≤ tolerance · ‖g‖, ε² ‖g‖ at least: what is
        left then moves no digit of x, and would soon be too small for ⟨p, H p⟩ to be a number > 0

    Raises
    ------
    InputError
        If ⟨p, H p⟩ > 0 does not hold for a direction p ≠ 0, or a number is not finite.

    Examples
    --------
    >>> h = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> conjugate_gradient(lambda v: h @ v, np.array([3.0, 3.0])).x
    array([1., 1.])
    """
    x, residual, direction = np.zeros_like(g), g.copy(), g.copy()
    square = _dot(residual, residual)
    goal = max(tolerance, float(np.finfo(g.dtype).eps) ** 2) ** 2 * square
    if not np.isfinite(square).all():
        raise InputError("g: need finite numbers")
    done = 0
    while done < iterations and (active := square > goal).any():
        moved = product(direction)
        curvature = _dot(direction, moved)
        if not (curvature > 0.0)[active].all():
            raise InputError("product: not positive definite along a direction of the search")
        alpha = _divide(square, curvature, active)
        x += alpha * direction  # (3.11)
        residual -= alpha * moved
        new = np.where(active, _dot(residual, residual), square)
        direction = residual + _divide(new, square, active) * direction
        direction = direction.astype(g.dtype, copy=False)
        square, done = new, done + 1
    return Solution(x, np.sqrt(square[..., 0]), done)


def _dot(a: Real, b: Real) -> Real:
    """⟨a, b⟩ of each system, (*L, 1) in float64."""
    return np.asarray(np.multiply(a, b, dtype=np.float64).sum(axis=-1, keepdims=True))


def _divide(a: Real, b: Real, where: Real) -> Real:
    """a / b for systems that go on, 0 for those that are solved."""
    return np.divide(a, b, out=np.zeros_like(a), where=where)
