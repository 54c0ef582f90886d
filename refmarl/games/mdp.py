"""Markov decision processes, solved exactly by policy iteration.

What is left of a Markov game for one player when the others' policies are fixed. The values of a
best policy solve V(s) = max_a [R(s, a) + γ Σ_s' P(s'|s, a) V(s')].

Axes: S states, A actions.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, InputError
from ._tables import discount, discounted_sum, stochastic, table

TOLERANCE = 1e-12  # of the values' size: less is no gain but rounding


class Solution(NamedTuple):
    """The best values of a decision process, and a policy that earns them from every state."""

    values: Array  # (S,)
    policy: Array  # (S, A), one action in every state
    steps: int  # policies evaluated


@dataclass(frozen=True, eq=False)
class MDP:
    """``transition[s, a, s']`` is P(s'|s, a) and ``reward[s, a]`` is R(s, a).

    Parameters
    ----------
    transition : float (S, A, S)
        Each row, over s', a distribution (within 1e-9); copied and made read-only.
    reward : float (S, A)
    gamma : float
        The discount γ in [0, 1).

    Raises
    ------
    InputError
        If a table is not of its shape, not finite or too large, a row of probabilities is none,
        or γ is not in [0, 1).
    """

    transition: Array
    reward: Array
    gamma: float

    def __post_init__(self) -> None:
        transition, reward = table(self.transition, "transition"), table(self.reward, "reward")
        if reward.ndim != 2:
            raise InputError(f"reward: need 2 axes (state, action), got shape {reward.shape}")
        needed = (*reward.shape, len(reward))
        if transition.shape != needed:
            raise InputError(f"transition: need shape {needed}, got {transition.shape}")
        transition = stochastic(transition, "transition")
        for array in (transition, reward):
            array.setflags(write=False)
        object.__setattr__(self, "transition", transition)
        object.__setattr__(self, "reward", reward)
        object.__setattr__(self, "gamma", discount(self.gamma))

    @property
    def num_states(self) -> int:
        """S."""
        return len(self.reward)

    @property
    def num_actions(self) -> int:
        """A."""
        return int(self.reward.shape[1])

    def policy(self, policy: Any) -> Array:
        """``policy`` as a float64 array (S, A), checked against this process."""
        pi = check.mixture(policy, self.num_actions, "policy")
        if pi.shape != self.reward.shape:
            raise InputError(f"policy: need shape {self.reward.shape}, got {pi.shape}")
        return pi

    def action_values(self, values: Any) -> Array:
        """R(s, a) + γ Σ_s' P(s'|s, a) V(s'), shape (S, A), for any V (S,)."""
        v = check.real_array(values, "values", 1)
        if v.shape != (self.num_states,):
            raise InputError(f"values: need {self.num_states} numbers, got {len(v)}")
        found: Array = self.reward + self.gamma * (self.transition @ v)
        return found


def evaluate_policy(mdp: MDP, policy: Any) -> Array:
    """V (S,): what the policy (S, A) can expect from each state on, discounted.

    Examples
    --------
    >>> stay_or_go = [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]
    >>> mdp = MDP(stay_or_go, [[1, 0], [3, 3]], 0.5)
    >>> print(evaluate_policy(mdp, [[1, 0], [1, 0]]))
    [2. 6.]
    """
    pi = mdp.policy(policy)
    chain = np.einsum("sa,sat->st", pi, mdp.transition)
    return discounted_sum(chain, mdp.gamma, (pi * mdp.reward).sum(axis=1))


def solve_mdp(mdp: MDP) -> Solution:
    """A best policy and its values, by policy iteration (Howard 1960).

    Each policy is evaluated by a linear solve. In every state in which another action is better
    by more than rounding, that action is taken; where there is none the policy is best. Ties keep
    the action they have. Values can only rise, so that no policy comes twice.

    Examples
    --------
    >>> stay_or_go = [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]
    >>> best = solve_mdp(MDP(stay_or_go, [[1, 0], [3, 3]], 0.5))
    >>> print(best.values, best.policy[0])
    [3. 6.] [0. 1.]
    """
    here, identity = np.arange(mdp.num_states), np.eye(mdp.num_actions)
    actions: NDArray[np.intp] = mdp.reward.argmax(axis=1)
    seen: set[bytes] = set()
    while True:
        seen.add(actions.tobytes())
        chain, reward = mdp.transition[here, actions], mdp.reward[here, actions]
        values = discounted_sum(chain, mdp.gamma, reward)
        q = mdp.action_values(values)
        size = max(float(np.abs(q).max()), float(np.abs(mdp.reward).max()))
        gains = q.max(axis=1) - q[here, actions] > TOLERANCE * size
        actions = np.where(gains, q.argmax(axis=1), actions)
        if actions.tobytes() in seen:  # unchanged, or moved in a circle by rounding alone
            return Solution(values, identity[actions], len(seen))
