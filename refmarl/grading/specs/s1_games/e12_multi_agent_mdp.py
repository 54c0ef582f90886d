"""What an answer to exercise 1.12 must satisfy."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....games.markov import MarkovGame, evaluate
from ....testing.strategies import seeded_markov_games_with_policies
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    transition: Array
    reward: Array
    policies: list[Array]
    gamma: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Games of one to three players and states; γ = 0 and 0.99, certain and mixed moves."""
    game, pi = draw(seeded_markov_games_with_policies())
    return Case(game.transition.copy(), game.reward.copy(), list(pi), game.gamma)


def _size(case: Case) -> float:
    """How large values can be, at least 1."""
    return max(1.0, float(np.abs(case.reward).max()) / (1.0 - case.gamma))


def _row(table: Any, *index: Any) -> Any:
    """The entry of a table at an index of any length."""
    return table[index]


def _weights(case: Case, s: int) -> dict[tuple[int, ...], float]:
    """Π_j π_j(a_j|s) of every joint action a."""
    indices = product(*(range(p.shape[1]) for p in case.policies))
    pairs = ((a, zip(case.policies, a, strict=True)) for a in indices)
    return {a: float(np.prod([p[s, k] for p, k in pair])) for a, pair in pairs}


def _shape(answer: Answer, case: Case) -> None:
    shaped(answer(*case), case.reward.shape[:2], "V")


def _values(answer: Answer, case: Case) -> Array:
    values = answer(*case)
    shaped(values, case.reward.shape[:2], "V")
    return np.asarray(values, dtype=float)


def _bellman(answer: Answer, case: Case) -> None:
    v = _values(answer, case)
    states = case.reward.shape[1]
    for s in range(states):
        total = np.zeros(len(v))
        for a, w in _weights(case, s).items():
            now = _row(case.reward, slice(None), s, *a)
            total += w * (now + case.gamma * (v @ _row(case.transition, s, *a)))
        atol = 1e-9 * _size(case) / max(1.0, float(np.abs(total).max()))
        close(v[:, s], total, f"V({s}) from reward and V one step later", atol=atol)


def _at_once(answer: Answer, case: Case) -> None:
    v = _values(answer, case._replace(gamma=0.0))
    for s in range(v.shape[1]):
        rewards = [w * _row(case.reward, slice(None), s, *a) for a, w in _weights(case, s).items()]
        close(v[:, s], np.sum(rewards, axis=0), f"V({s}) with γ = 0")


def _constant(answer: Answer, case: Case) -> None:
    each = np.arange(1.0, len(case.reward) + 1)
    reward = np.broadcast_to(each.reshape([-1] + [1] * (case.reward.ndim - 1)), case.reward.shape)
    expected = np.repeat(each[:, None], case.reward.shape[1], axis=1) / (1.0 - case.gamma)
    close(answer(case.transition, reward.copy(), case.policies, case.gamma), expected, "V")


def _renaming(answer: Answer, case: Case) -> None:
    moves = np.ascontiguousarray(case.transition[::-1, ..., ::-1])
    reward = np.ascontiguousarray(case.reward[:, ::-1])
    flipped = answer(moves, reward, [p[::-1].copy() for p in case.policies], case.gamma)
    shaped(flipped, reward.shape[:2], "V")
    atol = 1e-9 * _size(case)
    close(np.asarray(flipped)[:, ::-1], _values(answer, case), "V, states renamed", atol=atol)


def _average(case: Case) -> tuple[Array, Array]:
    """(P^π (S, S), R^π (S, n)), for the wrong answers below."""
    states, n = case.reward.shape[1], len(case.reward)
    chain, paid = np.zeros((states, states)), np.zeros((states, n))
    for s in range(states):
        for a, w in _weights(case, s).items():
            chain[s] += w * _row(case.transition, s, *a)
            paid[s] += w * _row(case.reward, slice(None), s, *a)
    return chain, paid


def _solved(chain: Array, paid: Array, gamma: float) -> Any:
    return np.linalg.solve(np.eye(len(chain)) - gamma * chain, paid).T


def _transposed(transition: Any, reward: Any, policies: Any, gamma: float) -> Any:
    chain, paid = _average(Case(transition, reward, policies, gamma))
    return _solved(chain.T, paid, gamma)


def _one_step(transition: Any, reward: Any, policies: Any, gamma: float) -> Any:
    chain, paid = _average(Case(transition, reward, policies, gamma))
    return (paid + gamma * chain @ paid).T


def _undiscounted_first(transition: Any, reward: Any, policies: Any, gamma: float) -> Any:
    chain, paid = _average(Case(transition, reward, policies, gamma))
    return gamma * _solved(chain, paid, gamma)


def _first_reward_for_all(transition: Any, reward: Any, policies: Any, gamma: float) -> Any:
    chain, paid = _average(Case(transition, reward, policies, gamma))
    return _solved(chain, np.repeat(paid[:, :1], len(reward), axis=1), gamma)


def _most_likely(transition: Any, reward: Any, policies: Any, gamma: float) -> Any:
    pure = [np.eye(p.shape[1])[p.argmax(axis=1)] for p in policies]
    return _solved(*_average(Case(transition, reward, pure, gamma)), gamma)


def _policy_of_state_0(transition: Any, reward: Any, policies: Any, gamma: float) -> Any:
    same = [np.repeat(p[:1], len(p), axis=0) for p in policies]
    return _solved(*_average(Case(transition, reward, same, gamma)), gamma)


def _per_round(transition: Any, reward: Any, policies: Any, gamma: float) -> Any:
    chain, paid = _average(Case(transition, reward, policies, gamma))
    return (1.0 - gamma) * _solved(chain, paid, gamma)


def _states_first(transition: Any, reward: Any, policies: Any, gamma: float) -> Any:
    chain, paid = _average(Case(transition, reward, policies, gamma))
    return _solved(chain, paid, gamma).T


def _library(transition: Any, reward: Any, policies: Any, gamma: float) -> Any:
    return evaluate(MarkovGame(transition, reward, gamma), policies)


SPEC = Spec(
    exercise="multi-agent-mdp",
    function="joint_values",
    cases=cases(),
    properties=(
        Property(
            "it is one real number for each player and state",
            _shape,
            "V has the axes of the rewards without the actions: (n, S).",
            gate=True,
        ),
        Property(
            "with γ = 0 it is the expected reward of the state",
            _at_once,
            "In each state the policies' rows are a profile of mixed strategies: Eq. (1.1).",
        ),
        Property(
            "a reward that never changes is worth 1 / (1 - γ) times itself",
            _constant,
            "1 + γ + γ² + … = 1 / (1 - γ), whatever the states do.",
        ),
        Property(
            "renaming the states renames the values",
            _renaming,
            "Every state has a row of its own in each policy.",
            weight=0,
        ),
        Property(
            "it is the reward now and γ times the value of the next state, on average",
            _bellman,
            "Average transition as you average reward. Row s of the chain says where s leads to.",
            weight=2,
        ),
        layouts(_bellman, "reward"),
        *PURE,
    ),
    mistakes=(
        Mistake("the chain is transposed", _transposed),
        Mistake("only the next reward is added, not all that follow", _one_step),
        Mistake("the first reward is discounted as well", _undiscounted_first),
        Mistake("everybody is given the first player's reward", _first_reward_for_all),
        Mistake("only the most likely actions are played", _most_likely),
        Mistake("the policies of state 0 are played in all states", _policy_of_state_0),
        Mistake("values are divided by 1/(1 - γ), the length of the game", _per_round),
        Mistake("the axes of players and states are exchanged", _states_first),
    ),
    reference=_library,
)
