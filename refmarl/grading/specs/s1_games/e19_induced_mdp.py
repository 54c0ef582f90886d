"""What an answer to exercise 1.19 must satisfy."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....games.induced import induced_mdp as reference
from ....games.markov import MarkovGame
from ....testing.strategies import seeded_markov_games_with_policies
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    transition: Array
    reward: Array
    policies: list[Array]
    player: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to three players, often unequal in their numbers of actions; any of them is asked."""
    game, pi = draw(seeded_markov_games_with_policies())
    i = draw(st.integers(0, game.num_players - 1))
    return Case(game.transition.copy(), game.reward.copy(), list(pi), i)


def _row(table: Any, *index: Any) -> Any:
    """The entry of a table at an index of any length."""
    return table[index]


def _process(answer: Answer, case: Case) -> tuple[Array, Array]:
    """The answer's two tables, of the right shapes."""
    found = answer(*case)
    assert isinstance(found, tuple | list), (
        f"need two tables (P_i, R_i), got {type(found).__name__}"
    )
    assert len(found) == 2, f"need two tables (P_i, R_i), got {len(found)}"
    shape = case.policies[case.player].shape
    shaped(found[0], (*shape, shape[0]), "P_i")
    shaped(found[1], shape, "R_i")
    return np.asarray(found[0], dtype=float), np.asarray(found[1], dtype=float)


def _sums(case: Case) -> tuple[Array, Array]:
    """The definition, one joint action at a time."""
    states, actions = case.policies[case.player].shape
    moves, paid = np.zeros((states, actions, states)), np.zeros((states, actions))
    joint = product(*(range(p.shape[1]) for p in case.policies))
    for a, s in product(joint, range(states)):
        others = [p[s, a[j]] for j, p in enumerate(case.policies) if j != case.player]
        weight = float(np.prod(others))
        moves[s, a[case.player]] += weight * _row(case.transition, s, *a)
        paid[s, a[case.player]] += weight * _row(case.reward, case.player, s, *a)
    return moves, paid


def _shape(answer: Answer, case: Case) -> None:
    _process(answer, case)


def _distributions(answer: Answer, case: Case) -> None:
    moves, _ = _process(answer, case)
    assert (moves >= -1e-12).all(), f"a probability of P_i is negative: {moves.min():g}"
    close(moves.sum(axis=-1), np.ones(moves.shape[:2]), "the sums of the rows of P_i")


def _moves(answer: Answer, case: Case) -> None:
    close(_process(answer, case)[0], _sums(case)[0], "P_i")


def _rewards(answer: Answer, case: Case) -> None:
    close(_process(answer, case)[1], _sums(case)[1], "R_i")


def _both(answer: Answer, case: Case) -> None:
    _moves(answer, case)
    _rewards(answer, case)


def _own_policy(answer: Answer, case: Case) -> None:
    other = [*case.policies]
    other[case.player] = np.ones_like(other[case.player]) / other[case.player].shape[1]
    before, after = _process(answer, case), _process(answer, case._replace(policies=other))
    close(after[0], before[0], "P_i, for another policy of the player itself")
    close(after[1], before[1], "R_i, for another policy of the player itself")


def _same_value(answer: Answer, case: Case) -> None:
    moves, paid = _process(answer, case)
    own, gamma = case.policies[case.player], 0.5
    alone = _solved(np.einsum("sa,sat->st", own, moves), (own * paid).sum(axis=1), gamma)
    moves, paid = _sums(case)
    together = _solved(np.einsum("sa,sat->st", own, moves), (own * paid).sum(axis=1), gamma)
    close(alone, together, "the value of the own policy in the process, and in the game")


def _solved(chain: Array, paid: Array, gamma: float) -> Any:
    return np.linalg.lstsq(np.eye(len(chain)) - gamma * chain, paid, rcond=None)[0]


def _with(
    transition: Any, reward: Any, policies: Any, player: int, paid_to: int | None = None
) -> tuple[Any, Any]:
    """The process for other policies, or another's reward, for the wrong answers below."""
    case = Case(transition, reward, policies, player)
    if paid_to is not None:
        case = case._replace(reward=np.repeat(reward[paid_to : paid_to + 1], len(reward), axis=0))
    return _sums(case)


def _evenly(transition: Any, reward: Any, policies: Any, player: int) -> Any:
    uniform = [np.full_like(p, 1.0 / p.shape[1]) for p in policies]
    return _with(transition, reward, uniform, player)


def _first_reward(transition: Any, reward: Any, policies: Any, player: int) -> Any:
    return _with(transition, reward, policies, player, paid_to=0)


def _most_likely(transition: Any, reward: Any, policies: Any, player: int) -> Any:
    pure = [np.eye(p.shape[1])[p.argmax(axis=1)] for p in policies]
    return _with(transition, reward, pure, player)


def _policy_of_state_0(transition: Any, reward: Any, policies: Any, player: int) -> Any:
    same = [np.repeat(p[:1], len(p), axis=0) for p in policies]
    return _with(transition, reward, same, player)


def _own_weighted_too(transition: Any, reward: Any, policies: Any, player: int) -> Any:
    moves, paid = _with(transition, reward, policies, player)
    return moves * policies[player][..., None], paid * policies[player]


def _not_averaged(transition: Any, reward: Any, policies: Any, player: int) -> Any:
    others = [j for j in range(len(policies)) if j != player]
    size = float(np.prod([policies[j].shape[1] for j in others]))
    moves, paid = _evenly(transition, reward, policies, player)
    return moves * size, paid * size


def _first_others_action(transition: Any, reward: Any, policies: Any, player: int) -> Any:
    first = [np.eye(p.shape[1])[np.zeros(len(p), dtype=int)] for p in policies]
    return _with(transition, reward, first, player)


def _always_first_player(transition: Any, reward: Any, policies: Any, player: int) -> Any:
    return _with(transition, reward, policies, 0)


def _library(transition: Any, reward: Any, policies: Any, player: int) -> Any:
    mdp = reference(MarkovGame(transition, reward, 0.0), policies, player)
    return mdp.transition, mdp.reward


SPEC = Spec(
    exercise="induced-mdp",
    function="induced_mdp",
    cases=cases(),
    properties=(
        Property(
            "it is a table (S, A_i, S) and a table (S, A_i)",
            _shape,
            "Only the others' actions are summed out; the player keeps its own.",
            gate=True,
        ),
        Property(
            "every row of P_i is a distribution over next states",
            _distributions,
            "Weights that add up to 1 average distributions into a distribution.",
            weight=0,
        ),
        Property(
            "P_i is P, averaged over what the others draw in that state",
            _moves,
            "Let player 2 mix 1/4, 3/4 between two actions, and work out one row by hand.",
        ),
        Property(
            "R_i is the player's own reward, averaged in the same way",
            _rewards,
            "Which entry of reward's first axis is the player's?",
        ),
        Property(
            "the player's own policy changes nothing",
            _own_policy,
            "What is left to decide is a_i; it must not be averaged over.",
            weight=0,
        ),
        Property(
            "a policy is worth the same in this process as in the game",
            _same_value,
            "Averaging over a_-i first and a_i afterwards averages over a.",
        ),
        layouts(_both, "reward"),
        *PURE,
    ),
    mistakes=(
        Mistake("the others are taken to mix evenly", _evenly),
        Mistake("the rewards are the first player's", _first_reward),
        Mistake("the others are taken to play their most likely actions", _most_likely),
        Mistake("the others' policies of state 0 are used in all states", _policy_of_state_0),
        Mistake("the player's own probabilities are multiplied in", _own_weighted_too),
        Mistake("the others' actions are summed without weights", _not_averaged),
        Mistake("the others are taken to play their first actions", _first_others_action),
        Mistake("it is the first player's process, whoever is asked", _always_first_player),
    ),
    reference=_library,
)
