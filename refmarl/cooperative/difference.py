"""Difference rewards: what a team would miss without an agent's action (course §2).

    D_i(s, a) = G(s, a) − G(s, (a_-i, c_i))                                    (2.10)

G is the team's reward, c_i a default action of agent i. What is subtracted does not depend on a_i,
so that for a change of a_i alone ΔD_i = ΔG exactly: who improves its own D_i improves the team's
G, by as much, and D_i holds less of what the others did. D_i = 0 at a_i = c_i.

With a mixture π_i in place of c_i it is the aristocrat utility  [+],

    U_i(s, a) = G(s, a) − Σ_{a_i'} π_i(a_i') G(s, (a_-i, a_i')),

whose mean over a_i ~ π_i is 0. D. Wolpert, K. Tumer 2001; A. Agogino, K. Tumer 2008.

Axes: n agents, A_i actions of agent i, B copies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .. import check
from ..check import Array, InputError
from ..env_api import Actions, Discrete, Step, take
from ..value_grad import Real
from ._wrapped import Wrapped


def difference_rewards(team: Any, defaults: Sequence[int]) -> Array:
    """D_i of all joint actions, (n, …, A_1, …, A_n); Eq. (2.10).

    Parameters
    ----------
    team : float (…, A_1, …, A_n)
        G; leading axes (states, say) stay.
    defaults : n action indices from 0
        c_i; n is how many there are.

    Raises
    ------
    InputError
        If ``team`` has fewer axes than there are agents, or a default action does not exist.

    Examples
    --------
    Two carriers, and both are needed: each is worth the whole to the team.

    >>> print(difference_rewards([[0, 0], [0, 1]], [0, 0]))
    [[[0. 0.]
      [0. 1.]]
    <BLANKLINE>
     [[0. 0.]
      [0. 1.]]]
    """
    reward, first = _team(team, len(defaults))
    found = []
    for i, c in enumerate(defaults):
        k = check.player(c, reward.shape[first + i], f"default action of agent {i}")
        found.append(reward - reward.take([k], axis=first + i))  # (2.10)
    return np.stack(found)


def aristocrat_utilities(team: Any, policies: Sequence[Any]) -> Array:
    """U_i of all joint actions, (n, …, A_1, …, A_n): own actions averaged, not replaced  [+].

    Parameters
    ----------
    team : float (…, A_1, …, A_n)
    policies : n mixtures (A_i,) or (…, A_i)

    Raises
    ------
    InputError
        If a mixture does not fit.

    Examples
    --------
    >>> print(aristocrat_utilities([[0, 0], [0, 1]], [[0.5, 0.5]] * 2)[0])
    [[ 0.  -0.5]
     [ 0.   0.5]]
    """
    reward, first = _team(team, len(policies))
    found = []
    for i, policy in enumerate(policies):
        x = check.mixture(policy, reward.shape[first + i], f"policy of agent {i}")
        if x.shape[:-1] not in ((), reward.shape[:first]):
            need = (*reward.shape[:first], x.shape[-1])
            raise InputError(f"policy of agent {i}: need shape {need}, got {x.shape}")
        axes = [1] * len(policies)
        axes[i] = x.shape[-1]
        weights = x.reshape(*x.shape[:-1], *axes)
        found.append(reward - (reward * weights).sum(axis=first + i, keepdims=True))
    return np.stack(found)


def _team(team: Any, agents: int) -> tuple[Array, int]:
    """(G as an array, how many axes come before the agents')."""
    reward = check.real_array(team, "team")
    if not 1 <= agents <= reward.ndim:
        raise InputError(f"team: need an axis for each of {agents} agents, got {reward.shape}")
    return reward, reward.ndim - agents


@dataclass(frozen=True, eq=False)
class DifferenceRewards(Wrapped):
    """An environment whose agents are paid D_i of each step; all else is as it was.

    G is the team's reward of the step, the mean over the agents; what it would have been with c_i
    in place of a_i is found by taking the step again, from the same state and with the same
    randomness, n more copies at once. The default action must be possible wherever it is needed.
    Where an action is felt a step later only, as in MPE2's worlds, D_i is 0: what counts is the
    reward of this step.

    Parameters
    ----------
    env : Env
        With discrete actions.
    default : int
        c_i of every agent.

    Raises
    ------
    InputError
        If some agents act in a box, or have no action of that number.

    Examples
    --------
    >>> from refmarl.envs import Matrix
    >>> env = DifferenceRewards(Matrix(game="climbing"))
    >>> state = env.reset(np.random.default_rng(0), 1)
    >>> _, step = env.step(state, (np.array([[1, 1]]),))
    >>> print(step.reward[0])
    [[37. 37.]]
    """

    name: ClassVar[str] = "difference-rewards"
    default: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for group in self.env.groups:
            if not isinstance(group.space, Discrete):
                raise InputError(f"env: need discrete actions, {group.name} have {group.space}")
            check.player(self.default, group.space.n, "default")

    def step(self, state: Any, actions: Actions) -> tuple[Any, Step]:
        """As inside, with rewards D_i."""
        after, step = self.env.step(state, actions)
        size, n = len(state.t), len(self.agents)
        again = take(state, np.tile(np.arange(size), n))
        _, without = self.env.step(again, self._replaced(actions, size))
        missing = _mean(without.reward).reshape(n, size)
        paid = (_mean(step.reward) - missing).T  # (B, n), (2.10)
        ends = np.cumsum([len(group.agents) for group in self.groups])[:-1]
        return after, step._replace(reward=tuple(np.split(paid, ends, axis=1)))

    def _replaced(self, actions: Actions, size: int) -> Actions:
        """The actions n times over, in the i-th of them c_i in place of agent i's."""
        n, first, found = len(self.agents), 0, []
        for group, given in zip(self.groups, actions, strict=True):
            count = len(group.agents)
            changed = np.repeat(np.asarray(given)[None], n, axis=0)  # (n, B, N_g)
            changed[first + np.arange(count), :, np.arange(count)] = self.default
            found.append(changed.reshape(n * size, count))
            first += count
        return tuple(found)


def _mean(reward: tuple[Real, ...]) -> Array:
    """(B,): over all agents."""
    found: Array = np.concatenate(reward, axis=1).mean(axis=1)
    return found
