r"""Central critics and what they do to the policy gradient, exact on games that can be listed.

    Q_i^π(s, a) = R_i(s, a) + γ Σ_s' P(s'|s, a) V_i^π(s')
    E = Σ_s d(s) Σ_a π(a|s) ∇_{θ_i} log π_i(a_i|o_i(s)) w(s, a)                          (2.1)

with d(s) = Σ_t γ^t P(s_t = s) and any weights w: Q_i itself, Q_i − V_i, COMA's A_i (2.6), or what
an independent critic knows, Q_i(o_i, a_i). Nothing is sampled: means and variances are sums over
all joint actions. Policies are softmax in tables of logits (:mod:`refmarl.games.policy_gradient`).

One sampled step is a state drawn with probability d(s) / Σ d and a joint action from π; its
estimate is X = Σ d · ∇ log π_i(a_i|o_i) (w(s, a) + ε) with noise ε of variance ``noise`` (rewards
that vary, returns that were sampled). E X is the sum above. Whole plays and ways to credit them
are listed in :mod:`refmarl.cooperative.credit`.

Axes: n agents, S states, A_i actions and O_i observations of agent i.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError, Profile, player
from ..games.markov import MarkovGame, evaluate
from ..games.policy_gradient import joint_policy, joint_values, occupancy, readings, softmax


class StepMoments(NamedTuple):
    """Of one sampled step's estimate for one agent."""

    mean: Array  # E X, (O_i, A_i)
    variance: Array  # of each number of X, (O_i, A_i)


def joint_action_values(game: MarkovGame, policies: Sequence[Any]) -> Array:
    """Q_i^π(s, a) of all agents, (n, S, A_1, …, A_n).

    Examples
    --------
    >>> from refmarl.games import NormalForm
    >>> from refmarl.games.markov import repeated
    >>> game = repeated(NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]]), 0.5)
    >>> print(joint_action_values(game, ([[1, 0]], [[1, 0]]))[0, 0])
    [[4. 2.]
     [2. 3.]]
    """
    values = evaluate(game, policies)
    return np.concatenate([joint_values(game, i, v[None]) for i, v in enumerate(values)])


def expected_step(
    game: MarkovGame,
    logits: Sequence[Any],
    i: int,
    weights: Any,
    observe: Any = None,
    visits: Any = None,
    noise: Any = 0.0,
) -> StepMoments:
    """Mean and variance of one step's estimate of (2.1) with the weights w (S, A_1, …, A_n).

    Parameters
    ----------
    logits, observe : as in :func:`~refmarl.games.policy_gradient.policy_gradient`
    i : whose gradient
    weights : float (S, A_1, …, A_n)
    visits : float (S,), how much each state counts; None for d(s), which has γ^t in it as (2.1)
        says. Without γ^t it is how often a state is met, and the mean is biased for γ < 1.
    noise : variance of what is added to w, broadcast to its shape

    Raises
    ------
    InputError
        If a shape does not fit or there is no agent i.
    """
    theta, seen = readings(game, logits, observe)
    i = player(i, game.num_players)
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != game.reward.shape[1:]:
        raise InputError(f"weights: need shape {game.reward.shape[1:]}, got {w.shape}")
    pi = tuple(softmax(x)[o] for x, o in zip(theta, seen, strict=True))
    visits = _met(game, pi, visits)
    chance = (visits / visits.sum()).reshape(-1, *(1,) * game.num_players) * joint_policy(pi)
    others = tuple(1 + j for j in range(game.num_players) if j != i)
    first = (chance * w).sum(axis=others)  # (S, A_i): per state and own action
    second = (chance * (w * w + noise)).sum(axis=others)
    score = np.eye(pi[i].shape[1]) - pi[i][:, None, :]  # ∇ log π (S, A_i, A_i)
    mean, square = np.zeros_like(theta[i]), np.zeros_like(theta[i])
    total = visits.sum()
    np.add.at(mean, seen[i], total * np.einsum("sa,sab->sb", first, score))  # (2.1)
    np.add.at(square, seen[i], total**2 * np.einsum("sa,sab->sb", second, score**2))
    return StepMoments(mean, square - mean**2)


def _met(game: MarkovGame, pi: Profile, visits: Any) -> Array:
    """How much each state counts, (S,)."""
    if visits is None:
        return occupancy(game, pi)
    found = check.real_array(visits, "visits", 1)
    if found.shape != game.initial.shape or (found < 0.0).any() or not found.any():
        need = f"{game.num_states} numbers ≥ 0, not all 0"
        raise InputError(f"visits: need {need}, got {np.asarray(visits).tolist()}")
    return found
