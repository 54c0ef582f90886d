"""What an answer to exercise 1.3 must satisfy."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....games import NormalForm
from ....games.nash import regrets as reference
from ...spec import PURE, Answer, Mistake, Property, Spec, close, need
from .._layouts import layouts
from ._games import plays, pure


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    payoffs: Array
    profile: list[Array]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Games of one to four players; half of the profiles are equilibria, pure or mixed."""
    payoffs, profile = draw(plays())
    payoffs = payoffs * draw(st.sampled_from([1.0, 1.0, 1000.0]))
    kind = draw(st.integers(0, 3))
    if kind == 0:  # a pure equilibrium: no deviation from it pays
        a = tuple(draw(st.integers(0, len(x) - 1)) for x in profile)
        for i in range(len(profile)):
            line: tuple[Any, ...] = (i, *a[:i], slice(None), *a[i + 1 :])
            payoffs[(i, *a)] = payoffs[line].max()
        return Case(payoffs, pure(payoffs.shape[1:], a))
    if kind == 1:  # a mixed one: f(a_-i) makes every action of i as good as the others
        for i in range(len(profile)):
            payoffs[i] = payoffs[i].take([0], axis=i)
    return Case(payoffs, list(profile))


def _expected(u: Any, profile: list[Array]) -> float:
    """Σ_a Π_j x_j(a_j) u(a), joint action by joint action."""
    indices = product(*(range(len(x)) for x in profile))
    return float(
        sum(np.prod([x[k] for x, k in zip(profile, a, strict=True)]) * u[a] for a in indices)
    )


def _gains(case: Case) -> list[Array]:
    """What each deviation to a pure action gains, by player."""
    gains = []
    for i, x in enumerate(case.profile):
        now = _expected(case.payoffs[i], case.profile)
        moved = [[*case.profile[:i], e, *case.profile[i + 1 :]] for e in np.eye(len(x))]
        gains.append(np.array([_expected(case.payoffs[i], profile) - now for profile in moved]))
    return gains


def _regrets(answer: Answer, case: Case) -> Array:
    """The answer as an array (n,), after its type and shape."""
    given = answer(*case)
    need(given is not None, "the function returned None; is a return missing?")
    shape, wanted = np.shape(given), (len(case.profile),)
    need(shape == wanted, f"shape {shape}, need {wanted}: a regret for each player")
    return np.asarray(given, dtype=float)


def _non_negative(answer: Answer, case: Case) -> None:
    found = _regrets(answer, case)
    assert (found >= -1e-9).all(), f"a regret is negative: {found.tolist()}"


def _equilibrium(answer: Answer, case: Case) -> None:
    found = _regrets(answer, case)
    for i, (regret, gains) in enumerate(zip(found, _gains(case), strict=True)):
        rest = bool((gains <= 1e-9).all())
        assert (regret <= 1e-9) == rest, (
            f"player {i + 1} can gain {gains.max():.6g} by deviating, its regret is {regret:.6g}"
        )


def _certain(answer: Answer, case: Case) -> None:
    """All play their last actions: regrets are read off the payoffs."""
    at = tuple(k - 1 for k in case.payoffs.shape[1:])
    profile = pure(case.payoffs.shape[1:], at)
    wanted = []
    for i, u in enumerate(case.payoffs):
        line: tuple[Any, ...] = (*at[:i], slice(None), *at[i + 1 :])
        wanted.append(u[line].max() - u[at])
    close(answer(case.payoffs, profile), wanted, f"the regrets where all play {at}")


def _definition(answer: Answer, case: Case) -> None:
    close(answer(*case), [gains.max() for gains in _gains(case)], "the regrets")


def _bonus(answer: Answer, case: Case) -> None:
    payoffs = case.payoffs.copy()
    for i in range(len(payoffs)):
        shape = [1 if j == i else len(x) for j, x in enumerate(case.profile)]
        payoffs[i] += 3.0 * np.arange(np.prod(shape)).reshape(shape) - 5.0
    expected = _regrets(answer, case)
    close(answer(payoffs, case.profile), expected, "with a payoff added for what the others do")


def _units(answer: Answer, case: Case) -> None:
    factors = 2.0 ** np.arange(len(case.payoffs))
    payoffs = case.payoffs * factors.reshape([-1] + [1] * len(case.payoffs))
    expected = factors * _regrets(answer, case)
    close(answer(payoffs, case.profile), expected, "in other units, one for each player")


def _values(u: Any, profile: Any, i: int) -> Any:
    """u(a_i, x_-i) for the wrong answers below."""
    u = np.moveaxis(u, i, 0)
    for x in reversed([x for j, x in enumerate(profile) if j != i]):
        u = u @ x
    return u


def _each(payoffs: Any, profile: Any) -> list[tuple[Any, Any]]:
    return [(_values(payoffs[i], profile, i), x) for i, x in enumerate(profile)]


def _negative(payoffs: Any, profile: Any) -> Any:
    return np.array([v @ x - v.max() for v, x in _each(payoffs, profile)])


def _nash_conv(payoffs: Any, profile: Any) -> Any:
    total = sum(v.max() - v @ x for v, x in _each(payoffs, profile))
    return np.full(len(profile), total)


def _against_worst_played(payoffs: Any, profile: Any) -> Any:
    return np.array([v.max() - v[x > 0].min() for v, x in _each(payoffs, profile)])


def _against_most_likely(payoffs: Any, profile: Any) -> Any:
    return np.array([v.max() - v[x.argmax()] for v, x in _each(payoffs, profile)])


def _largest_payoff(payoffs: Any, profile: Any) -> Any:
    now = [v @ x for v, x in _each(payoffs, profile)]
    return payoffs.reshape(len(payoffs), -1).max(axis=1) - now


def _all_deviate_at_once(payoffs: Any, profile: Any) -> Any:
    values = _each(payoffs, profile)
    a = tuple(int(v.argmax()) for v, _ in values)
    gains = [payoffs[(i, *a)] - v @ x for i, (v, x) in enumerate(values)]
    return np.maximum(gains, 0.0)


def _zero_sum_shortcut(payoffs: Any, profile: Any) -> Any:
    found = []
    for i, x in enumerate(profile):
        v = _values(payoffs[0] if i == 0 else -payoffs[0], profile, i)
        found.append(v.max() - v @ x)
    return np.array(found)


def _only_played(payoffs: Any, profile: Any) -> Any:
    return np.array([v[x > 0].max() - v @ x for v, x in _each(payoffs, profile)])


def _squared(payoffs: Any, profile: Any) -> Any:
    return np.array([(v.max() - v @ x) ** 2 for v, x in _each(payoffs, profile)])


def _first_axis(payoffs: Any, profile: Any) -> Any:
    """Own actions are taken from the first axis, where that fits."""
    found = []
    for i, x in enumerate(profile):
        v = _values(payoffs[i], profile, 0 if len(profile[0]) == len(x) else i)
        found.append(max(v.max() - v @ x, 0.0))
    return np.array(found)


def _library(payoffs: Any, profile: Any) -> Any:
    return reference(NormalForm(payoffs), profile)


SPEC = Spec(
    exercise="nash",
    function="regrets",
    cases=cases(),
    properties=(
        Property(
            "one number for each player, none of them negative",
            _non_negative,
            "The best a player can do is at least what it does now: best minus now.",
            gate=True,
        ),
        Property(
            "each regret is in the units of its own player's payoffs",
            _units,
            "Regret i needs payoffs[i] only, and is that player's alone.",
            weight=0,
        ),
        Property(
            "where all play one action it is the best entry of the player's row minus the present",
            _certain,
            "Matching pennies where both show heads: (0, 2). The others stay; which axis of "
            "payoffs[i] are player i's own actions?",
        ),
        Property(
            "a payoff f(a_-i), given whatever player i does, changes no regret",
            _bonus,
            "It is added to the best and to the present utility alike: both are against the same "
            "strategies of the others, who stay.",
            weight=0,
        ),
        Property(
            "it is zero exactly for players who cannot gain by deviating",
            _equilibrium,
            "Any action may be deviated to, played or not; what is given up is the average of all "
            "that are played.",
        ),
        Property(
            "it is the largest gain of a deviation, while the others stay",
            _definition,
            "The best of u_i(a_i, x_-i) over a_i, minus u_i(x), in which all mix.",
            weight=2,
        ),
        layouts(_definition, "payoffs"),
        *PURE,
    ),
    mistakes=(
        Mistake("the difference is taken the wrong way round", _negative),
        Mistake("each player is given the sum of all regrets", _nash_conv),
        Mistake("the worst played action is compared, not the mixture", _against_worst_played),
        Mistake("the most likely action is compared, not the mixture", _against_most_likely),
        Mistake("the largest payoff of the game is taken for the best response", _largest_payoff),
        Mistake("all players deviate at once", _all_deviate_at_once),
        Mistake("the others' payoffs are taken to be minus the first's", _zero_sum_shortcut),
        Mistake("only actions that are played may be deviated to", _only_played),
        Mistake("gains are squared", _squared),
        Mistake("the first axis is taken for every player's own actions", _first_axis),
    ),
    reference=_library,
)
