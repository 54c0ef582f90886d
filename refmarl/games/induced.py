"""What a Markov game is to one player, and equilibria in policies (course §1.3, §1.4).

    P_i(s'|s, a_i) = Σ_{a_-i} π_-i(a_-i|s) P(s'|s, a),   R_i(s, a_i) likewise  (1.19)
    J_i(π_i*, π_-i*) ≥ J_i(π_i, π_-i*)   for all i, π_i                        (1.17)

with J_i(π) = Σ_s ρ(s) V_i(s), ρ the distribution of the first state. While the others keep to
their policies, player i is alone in a Markov decision process; when they learn, it changes under
its feet. A best response is a best policy of that process, so that stationary policies without
memory, even deterministic ones, are enough to deviate to.

Axes: n players, S states, A_i actions of player i.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import check
from ..check import Array, Profile
from ._tables import discounted_sum
from .markov import MarkovGame, average_actions, evaluate
from .mdp import MDP, solve_mdp


def induced_mdp(game: MarkovGame, policies: Sequence[Any], i: int) -> MDP:
    """The decision process of player i while the others keep to their policies; Eq. (1.19).

    The entry ``policies[i]`` itself does not matter.

    Raises
    ------
    InputError
        If a policy has the wrong shape or is not a distribution in some state, or there is no
        player i.

    Examples
    --------
    >>> from refmarl.games import NormalForm
    >>> from refmarl.games.markov import repeated
    >>> game = repeated(NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]]), 0.5)
    >>> print(induced_mdp(game, ([[1, 0]], [[0.25, 0.75]]), 0).reward)
    [[0.5  0.75]]
    """
    pi, i = game.policies(policies), check.player(i, game.num_players)
    others = [j for j in range(game.num_players) if j != i]
    moves = average_actions(np.moveaxis(game.transition, -1, 1), pi, others)  # (1.19)
    reward = average_actions(game.reward[i][:, None], pi, others)[:, 0]
    return MDP(np.moveaxis(moves, 1, -1), reward, game.gamma)


def action_values(game: MarkovGame, policies: Sequence[Any], i: int) -> Array:
    """Q_i(s, a_i), shape (S, A_i): player i plays a_i once in s, and all their policies after it.

    Examples
    --------
    >>> from refmarl.games import NormalForm
    >>> from refmarl.games.markov import repeated
    >>> game = repeated(NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]]), 0.5)
    >>> print(action_values(game, ([[1, 0]], [[1, 0]]), 0))
    [[4. 2.]]
    """
    return induced_mdp(game, policies, i).action_values(evaluate(game, policies)[i])


def best_response_policy(game: MarkovGame, policies: Sequence[Any], i: int) -> Array:
    """A policy (S, A_i) of player i that is best against the others', from every state.

    Examples
    --------
    >>> from refmarl.games import NormalForm
    >>> from refmarl.games.markov import repeated
    >>> game = repeated(NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]]), 0.5)
    >>> print(best_response_policy(game, ([[1, 0]], [[0.25, 0.75]]), 0))
    [[0. 1.]]
    """
    return solve_mdp(induced_mdp(game, policies, i)).policy


def state_regrets(game: MarkovGame, policies: Sequence[Any]) -> Array:
    """What player i's best response would gain from each first state, shape (n, S), ≥ 0.

    Let V* be the best values of the induced process and Q* its action values. What is missed at
    once in state s is Σ_a π_i(a|s) (V*(s) - Q*(s, a)), and the regret is what is missed from s
    on, discounted (Kakade & Langford 2002, the performance difference): no term is negative, and
    who plays best responses only has regret 0 exactly.
    """
    pi = game.policies(policies)
    return np.stack([_regrets_of(game, pi, i) for i in range(game.num_players)])


def _regrets_of(game: MarkovGame, pi: Profile, i: int) -> Array:
    """(S,), the regrets of player i."""
    mdp = induced_mdp(game, pi, i)
    q_best = mdp.action_values(solve_mdp(mdp).values)
    missed = ((q_best.max(axis=1, keepdims=True) - q_best) * pi[i]).sum(axis=1)
    chain = np.einsum("sa,sat->st", pi[i], mdp.transition)
    return np.maximum(discounted_sum(chain, mdp.gamma, missed), 0.0)  # (1.17)


def policy_regrets(game: MarkovGame, policies: Sequence[Any]) -> Array:
    """max_{π_i} J_i(π_i, π_-i) - J_i(π) of every player, shape (n,), ≥ 0; Eq. (1.17).

    Examples
    --------
    >>> from refmarl.games import NormalForm
    >>> from refmarl.games.markov import repeated
    >>> game = repeated(NormalForm.zero_sum([[1, -1], [-1, 1]]), 0.5)
    >>> print(policy_regrets(game, ([[1, 0]], [[1, 0]])))
    [0. 4.]
    """
    found: Array = state_regrets(game, policies) @ game.initial
    return found


def policy_nash_conv(game: MarkovGame, policies: Sequence[Any]) -> float:
    """Sum of the players' regrets: 0 at Nash equilibria in policies, positive elsewhere."""
    return float(policy_regrets(game, policies).sum())
