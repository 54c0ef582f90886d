"""What an answer to exercise 1.17 must satisfy."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....games.induced import policy_regrets as reference
from ....games.markov import MarkovGame
from ....testing.strategies import seeded_markov_games_with_policies
from ...border.corpus import fresh
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts
from .._oracle import remembered


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    transition: Array
    reward: Array
    policies: list[Array]
    gamma: float
    initial: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to three players; in half of the cases one of them plays a best response."""
    game, pi = draw(seeded_markov_games_with_policies())
    found = Case(
        game.transition.copy(), game.reward.copy(), list(pi), game.gamma, game.initial.copy()
    )
    i = draw(st.integers(-game.num_players, game.num_players - 1))
    return _replying(found, i) if i >= 0 else found


def _average(table: Any, policies: Any, i: int) -> Any:
    """``table`` (S, A_1, …, A_n, …) without the axes of all players but i."""
    for j in reversed([j for j in range(len(policies)) if j != i]):
        table = np.einsum("s...a,sa->s...", np.moveaxis(table, j + 1, -1), policies[j])
    return table


def _induced(case: Case, i: int) -> tuple[Any, Any]:
    """The process (S, A_i, S), (S, A_i) of player i."""
    moves = [_average(case.transition[..., t], case.policies, i) for t in range(len(case.initial))]
    return np.stack(moves, axis=-1), _average(case.reward[i], case.policies, i)


def _values(moves: Any, paid: Any, gamma: float, policy: Any) -> Any:
    """V (…, S) of policies (…, S, A)."""
    chain = np.einsum("...sa,sat->...st", policy, moves)
    now = (policy * paid).sum(axis=-1)[..., None]
    return np.linalg.solve(np.eye(len(paid)) - gamma * chain, now)[..., 0]


def _deterministic(states: int, actions: int) -> Any:
    """All of them, (A^S, S, A)."""
    return np.eye(actions)[np.array(list(product(range(actions), repeat=states)))]


def _best(case: Case, i: int) -> tuple[Any, Any]:
    """(J_i of the best deterministic policy (S, A_i), that policy), by trying all."""
    moves, paid = _induced(case, i)
    every = _deterministic(*paid.shape)
    earned = _values(moves, paid, case.gamma, every) @ case.initial
    return earned.max(), every[earned.argmax()]


def _now(case: Case, i: int) -> Any:
    """J_i of the policies as they are."""
    return _values(*_induced(case, i), case.gamma, case.policies[i]) @ case.initial


def _replying(case: Case, i: int) -> Case:
    """The case with player i's policy a best response, from every first state."""
    anywhere = case._replace(initial=np.full_like(case.initial, 1.0 / len(case.initial)))
    pi = [*case.policies]
    pi[i] = _best(anywhere, i)[1]
    return case._replace(policies=pi)


def _size(case: Case) -> float:
    """How large values can be, at least 1."""
    return max(1.0, float(np.abs(case.reward).max()) / (1.0 - case.gamma))


def _regrets(answer: Answer, case: Case) -> Array:
    found = answer(*case)
    shaped(found, (len(case.reward),), "the regrets")
    return np.asarray(found, dtype=float)


def _same(answer: Answer, case: Case, expected: Any, what: str) -> None:
    """Values are of the size R/(1 - γ): so are their rounding errors."""
    atol = 1e-8 * _size(case) / max(1.0, float(np.abs(expected).max()))
    close(_regrets(answer, case), expected, what, atol=atol)


def _non_negative(answer: Answer, case: Case) -> None:
    found = _regrets(answer, case)
    assert (found >= -1e-9 * _size(case)).all(), f"a regret is negative: {found}"


@remembered
def _expected(*arguments: Any) -> list[Any]:
    case = Case(*arguments)
    return [_best(case, i)[0] - _now(case, i) for i in range(len(case.reward))]


def _definition(answer: Answer, case: Case) -> None:
    expected = _expected(*case)
    _same(answer, case, expected, "the regrets")


@remembered
def _reply(i: int, *arguments: Any) -> Case:
    return _replying(Case(*arguments), i)


def _replies(answer: Answer, case: Case) -> None:
    for i in range(len(case.reward)):
        found = _regrets(answer, fresh(_reply(i, *case)))[i]
        assert abs(found) <= 1e-8 * _size(case), f"player {i} plays best, its regret is {found:g}"


def _one_state(answer: Answer, case: Case) -> None:
    """A game that stays in one state, where it is a matrix game for ever."""
    players, sizes = len(case.reward), case.reward.shape[2:]
    reward = case.reward[:, :1]
    moves = np.ones((1, *sizes, 1))
    pi = [np.eye(k)[-1:] for k in sizes]
    at = tuple(k - 1 for k in sizes)
    want = []
    for i in range(players):
        line: tuple[Any, ...] = (i, 0, *at[:i], slice(None), *at[i + 1 :])
        want.append((reward[line].max() - reward[(i, 0, *at)]) / (1 - case.gamma))
    given = Case(moves, reward, pi, case.gamma, np.ones(1))
    _same(answer, given, want, "the regrets of a game with one state, where all play their last")


def _shaping(answer: Answer, case: Case) -> None:
    potential = 3.0 * np.arange(len(case.initial)) - 2.0
    first = potential.reshape([-1] + [1] * (case.transition.ndim - 2))
    added = case.gamma * case.transition @ potential - first + 5.0
    other = case._replace(reward=case.reward + added)
    _same(answer, other, _regrets(answer, case), "with 5 + γ Φ(s') - Φ(s) added")


def _units(answer: Answer, case: Case) -> None:
    factors = 2.0 ** np.arange(len(case.reward))
    reward = case.reward * factors.reshape([-1] + [1] * (case.reward.ndim - 1))
    expected = factors * _regrets(answer, case)
    _same(answer, case._replace(reward=reward), expected, "in other units for each player")


def _first_states(answer: Answer, case: Case) -> None:
    each = [_regrets(answer, case._replace(initial=e)) for e in np.eye(len(case.initial))]
    _same(answer, case, case.initial @ np.stack(each), "the average over first states")


def _one_change(*arguments: Any) -> Any:
    case, found = Case(*arguments), []
    for i, own in enumerate(case.policies):
        moves, paid = _induced(case, i)
        v = _values(moves, paid, case.gamma, own)
        found.append(case.initial @ ((paid + case.gamma * moves @ v).max(axis=1) - v))
    return np.array(found)


def _myopic(*arguments: Any) -> Any:
    return _enumerated(*Case(*arguments)._replace(gamma=0.0))


def _enumerated(*arguments: Any) -> Any:
    case = Case(*arguments)
    return np.array([_best(case, i)[0] - _now(case, i) for i in range(len(case.reward))])


def _negative(*arguments: Any) -> Any:
    return -_enumerated(*arguments)


def _nash_conv(*arguments: Any) -> Any:
    found = _enumerated(*arguments)
    return np.full(len(found), found.sum())


def _uniform_start(*arguments: Any) -> Any:
    case = Case(*arguments)
    return _enumerated(*case._replace(initial=np.full_like(case.initial, 1 / len(case.initial))))


def _all_at_once(*arguments: Any) -> Any:
    case = Case(*arguments)
    best = [_best(case, i)[1] for i in range(len(case.reward))]
    after = case._replace(policies=best)
    gains = [_now(after, i) - _now(case, i) for i in range(len(case.reward))]
    return np.maximum(gains, 0.0)


def _same_action_everywhere(*arguments: Any) -> Any:
    case, found = Case(*arguments), []
    for i, own in enumerate(case.policies):
        always = np.repeat(np.eye(own.shape[1])[:, None], len(own), axis=1)
        earned = _values(*_induced(case, i), case.gamma, always) @ case.initial
        found.append(max(earned.max() - _now(case, i), 0.0))
    return np.array(found)


def _ten_sweeps(*arguments: Any) -> Any:
    case, found = Case(*arguments), []
    for i in range(len(case.reward)):
        moves, paid = _induced(case, i)
        v = np.zeros(len(paid))
        for _ in range(10):
            v = (paid + case.gamma * moves @ v).max(axis=1)
        found.append(case.initial @ v - _now(case, i))
    return np.array(found)


def _library(transition: Any, reward: Any, policies: Any, gamma: float, initial: Any) -> Any:
    return reference(MarkovGame(transition, reward, gamma, initial), policies)


SPEC = Spec(
    exercise="policy-nash",
    function="policy_regrets",
    cases=cases(),
    properties=(
        Property(
            "no regret is negative",
            _non_negative,
            "Best minus now: the best a player can do is at least what it does now. Is it exact?",
            weight=0,
        ),
        Property(
            "each regret is in the units of its own player's rewards",
            _units,
            "Regret i needs reward[i] only.",
            weight=0,
        ),
        Property(
            "it is the average over the first state",
            _first_states,
            "One policy of the player, free to differ from state to state, is best from all of "
            "them; the others keep to theirs. Weigh its gains with initial.",
            weight=0,
        ),
        Property(
            "who plays a best response has none",
            _replies,
            "Compare the value of the best policy with the value of the present one, both exact.",
            weight=0,
        ),
        Property(
            "a potential that is paid for arriving and taken back for leaving changes no regret",
            _shaping,
            "All policies gain 5 / (1 - γ) minus the potential of the first state.",
            weight=0,
        ),
        Property(
            "in a single state it is the gain of one round, over 1 - gamma",
            _one_state,
            "Against pure strategies: the best entry of the player's row minus the present one, in "
            "every round.",
        ),
        Property(
            "it is what the best of all policies would gain, while the others keep to theirs",
            _definition,
            "Deviating once is not enough: the player may change its policy in all states. The "
            "first state is drawn from initial.",
            weight=2,
        ),
        layouts(_definition, "reward"),
        *PURE,
    ),
    mistakes=(
        Mistake("a deviation lasts one step only", _one_change),
        Mistake("only the next reward counts", _myopic),
        Mistake("the difference is taken the wrong way round", _negative),
        Mistake("each player is given the sum of all regrets", _nash_conv),
        Mistake("the first state is taken to be uniform", _uniform_start),
        Mistake("all players deviate at once", _all_at_once),
        Mistake("deviations play one action in all states", _same_action_everywhere),
        Mistake("ten sweeps of value iteration stand for the best values", _ten_sweeps),
    ),
    reference=_library,
)
