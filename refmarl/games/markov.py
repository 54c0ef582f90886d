"""Markov games: several players, states that follow from what they do (course §1.3).

    (S, {A_i}, P, {R_i}, γ),    V_i = R_i^π + γ P^π V_i                       (1.12)

with R_i^π(s) = Σ_a π(a|s) R_i(s, a) and P^π(s'|s) = Σ_a π(a|s) P(s'|s, a), where the players draw
their actions independently given the state: π(a|s) = Π_j π_j(a_j|s). Each player has its own
reward; with one reward for all it is a multi-agent MDP in the narrow sense (Boutilier 1996).

Axes: n players, S states, A_i actions of player i. A policy π_i is an array (S, A_i), one mixed
strategy for each state: stationary, and without memory. Policies are a tuple of n of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import check
from ..check import Array, InputError, Profile
from ._tables import discount, discounted_sum, names, rescaled, stochastic, table
from .normal_form import NormalForm, contract


@dataclass(frozen=True, eq=False)
class MarkovGame:
    """A stochastic game (Shapley 1953): ``transition[s, a_1, …, a_n, s']`` is P(s'|s, a).

    Parameters
    ----------
    transition : float (S, A_1, …, A_n, S)
        Each row, over s', a distribution (within 1e-9, made to sum to 1); copied and made
        read-only.
    reward : float (n, S, A_1, …, A_n)
        ``reward[i, s, a_1, …, a_n]`` is R_i(s, a), expected over what comes next.
    gamma : float
        The discount γ in [0, 1), not nearer to 1 than 1e-9.
    initial : float (S,)
        The distribution of the first state, by default uniform.
    title : str
        The game's name, for reports.
    states, players : names, by default "1", "2", …

    Raises
    ------
    InputError
        If a table is ragged, not finite, empty, larger than the cap, the shapes do not fit each
        other, a row of probabilities is none, γ is not in [0, 1), or names do not fit.

    Examples
    --------
    >>> game = MarkovGame(np.ones((1, 2, 2, 1)), np.zeros((2, 1, 2, 2)), 0.9)
    >>> game.num_players, game.num_states, game.num_actions
    (2, 1, (2, 2))
    """

    transition: Array
    reward: Array
    gamma: float
    initial: Any = None
    title: str = ""
    states: tuple[str, ...] = ()
    players: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        transition, reward = table(self.transition, "transition"), table(self.reward, "reward")
        _fit(transition, reward)
        n, num_states = len(reward), len(transition)
        initial = np.full(num_states, 1.0 / num_states)
        if self.initial is not None:
            initial = check.real_array(self.initial, "initial", 1)
            if initial.shape != (num_states,):
                raise InputError(f"initial: need {num_states} probabilities, got {len(initial)}")
        transition = stochastic(transition, "transition")
        initial = stochastic(initial, "initial")
        for array in (transition, reward, initial):
            array.setflags(write=False)
        for field, value in (
            ("transition", transition),
            ("reward", reward),
            ("gamma", discount(self.gamma)),
            ("initial", initial),
            ("states", names(self.states, num_states, "states")),
            ("players", names(self.players, n, "players")),
        ):
            object.__setattr__(self, field, value)

    @property
    def num_players(self) -> int:
        """n."""
        return len(self.reward)

    @property
    def num_states(self) -> int:
        """S."""
        return len(self.transition)

    @property
    def num_actions(self) -> tuple[int, ...]:
        """(A_1, …, A_n)."""
        return self.reward.shape[2:]

    def uniform(self) -> Profile:
        """The policies that mix evenly in every state."""
        return tuple(np.full((self.num_states, k), 1.0 / k) for k in self.num_actions)

    def pure(self, actions: Sequence[Any]) -> Profile:
        """The policies in which player i plays action ``actions[i][s]`` (from 0) in state s."""
        if len(actions) != self.num_players:
            raise InputError(f"actions: need {self.num_players} rows, got {len(actions)}")
        chosen = []
        for i, (row, k) in enumerate(zip(actions, self.num_actions, strict=True)):
            if len(row) != self.num_states:
                raise InputError(
                    f"actions of player {i}: need one for each of {self.num_states} states, "
                    f"got {len(row)}"
                )
            chosen.append(np.eye(k)[[check.player(a, k, f"action of player {i}") for a in row]])
        return tuple(chosen)

    def policies(self, policies: Sequence[Any]) -> Profile:
        """``policies`` as float64 arrays (S, A_i), checked against this game; rows sum to 1."""
        if len(policies) != self.num_players:
            raise InputError(f"policies: need {self.num_players}, got {len(policies)}")
        found = []
        for i, (policy, k) in enumerate(zip(policies, self.num_actions, strict=True)):
            pi = check.mixture(policy, k, f"policy of player {i}")
            if pi.shape != (self.num_states, k):
                raise InputError(
                    f"policy of player {i}: need shape {(self.num_states, k)}, got {pi.shape}"
                )
            pi = np.maximum(pi, 0.0)
            found.append(rescaled(pi, pi.sum(axis=-1, keepdims=True)))
        return tuple(found)


def _fit(transition: Array, reward: Array) -> None:
    """Whether the two tables are of one game."""
    n = len(reward) if reward.ndim else 0
    if reward.ndim != n + 2:
        raise InputError(
            f"reward: {n} players need {n + 2} axes (player, state, then one per player's "
            f"actions), got shape {reward.shape}"
        )
    needed = (*reward.shape[1:], reward.shape[1])
    if transition.shape != needed:
        raise InputError(
            f"transition: a reward of shape {reward.shape} needs shape {needed} "
            f"(state, actions, next state), got {transition.shape}"
        )


def repeated(game: NormalForm, gamma: float) -> MarkovGame:
    """``game`` played again and again: one state, which never changes.

    Examples
    --------
    >>> repeated(NormalForm.zero_sum([[1, -1], [-1, 1]]), 0.5).transition.shape
    (1, 2, 2, 1)
    """
    stay = np.ones((1, *game.num_actions, 1))
    return MarkovGame(stay, game.payoffs[:, None], gamma, title=game.title, players=game.players)


def average_actions(values: Array, policies: Profile, players: Sequence[int]) -> Array:
    """Σ over the actions of ``players`` of ``values`` (S, K, A_1, …, A_n), weighted by π_j(a_j|s).

    The last player first, one axis at a time: no loop over states or joint actions. What is left
    is (S, K, A_j of the players j who are not averaged over).
    """
    for j in sorted(players, reverse=True):
        last: Array = np.moveaxis(values, j + 2, -1)
        values = contract(last, policies[j], kept=last.ndim - 2)
    return values


def joint_dynamics(game: MarkovGame, policies: Sequence[Any]) -> tuple[Array, Array]:
    """(P^π (S, S), R^π (n, S)): the Markov chain that the policies make, and what it pays.

    Examples
    --------
    >>> game = repeated(NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]]), 0.5)
    >>> chain, reward = joint_dynamics(game, ([[1, 0]], [[0.25, 0.75]]))
    >>> print(chain, reward.ravel())
    [[1.]] [0.5 0.5]
    """
    pi, everybody = game.policies(policies), range(game.num_players)
    chain = average_actions(np.moveaxis(game.transition, -1, 1), pi, everybody)
    reward = average_actions(np.moveaxis(game.reward, 0, 1), pi, everybody)
    return chain, np.ascontiguousarray(reward.T)


def evaluate(game: MarkovGame, policies: Sequence[Any]) -> Array:
    """V (n, S): what each player can expect from each state on, discounted; Eq. (1.12).

    One linear solve for all players: I - γ P^π is invertible because γ < 1.

    Raises
    ------
    InputError
        If a policy has the wrong shape or is not a distribution in some state.

    Examples
    --------
    >>> game = repeated(NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]]), 0.5)
    >>> print(evaluate(game, ([[1, 0]], [[1, 0]])).ravel())
    [4. 4.]
    """
    chain, reward = joint_dynamics(game, policies)
    values = discounted_sum(chain, game.gamma, reward.T)  # (1.12), V = R^π + γ P^π V
    return np.ascontiguousarray(values.T)


def stage_game(game: MarkovGame, values: Any, s: int) -> NormalForm:
    """The game in state s if afterwards player i gets V_i(s'): payoffs R_i + γ Σ_s' P V_i.

    Parameters
    ----------
    values : float (n, S)
        What the states are worth to each player, say from :func:`evaluate`.
    s : int
        A state, counted from 0.

    Examples
    --------
    >>> game = repeated(NormalForm.zero_sum([[1, -1], [-1, 1]]), 0.5)
    >>> print(stage_game(game, [[4], [-4]], 0).payoffs[0])
    [[3. 1.]
     [1. 3.]]
    """
    v = check.real_array(values, "values", 2)
    if v.shape != (game.num_players, game.num_states):
        raise InputError(f"values: need shape {(game.num_players, game.num_states)}, got {v.shape}")
    s = check.player(s, game.num_states, "state")
    after = np.moveaxis(game.transition[s] @ v.T, -1, 0)
    return NormalForm(
        game.reward[:, s] + game.gamma * after,
        title=game.states[s],
        players=game.players,
    )
