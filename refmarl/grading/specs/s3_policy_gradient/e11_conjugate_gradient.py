"""What an answer to exercise 3.11 must satisfy."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....nn import conjugate_gradient as library
from ....testing.trajectories import SEEDS
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    h: Array
    g: Array
    iterations: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to five unknowns, eigenvalues from 1 to 10; at times few different ones, or g = 0."""
    rng, size = np.random.default_rng(draw(SEEDS)), draw(st.integers(1, 5))
    q, _ = np.linalg.qr(rng.standard_normal((size, size)))
    kind = draw(st.sampled_from(["any", "any", "any", "plain", "zero"]))
    eigenvalues = rng.uniform(1.0, 10.0, size)
    h, g = (q * eigenvalues) @ q.T, rng.uniform(-2.0, 2.0, size)
    if kind == "plain":  # the first residual is 0 exactly
        h, g = 2.0 * np.eye(size), np.rint(g) + 1.0
    elif kind == "zero":
        g = np.zeros(size)
    return Case((h + h.T) / 2.0, g, draw(st.integers(0, size + 2)))


def _x(answer: Answer, case: Case) -> Array:
    found = answer(*case)
    shaped(found, case.g.shape, "x")
    return np.asarray(found, dtype=float)


def _best(case: Case) -> Array:
    """The best point of the Krylov space, from an orthonormal basis of it."""
    basis = np.zeros((len(case.g), 0))
    new = case.g
    for _ in range(min(case.iterations, len(case.g))):
        for _twice in range(2):
            new = new - basis @ (basis.T @ new)
        if (size := np.linalg.norm(new)) <= 1e-11 * max(1.0, float(np.linalg.norm(case.g))):
            break
        basis = np.concatenate([basis, (new / size)[:, None]], axis=1)
        new = case.h @ basis[:, -1]
    if basis.shape[1] == 0:
        return np.zeros(len(case.g))
    best: Array = basis @ np.linalg.solve(basis.T @ case.h @ basis, basis.T @ case.g)
    return best


def _shape(answer: Answer, case: Case) -> None:
    _x(answer, case)


def _zero(answer: Answer, case: Case) -> None:
    still = np.zeros(len(case.g))
    close(_x(answer, case._replace(iterations=0)), still, "x after no iteration")
    close(_x(answer, case._replace(g=still)), still, "x for g = 0")


def _first(answer: Answer, case: Case) -> None:
    one = case._replace(iterations=1)
    close(_x(answer, one), _best(one), "x after one iteration: g, as far as is best")


def _falls(answer: Answer, case: Case) -> None:
    exact = np.linalg.solve(case.h, case.g)
    errors = []
    for k in range(len(case.g) + 1):
        e = _x(answer, case._replace(iterations=k)) - exact
        errors.append(float(np.sqrt(e @ case.h @ e)))
    small = 1e-9 * max(1.0, errors[0])
    for k, (before, after) in enumerate(pairwise(errors)):
        ok = after < before or before <= small
        assert ok, f"iteration {k + 1}: |x - x*|_H rises from {before:.6g} to {after:.6g}"


def _solves(answer: Answer, case: Case) -> None:
    full = case._replace(iterations=len(case.g))
    close(case.h @ _x(answer, full), case.g, "H x after as many iterations as unknowns")


def _stays(answer: Answer, case: Case) -> None:
    more = case._replace(iterations=len(case.g) + 3)
    exact = np.linalg.solve(case.h, case.g)
    close(_x(answer, more), exact, "x after more iterations than unknowns")


def _iterate(answer: Answer, case: Case) -> None:
    wanted, k = _best(case), case.iterations
    close(_x(answer, case), wanted, f"x after {k} iterations, the best of its Krylov space")


def _variant(
    ratio: str = "squares", alpha: str = "exact", start: str = "zero", turn: str = "residual",
    sign: float = 1.0, guard: bool = True, extra: int = 0, stale: bool = False,
) -> Answer:  # fmt: skip
    """The iteration with one thing changed, for the wrong answers below."""

    def answer(h: Any, g: Any, iterations: int) -> Any:
        x = g + 0.0 if start == "g" else np.zeros(len(g))
        r = g + 0.0
        p, square = r + 0.0, r @ r
        goal = 1e-24 * square
        for _ in range(iterations + extra):
            if guard and square <= goal:
                break
            moved = h @ p
            with np.errstate(all="ignore"):
                bent = {"exact": p @ moved, "residual": r @ (h @ r), "norm": p @ p}[alpha]
                length = square / bent
                x = x + length * p
                r = r - sign * length * moved
                new = r @ r
                weight = {"squares": new / square, "none": 0.0, "turned": square / new,
                          "root": np.sqrt(new / square)}[ratio]  # fmt: skip
            p = (x if turn == "x" else r) + weight * p
            square = square if stale else new
        return x

    return answer


def _descent(h: Any, g: Any, iterations: int) -> Any:
    x = np.zeros(len(g))
    for _ in range(iterations):
        x = x + (g - h @ x) / 10.0
    return x


def _solved(h: Any, g: Any, iterations: int) -> Any:
    return np.linalg.solve(h, g)


def _divided(h: Any, g: Any, iterations: int) -> Any:
    return g / np.diag(h) * min(iterations, 1)


def _product(h: Array) -> Callable[[Any], Any]:
    return lambda v: h @ v


def _library(h: Any, g: Any, iterations: int) -> Any:
    g = np.array(g, dtype=float)
    return library.conjugate_gradient(_product(h), g, iterations=iterations, tolerance=1e-12).x


SPEC = Spec(
    exercise="conjugate-gradient",
    function="conjugate_gradient",
    cases=cases(),
    properties=(
        Property("one number for each unknown", _shape, "x is finite and (P,).", gate=True),
        Property(
            "x is 0 before the first iteration, and for g = 0",
            _zero,
            "Begin with zeros. With g = 0 there is nothing to do, and nothing to divide by.",
            weight=0,
        ),
        Property(
            "the first iterate goes along g as far as is best",
            _first,
            "alpha = g.g / g.Hg: where H is a multiple of the identity that is all.",
        ),
        Property(
            "the error falls in the norm of H",
            _falls,
            "Every iterate is better than the last. Is alpha from the residual that belongs to x?",
        ),
        Property(
            "as many iterations as unknowns solve the system",
            _solves,
            "The directions must be conjugate: p.H(next p) = 0. Which two squares does their "
            "weight divide?",
        ),
        Property(
            "more iterations than needed change nothing",
            _stays,
            "When the residual is as good as 0, stop: what comes after divides rounding by "
            "rounding.",
        ),
        Property(
            "each iterate is the best of its Krylov space",
            _iterate,
            "Count: after k iterations there have been k products with h.",
            weight=2,
        ),
        layouts(_iterate, "h", "g"),
        *PURE,
    ),
    mistakes=(
        Mistake("the direction is not turned: steepest descent", _variant(ratio="none")),
        Mistake("the weight of the old direction is upside down", _variant(ratio="turned")),
        Mistake("the weight of the old direction is the root of what it must be",
                _variant(ratio="root")),
        Mistake("alpha divides by r.Hr in place of p.Hp", _variant(alpha="residual")),
        Mistake("alpha divides by p.p in place of p.Hp", _variant(alpha="norm")),
        Mistake("it begins at x = g", _variant(start="g")),
        Mistake("the residual grows by alpha H p", _variant(sign=-1.0)),
        Mistake("the direction is turned towards x", _variant(turn="x")),
        Mistake("it does not stop at a residual of 0, and divides 0 by 0", _variant(guard=False)),
        Mistake("there is one iteration too many", _variant(extra=1)),
        Mistake("the square of the first residual is used all the time", _variant(stale=True)),
        Mistake("gradient descent with a fixed step", _descent),
        Mistake("the system is solved at once, whatever the iterations", _solved),
        Mistake("g is divided by the diagonal of H", _divided),
    ),
    reference=_library,
)  # fmt: skip
