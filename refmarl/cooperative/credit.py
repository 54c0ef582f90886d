"""The credit-assignment laboratory: who is paid for what, with exact mean and variance  [+].

A team has one reward G. REINFORCE works with whatever number g_i,t each agent is credited with,

    ĝ_i = Σ_t γ^t ∇_{θ_i} log π_i(a_i,t | o_i,t) (Σ_{k≥t} γ^{k−t} r_i,k − b_i,t)

and the ways to credit differ in the rewards r_i or in the baseline b_i:

    team             r_i = G, b_i = 0
    value            r_i = G, b_i = V_t(s)
    counterfactual   r_i = G, b_i = Σ_{a_i'} π_i Q_t(s, (a_-i, a_i')), COMA's             (2.6)
    default          r_i = G, b_i = Q_t(s, (a_-i, c_i)): the difference (2.10) of returns
    shaped           r_i = r' with Φ_t = V_t, and 0 after the last round                  (2.9)
    difference       r_i = D_i of each round, b_i = 0                                     (2.10)
    aristocrat       r_i = U_i of each round, b_i = 0
    shapley          r_i = agent i's Shapley value of G(s, a) − G(s, c), b_i = 0

The first five estimate ∇J without bias, in every game. The others do so in games of one round
(Shapley's only where G is a sum of own parts, or the others are at their defaults): over several
rounds what they subtract depends on states that the agent has brought about.

Games are small: every play is listed with its probability, and nothing is sampled. Of a single
step with any critic's weights, over all rounds: :mod:`refmarl.cooperative.enumerated`.

D. Wolpert, K. Tumer 2001; J. Foerster et al. 2018; L. Shapley 1953; J. Wang et al. 2020 (Shapley
credit in teams that learn).

Axes: n agents, S states, A_i actions and O_i observations of agent i, B plays, T rounds.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from math import factorial
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError, Profile
from ..games.markov import MarkovGame
from ..games.policy_gradient import (
    course,
    joint_values,
    policy_gradient,
    softmax_policies,
)
from ..games.reinforce import (
    Moments,
    Plays,
    counterfactual_baselines,
    enumerate_plays,
    estimator_moments,
    moments_of,
    play_gradients,
    value_baselines,
)
from .difference import aristocrat_utilities, difference_rewards
from .shaping import shaped_reward

MAX_AGENTS = 12  # of Shapley's credit: 2^n coalitions


class Credit(NamedTuple):
    """Exact moments of the estimate from one play, and how far its mean is from ∇J."""

    mean: Profile  # (O_i, A_i) for each agent
    variance: Profile  # of each entry
    bias: Profile  # mean − ∇_{θ_i} J

    @property
    def total_variance(self) -> float:
        """Summed over all entries of all agents."""
        return float(sum(v.sum() for v in self.variance))

    @property
    def total_bias(self) -> float:
        """How far the mean is from the truth, over all entries of all agents."""
        return float(np.sqrt(sum((b**2).sum() for b in self.bias)))


class Setting(NamedTuple):
    """What is credited: a team, its policies, how long it plays, and what counts as nothing."""

    game: MarkovGame
    logits: tuple[Any, ...]
    horizon: int
    observe: Any
    defaults: tuple[int, ...]

    @property
    def policies(self) -> Profile:
        """π_i(a|s), (S, A_i)."""
        return softmax_policies(self.game, self.logits, self.observe)

    @property
    def team(self) -> Array:
        """G, (S, A_1, …, A_n)."""
        found: Array = self.game.reward[0]
        return found


def shapley_credits(team: Any, defaults: Sequence[int]) -> Array:
    """Every agent's Shapley value of the coalition game v(C) = G(a_C, c_-C), (n, …, A_1, …, A_n).

    Of each joint action a: who is in the coalition C plays its part of a, the others their
    defaults. The values add up to G(a) − G(c).

    Parameters
    ----------
    team : float (…, A_1, …, A_n)
        G; leading axes stay.
    defaults : n action indices from 0
        c_i, n ≤ 12.

    Raises
    ------
    InputError
        As :func:`~refmarl.cooperative.difference.difference_rewards` does, and for more agents.

    Examples
    --------
    Two carriers, and both are needed: each gets half.

    >>> print(shapley_credits([[0, 0], [0, 1]], [0, 0])[:, 1, 1])
    [0.5 0.5]
    """
    n = check.positive(len(defaults), "agents", MAX_AGENTS)
    reward = check.real_array(team, "team")
    difference_rewards(reward, defaults)  # its checks
    first, everybody = reward.ndim - n, frozenset(range(n))
    worth: dict[frozenset[int], Array] = {}
    for size in range(n + 1):
        for members in map(frozenset, combinations(range(n), size)):
            value = reward
            for i in everybody - members:
                value = value.take([defaults[i]], axis=first + i)
            worth[members] = value
    found = np.zeros((n, *reward.shape))
    for members, value in worth.items():
        share = factorial(len(members)) * factorial(n - len(members) - 1) if len(members) < n else 0
        for i in everybody - members:
            found[i] += share / factorial(n) * (worth[members | {i}] - value)
    return found


def credit_moments(
    game: MarkovGame,
    logits: Sequence[Any],
    horizon: int,
    method: str = "team",
    observe: Any = None,
    defaults: Sequence[int] | None = None,
) -> Credit:
    """Mean, variance and bias of the estimate from one play, by going through all plays.

    Parameters
    ----------
    game : MarkovGame
        With the same rewards for all.
    logits, observe : as in :func:`~refmarl.games.policy_gradient.policy_gradient`
    horizon : int ≥ 1
    method : one of ``METHODS``
    defaults : n action indices, optional
        c_i; 0 for everybody if not given.

    Raises
    ------
    InputError
        If agents differ in their rewards, there is no such method, or there are too many plays.

    Examples
    --------
    Two agents, G = a_1 + a_2, both even: COMA's credit does not vary at all.

    >>> from refmarl.games import NormalForm
    >>> from refmarl.games.markov import repeated
    >>> game = repeated(NormalForm([[[0, 1], [1, 2]]] * 2), 0.0)
    >>> for method in ("team", "counterfactual"):
    ...     print(method, credit_moments(game, [[[0, 0]]] * 2, 1, method).total_variance)
    team 1.25
    counterfactual 0.0
    """
    if method not in METHODS:
        raise InputError(f"method: need one of {', '.join(METHODS)}, got {method!r}")
    check.instance(game, MarkovGame, "game")
    if not (game.reward == game.reward[0]).all():
        raise InputError("game: need the same rewards for all agents")
    c = tuple(defaults) if defaults is not None else (0,) * game.num_players
    if len(c) != game.num_players:
        raise InputError(f"defaults: need {game.num_players} actions, got {len(c)}")
    given = Setting(game, tuple(logits), horizon, observe, c)
    found = METHODS[method](given)
    truth = policy_gradient(game, logits, observe, horizon).gradient
    bias = tuple(m - g for m, g in zip(found.mean, truth, strict=True))
    return Credit(found.mean, found.variance, bias)


def compare_credits(
    game: MarkovGame,
    logits: Sequence[Any],
    horizon: int,
    observe: Any = None,
    defaults: Sequence[int] | None = None,
) -> dict[str, Credit]:
    """All methods on one game; arguments and errors as in :func:`credit_moments`."""
    return {m: credit_moments(game, logits, horizon, m, observe, defaults) for m in METHODS}


# -- the methods ------------------------------------------------------------------------


def _moments(given: Setting, baselines: Sequence[Any] | None = None) -> Moments:
    game, logits, horizon, observe, _ = given
    return estimator_moments(game, logits, horizon, observe, baselines)


def _paid(given: Setting, reward: Array) -> Moments:
    """With rewards (n, S, A_1, …, A_n) in place of the team's."""
    return _moments(given._replace(game=replace(given.game, reward=reward)))


def _value(given: Setting) -> Moments:
    game, logits, horizon, observe, _ = given
    return _moments(given, value_baselines(game, logits, horizon, observe))


def _counterfactual(given: Setting) -> Moments:
    game, logits, horizon, observe, _ = given
    return _moments(given, counterfactual_baselines(game, logits, horizon, observe))


def _default(given: Setting) -> Moments:
    """b_i = Q_t(s, (a_-i, c_i)), of shapes (T, S, A_1, …, 1, …, A_n)."""
    game = given.game
    _, after, _ = course(game, given.policies, given.horizon)
    q = joint_values(game, 0, after[:, 0])  # (T, S, A_1, …, A_n)
    each = enumerate(given.defaults)
    return _moments(given, [q.take([c], axis=2 + i) for i, c in each])


def _difference(given: Setting) -> Moments:
    return _paid(given, difference_rewards(given.team, given.defaults))


def _aristocrat(given: Setting) -> Moments:
    return _paid(given, aristocrat_utilities(given.team, given.policies))


def _shapley(given: Setting) -> Moments:
    return _paid(given, shapley_credits(given.team, given.defaults))


def _shaped(given: Setting) -> Moments:
    """Φ_t(s) = V_t(s), what is still to come on average; nothing is after the last round."""
    game, logits, horizon, observe, _ = given
    plays, probability = enumerate_plays(game, given.policies, horizon)
    phi = value_baselines(game, logits, horizon, observe)[0].reshape(horizon, -1)  # (T, S)
    now = phi[np.arange(horizon), plays.states]  # (B, T)
    then = np.concatenate([now[:, 1:], np.zeros_like(now[:, :1])], axis=1)
    over = np.arange(horizon) == horizon - 1
    reward = shaped_reward(plays.rewards, now, then, over, game.gamma)
    shaped = Plays(plays.states, plays.actions, reward)
    return moments_of(play_gradients(game, logits, shaped, observe), probability)


METHODS: dict[str, Callable[[Setting], Moments]] = {
    "team": _moments,
    "value": _value,
    "counterfactual": _counterfactual,
    "default": _default,
    "shaped": _shaped,
    "difference": _difference,
    "aristocrat": _aristocrat,
    "shapley": _shapley,
}
