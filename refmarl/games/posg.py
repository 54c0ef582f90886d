"""Partially observed stochastic games: players who see signals, not states (course §1.3, §1.5).

    O_i(o_i|s', a),    b'(s') ∝ O(o|s', a) Σ_s P(s'|s, a) b(s)                (1.20)

A Markov game (1.12), and in each round, after the joint action a has led to s', a signal o_i for
every player. O(o|s', a) is their joint distribution, O_i its marginals. Nobody sees the state or
the others' signals; a policy maps what a player has seen to actions. With one reward for all it is
a Dec-POMDP (Bernstein et al. 2002), with one player a POMDP.

The belief b is what an observer thinks who sees all actions and all signals. A player of the game
is no such observer: what it should think depends on how the others play (``posg_policies``).

Axes: n players, S states, A_i actions and O_i observations of player i.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, InputError
from ._tables import stochastic, table
from .markov import MarkovGame

Ints = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class POSG:
    """A Markov game whose players see signals: ``observation[s', a_1, …, a_n, o_1, …, o_n]``.

    Parameters
    ----------
    game : MarkovGame
        States, actions, rewards; ``game.initial`` is the belief before the first action.
    observation : float (S, A_1, …, A_n, O_1, …, O_n)
        O(o|s', a): for each next state and joint action a distribution over joint observations.

    Raises
    ------
    InputError
        If the table is not finite, of another shape, too large, or holds no distributions.

    Examples
    --------
    Two states, one action each; player 1 sees the state, player 2 nothing.

    >>> game = MarkovGame(np.full((2, 1, 1, 2), 0.5), np.zeros((2, 2, 1, 1)), 0.9)
    >>> posg = POSG(game, [[[[[1], [0]]]], [[[[0], [1]]]]])
    >>> posg.num_observations
    (2, 1)
    """

    game: MarkovGame
    observation: Array

    def __post_init__(self) -> None:
        check.instance(self.game, MarkovGame, "game")
        observation, game = table(self.observation, "observation"), self.game
        leads = (game.num_states, *game.num_actions)
        if observation.ndim != 2 * game.num_players + 1 or observation.shape[: len(leads)] != leads:
            raise InputError(
                f"observation: need shape {leads} and an axis of signals for each of "
                f"{game.num_players} players, got {observation.shape}"
            )
        rows = stochastic(observation.reshape(*leads, -1), "observation")
        observation = rows.reshape(observation.shape)
        observation.setflags(write=False)
        object.__setattr__(self, "observation", observation)

    @classmethod
    def independent(cls, game: MarkovGame, tables: Sequence[Any]) -> "POSG":
        """Signals drawn apart: ``tables[i][s', a_1, …, a_n, o_i]`` is O_i(o_i|s', a).

        Examples
        --------
        >>> game = MarkovGame(np.full((2, 1, 1, 2), 0.5), np.zeros((2, 2, 1, 1)), 0.9)
        >>> sees, blind = np.eye(2).reshape(2, 1, 1, 2), np.ones((2, 1, 1, 1))
        >>> POSG.independent(game, [sees, blind]).observation[1, 0, 0].ravel()
        array([0., 1.])
        """
        if len(tables) != game.num_players:
            raise InputError(f"tables: need {game.num_players}, got {len(tables)}")
        leads = (game.num_states, *game.num_actions)
        joint: Array = np.ones(leads)
        for i, given in enumerate(tables):
            own = table(given, f"observation of player {i}")
            if own.shape[:-1] != leads:
                raise InputError(
                    f"observation of player {i}: need shape {leads} and one axis of signals, "
                    f"got {own.shape}"
                )
            check.size_cap((joint.size, own.shape[-1]), "observation")
            own = stochastic(own, f"observation of player {i}")
            joint = joint[..., None] * own.reshape(*leads, *[1] * i, -1)
        return cls(game, joint)

    @property
    def num_players(self) -> int:
        """n."""
        return self.game.num_players

    @property
    def num_actions(self) -> tuple[int, ...]:
        """(A_1, …, A_n)."""
        return self.game.num_actions

    @property
    def num_observations(self) -> tuple[int, ...]:
        """(O_1, …, O_n)."""
        return self.observation.shape[1 + self.num_players :]

    def marginal(self, i: int) -> Array:
        """O_i(o_i|s', a), shape (S, A_1, …, A_n, O_i)."""
        i, n = check.player(i, self.num_players), self.num_players
        found: Array = self.observation.sum(axis=tuple(1 + n + j for j in range(n) if j != i))
        return found

    @cached_property
    def step(self) -> Array:
        """P(s', o|s, a) with joint actions and observations numbered: (A, S, S', O)."""
        states = self.game.num_states
        moves = self.game.transition.reshape(states, -1, states).swapaxes(0, 1)
        seen = self.observation.reshape(states, moves.shape[0], -1).swapaxes(0, 1)
        check.size_cap((*moves.shape, seen.shape[-1]), "transition × observation")
        found: Array = moves[..., None] * seen[:, None]
        return found


def fully_observed(game: MarkovGame) -> POSG:
    """``game`` where everybody sees the new state: the players of row 1.12.

    Examples
    --------
    >>> game = MarkovGame(np.full((2, 1, 1, 2), 0.5), np.zeros((2, 2, 1, 1)), 0.9)
    >>> fully_observed(game).num_observations
    (2, 2)
    """
    check.instance(game, MarkovGame, "game")
    states = game.num_states
    check.size_cap((states ** (1 + game.num_players), *game.num_actions), "observation")
    eye = np.eye(states).reshape(states, *[1] * game.num_players, states)
    shown: Array = np.broadcast_to(eye, (states, *game.num_actions, states))
    return POSG.independent(game, [shown] * game.num_players)


def observation_probabilities(posg: POSG, belief: Any, actions: Any) -> Array:
    """P(o|b, a) of every joint observation: shape (…, O_1, …, O_n).

    Parameters
    ----------
    belief : float (…, S)
    actions : int (…, n)
        Joint actions from 0; leading axes broadcast against those of ``belief``.

    Examples
    --------
    >>> from refmarl.games.posg_examples import dec_tiger
    >>> print(observation_probabilities(dec_tiger(), [1, 0], [0, 0]))
    [[0.7225 0.1275]
     [0.1275 0.0225]]
    """
    b, joint = _beliefs(posg, belief), _numbered(actions, posg.num_actions, "actions")
    found: Array = np.einsum("...s,...sto->...o", b, posg.step[joint])
    return found.reshape(*found.shape[:-1], *posg.num_observations)


def belief_update(posg: POSG, belief: Any, actions: Any, observations: Any) -> Array:
    """b' (…, S): the belief after the joint action and the joint observation; Eq. (1.20).

    Parameters
    ----------
    belief : float (…, S)
        Each row a distribution over states.
    actions, observations : int (…, n)
        One for each player, from 0. Leading axes broadcast: many beliefs at once.

    Raises
    ------
    InputError
        If a belief is none, an action or observation does not exist, or the observation cannot
        occur after this belief and action: then no belief follows from it.

    Examples
    --------
    Both hear the tiger on the left, each rightly with probability 0.85.

    >>> from refmarl.games.posg_examples import dec_tiger
    >>> print(belief_update(dec_tiger(), [0.5, 0.5], [0, 0], [0, 0]).round(4))
    [0.9698 0.0302]
    """
    b, joint = _beliefs(posg, belief), _numbered(actions, posg.num_actions, "actions")
    seen = _numbered(observations, posg.num_observations, "observations")
    states = posg.game.num_states
    moves = posg.game.transition.reshape(states, -1, states).swapaxes(0, 1)
    seeing = posg.observation.reshape(states, moves.shape[0], -1)
    predicted = np.einsum("...s,...st->...t", b, moves[joint])
    weight = np.moveaxis(seeing[:, joint, seen], 0, -1) * predicted  # (1.20)
    total = weight.sum(axis=-1, keepdims=True)
    if (total < np.finfo(float).tiny).any():
        raise InputError("observations: cannot occur after this belief and these actions")
    found: Array = weight / total
    return found


def histories(posg: POSG, i: int, length: int) -> Ints:
    """What player i may have seen in ``length`` rounds: (O_i^length, length), in counting order.

    Row k is the number k in base O_i, so that observation o after history k gives history
    k O_i + o. Policies of ``posg_policies`` number histories in this way.

    Examples
    --------
    >>> from refmarl.games.posg_examples import dec_tiger
    >>> print(histories(dec_tiger(), 0, 2).tolist())
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    size = posg.num_observations[check.player(i, posg.num_players)]
    if length < 0:
        raise InputError(f"length: need a whole number ≥ 0, got {length}")
    check.size_cap((size,) * length, "histories")
    numbers = np.arange(size**length)
    powers = size ** np.arange(length - 1, -1, -1, dtype=np.intp)
    found: Ints = numbers[:, None] // powers % size
    return found


def _beliefs(posg: POSG, belief: Any) -> Array:
    """Checked beliefs (…, S)."""
    check.instance(posg, POSG, "posg")
    b = np.maximum(check.mixture(belief, posg.game.num_states, "belief"), 0.0)
    found: Array = b / b.sum(axis=-1, keepdims=True)
    return found


def _numbered(values: Any, sizes: tuple[int, ...], name: str) -> Ints:
    """One index for each player (…, n) as the number (…,) of the tuple."""
    raw = np.asarray(values)
    if raw.dtype.kind not in "iu" or raw.shape[-1:] != (len(sizes),):
        raise InputError(f"{name}: need {len(sizes)} whole numbers, one for each player")
    if (raw < 0).any() or (raw >= np.array(sizes)).any():
        raise InputError(f"{name}: need indices below {sizes}, got {raw.tolist()}")
    found: Ints = np.asarray(np.ravel_multi_index(tuple(np.moveaxis(raw, -1, 0)), sizes))
    return found
