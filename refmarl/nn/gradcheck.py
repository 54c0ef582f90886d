"""The gradient certificate: is a derivative the derivative of the function it claims?

Four questions, each answered by a :class:`Report` that says which block of the parameters
disagrees, where most and by how much; ``report.require()`` raises with that text:

    check_gradient   f(x) → (value, gradient)            differences of f, number by number
    check_backward   f(θ, x) → y, and its backward       the adjoint identity ⟨u, Jv⟩ = ⟨Jᵀu, v⟩
    check_jvp        f(x) → y, and its Jv                differences of f along directions
    check_hvp        x → ∇f(x), and its Hv               differences of ∇f, and ⟨u, Hv⟩ = ⟨Hu, v⟩

Central differences (f(x+h) − f(x−h)) / 2h have an error of order h² + ε/h: with h = ε^(1/3) about
1e-10 of f. The complex step Im f(x + ih) / h (Squire & Trapp 1998) has no difference to cancel
and is exact to rounding, but f must accept complex numbers and must not take absolute values.

Two numbers agree when |a − b| ≤ 1e-6 · max(‖block‖, 1e-3), the norm being the largest entry of
the numerical gradient in the block. Use float64, and stay away from kinks: where the differences
with h and with h/2 disagree, the report says that the function has one there.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..check import InputError, generator
from ..value_grad import Real

TOLERANCE, FLOOR = 1e-6, 1e-3
STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
COMPLEX_STEP = 1e-30
MAX_COORDINATES = 4000  # more than that: this many are drawn, the same ones every time


class Part(NamedTuple):
    """One block: the largest entries of both derivatives, and where they differ most."""

    name: str
    ours: float  # largest absolute entry of the derivative that was given
    numeric: float  # and of the numerical one
    difference: float  # the largest |a − b|
    limit: float  # what that may be
    where: tuple[int, ...]  # index within the block
    kink: bool  # the numerical derivative is not to be trusted there

    @property
    def ok(self) -> bool:
        """Whether the block agrees."""
        return self.difference <= self.limit  # False if either is nan


class Report(NamedTuple):
    """What a check found; ``print(report)`` is a table."""

    title: str
    parts: tuple[Part, ...]

    @property
    def ok(self) -> bool:
        """Whether every block agrees."""
        return all(part.ok for part in self.parts)

    def require(self) -> "Report":
        """The report itself if all agree.

        Raises
        ------
        AssertionError
            Otherwise, with the table as its text.
        """
        if not self.ok:
            raise AssertionError(str(self))
        return self

    def __str__(self) -> str:
        wide = max([5, *(len(part.name) for part in self.parts)])
        head = f"{'block':{wide}}  {'given':>10}  {'numeric':>10}  {'|a - b|':>9}  {'limit':>9}"
        lines = [f"{self.title}: {'agrees' if self.ok else 'DISAGREES'}", head]
        for part in self.parts:
            row = f"{part.name:{wide}}  {part.ours:10.4g}  {part.numeric:10.4g}  "
            row += f"{part.difference:9.2e}  {part.limit:9.2e}"
            if not part.ok:
                row += f"  at {part.where}" + ("  (a kink?)" if part.kink else "")
            lines.append(row)
        return "\n".join(lines)


def check_gradient(
    f: Callable[[Real], Any],
    x: Real,
    *,
    method: str = "central",
    blocks: Iterable[Any] = (),
    tolerance: float = TOLERANCE,
) -> Report:
    """Compare f's gradient with differences of f's value.

    Parameters
    ----------
    f : x ↦ (value, gradient), as every loss of the package; the value may be an array, then the
        gradient is that of its sum
    x : float64, any shape
    method : "central" or "complex"; the latter hands f a complex array
    blocks : (name, start, stop, …) of the last axis, such as ``MLP.blocks``; without them one

    Raises
    ------
    InputError
        If x is not float64 or the gradient has not its shape.

    Examples
    --------
    >>> print(check_gradient(lambda x: ((x**2).sum(), 2 * x), np.array([3.0, -1.0])).ok)
    True
    >>> wrong = check_gradient(lambda x: ((x**2).sum(), x), np.array([3.0, -1.0]))
    >>> print(wrong)
    gradient: DISAGREES
    block       given     numeric    |a - b|      limit
    x               3           6   3.00e+00   6.00e-06  at (0,)
    """
    x = _float64(x, "x")
    gradient = np.asarray(f(x.copy())[1])
    if gradient.shape != x.shape:
        raise InputError(f"gradient: need the shape of x {x.shape}, got {gradient.shape}")

    def value(at: Real) -> Real:
        return np.asarray(np.sum(f(at)[0]))

    chosen = _coordinates(x)
    numeric, kinks = np.zeros(x.shape), np.zeros(x.shape, dtype=bool)
    for index in chosen:
        numeric[index], kinks[index] = _slope(value, x, _unit(x, index), method)
    picked = np.zeros(x.shape, dtype=bool)
    picked[tuple(np.transpose(chosen))] = True
    both = (np.where(picked, gradient, 0.0), numeric, kinks)
    return Report("gradient", tuple(_parts(*both, _named(blocks, x), tolerance)))


def check_backward(
    forward: Callable[..., Real],
    backward: Callable[..., Sequence[Real]],
    arrays: Sequence[Real],
    rng: np.random.Generator,
    *,
    names: Sequence[str] = (),
    method: str = "central",
    directions: int = 3,
    tolerance: float = TOLERANCE,
) -> Report:
    """The adjoint identity ⟨u, Jv⟩ = ⟨Jᵀu, v⟩, for each array by itself, along random u and v.

    Parameters
    ----------
    forward : (\\*arrays) ↦ y
    backward : (\\*arrays, u) ↦ one array Jᵀu for each of ``arrays``, in their shapes
    arrays : float64; for a network (θ, x)
    rng : draws u and v
    names : of the arrays, for the report
    method : "central" or "complex"
    directions : how many pairs (u, v) for each array

    Raises
    ------
    InputError
        If an array is not float64 or a result of ``backward`` has not the shape of its array.
    """
    arrays = [_float64(a, "arrays") for a in arrays]
    names = list(names) or [f"array {k}" for k in range(len(arrays))]
    y = np.asarray(forward(*arrays))
    parts = []
    for k, array in enumerate(arrays):
        along, against = np.empty(directions), np.empty(directions)
        kinks = np.zeros(directions, dtype=bool)
        for d in range(directions):
            u, v = generator(rng).standard_normal(y.shape), rng.standard_normal(array.shape)
            given = np.asarray(backward(*arrays, u)[k])
            if given.shape != array.shape:
                raise InputError(f"{names[k]}: need {array.shape} back, got {given.shape}")

            def value(at: Real, k: int = k, u: Real = u) -> Real:
                return np.asarray((u * forward(*arrays[:k], at, *arrays[k + 1 :])).sum())

            along[d] = (given * v).sum()
            against[d], kinks[d] = _slope(value, array, v, method)
        parts += _parts(along, against, kinks, [(names[k], slice(None))], tolerance)
    return Report("backward", tuple(parts))


def check_jvp(
    f: Callable[[Real], Real],
    jvp: Callable[[Real, Real], Real],
    x: Real,
    rng: np.random.Generator,
    *,
    method: str = "central",
    directions: int = 3,
    tolerance: float = TOLERANCE,
) -> Report:
    """Compare ``jvp(x, v)`` with differences of ``f(x)`` along random v; one part for each v."""
    x = _float64(x, "x")
    parts: list[Part] = []
    for d in range(directions):
        v = generator(rng).standard_normal(x.shape)
        given = np.asarray(jvp(x, v))
        numeric, kinks = _derivative(f, x, v, method)
        named = [(f"direction {d}", slice(None))]
        parts += _parts(np.atleast_1d(given), np.atleast_1d(numeric), kinks, named, tolerance)
    return Report("jvp", tuple(parts))


def check_hvp(
    gradient: Callable[[Real], Real],
    hvp: Callable[[Real, Real], Real],
    x: Real,
    rng: np.random.Generator,
    *,
    method: str = "central",
    directions: int = 3,
    blocks: Iterable[Any] = (),
    tolerance: float = TOLERANCE,
) -> Report:
    """Compare ``hvp(x, v)`` with differences of ``gradient(x)``, and ask for symmetry.

    The part "symmetry" compares ⟨u, Hv⟩ with ⟨Hu, v⟩ for random u, v.
    """
    x = _float64(x, "x")
    parts: list[Part] = []
    named = _named(blocks, x)
    left, right = np.empty(directions), np.empty(directions)
    for d in range(directions):
        u, v = generator(rng).standard_normal(x.shape), rng.standard_normal(x.shape)
        given = np.asarray(hvp(x, v))
        numeric, kinks = _derivative(gradient, x, v, method)
        parts += _parts(given, numeric, kinks, named, tolerance)
        left[d], right[d] = (u * given).sum(), (np.asarray(hvp(x, u)) * v).sum()
    smooth = np.zeros(directions, dtype=bool)
    parts += _parts(left, right, smooth, [("symmetry", slice(None))], tolerance)
    return Report("hvp", tuple(parts))


def join(arrays: Sequence[Real]) -> tuple[Real, Callable[[Real], list[Real]]]:
    """All numbers of several arrays as one vector, and the function that takes it apart again.

    For checks of functions of one array.

    Examples
    --------
    >>> vector, apart = join((np.ones((2, 2)), np.zeros(1)))
    >>> vector, [part.shape for part in apart(vector)]
    (array([1., 1., 1., 1., 0.]), [(2, 2), (1,)])
    """
    shapes = [np.shape(a) for a in arrays]
    ends = np.cumsum([np.size(a) for a in arrays])[:-1]

    def apart(vector: Real) -> list[Real]:
        parts = np.split(vector, ends)
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    return np.concatenate([np.ravel(a) for a in arrays]), apart


# -- differences ------------------------------------------------------------------------


def _derivative(f: Callable[[Real], Real], x: Real, v: Real, method: str) -> tuple[Real, Real]:
    """(the derivative of f along v, where it may be at a kink), in the shape of f(x)."""
    if method == "complex":
        slope = np.asarray(f(x + 1j * COMPLEX_STEP * v)).imag / COMPLEX_STEP
        return slope, np.zeros(np.shape(slope) or 1, dtype=bool)
    if method != "central":
        raise InputError(f'method: need "central" or "complex", got {method!r}')
    h = STEP * max(1.0, float(abs(x).max())) / max(float(abs(v).max()), 1e-300)
    coarse, fine = ((f(x + s * v) - f(x - s * v)) / (2 * s) for s in (h, h / 2))
    slope = np.asarray(fine + (fine - coarse) / 3.0)  # Richardson: the h² term cancels
    return slope, np.atleast_1d(abs(fine - coarse) > 1e-4 * np.maximum(abs(fine), FLOOR))


def _slope(f: Callable[[Real], Real], x: Real, v: Real, method: str) -> tuple[float, bool]:
    """The same for a function with one value."""
    slope, kink = _derivative(f, x, v, method)
    return float(slope), bool(np.any(kink))


def _unit(x: Real, index: tuple[int, ...]) -> Real:
    v = np.zeros(x.shape)
    v[index] = 1.0
    return v


def _coordinates(x: Real) -> list[tuple[int, ...]]:
    """All indices of x, or ``MAX_COORDINATES`` of them."""
    chosen = np.arange(x.size)
    if x.size > MAX_COORDINATES:
        chosen = np.random.default_rng(0).choice(x.size, MAX_COORDINATES, replace=False)
    return [tuple(int(k) for k in np.unravel_index(n, x.shape)) for n in chosen]


# -- the report -------------------------------------------------------------------------


def _float64(x: Real, name: str) -> Real:
    if not isinstance(x, np.ndarray) or x.dtype != np.float64 or x.size == 0:
        got = f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
        raise InputError(f"{name}: need a float64 array that is not empty, got {got}")
    return x


def _named(blocks: Iterable[Any], x: Real) -> list[tuple[str, slice]]:
    """(name, slice of the last axis) of each block."""
    named = [(str(block[0]), slice(int(block[1]), int(block[2]))) for block in blocks]
    ends = [0, *(part.stop for _, part in named)]
    if named and (ends[-1] != x.shape[-1] or [p.start for _, p in named] != ends[:-1]):
        raise InputError(
            f"blocks: need to cover 0..{x.shape[-1]} of the last axis one after the other, got "
            f"{[(name, part.start, part.stop) for name, part in named]}"
        )
    return named or [("x", slice(None))]


def _parts(
    given: Real, numeric: Real, kinks: Real, named: list[tuple[str, slice]], tolerance: float
) -> list[Part]:
    """A :class:`Part` for each block of the last axis."""
    found = []
    given, numeric = np.atleast_1d(given), np.atleast_1d(numeric)  # x may be one number
    for name, block in named:
        a, b = given[..., block], numeric[..., block]
        gap = abs(a - b)
        gap = np.where(np.isnan(gap), np.inf, gap)
        where = tuple(int(k) for k in np.unravel_index(int(gap.argmax()), gap.shape))
        biggest = float(abs(b).max())
        limit = tolerance * max(biggest, FLOOR)
        kink = bool(np.any(np.broadcast_to(kinks, given.shape)[..., block][where]))
        found.append(
            Part(name, float(abs(a).max()), biggest, float(gap[where]), limit, where, kink)
        )
    return found
