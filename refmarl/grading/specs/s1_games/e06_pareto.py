"""What an answer to exercise 1.6 must satisfy."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ....check import Array
from ....games import NormalForm
from ....games.pareto import pareto_frontier as reference
from ...spec import PURE, Answer, Mistake, Property, Spec, need
from .._layouts import layouts
from ._games import ALL, payoffs


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    payoffs: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Games of one to four players with few different payoffs: ties and equal outcomes abound."""
    return Case(draw(payoffs(ALL, draw(st.sampled_from([1, 2, 4])))))


def _mask(answer: Answer, payoffs: Array) -> NDArray[np.bool_]:
    """The answer, after its type and shape."""
    answered = answer(payoffs)
    need(answered is not None, "the function returned None; is a return missing?")
    got = np.asarray(answered)
    need(got.dtype == bool, f"need an array of booleans, got {got.dtype}")
    need(got.shape == payoffs.shape[1:], f"shape {got.shape}, need {payoffs.shape[1:]}")
    return got


def _outcomes(payoffs: Array) -> dict[tuple[int, ...], tuple[float, ...]]:
    """u(a) of every joint action a."""
    joint = product(*(range(k) for k in payoffs.shape[1:]))
    return {a: tuple(float(u[a]) for u in payoffs) for a in joint}


def _dominates(u: tuple[float, ...], v: tuple[float, ...]) -> bool:
    """Whether u is no worse than v for all and differs from it."""
    return u != v and all(x >= y for x, y in zip(u, v, strict=True))


def _undominated(answer: Answer, case: Case) -> None:
    mask, outcomes = _mask(answer, case.payoffs), _outcomes(case.payoffs)
    for a, u in outcomes.items():
        above = [b for b, v in outcomes.items() if _dominates(v, u)]
        assert not (mask[a] and above), f"{a} is in the answer, and {above[0]} dominates it"


def _nothing_left_out(answer: Answer, case: Case) -> None:
    mask, outcomes = _mask(answer, case.payoffs), _outcomes(case.payoffs)
    for a, u in outcomes.items():
        above = [b for b, v in outcomes.items() if mask[b] and _dominates(v, u)]
        assert mask[a] or above, f"{a} is not in the answer, and nothing in it dominates {a}"


def _kind(answer: Answer, case: Case) -> None:
    _mask(answer, case.payoffs)


def _definition(answer: Answer, case: Case) -> None:
    _undominated(answer, case)
    _nothing_left_out(answer, case)


def _best_for_all(answer: Answer, case: Case) -> None:
    """The last joint action becomes the best of all for everybody."""
    payoffs = case.payoffs.copy()
    last = tuple(k - 1 for k in payoffs.shape[1:])
    for u in payoffs:
        u[last] = u.max() + 1.0
    want = np.zeros(payoffs.shape[1:], dtype=bool)
    want[last] = True
    got = _mask(answer, payoffs)
    assert (got == want).all(), f"{last} is best for all players, yet the answer is {got.tolist()}"


def _twins(answer: Answer, case: Case) -> None:
    """The last joint action is the best for all, and the last player has it twice."""
    payoffs = case.payoffs.copy()
    last = tuple(k - 1 for k in payoffs.shape[1:])
    for u in payoffs:
        u[last] = u.max() + 1.0
    want = np.zeros((*payoffs.shape[1:-1], 1 + payoffs.shape[-1]), dtype=bool)
    want[last] = want[(*last[:-1], last[-1] + 1)] = True
    got = _mask(answer, np.concatenate([payoffs, payoffs[..., -1:]], axis=-1))
    assert (got == want).all(), (
        f"two equal outcomes are best for all players; the answer is {got.tolist()}, "
        f"need {want.tolist()}"
    )


def _order_only(answer: Answer, case: Case) -> None:
    mapped = case.payoffs**3
    mapped[0] = 100 * mapped[0] - 7
    got, want = _mask(answer, mapped), _mask(answer, case.payoffs)
    assert (got == want).all(), "the answer changed with u_1 → 100 u_1³ - 7, u_j → u_j³"


def _keeps_equals(answer: Answer, case: Case) -> None:
    mask, outcomes = _mask(answer, case.payoffs), _outcomes(case.payoffs)
    for a, u in outcomes.items():
        twins = [b for b, v in outcomes.items() if v == u and mask[b] != mask[a]]
        assert not twins, f"{a} and {(twins or [a])[0]} have equal outcomes, and one is left out"


def _players_alike(answer: Answer, case: Case) -> None:
    turned = np.ascontiguousarray(case.payoffs[::-1].transpose())  # actions' axes reversed, too
    turned = np.ascontiguousarray(np.moveaxis(turned, -1, 0))
    got, want = _mask(answer, turned), _mask(answer, case.payoffs).transpose()
    assert (got == want).all(), "the answer changed when the players were numbered backwards"


def _pairs(payoffs: Any) -> tuple[Any, Any]:
    """Outcomes (K, 1, n) and (1, K, n)."""
    u = payoffs.reshape(len(payoffs), -1).T
    return u[:, None, :], u[None, :, :]


def _weak(payoffs: Any) -> Any:
    u, v = _pairs(payoffs)
    return (~(v > u).all(-1).any(1)).reshape(payoffs.shape[1:])


def _any_gain(payoffs: Any) -> Any:
    u, v = _pairs(payoffs)
    return (~(v > u).any(-1).any(1)).reshape(payoffs.shape[1:])


def _equal_strike_each_other(payoffs: Any) -> Any:
    u, v = _pairs(payoffs)
    above = (v >= u).all(-1) & ~np.eye(len(v[0]), dtype=bool)
    return (~above.any(1)).reshape(payoffs.shape[1:])


def _first_of_equals(payoffs: Any) -> Any:
    u, v = _pairs(payoffs)
    optimal = ~((v >= u).all(-1) & (v > u).any(-1)).any(1)
    same = (u == v).all(-1)
    earlier = np.tril(same, -1).any(1)
    return (optimal & ~earlier).reshape(payoffs.shape[1:])


def _welfare(payoffs: Any) -> Any:
    total = payoffs.sum(axis=0)
    return np.asarray(total == total.max())


def _unilateral(payoffs: Any) -> Any:
    stable = np.ones(payoffs.shape[1:], dtype=bool)
    for i, u in enumerate(payoffs):
        stable &= u >= u.max(axis=i, keepdims=True)
    return stable


def _costs(payoffs: Any) -> Any:
    return _library(-payoffs)


def _two_players(payoffs: Any) -> Any:
    u, v = (x[..., :2] for x in _pairs(payoffs))
    return (~((v >= u).all(-1) & (v > u).any(-1)).any(1)).reshape(payoffs.shape[1:])


def _better_for_all_but_one(payoffs: Any) -> Any:
    """Dominated if a strict gain of one comes with no loss of the next player alone."""
    u, v = _pairs(payoffs)
    gain, keep = v > u, v >= u
    above = (gain & np.roll(keep, -1, axis=-1)).any(-1)
    return (~above.any(1)).reshape(payoffs.shape[1:])


def _tolerant(payoffs: Any) -> Any:
    u, v = _pairs(payoffs)
    above = (v >= u - 1.0).all(-1) & (v > u + 1.0).any(-1)
    return (~above.any(1)).reshape(payoffs.shape[1:])


def _dominated(payoffs: Any) -> Any:
    return ~np.asarray(_library(payoffs))


def _library(payoffs: Any) -> Any:
    return reference(NormalForm(payoffs))


SPEC = Spec(
    exercise="pareto",
    function="pareto_frontier",
    cases=cases(),
    properties=(
        Property(
            "one True or False for each joint action",
            _kind,
            "Judge every outcome, then give the answers the shape payoffs.shape[1:].",
            gate=True,
        ),
        Property(
            "joint actions with equal outcomes are in together or out together",
            _keeps_equals,
            "Two joint actions with equal outcomes do not dominate each other.",
            weight=0,
        ),
        Property(
            "numbering the players backwards changes nothing",
            _players_alike,
            "Does every player's payoff enter the comparison, whatever the number of players?",
            weight=0,
        ),
        Property(
            "only the order of each player's payoffs counts",
            _order_only,
            "Compare exactly, each player's payoffs with its own: those of different players are "
            "never added.",
            weight=0,
        ),
        Property(
            "what is best for all players stands alone",
            _best_for_all,
            "It dominates everything else: more is better, for all joint actions and not for "
            "deviations of one player only.",
        ),
        Property(
            "an outcome that is best for all and comes twice is in twice",
            _twins,
            "Two joint actions with equal outcomes do not dominate each other.",
        ),
        Property(
            "no joint action dominates one of the answer",
            _undominated,
            "Dominating means: at least as good for all, better for one. Where is 'at least'?",
            weight=0,
        ),
        Property(
            "what is left out is dominated by something in the answer",
            _nothing_left_out,
            "Better for one player is not enough: the others must not lose.",
            weight=0,
        ),
        Property(
            "it marks exactly what nothing dominates",
            _definition,
            "Compare each outcome with all others, player by player.",
            weight=2,
        ),
        layouts(_definition, "payoffs"),
        *PURE,
    ),
    mistakes=(
        Mistake("only what is worse for all players is left out", _weak),
        Mistake("one player's gain is enough to leave an outcome out", _any_gain),
        Mistake("equal outcomes strike each other out", _equal_strike_each_other),
        Mistake("of several equal outcomes only the first is kept", _first_of_equals),
        Mistake("the frontier is taken to be the largest sum of payoffs", _welfare),
        Mistake("only deviations of a single player are compared: Nash equilibria", _unilateral),
        Mistake("payoffs are taken for costs", _costs),
        Mistake("players after the second are forgotten", _two_players),
        Mistake("the answer marks the dominated joint actions", _dominated),
        Mistake("a gain that costs the next player nothing is enough", _better_for_all_but_one),
        Mistake("payoffs that differ by 1 count as equal", _tolerant),
    ),
    reference=_library,
)
