"""What an answer to exercise 1.2 must satisfy."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ....check import Array
from ....games import NormalForm
from ....games.nash import best_responses as reference
from ....testing.strategies import games_with_profiles
from ...spec import PURE, Answer, Mistake, Property, Spec

Mask = NDArray[np.bool_]

EQUAL = 1e-9  # what the exercise calls equal


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    payoffs: Array
    profile: list[Array]
    player: int


# Each action meets the same three numbers in another order: equal values, unequal roundings.
_ROWS = np.array([[0.1, 0.2, 0.3], [0.3, 0.1, 0.2], [0.2, 0.3, 0.1]])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Games of one to four players; often with several best responses, some only up to rounding."""
    if draw(st.integers(0, 3)) == 0:
        rows = _ROWS[list(draw(st.permutations(range(3))))] * draw(st.sampled_from([1.0, -3.0]))
        own = np.eye(3)[draw(st.integers(0, 2))]
        if draw(st.booleans()):
            return Case(np.stack([rows, -rows]), [own, np.full(3, 1 / 3)], 0)
        return Case(np.stack([-rows.T, rows.T]), [np.full(3, 1 / 3), own], 1)
    game, profile = draw(games_with_profiles())
    return Case(game.payoffs.copy(), list(profile), draw(st.integers(0, game.num_players - 1)))


def _mask(answer: Any, case: Case) -> Mask:
    """The answer as a mask, after its type and shape."""
    assert answer is not None, "the function returned None; is a return missing?"
    mask = np.asarray(answer)
    size = len(case.profile[case.player])
    assert mask.shape == (size,), (
        f"shape {mask.shape}, need {(size,)}: True or False for each of the player's actions"
    )
    assert mask.dtype.kind == "b", f"need True or False for each action, got {mask.dtype}"
    return mask


def _equal(answer: Any, expected: Any, case: Case, what: str) -> None:
    got, want = _mask(answer, case), np.asarray(expected)
    assert (got == want).all(), f"{what}: got {got.tolist()}, need {want.tolist()}"


def _values(case: Case) -> Array:
    """u_i(a_i, x_-i), joint action by joint action."""
    i = case.player
    values = np.zeros(len(case.profile[i]))
    for a in product(*(range(len(x)) for x in case.profile)):
        others = [x[k] for j, (x, k) in enumerate(zip(case.profile, a, strict=True)) if j != i]
        values[a[i]] += np.prod(others) * case.payoffs[(i, *a)]
    return values


def _exists(answer: Answer, case: Case) -> None:
    assert _mask(answer(*case), case).any(), "no action is best; one of finitely many always is"


def _definition(answer: Answer, case: Case) -> None:
    values = _values(case)
    expected = values >= values.max() - EQUAL
    _equal(answer(*case), expected, case, f"the actions are worth {values.round(6).tolist()}")


def _own_strategy(answer: Answer, case: Case) -> None:
    before = _mask(answer(*case), case)
    for e in np.eye(len(before)):
        profile = [*case.profile[: case.player], e, *case.profile[case.player + 1 :]]
        moved = Case(case.payoffs, profile, case.player)
        _equal(answer(*moved), before, case, "with another strategy of the player itself")


def _bonus(answer: Answer, case: Case) -> None:
    payoffs, i = case.payoffs.copy(), case.player
    shape = [1 if j == i else len(x) for j, x in enumerate(case.profile)]
    payoffs[i] += 8.0 * np.arange(np.prod(shape)).reshape(shape) ** 2
    expected = _mask(answer(*case), case)
    moved = Case(payoffs, case.profile, i)
    _equal(answer(*moved), expected, case, "with a payoff added for what the others do")


def _other_payoffs(answer: Answer, case: Case) -> None:
    payoffs = -case.payoffs[..., ::-1]
    payoffs[case.player] = case.payoffs[case.player]
    expected = _mask(answer(*case), case)
    moved = Case(payoffs, case.profile, case.player)
    _equal(answer(*moved), expected, case, "with other payoffs of the other players")


def _own_value(u: Any, profile: Any, i: int) -> Any:
    """u_i(a_i, x_-i) for the wrong answers below."""
    u = np.moveaxis(u, i, 0)
    for x in reversed([x for j, x in enumerate(profile) if j != i]):
        u = u @ x
    return u


def _first_only(payoffs: Any, profile: Any, player: int) -> Any:
    values = _own_value(payoffs[player], profile, player)
    return np.arange(len(values)) == np.argmax(values)


def _without_tolerance(payoffs: Any, profile: Any, player: int) -> Any:
    values = _own_value(payoffs[player], profile, player)
    return values == values.max()


def _worst(payoffs: Any, profile: Any, player: int) -> Any:
    values = _own_value(payoffs[player], profile, player)
    return values <= values.min() + EQUAL


def _first_players_payoffs(payoffs: Any, profile: Any, player: int) -> Any:
    values = _own_value(payoffs[0], profile, player)
    return values >= values.max() - EQUAL


def _against_uniform(payoffs: Any, profile: Any, player: int) -> Any:
    values = _own_value(payoffs[player], [np.full(len(x), 1 / len(x)) for x in profile], player)
    return values >= values.max() - EQUAL


def _against_most_likely(payoffs: Any, profile: Any, player: int) -> Any:
    values = _own_value(payoffs[player], [np.eye(len(x))[x.argmax()] for x in profile], player)
    return values >= values.max() - EQUAL


def _hopeful(payoffs: Any, profile: Any, player: int) -> Any:
    values = np.moveaxis(payoffs[player], player, 0).reshape(len(profile[player]), -1).max(axis=1)
    return values >= values.max() - EQUAL


def _weighted_by_own(payoffs: Any, profile: Any, player: int) -> Any:
    values = _own_value(payoffs[player], profile, player) * profile[player]
    return values >= values.max() - EQUAL


def _joint(payoffs: Any, profile: Any, player: int) -> Any:
    values = _own_value(payoffs.sum(axis=0), profile, player)
    return values >= values.max() - EQUAL


def _library(payoffs: Any, profile: Any, player: int) -> Any:
    return reference(NormalForm(payoffs), profile, player)


SPEC = Spec(
    exercise="best-response",
    function="best_responses",
    cases=cases(),
    properties=(
        Property(
            "a best response always exists",
            _exists,
            "The largest of finitely many values is one of them. Return a mask (A_i,) of bools.",
        ),
        Property(
            "it marks each action of largest utility against the others, ties included",
            _definition,
            "Print the player's value for each own action. How many are largest, up to rounding?",
        ),
        Property(
            "the player's own strategy does not matter",
            _own_strategy,
            "BR_i takes x_-i: which entry of the profile must not be used?",
        ),
        Property(
            "a payoff f(a_-i), given whatever the player does, does not matter",
            _bonus,
            "Adding the same to all values leaves the largest the largest.",
        ),
        Property(
            "the payoffs of the other players do not matter",
            _other_payoffs,
            "A player maximises its own utility. Whose is payoffs[i]?",
        ),
        *PURE,
    ),
    mistakes=(
        Mistake("only the first of several best responses is marked", _first_only),
        Mistake("values are compared without a tolerance", _without_tolerance),
        Mistake("the worst responses are marked", _worst),
        Mistake("the first player's payoffs are used for every player", _first_players_payoffs),
        Mistake("the others are taken to play uniformly", _against_uniform),
        Mistake("the others are taken to play their most likely actions", _against_most_likely),
        Mistake("the others are taken to do what suits the player best", _hopeful),
        Mistake("values are weighted with the player's own strategy", _weighted_by_own),
        Mistake("the sum of all players' payoffs is maximised", _joint),
    ),
    reference=_library,
)
