"""What an answer to exercise 1.3 must satisfy."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....games import NormalForm
from ....games.nash import regrets as reference
from ....testing.strategies import games_with_profiles
from ...spec import PURE, Answer, Mistake, Property, Spec, close


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    payoffs: Array
    profile: list[Array]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Games of one to four players; half of the profiles are equilibria, pure or mixed."""
    game, profile = draw(games_with_profiles())
    payoffs, kind = game.payoffs.copy(), draw(st.integers(0, 3))
    if kind == 0:  # a pure equilibrium: no deviation from it pays
        a = tuple(draw(st.integers(0, k - 1)) for k in game.num_actions)
        for i in range(game.num_players):
            line: tuple[Any, ...] = (i, *a[:i], slice(None), *a[i + 1 :])
            payoffs[(i, *a)] = payoffs[line].max()
        return Case(payoffs, list(game.pure(a)))
    if kind == 1:  # a mixed one: f(a_-i) makes every action of i as good as the others
        for i in range(game.num_players):
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
    assert given is not None, "the function returned None; is a return missing?"
    shape, need = np.shape(given), (len(case.profile),)
    assert shape == need, f"shape {shape}, need {need}: a regret for each player"
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


def _library(payoffs: Any, profile: Any) -> Any:
    return reference(NormalForm(payoffs), profile)


SPEC = Spec(
    exercise="nash",
    function="regrets",
    cases=cases(),
    properties=(
        Property(
            "no regret is negative",
            _non_negative,
            "The best a player can do is at least what it does now.",
        ),
        Property(
            "it is zero exactly for players who cannot gain by deviating",
            _equilibrium,
            "In an equilibrium every action that is played is a best response.",
        ),
        Property(
            "it is the largest gain of a deviation, while the others stay",
            _definition,
            "Work out matching pennies by hand where both show heads: (0, 2).",
        ),
        Property(
            "a payoff f(a_-i), given whatever player i does, changes no regret",
            _bonus,
            "It is added to the best and to the present utility alike.",
        ),
        Property(
            "each regret is in the units of its own player's payoffs",
            _units,
            "Regret i needs payoffs[i] only.",
        ),
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
    ),
    reference=_library,
)
