"""What an answer to exercise 1.4 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....games.zero_sum import zero_sum_value as reference
from ...spec import PURE, Answer, Mistake, Property, Spec, close, need
from .._layouts import layouts
from ._games import payoffs

SOLVER = 1e-6  # linear programs stop within 1e-7 of the payoffs' size; ten times that


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    A: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to four actions each, with and without saddle points, values of either sign."""
    sizes = [(1, 1), (1, 3), (3, 1), (2, 2), (2, 3), (3, 2), (3, 3), (2, 4), (4, 3), (4, 4)]
    A = draw(payoffs(sizes))[0] * draw(st.sampled_from([1.0, 0.125]))
    return Case(A + draw(st.sampled_from([0.0, 0.0, -6.0, 6.0])))


def _answer(answer: Answer, A: Array) -> tuple[float, Array, Array]:
    """The answer's (value, x, y), of the right type and shape."""
    given = answer(A)
    need(isinstance(given, list | tuple), f"need (value, x, y), got {type(given).__name__}")
    need(len(given) == 3, f"need (value, x, y), got {len(given)} things")
    for what, part, shape in zip(
        ("value", "x", "y"), given, ((), A.shape[:1], A.shape[1:]), strict=True
    ):
        array = np.asarray(part)
        need(array.dtype.kind in "biuf", f"{what}: need real numbers, got {part!r:.60}")
        need(array.shape == shape, f"{what}: shape {array.shape}, need {shape}")
        assert np.isfinite(array).all(), f"{what}: {part} is not finite"
    return float(given[0]), np.asarray(given[1], float), np.asarray(given[2], float)


def _mixtures(answer: Answer, case: Case) -> None:
    _, x, y = _answer(answer, case.A.copy())
    for what, z in (("x", x), ("y", y)):
        assert z.min() >= -SOLVER, f"{what}: a probability of {z.min():g}"
        close(z.sum(), 1.0, f"sum of {what}", SOLVER)


def _secured(answer: Answer, case: Case) -> None:
    value, x, _ = _answer(answer, case.A.copy())
    close(value, (x @ case.A).min(), "value, against the least entry of x @ A", SOLVER)


def _conceded(answer: Answer, case: Case) -> None:
    value, _, y = _answer(answer, case.A.copy())
    close(value, (case.A @ y).max(), "value, against the largest entry of A @ y", SOLVER)


def _both(answer: Answer, case: Case) -> None:
    _secured(answer, case)
    _conceded(answer, case)


def _saddle(answer: Answer, case: Case) -> None:
    """A row of 9s beside which all else is worse, and a column of 9s: play is certain."""
    m, n = case.A.shape
    A = np.full((m + 1, n + 1), 9.0)
    A[:m, :n], A[:m, n], A[m, :n] = case.A, case.A.min() - 1.0, 12.0
    value, x, y = _answer(answer, A)
    close(value, 9.0, "value of a game with a saddle point of 9 in the last row and column", SOLVER)
    close(x, np.eye(m + 1)[-1], "x in a game with that saddle point", SOLVER)
    close(y, np.eye(n + 1)[-1], "y in a game with that saddle point", SOLVER)


def _units(answer: Answer, case: Case) -> None:
    value = _answer(answer, case.A.copy())[0]
    close(_answer(answer, 2 * case.A - 20)[0], 2 * value - 20, "value of 2 A - 20", SOLVER)


def _other_side(answer: Answer, case: Case) -> None:
    value = _answer(answer, case.A.copy())[0]
    seen = _answer(answer, np.ascontiguousarray(-case.A.T))[0]
    close(seen, -value, "value of -Aᵀ, the game as the column player sees it", SOLVER)


def _library(A: Any) -> Any:
    value, x, y, _ = reference(A)
    return value, x, y


def _pure_only(A: Any) -> Any:
    i, j = int(A.min(axis=1).argmax()), int(A.max(axis=0).argmin())
    return float(A.min(axis=1).max()), np.eye(len(A))[i], np.eye(A.shape[1])[j]


def _not_below_zero(A: Any) -> Any:
    value, x, y = _library(A)
    return (value, x, y) if value >= 0 else (0.0, np.eye(len(A))[0], np.eye(A.shape[1])[0])


def _both_maximise(A: Any) -> Any:
    value, x, _ = _library(A)
    return value, x, reference(A.T).x


def _row_minimises(A: Any) -> Any:
    found = reference(-A)
    return -found.value, found.x, found.y


def _objective_sign(A: Any) -> Any:
    value, x, y = _library(A)
    return -value, x, y


def _strategies_exchanged(A: Any) -> Any:
    value, x, y = _library(A)
    return value, y, x


def _shift_kept(A: Any) -> Any:
    value, x, y = _library(A)
    return value + (1 - A.min()), x, y


def _equalising(A: Any) -> Any:
    def mixture(B: Any) -> Any:
        m, n = B.shape
        system = np.block([[B.T, -np.ones((n, 1))], [np.ones((1, m)), np.zeros((1, 1))]])
        z = np.linalg.lstsq(system, np.append(np.zeros(n), 1.0), rcond=None)[0][:m]
        z = np.maximum(z, 0) + 1e-12
        return z / z.sum()

    x, y = mixture(A), mixture(-A.T)
    return float(x @ A @ y), x, y


def _uniform(A: Any) -> Any:
    m, n = A.shape
    return float(A.mean()), np.full(m, 1 / m), np.full(n, 1 / n)


def _fictitious(A: Any) -> Any:
    m, n = A.shape
    x, y = np.eye(m)[0], np.eye(n)[0]
    for _ in range(60):
        x, y = x + np.eye(m)[(A @ y).argmax()], y + np.eye(n)[(x @ A).argmin()]
    x, y = x / x.sum(), y / y.sum()
    return float(x @ A @ y), x, y


def _best_reply(A: Any) -> Any:
    value, x, _ = _library(A)
    return value, x, np.eye(A.shape[1])[(x @ A).argmin()]


SPEC = Spec(
    exercise="zero-sum-value",
    function="zero_sum_value",
    cases=cases(),
    properties=(
        Property(
            "value is a number, x and y are mixed strategies",
            _mixtures,
            "x has one probability per row, y one per column; both sum to 1.",
            gate=True,
        ),
        Property(
            "in other units of payoff: 2 A - 20 is worth 2 value - 20",
            _units,
            "Is the sign right (linprog minimises), may the value be negative, is what was added "
            "taken off again?",
            weight=0,
        ),
        Property(
            "at a saddle point both play it and its payoff is the value",
            _saddle,
            "The row player wants much of A, the column player little: in the last row every "
            "entry is at least 9, in the last column none is more.",
            most=20,
        ),
        Property(
            "seen by the column player the same game is worth -value",
            _other_side,
            "max_x min_y and min_y max_x are the same number. Which of the two did you compute, "
            "and may it be negative?",
            weight=0,
        ),
        Property(
            "against x the column player can push the row player down to value, and no further",
            _secured,
            "x @ A is what x earns in each column; the column player takes the least. x makes "
            "that as large as it can be.",
        ),
        Property(
            "against y the row player can get value, and no more",
            _conceded,
            "The column player solves the same problem for its own payoffs, -A.T. A best reply to "
            "x need not do.",
        ),
        Property(
            "what x secures and what y concedes is the same number, the value",
            _both,
            "Single actions need not meet in one number: who tries mixtures, who does not?",
            weight=2,
        ),
        layouts(_secured, "A"),
        *PURE,
    ),
    mistakes=(
        Mistake("only single actions are tried, not mixtures", _pure_only),
        Mistake("the value is kept from being negative", _not_below_zero),
        Mistake("the column player is taken to maximise A, too", _both_maximise),
        Mistake("the row player minimises, the column player maximises", _row_minimises),
        Mistake("the solver minimises -v, and -v is returned", _objective_sign),
        Mistake("x and y are returned in the wrong order", _strategies_exchanged),
        Mistake("a constant made the payoffs positive and was not taken off again", _shift_kept),
        Mistake("every action is taken to be played: all columns made equal", _equalising),
        Mistake("both players mix evenly", _uniform),
        Mistake("a learning rule is stopped early: near the value, not at it", _fictitious),
        Mistake("y is a best reply to x, and may itself be exploited", _best_reply),
    ),
    reference=_library,
)
