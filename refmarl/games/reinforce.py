"""The sampled multi-agent policy gradient (REINFORCE), and its exact mean and variance.

    g_i = Σ_t γ^t ∇_{θ_i} log π_i(a_i,t | o_i,t) (G_i,t - b_i,t(s_t, a_-i,t))    (1.14)

for one play of T rounds, with G_i,t = Σ_{k=t}^{T-1} γ^{k-t} r_i,k. Its expectation is the gradient
of Σ_{t<T} γ^t r_i,t for any baseline b_i that does not depend on the own action; the variance
depends much on it. Plays of small games can be listed with their probabilities: mean and variance
of any such estimator are then finite sums, and nothing about them needs to be believed.

R. Williams 1992 (REINFORCE); E. Greensmith, P. Bartlett, J. Baxter 2004 (baselines and variance);
J. Foerster et al. 2018 (a baseline for each agent that averages over its own actions).

Axes: n players, S states, A_i actions and O_i observations of player i, B plays, T rounds.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError, Profile
from ..kernels._jit import kernel
from .markov import MarkovGame
from .policy_gradient import (
    MAX_HORIZON,
    Ints,
    course,
    joint_policy,
    joint_values,
    readings,
    softmax,
    softmax_policies,
)

RETURNS = ("to-go", "total")


class Plays(NamedTuple):
    """B plays of T rounds. ``actions`` and ``rewards`` have the player first."""

    states: Ints  # s_t, (B, T)
    actions: Ints  # a_i,t, (n, B, T)
    rewards: Array  # R_i(s_t, a_t), (n, B, T)


class Estimate(NamedTuple):
    """A mean over plays."""

    values: Array  # of J_i, (n,)
    gradient: Profile  # of ∇_{θ_i} J_i, (O_i, A_i) for each player
    errors: Profile  # the standard errors of these, infinite for a single play


class Moments(NamedTuple):
    """Exact expectation and variance of the estimate from one play."""

    mean: Profile  # (O_i, A_i) for each player
    variance: Profile  # of each entry; n independent plays have 1/n of it


def sample_plays(
    game: MarkovGame,
    policies: Sequence[Any],
    rng: np.random.Generator,
    plays: int,
    horizon: int,
) -> Plays:
    """Independent plays of ``horizon`` rounds, all at once: no loop over plays.

    Raises
    ------
    InputError
        If a policy or a number is not usable.

    Examples
    --------
    >>> from refmarl.games.markov_examples import repeated_dilemma
    >>> game = repeated_dilemma(0.5)
    >>> found = sample_plays(game, game.pure([[0], [1]]), np.random.default_rng(0), 4, 3)
    >>> found.rewards[:, 0]
    array([[0., 0., 0.],
           [5., 5., 5.]])
    """
    pi, rng = game.policies(policies), check.generator(rng)
    size, rounds = check.positive(plays, "plays"), check.positive(horizon, "horizon", MAX_HORIZON)
    n = game.num_players
    check.size_cap((n, size, rounds), "plays")
    own, moves = [_cumulative(p) for p in pi], _cumulative(game.transition)
    states = np.zeros((size, rounds), dtype=np.intp)
    actions = np.zeros((n, size, rounds), dtype=np.intp)
    s = _drawn(_cumulative(game.initial), np.zeros(size, dtype=np.intp), rng)
    for t in range(rounds):
        states[:, t] = s
        for i in range(n):
            actions[i, :, t] = _drawn(own[i], s, rng)
        if t < rounds - 1:
            cells = np.ravel_multi_index((s, *actions[:, :, t]), game.reward.shape[1:])
            s = _drawn(moves, cells, rng)
    return Plays(states, actions, _rewards(game, states, actions))


def _cumulative(rows: Array) -> Array:
    """Sums of the probabilities so far, the last 1 exactly; all axes but the last in one."""
    total = rows.reshape(-1, rows.shape[-1]).cumsum(axis=-1)
    found: Array = total / total[:, -1:]
    return found


def _drawn(cumulative: Array, rows: Ints, rng: np.random.Generator) -> Ints:
    """An index for each of ``rows`` (B,), with the probabilities of that row."""
    found = np.zeros(len(rows), dtype=np.intp)
    pick(cumulative, rows, rng.random(len(rows)), found)
    return found


@kernel
def pick(cumulative: Array, rows: Ints, uniforms: Array, found: Ints) -> None:
    """Write into ``found`` (B,) the first column whose entry exceeds the uniform."""
    for b in range(len(rows)):
        low, high = 0, cumulative.shape[1] - 1
        while low < high:
            middle = (low + high) // 2
            if cumulative[rows[b], middle] > uniforms[b]:
                high = middle
            else:
                low = middle + 1
        found[b] = low


def _rewards(game: MarkovGame, states: Ints, actions: Ints) -> Array:
    """(n, B, T)."""
    found: Array = game.reward[(slice(None), states, *actions)]
    return found


def enumerate_plays(game: MarkovGame, policies: Sequence[Any], horizon: int) -> tuple[Plays, Array]:
    """Every play of positive probability, and the probabilities (B,), which sum to 1.

    Raises
    ------
    InputError
        If a policy or the horizon is not usable, or there are too many plays.

    Examples
    --------
    >>> from refmarl.games.markov_examples import repeated_dilemma
    >>> game = repeated_dilemma(0.5)
    >>> plays, probability = enumerate_plays(game, ([[0.25, 0.75]], [[0, 1]]), 2)
    >>> plays.actions[0].tolist(), probability.tolist()
    ([[0, 0], [0, 1], [1, 0], [1, 1]], [0.0625, 0.1875, 0.1875, 0.5625])
    """
    pi, rounds = game.policies(policies), check.positive(horizon, "horizon", MAX_HORIZON)
    n, joint = game.num_players, joint_policy(pi).reshape(game.num_states, -1)
    past = np.zeros((1 + n, 1, 0), dtype=np.intp)  # of each play: states, then all actions
    moves = game.initial[None]
    cell, probability = np.zeros(1, dtype=np.intp), np.ones(1)
    for t in range(rounds):
        play, now, p = _branches(moves, cell, n * (t + 1))
        past, probability = past[:, play], probability[play] * p
        play, chosen, p = _branches(joint, now, n * (t + 1))
        here = np.stack([now[play], *np.unravel_index(chosen, game.num_actions)])
        past = np.concatenate([past[:, play], here[:, :, None]], axis=2)
        probability = probability[play] * p
        moves = game.transition.reshape(-1, game.num_states)
        cell = now[play] * joint.shape[1] + chosen
    states, actions = past[0], past[1:]
    return Plays(states, actions, _rewards(game, states, actions)), probability


def _branches(table: Array, rows: Ints, each: int) -> tuple[Ints, Ints, Array]:
    """(k, column, entry) of every positive entry of the row ``table[rows[k]]``, for all k."""
    positive = table > 0.0
    check.size_cap((int(positive.sum(axis=1)[rows].sum()), each), "plays")
    k, column = np.nonzero(positive[rows])
    return k, column, table[rows[k], column]


def play_gradients(
    game: MarkovGame,
    logits: Sequence[Any],
    plays: Plays,
    observe: Any = None,
    baselines: Sequence[Any] | None = None,
    returns: str = "to-go",
) -> Profile:
    """g_i (B, O_i, A_i) of each player and play, Eq. (1.14); their means are unbiased.

    Parameters
    ----------
    logits, observe : as in :func:`~refmarl.games.policy_gradient.policy_gradient`
    plays : drawn with the policies of these logits
    baselines : n tables, float (S, K_1, …, K_n) or (T, S, K_1, …, K_n), optional
        b_i(s, a_-i). Each K_j is A_j or 1, which is for "any"; K_i, of the own action, must be 1.
    returns : "to-go" or "total"
        Rewards from round t on, or those before it, too: they average to zero, with more variance.

    Raises
    ------
    InputError
        If a table has the wrong shape, or a baseline depends on the own action.

    Examples
    --------
    >>> from refmarl.games import NormalForm
    >>> from refmarl.games.markov import repeated
    >>> game = repeated(NormalForm.bimatrix([[4, 0], [0, 0]], [[4, 0], [0, 0]]), 0.0)
    >>> plays, _ = enumerate_plays(game, game.uniform(), 1)
    >>> print(play_gradients(game, [[[0, 0]], [[0, 0]]], plays)[0][:, 0])
    [[ 2. -2.]
     [ 0.  0.]
     [ 0.  0.]
     [ 0.  0.]]
    """
    theta, seen = readings(game, logits, observe)
    size = len(_fitting(game, plays).states)
    gains = _gains(game, plays, returns)
    if baselines is not None:
        gains -= _baselines(game, plays, baselines)
    found = []
    for i, (x, o) in enumerate(zip(theta, seen, strict=True)):
        check.size_cap((size, *x.shape), "plays")
        cell = (np.arange(size)[:, None] * len(x) + o[plays.states]) * x.shape[1] + plays.actions[i]
        chosen = np.bincount(cell.ravel(), gains[i].ravel(), size * x.size)
        total = chosen.reshape(size, *x.shape)
        found.append(total - softmax(x) * total.sum(axis=2, keepdims=True))  # (1.14), 1[b=a] - π(b)
    return tuple(found)


def _fitting(game: MarkovGame, plays: Plays) -> Plays:
    """``plays``, if they can be of this game."""
    states, actions = plays.states, plays.actions
    shape = (game.num_players, *states.shape)
    limits = [(states, game.num_states), *zip(actions, game.num_actions, strict=False)]
    if states.ndim != 2 or states.size == 0 or {actions.shape, plays.rewards.shape} != {shape}:
        raise InputError(f"plays: need states (B, T), not none, and {game.num_players} players")
    if any(x.min() < 0 or x.max() >= size for x, size in limits):
        raise InputError("plays: a state or an action that the game has not")
    return plays


def _gains(game: MarkovGame, plays: Plays, returns: str) -> Array:
    """What each action is credited with, discounted to the first round: (n, B, T)."""
    if returns not in RETURNS:
        raise InputError(f"returns: need one of {', '.join(RETURNS)}, got {returns!r}")
    paid = plays.rewards * game.gamma ** np.arange(plays.states.shape[1])
    if returns == "total":
        return np.repeat(paid.sum(axis=-1, keepdims=True), paid.shape[-1], axis=-1)
    found: Array = paid[..., ::-1].cumsum(axis=-1)[..., ::-1]
    return np.ascontiguousarray(found)


def _baselines(game: MarkovGame, plays: Plays, baselines: Sequence[Any]) -> Array:
    """γ^t b_i(s_t, a_-i,t), (n, B, T)."""
    n, rounds = game.num_players, plays.states.shape[1]
    if len(baselines) != n:
        raise InputError(f"baselines: need {n} tables, got {len(baselines)}")
    found = np.zeros(plays.rewards.shape)
    for i, given in enumerate(baselines):
        table = check.real_array(given, f"baseline of player {i}")
        table = table[None] if table.ndim == n + 1 else table
        sizes = tuple(1 if j == i else k for j, k in enumerate(game.num_actions))
        fits = table.ndim == n + 2 and table.shape[:2] in (
            (1, game.num_states), (rounds, game.num_states),
        )  # fmt: skip
        if not fits or any(k not in (1, a) for k, a in zip(table.shape[2:], sizes, strict=True)):
            raise InputError(
                f"baseline of player {i}: need shape {(game.num_states, *sizes)}, 1 for any "
                f"action, perhaps with {rounds} rounds before it; got {np.shape(given)}"
            )
        full = np.broadcast_to(table, (rounds, game.num_states, *sizes))
        others = [0 if j == i else plays.actions[j] for j in range(n)]
        found[i] = full[(np.arange(rounds), plays.states, *others)]
    found *= game.gamma ** np.arange(rounds)
    return found


def reinforce(
    game: MarkovGame,
    logits: Sequence[Any],
    plays: Plays,
    observe: Any = None,
    baselines: Sequence[Any] | None = None,
    returns: str = "to-go",
) -> Estimate:
    """J_i and ∇_{θ_i} J_i of T rounds, estimated from plays; for arguments see play_gradients.

    Examples
    --------
    >>> from refmarl.games import NormalForm
    >>> from refmarl.games.markov import repeated
    >>> game = repeated(NormalForm.bimatrix([[4, 0], [0, 0]], [[4, 0], [0, 0]]), 0.0)
    >>> plays = sample_plays(game, game.uniform(), np.random.default_rng(0), 1000, 1)
    >>> found = reinforce(game, [[[0, 0]], [[0, 0]]], plays)
    >>> bool(abs(found.gradient[0][0, 0] - 0.5) < 5 * found.errors[0][0, 0])
    True
    """
    each = play_gradients(game, logits, plays, observe, baselines, returns)
    count = len(plays.states)
    errors = tuple(
        g.std(axis=0, ddof=1) / np.sqrt(count) if count > 1 else np.full(g.shape[1:], np.inf)
        for g in each
    )
    values = _gains(game, plays, "to-go")[..., 0].mean(axis=1)
    return Estimate(values, tuple(g.mean(axis=0) for g in each), errors)


def estimator_moments(
    game: MarkovGame,
    logits: Sequence[Any],
    horizon: int,
    observe: Any = None,
    baselines: Sequence[Any] | None = None,
    returns: str = "to-go",
) -> Moments:
    """Expectation and variance of the estimate from one play, by going through all plays.

    Examples
    --------
    >>> from refmarl.games import NormalForm
    >>> from refmarl.games.markov import repeated
    >>> game = repeated(NormalForm.bimatrix([[4, 0], [0, 0]], [[4, 0], [0, 0]]), 0.0)
    >>> found = estimator_moments(game, [[[0, 0]], [[0, 0]]], 1)
    >>> print(found.mean[0], found.variance[0])
    [[ 0.5 -0.5]] [[0.75 0.75]]
    """
    policies = softmax_policies(game, logits, observe)
    plays, probability = enumerate_plays(game, policies, horizon)
    each = play_gradients(game, logits, plays, observe, baselines, returns)
    return moments_of(each, probability)


def moments_of(each: Profile, probability: Array) -> Moments:
    """Mean and variance of gradients (B, O_i, A_i) of plays with these probabilities (B,)."""
    mean = tuple(np.tensordot(probability, g, axes=1) for g in each)
    spread = ((g - m) ** 2 for g, m in zip(each, mean, strict=True))
    return Moments(mean, tuple(np.tensordot(probability, x, axes=1) for x in spread))


def value_baselines(
    game: MarkovGame, logits: Sequence[Any], horizon: int, observe: Any = None
) -> Profile:
    """b_i = V_i,t(s), what is still to come on average: (T, S, 1, …, 1) for each player."""
    pi = softmax_policies(game, logits, observe)
    _, after, first = course(game, pi, horizon)
    values = np.concatenate([first[None], after[:-1]])  # (T, n, S)
    shape = (len(values), game.num_states, *(1,) * game.num_players)
    return tuple(values[:, i].reshape(shape) for i in range(game.num_players))


def counterfactual_baselines(
    game: MarkovGame, logits: Sequence[Any], horizon: int, observe: Any = None
) -> Profile:
    """b_i = Σ_{a_i} π_i(a_i|o_i) Q_i,t(s, a), the others' actions as they are (Foerster 2018).

    Shapes (T, S, A_1, …, 1, …, A_n), the 1 in the place of the own action.
    """
    pi = softmax_policies(game, logits, observe)
    _, after, _ = course(game, pi, horizon)
    check.size_cap((len(after), *game.reward.shape), "horizon")
    found = []
    for i, p in enumerate(pi):
        worth = joint_values(game, i, after[:, i])  # (T, S, A_1, …, A_n)
        own = np.ones(game.num_players, dtype=int)
        own[i] = p.shape[1]
        found.append((worth * p.reshape(len(p), *own)).sum(axis=i + 2, keepdims=True))
    return tuple(found)
