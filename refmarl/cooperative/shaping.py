"""Potential-based reward shaping: a reward for progress that moves no optimum (course §2).

    r' = r + γ (1 − d) Φ(s') − Φ(s)                                             (2.9)

Φ is any function of the state, d says that the step terminated. Along an episode the additions
telescope, Σ_{t<T} γ^t F_t = γ^T (1 − d) Φ(s_T) − Φ(s_0): what is paid for coming closer is taken
back for going away. After the end there is nothing to come, so that Φ counts as 0 there; at a
truncation the episode would have gone on, and Φ stays.

Hence Q'(s, a) = Q(s, a) − Φ(s) under any policies: the order of the actions is the same in every
state, and so are optimal policies and, with a Φ_i for each agent, best responses and Nash
equilibria.

A. Ng, D. Harada, S. Russell 1999; several agents: S. Devlin, D. Kudenko 2011; on ends of episodes:
M. Grześ 2017.

Axes: B copies, N agents, S states.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from .. import check
from ..check import Array, InputError
from ..env_api import Actions, Step
from ..games.dec_pomdp import horizon_discount
from ..games.markov import MarkovGame
from ..value_grad import Real
from ._wrapped import Wrapped


def shaped_reward(
    reward: Any, potential: Any, next_potential: Any, terminated: Any, gamma: float
) -> Array:
    """r + γ (1 − d) Φ(s') − Φ(s), Eq. (2.9), in the shape that all arguments broadcast to.

    Parameters
    ----------
    reward : float (…)
    potential, next_potential : float (…)
        Φ of the states that a step left and reached: at an episode's end of the state before the
        restart. For some Φ_i for each agent, with the agents' axis.
    terminated : bool (…)
        d: there is nothing to come. A truncation is no termination.
    gamma : float in [0, 1]

    Raises
    ------
    InputError
        If something is not finite, the shapes do not fit each other, or γ is not in [0, 1].

    Examples
    --------
    Three steps to the goal, Φ minus the steps left: every one of them pays 1 more.

    >>> left = np.array([3, 2, 1, 0])
    >>> print(shaped_reward([0, 0, 10], -left[:-1], -left[1:], [False, False, True], 1.0))
    [ 1.  1. 11.]
    """
    gamma = horizon_discount(gamma)
    given = (("reward", reward), ("potential", potential), ("next_potential", next_potential))
    r, phi, after = (check.real_array(x, name) for name, x in given)
    d = np.asarray(terminated)
    if d.dtype.kind != "b":
        raise InputError(f"terminated: need an array of bool, got {d.dtype}")
    try:
        shape = np.broadcast_shapes(r.shape, phi.shape, after.shape, d.shape)
    except ValueError:
        shapes = ", ".join(str(x.shape) for x in (r, phi, after, d))
        raise InputError(f"reward, potentials, terminated: shapes {shapes} do not fit") from None
    found: Array = np.broadcast_to(r + gamma * np.where(d, 0.0, after) - phi, shape)  # (2.9)
    return np.array(found)


def terminal_states(game: MarkovGame) -> Real:
    """(S,) of bool: the states that are never left and pay nobody, where nothing is to come.

    Examples
    --------
    >>> goes_to_the_end = np.array([[[0, 1]], [[0, 1]]])
    >>> game = MarkovGame(goes_to_the_end, np.array([[[1.0], [0.0]]]), 0.9)
    >>> terminal_states(game).tolist()
    [False, True]
    """
    here, size = np.arange(game.num_states), game.num_states
    stays = game.transition.reshape(size, -1, size)[here, :, here] == 1.0
    unpaid = game.reward.reshape(game.num_players, size, -1) == 0.0
    return np.asarray(stays.all(axis=1) & unpaid.all(axis=(0, 2)))


def shaped_game(game: MarkovGame, potential: Any) -> MarkovGame:
    """The game with R_i'(s, a) = R_i(s, a) + γ Σ_s' P(s'|s, a) Φ_i(s') − Φ_i(s); Eq. (2.9).

    Parameters
    ----------
    game : MarkovGame
    potential : float (S,) or (n, S)
        Φ, or Φ_i for each player; in terminal states it counts as 0.

    Raises
    ------
    InputError
        If the potential has another shape.

    Examples
    --------
    >>> to_the_end = np.array([[[0, 1]], [[0, 1]]])
    >>> game = MarkovGame(to_the_end, np.array([[[1.0], [0.0]]]), 0.9)
    >>> print(shaped_game(game, [5, 7]).reward.ravel())
    [-4.  0.]
    """
    phi = check.real_array(potential, "potential")
    need = (game.num_players, game.num_states)
    if phi.shape not in (need, need[1:]):
        raise InputError(f"potential: need shape {need[1:]} or {need}, got {phi.shape}")
    phi = np.where(terminal_states(game), 0.0, np.broadcast_to(phi, need))
    after = np.moveaxis(game.transition @ phi.T, -1, 0)  # (n, S, A_1, …, A_n)
    now = phi.reshape(*need, *[1] * game.num_players)
    return replace(game, reward=game.reward + game.gamma * after - now)  # (2.9)


@dataclass(frozen=True, eq=False)
class Shaped(Wrapped):
    """An environment whose rewards are shaped; all else is as it was.

    Parameters
    ----------
    env : Env
    potential : function of a state, (B,) or one (B, N_g) for each group
        Φ of each copy, the same for all agents, or Φ_i of each agent in a tuple.
    gamma : float in [0, 1]
        The γ of the learner.

    Examples
    --------
    A cart pays more if it comes back to the middle.

    >>> from refmarl.envs import CartPole
    >>> env = Shaped(CartPole(), lambda state: -abs(state.x[:, 0]), 0.99)
    >>> env.name, env.groups == CartPole().groups
    ('shaped', True)
    """

    name: ClassVar[str] = "shaped"
    potential: Callable[[Any], Any]
    gamma: float = 0.99

    def __post_init__(self) -> None:
        super().__post_init__()
        horizon_discount(self.gamma)

    def step(self, state: Any, actions: Actions) -> tuple[Any, Step]:
        """As inside, with rewards r'."""
        after, step = self.env.step(state, actions)
        over = step.terminated[:, None]
        pairs = zip(step.reward, self._phi(state), self._phi(after), strict=True)
        rewards = tuple(shaped_reward(r, now, then, over, self.gamma) for r, now, then in pairs)
        return after, step._replace(reward=rewards)

    def _phi(self, state: Any) -> tuple[Array, ...]:
        """Φ as one (B, N_g) for each group."""
        given = self.potential(state)
        parts = (
            given
            if isinstance(given, tuple)
            else (np.asarray(given)[..., None],) * len(self.groups)
        )
        shapes = [(len(state.t), len(group.agents)) for group in self.groups]
        try:
            pairs = zip(parts, shapes, strict=True)
            return tuple(np.broadcast_to(np.asarray(p, float), s) for p, s in pairs)
        except ValueError:
            got = [np.shape(p) for p in parts]
            raise InputError(f"potential: need (B,) or a tuple {shapes}, got {got}") from None
