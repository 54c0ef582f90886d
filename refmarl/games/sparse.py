"""Markov games with many states of which each leads to a few only.

A table P(s'|s, a) of S states and A joint actions has S²A entries; here are kept, for each s and
a, the K states at most that can follow and their probabilities: 2KSA numbers. Everything else is
that of :class:`~refmarl.games.markov.MarkovGame`, and :meth:`SparseMarkovGame.dense` gives one.

Axes: n players, S states, A_i actions of player i, K successors.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, InputError, Profile
from ._tables import discount, discounted_sum, names, rescaled, stochastic, table
from .markov import MarkovGame, average_actions
from .mdp import MDP, solve_mdp


class Outcome(NamedTuple):
    """One of the things that can happen: with which probability, what follows, what it pays."""

    probability: float
    state: Hashable
    rewards: Sequence[float]  # one for each player


Rules = Callable[[Any, tuple[int, ...]], Iterable[Outcome]]  # of a state and a joint action


@dataclass(frozen=True, eq=False)
class SparseMarkovGame:
    """A stochastic game by its successors.

    Parameters
    ----------
    successors : int (S, A_1, …, A_n, K)
        The states that can follow, from 0; one may be listed twice.
    probability : float (S, A_1, …, A_n, K)
        Of each; each row, over K, a distribution.
    reward : float (n, S, A_1, …, A_n)
        R_i(s, a), expected over what comes next.
    gamma, initial, title, states, players : as those of :class:`~refmarl.games.markov.MarkovGame`

    Raises
    ------
    InputError
        If a table is not finite, larger than the cap, shapes do not fit each other, a successor is
        no state, a row of probabilities is none, γ is not in [0, 1), or names do not fit.

    Examples
    --------
    Two states that follow each other, a player with one action:

    >>> game = SparseMarkovGame([[[1]], [[0]]], [[[1]], [[1]]], [[[1], [0]]], 0.5)
    >>> print(game.dense().transition[:, 0])
    [[0. 1.]
     [1. 0.]]
    """

    successors: Any
    probability: Array
    reward: Array
    gamma: float
    initial: Any = None
    title: str = ""
    states: tuple[str, ...] = ()
    players: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        probability, reward = table(self.probability, "probability"), table(self.reward, "reward")
        n, follow = len(reward), np.array(self.successors)
        if reward.ndim != n + 2 or probability.shape[:-1] != reward.shape[1:]:
            raise InputError(
                f"reward: need shape (players, states, actions), fitting probabilities of shape "
                f"{probability.shape}, got {reward.shape}"
            )
        if follow.shape != probability.shape or follow.dtype.kind not in "iu":
            raise InputError(f"successors: need whole numbers of shape {probability.shape}")
        size = reward.shape[1]
        if follow.min() < 0 or follow.max() >= size:
            raise InputError(f"successors: need states in 0..{size - 1}")
        initial = np.full(size, 1.0 / size) if self.initial is None else self.initial
        initial = check.mixture(initial, size, "initial")
        probability = stochastic(probability, "probability")
        for array in (follow, probability, reward, initial):
            array.setflags(write=False)
        for field, value in (
            ("successors", follow),
            ("probability", probability),
            ("reward", reward),
            ("gamma", discount(self.gamma)),
            ("initial", initial),
            ("states", names(self.states, size, "states")),
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
        return int(self.reward.shape[1])

    @property
    def num_actions(self) -> tuple[int, ...]:
        """(A_1, …, A_n)."""
        return self.reward.shape[2:]

    def dense(self) -> MarkovGame:
        """The same with a table P(s'|s, a). Raises InputError if that exceeds the cap."""
        shape = (*self.reward.shape[1:], self.num_states)
        check.size_cap(shape, "transition")
        return MarkovGame(
            _spread(self.successors, self.probability, self.num_states),
            self.reward,
            self.gamma,
            initial=self.initial,
            title=self.title,
            states=self.states,
            players=self.players,
        )

    def expected(self, values: Array) -> Array:
        """Σ_s' P(s'|s, a) V(s'), shape (S, A_1, …, A_n), of V (S,)."""
        found: Array = np.einsum("...k,...k->...", self.probability, values[self.successors])
        return found

    def policies(self, policies: Sequence[Any]) -> Profile:
        """``policies`` as float64 arrays (S, A_i), checked against this game; rows sum to 1."""
        if len(policies) != self.num_players:
            raise InputError(f"policies: need {self.num_players}, got {len(policies)}")
        found = []
        for i, (policy, k) in enumerate(zip(policies, self.num_actions, strict=True)):
            pi = check.mixture(policy, k, f"policy of player {i}")
            if pi.shape != (self.num_states, k):
                shape = (self.num_states, k)
                raise InputError(f"policy of player {i}: need shape {shape}, got {pi.shape}")
            pi = np.maximum(pi, 0.0)
            found.append(rescaled(pi, pi.sum(axis=-1, keepdims=True)))
        return tuple(found)


def _spread(successors: NDArray[Any], probability: Array, size: int) -> Array:
    """P (…, S) from what follows (…, K) and with which probability (…, K)."""
    rows = int(np.prod(successors.shape[:-1]))
    place = successors.reshape(rows, -1) + size * np.arange(rows)[:, None]
    flat: Array = np.bincount(place.ravel(), probability.ravel(), minlength=rows * size).astype(
        float
    )
    return flat.reshape(*successors.shape[:-1], size)


def tabulate(
    states: Sequence[Hashable],
    sizes: Sequence[int],
    rules: Rules,
    gamma: float,
    num_players: int,
    **names_and_start: Any,
) -> SparseMarkovGame:
    """The game whose rules are given as a function of the state and the joint action.

    Parameters
    ----------
    states : all states; ``rules`` names successors as they are named here
    sizes : (A_1, …, A_n)
    names_and_start : ``initial``, ``title``, ``players`` and ``labels``, the states' names

    Examples
    --------
    >>> def rules(state, actions):
    ...     yield Outcome(1.0, "over", [float(state == "play")])
    >>> game = tabulate(["play", "over"], (1,), rules, 0.5, 1)
    >>> print(game.successors.ravel(), game.reward)
    [1 1] [[[1.]
      [0.]]]
    """
    check.size_cap((len(states), *sizes), "joint actions of all states")
    number = {state: k for k, state in enumerate(states)}
    joint = list(product(*map(range, sizes)))
    rows: list[dict[int, float]] = []
    reward = np.zeros((num_players, len(states) * len(joint)))
    for at, (state, actions) in enumerate(product(states, joint)):
        row: dict[int, float] = {}
        for probability, follows, rewards in rules(state, actions):
            k = number[follows]
            row[k] = row.get(k, 0.0) + probability
            reward[:, at] += probability * np.asarray(rewards)
        rows.append(row)
    width = max(map(len, rows))
    check.size_cap((len(rows), width), "successors")
    successors = np.array([[*row, *[0] * (width - len(row))] for row in rows])
    weights = np.array([[*row.values(), *[0.0] * (width - len(row))] for row in rows])
    shape = (len(states), *sizes)
    labels = names_and_start.pop("labels", ())
    return SparseMarkovGame(
        successors.reshape(*shape, width),
        weights.reshape(*shape, width),
        reward.reshape(num_players, *shape),
        gamma,
        states=tuple(labels) or tuple(map(str, states)),
        **names_and_start,
    )


def induced_mdp(game: SparseMarkovGame, policies: Sequence[Any], i: int) -> MDP:
    """The decision process of player i while the others keep to their policies; Eq. (1.19)."""
    pi, i = game.policies(policies), check.player(i, game.num_players)
    check.size_cap((game.num_states, game.num_actions[i], game.num_states), "transition")
    others = [j for j in range(game.num_players) if j != i]
    weights = game.probability
    for j in others:
        shape = [1] * weights.ndim
        shape[0], shape[j + 1] = pi[j].shape
        weights = weights * pi[j].reshape(shape)
    own = (game.num_states, game.num_actions[i], -1)
    moves = _spread(
        np.moveaxis(game.successors, i + 1, 1).reshape(own),
        np.moveaxis(weights, i + 1, 1).reshape(own),
        game.num_states,
    )
    reward = average_actions(game.reward[i][:, None], pi, others)[:, 0]
    return MDP(moves, reward, game.gamma)


def evaluate(game: SparseMarkovGame, policies: Sequence[Any]) -> Array:
    """V (n, S): what each player can expect from each state on, discounted; Eq. (1.12)."""
    pi, everybody = game.policies(policies), range(game.num_players)
    chain = np.einsum("sa,sat->st", pi[0], induced_mdp(game, pi, 0).transition)
    reward = average_actions(np.moveaxis(game.reward, 0, 1), pi, everybody)
    return np.ascontiguousarray(discounted_sum(chain, game.gamma, reward).T)


def best_values(game: SparseMarkovGame, policies: Sequence[Any]) -> Array:
    """V (n, S): what each player's best response to the others earns from each state on."""
    return np.stack(
        [solve_mdp(induced_mdp(game, policies, i)).values for i in range(game.num_players)]
    )


def policy_regrets(game: SparseMarkovGame, policies: Sequence[Any]) -> Array:
    """max_{π_i} J_i(π_i, π_-i) - J_i(π) of every player, shape (n,), ≥ 0; Eq. (1.17)."""
    gains = best_values(game, policies) - evaluate(game, policies)
    found: Array = np.maximum(gains, 0.0) @ game.initial
    return found
