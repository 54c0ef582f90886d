"""What an answer to exercise 1.13 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....games.shapley import shapley_operator
from ....games.zero_sum import zero_sum_value
from ....testing.zero_sum_markov import tables, values
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts

SOLVER = 1e-6  # linear programs stop within 1e-7 of the payoffs' size; ten times that


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    values: Array
    transition: Array
    reward: Array
    gamma: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to three states, unequal numbers of actions, values of either sign, absorbing states."""
    game = draw(tables(max_actions=2) if draw(st.booleans()) else tables(max_states=2))
    return Case(draw(values(len(game.reward))), *game)


def _stage(case: Case, s: int) -> Array:
    """The stage game of state s, entry by entry, (A, B)."""
    stage: Array = case.reward[s].copy()
    for a, b in np.ndindex(*stage.shape):
        for t, worth in enumerate(case.values):
            stage[a, b] += case.gamma * case.transition[s, a, b, t] * worth
    return stage


def _single(answer: Answer, case: Case) -> None:
    for side, best in ((1, np.max), (2, np.min)):  # the side that chooses
        other = 3 - side
        alone = case._replace(
            transition=case.transition.take([0], axis=other).copy(),
            reward=case.reward.take([0], axis=other).copy(),
        )
        expected = [best(_stage(alone, s)) for s in range(len(case.values))]
        who = "row" if side == 1 else "column"
        close(answer(*alone), expected, f"values where only the {who} player has a choice", SOLVER)


def _no_future(answer: Answer, case: Case) -> None:
    expected = [zero_sum_value(A).value for A in case.reward]
    close(answer(*case._replace(gamma=0.0)), expected, "values at gamma = 0", SOLVER)


def _stages(answer: Answer, case: Case) -> None:
    given = answer(*case)
    shaped(given, case.values.shape, "values")
    for s, worth in enumerate(np.asarray(given, dtype=float)):
        stage = _stage(case, s)
        _, x, y, _ = zero_sum_value(stage)
        atol = SOLVER * max(1.0, float(np.abs(stage).max()))
        low, high = float((x @ stage).min()), float((stage @ y).max())
        assert low - atol <= worth <= high + atol, (
            f"state {s}: got {worth:.6g}; the row player secures {low:.6g} in its stage game, "
            f"the column player concedes {high:.6g} at most"
        )


def _constant(answer: Answer, case: Case) -> None:
    given = answer(*case)
    shaped(given, case.values.shape, "values")
    more = answer(*case._replace(values=case.values + 10.0))
    close(more, np.asarray(given) + 10.0 * case.gamma, "values after adding 10 to each", SOLVER)


def _contracts(answer: Answer, case: Case) -> None:
    other = 2.0 - 2.0 * case.values[::-1]
    pair = [answer(*case), answer(*case._replace(values=other))]
    for given in pair:
        shaped(given, case.values.shape, "values")
    before = float(np.abs(case.values - other).max())
    after = float(np.abs(np.asarray(pair[0]) - np.asarray(pair[1])).max())
    assert after <= case.gamma * before + SOLVER * max(1.0, before), (
        f"two guesses {before:.6g} apart are {after:.6g} apart afterwards, gamma is {case.gamma}"
    )


def _library(values: Any, transition: Any, reward: Any, gamma: Any) -> Any:
    return shapley_operator(transition, reward, gamma, values)


def _val(stages: Any) -> Any:
    return np.array([zero_sum_value(A).value for A in stages])


def _undiscounted(values: Any, transition: Any, reward: Any, gamma: Any) -> Any:
    return _val(reward + transition @ values)


def _reward_discounted(values: Any, transition: Any, reward: Any, gamma: Any) -> Any:
    return gamma * _val(reward + transition @ values)


def _no_next(values: Any, transition: Any, reward: Any, gamma: Any) -> Any:
    return _val(reward) + gamma * values


def _backwards(values: Any, transition: Any, reward: Any, gamma: Any) -> Any:
    return _val(reward + gamma * np.einsum("tabs,t->sab", transition, values))


def _future_apart(values: Any, transition: Any, reward: Any, gamma: Any) -> Any:
    return _val(reward) + gamma * (transition @ values).mean(axis=(1, 2))


def _pure_only(values: Any, transition: Any, reward: Any, gamma: Any) -> Any:
    return (reward + gamma * transition @ values).min(axis=2).max(axis=1)


def _pure_column(values: Any, transition: Any, reward: Any, gamma: Any) -> Any:
    return (reward + gamma * transition @ values).max(axis=1).min(axis=1)


def _optimist(values: Any, transition: Any, reward: Any, gamma: Any) -> Any:
    return (reward + gamma * transition @ values).max(axis=(1, 2))


def _even_opponent(values: Any, transition: Any, reward: Any, gamma: Any) -> Any:
    return (reward + gamma * transition @ values).mean(axis=2).max(axis=1)


def _sides_exchanged(values: Any, transition: Any, reward: Any, gamma: Any) -> Any:
    return -_val(-(reward + gamma * transition @ values))


def _one_after_the_other(values: Any, transition: Any, reward: Any, gamma: Any) -> Any:
    v = np.array(values, dtype=float)
    for s in range(len(v)):
        v[s] = zero_sum_value(reward[s] + gamma * transition[s] @ v).value
    return v


SPEC = Spec(
    exercise="shapley-iteration",
    function="shapley_step",
    cases=cases(),
    properties=(
        Property(
            "at gamma = 0 each state is worth its matrix game of rewards",
            _no_future,
            "A state is then worth the value of reward[s], as it is: the row player maximises, the "
            "column player minimises, both may mix, so the value need not be an entry.",
        ),
        Property(
            "a constant added to all values comes back times gamma",
            _constant,
            "The future is discounted, the reward is not; the weights of the values, "
            "transition[s, a, b], sum to 1; all new values follow from the old ones.",
        ),
        Property(
            "where only one player has a choice it takes what is best for itself",
            _single,
            "With one column each row of the stage game is a number: the reward, and gamma times "
            "the average of values over where s leads, with transition[s, a, b].",
        ),
        Property(
            "two guesses come nearer to each other by the factor gamma",
            _contracts,
            "What does a state's new value depend on besides reward and the old values?",
            weight=0,
        ),
        Property(
            "the new value of a state is the value of its stage game",
            _stages,
            "Print the stage game of one state: a matrix (A, B) in which the future is included.",
            weight=2,
        ),
        layouts(_stages, "values", "reward"),
        *PURE,
    ),
    mistakes=(
        Mistake("the future is not discounted", _undiscounted),
        Mistake("the reward is discounted, too", _reward_discounted),
        Mistake("the state is taken to stay the same: its own value, not the next one's", _no_next),
        Mistake("probabilities of coming from a state, not of going to it", _backwards),
        Mistake("the future is added after the game, as if play did not decide it", _future_apart),
        Mistake("the row player tries single actions only, no mixtures", _pure_only),
        Mistake("the column player tries single actions only, no mixtures", _pure_column),
        Mistake("the largest entry is taken, as if the other player helped", _optimist),
        Mistake("the column player is taken to mix evenly", _even_opponent),
        Mistake("the row player is taken to minimise", _sides_exchanged),
        Mistake("a state's new value is used for the states after it", _one_after_the_other),
    ),
    reference=_library,
)
