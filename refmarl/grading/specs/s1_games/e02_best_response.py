"""What an answer to exercise 1.2 must satisfy."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ....check import Array
from ....games import NormalForm
from ....games.nash import best_responses as reference
from ...spec import PURE, Answer, Mistake, Property, Spec, need
from .._layouts import layouts
from ._games import plays, pure

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
    payoffs, profile = draw(plays())
    payoffs -= draw(st.sampled_from([0.0, 0.0, 6.0]))  # values below zero, too
    return Case(payoffs, list(profile), draw(st.integers(0, len(profile) - 1)))


def _mask(answer: Any, case: Case) -> Mask:
    """The answer as a mask, after its type and shape."""
    need(answer is not None, "the function returned None; is a return missing?")
    mask = np.asarray(answer)
    size = len(case.profile[case.player])
    says = f"shape {mask.shape}, need {(size,)}: True or False for each of the player's actions"
    need(mask.shape == (size,), says)
    need(mask.dtype.kind == "b", f"need True or False for each action, got {mask.dtype}")
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


def _certain(answer: Answer, case: Case) -> None:
    """The others play their last actions, and no two values are equal."""
    i, sizes = case.player, case.payoffs.shape[1:]
    at = tuple(k - 1 for k in sizes)
    payoffs = case.payoffs.copy()
    own = [-1 if j == i else 1 for j in range(len(sizes))]
    payoffs[i] += 1e-7 * np.arange(sizes[i]).reshape(own) ** 2
    values = payoffs[(i, *at[:i], slice(None), *at[i + 1 :])]
    expected = np.arange(sizes[i]) == np.argmax(values)
    certain = Case(payoffs, pure(sizes, at), i)
    _equal(answer(*certain), expected, certain, f"the actions are worth {values.tolist()}")


def _ties(answer: Answer, case: Case) -> None:
    """The others play their first actions; all own actions but the last are equally good."""
    i, sizes = case.player, case.payoffs.shape[1:]
    at = (0,) * len(sizes)
    payoffs = case.payoffs.copy()
    line: tuple[Any, ...] = (i, *at[:i], slice(None), *at[i + 1 :])
    payoffs[line] = case.payoffs.max()
    expected = np.ones(sizes[i], dtype=bool)
    if sizes[i] > 1:
        payoffs[(*line[: i + 1], -1, *line[i + 2 :])] -= 1.0
        expected[-1] = False
    tied = Case(payoffs, pure(sizes, at), i)
    _equal(answer(*tied), expected, tied, f"the actions are worth {payoffs[line].tolist()}")


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


def _first_axis(payoffs: Any, profile: Any, player: int) -> Any:
    """Own actions are looked for along the first axis, where that fits."""
    if len(profile[0]) != len(profile[player]):
        return _first_only(payoffs, profile, player)
    values = _own_value(payoffs[player], profile, 0)
    return values >= values.max() - EQUAL


def _relative(payoffs: Any, profile: Any, player: int) -> Any:
    values = _own_value(payoffs[player], profile, player)
    return values >= values.max() * (1 - EQUAL) if len(values) > 1 else values == values


def _coarse(payoffs: Any, profile: Any, player: int) -> Any:
    values = _own_value(payoffs[player], profile, player)
    return values >= values.max() - 0.05


def _library(payoffs: Any, profile: Any, player: int) -> Any:
    return reference(NormalForm(payoffs), profile, player)


SPEC = Spec(
    exercise="best-response",
    function="best_responses",
    cases=cases(),
    properties=(
        Property(
            "one True or False for each of the player's actions, and one True at least",
            _exists,
            "The largest of finitely many values is one of them. Return a mask (A_i,) of bools.",
            gate=True,
        ),
        Property(
            "the payoffs of the other players do not matter",
            _other_payoffs,
            "A player maximises its own utility. Whose is payoffs[i]?",
            weight=0,
        ),
        Property(
            "the player's own strategy does not matter",
            _own_strategy,
            "BR_i takes x_-i: which entry of the profile must not be used?",
            weight=0,
        ),
        Property(
            "against others who are certain it marks the largest entry of a row of payoffs",
            _certain,
            "Others who are certain leave one row of payoffs[i]. Along which axis, and which "
            "entry of it is largest? Values 1e-9 apart are not equal any more.",
        ),
        Property(
            "an action that is as good as a best one is marked, too",
            _ties,
            "How many values are largest, up to rounding? argmax knows one of them.",
        ),
        Property(
            "it marks each action of largest utility against the others, ties included",
            _definition,
            "Average each own action's payoffs over what the others do, with their probabilities. "
            "Values within 1e-9 of the largest are equal to it.",
            weight=2,
        ),
        Property(
            "a payoff f(a_-i), given whatever the player does, does not matter",
            _bonus,
            "Adding the same to all values leaves the largest the largest. Is each value the "
            "average over what the others do, with their probabilities?",
            weight=0,
        ),
        layouts(_definition, "payoffs"),
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
        Mistake("the first axis is taken for the player's own, whoever asks", _first_axis),
        Mistake("the tolerance is a share of the largest value, which may be negative", _relative),
        Mistake("the tolerance is so wide that unequal values are called equal", _coarse),
    ),
    reference=_library,
)
