"""The policy gradient of several agents, exact on games whose states can be listed (course §1.1).

    ∇_{θ_i} J_i = E[ Σ_t γ^t ∇_{θ_i} log π_i(a_i,t | o_i,t) A_i^t ]            (1.14)

with A_i^t = Q_i(s_t, a_t) - V_i(s_t) the advantage of the *joint* action. J_i depends on the
parameters of all agents, and the gradient of any J_i with respect to any θ_j reads the same with
θ_j, π_j, a_j, o_j in place of agent i's. Expected over the paths of the game it is a finite sum,

    Σ_s d(s) Σ_b π_j(b | o_j(s)) ∇_{θ_j} log π_j(b | o_j(s)) Q_i^j(s, b)

where d(s) = Σ_t γ^t P(s_t = s), and Q_i^j(s, b) averages Q_i over what the agents other than j do,
who draw their actions independently given their observations. To add to Q_i what does not depend
on a_j changes nothing, because scores average to zero.

Policies are softmax in tables of logits, π_j(b|o) = exp θ_j(o, b) / Σ_b' exp θ_j(o, b'), and agent
j sees the number o_j(s) of an observation, by default the state itself. Different states may look
the same. Noise in what is seen belongs into the state, and so does what is remembered:
:mod:`refmarl.games.histories` makes games whose observations are histories.

R. Williams 1992; R. Sutton, D. McAllester, S. Singh, Y. Mansour 2000; several agents: L. Peshkin,
K.-E. Kim, N. Meuleau, L. Kaelbling 2000. On γ^t: P. Thomas 2014, C. Nota & P. Thomas 2020.

Axes: n players, S states, A_i actions and O_i observations of player i, T rounds.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, InputError, Profile
from ._tables import discounted_sum
from .markov import MarkovGame, average_actions, joint_dynamics

Ints = NDArray[np.intp]
MAX_HORIZON = 1_000_000


class Gradient(NamedTuple):
    """Values, and how they change with the logits."""

    values: Array  # J_i, (n,)
    gradient: Profile  # of each player j: ∇_{θ_j} J_j, (O_j, A_j), or of all J_i, (n, O_j, A_j)


class SharedGradient(NamedTuple):
    """Values, and how they change with one table of logits that all players use."""

    values: Array  # J_i, (n,)
    gradient: Array  # ∇_θ J_i, (n, O, A)


def softmax(logits: Array) -> Array:
    """exp θ / Σ exp θ over the last axis, whatever the size of the logits."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: Array = weights / weights.sum(axis=-1, keepdims=True)
    return found


def softmax_policies(game: MarkovGame, logits: Sequence[Any], observe: Any = None) -> Profile:
    """π_i(a|o_i(s)) in every state, (S, A_i) for each player: policies as the game takes them.

    Parameters
    ----------
    logits : n tables, float (O_i, A_i)
        θ_i(o, a)
    observe : n rows of integers (S,)
        o_i(s) in 0..O_i - 1; None if everybody sees the state

    Raises
    ------
    InputError
        If a table has the wrong shape or an observation has no row in it.

    Examples
    --------
    >>> game = MarkovGame(np.ones((2, 1, 2, 2)) / 2, np.zeros((2, 2, 1, 2)), 0.5)
    >>> policies = softmax_policies(game, [[[0]], [[0, np.log(3)]]], [[0, 0], [0, 0]])
    >>> print(policies[1])
    [[0.25 0.75]
     [0.25 0.75]]
    """
    theta, seen = readings(game, logits, observe)
    return tuple(softmax(x)[o] for x, o in zip(theta, seen, strict=True))


def joint_policy(policies: Profile) -> Array:
    """Π_j π_j(a_j|s), (S, A_1, …, A_n), from π_j (S, A_j)."""
    found: Array = np.ones(len(policies[0]))
    for pi in policies:
        found = found[..., None] * pi.reshape(len(pi), *(1,) * (found.ndim - 1), -1)
    return found


def readings(
    game: MarkovGame, logits: Sequence[Any], observe: Any
) -> tuple[Profile, tuple[Ints, ...]]:
    """(θ_i (O_i, A_i), o_i (S,)) of every player, checked against the game."""
    check.instance(game, MarkovGame, "game")
    check.several(logits, "logits", "a table for each player")
    seen = observations(game, observe)
    if len(logits) != game.num_players:
        raise InputError(f"logits: need {game.num_players} tables, got {len(logits)}")
    theta = []
    for i, (x, o, k) in enumerate(zip(logits, seen, game.num_actions, strict=True)):
        table = check.real_array(x, f"logits of player {i}", 2)
        if table.shape[1] != k or len(table) <= o.max():
            raise InputError(
                f"logits of player {i}: need {o.max() + 1} or more rows of {k}, "
                f"got shape {table.shape}"
            )
        if np.abs(table).max() > check.MAX_PAYOFF:
            raise InputError(f"logits of player {i}: larger than {check.MAX_PAYOFF:g}")
        theta.append(table)
    return tuple(theta), seen


def observations(game: MarkovGame, observe: Any) -> tuple[Ints, ...]:
    """What every player sees in each state, n rows (S,) of numbers from 0; None: the state."""
    n, num_states = game.num_players, game.num_states
    if observe is None:
        return (np.arange(num_states),) * n
    if len(observe) != n:
        raise InputError(f"observe: need {n} rows, got {len(observe)}")
    rows = []
    for i, row in enumerate(observe):
        o = check.real_array(row, f"observe of player {i}", 1)
        if o.shape != (num_states,) or (o < 0).any() or (o != np.floor(o)).any():
            raise InputError(
                f"observe of player {i}: need a whole number ≥ 0 for each of {num_states} "
                f"states, got {np.asarray(row).tolist()}"
            )
        rows.append(o.astype(np.intp))
    return tuple(rows)


def occupancy(game: MarkovGame, policies: Sequence[Any], horizon: int | None = None) -> Array:
    """d(s) = Σ_t γ^t P(s_t = s), shape (S,), over all rounds or over ``horizon`` of them.

    Examples
    --------
    >>> there_and_back = np.array([[[0, 1]], [[1, 0]]])
    >>> game = MarkovGame(there_and_back, np.zeros((1, 2, 1)), 0.5, initial=[1, 0])
    >>> print(occupancy(game, game.uniform(), horizon=2))
    [1.  0.5]
    """
    weights, _, _ = course(game, game.policies(policies), horizon)
    visits: Array = weights.sum(axis=0)
    return visits


def course(game: MarkovGame, pi: Profile, horizon: int | None) -> tuple[Array, Array, Array]:
    """(γ^t P(s_t = s) (T, S), what follows round t (T, n, S), V_i(s) at t = 0 (n, S)).

    Without a horizon nothing depends on t, and T is 1: the first array is the sum over all t.
    """
    chain, reward = joint_dynamics(game, pi)
    if horizon is None:
        visits = discounted_sum(chain.T, game.gamma, game.initial)
        values = discounted_sum(chain, game.gamma, reward.T).T
        return visits[None], values[None], values
    rounds = check.positive(horizon, "horizon", MAX_HORIZON)
    check.size_cap((rounds, game.num_players, game.num_states), "horizon")
    weights = np.zeros((rounds, game.num_states))
    after = np.zeros((rounds + 1, *reward.shape))  # after[t] is worth V from round t on
    weights[0] = game.initial
    for t in range(1, rounds):
        weights[t] = game.gamma * weights[t - 1] @ chain
    for t in reversed(range(rounds)):
        after[t] = reward + game.gamma * after[t + 1] @ chain.T
    return weights, after[1:], after[0]


def joint_values(game: MarkovGame, i: int, after: Array) -> Array:
    """Q_i(s, a) = R_i(s, a) + γ Σ_s' P(s'|s, a) V_i(s') for each V_i of ``after`` (T, S).

    Shape (T, S, A_1, …, A_n).
    """
    future = np.moveaxis(game.transition @ after.T, -1, 0)
    found: Array = game.reward[i] + game.gamma * future
    return found


def policy_gradient(
    game: MarkovGame, logits: Sequence[Any], observe: Any = None, horizon: int | None = None
) -> Gradient:
    """J_i and ∇_{θ_i} J_i of every player, Eq. (1.14), without sampling: one linear solve.

    Parameters
    ----------
    logits : n tables, float (O_i, A_i)
        θ_i(o, a) of softmax policies
    observe : n rows of integers (S,)
        o_i(s) in 0..O_i - 1; None if everybody sees the state
    horizon : int ≥ 1, optional
        Count the rewards of that many rounds only, Σ_{t<T} γ^t r_t; None for all rounds.

    Raises
    ------
    InputError
        If a table has the wrong shape, an observation no row in it, or the horizon is none.

    Examples
    --------
    One state, γ = 0, two pennies. Player 2 shows heads, so heads pays player 1 2 more than tails;
    it plays both evenly, and half of the difference is missing to each side of the mean:

    >>> from refmarl.games import NormalForm
    >>> from refmarl.games.markov import repeated
    >>> game = repeated(NormalForm.zero_sum([[1, -1], [-1, 1]]), 0.0)
    >>> found = policy_gradient(game, [[[0, 0]], [[0, -1000]]])
    >>> print(found.values, found.gradient[0])
    [0. 0.] [[ 0.5 -0.5]]
    """
    values, every = cross_gradients(game, logits, observe, horizon)
    return Gradient(values, tuple(g[j].copy() for j, g in enumerate(every)))


def cross_gradients(
    game: MarkovGame, logits: Sequence[Any], observe: Any = None, horizon: int | None = None
) -> Gradient:
    """J_i and ∇_{θ_j} J_i for all i and j: ``gradient[j][i]`` is (O_j, A_j).

    What the others' parameters do to agent i's value is in the off-diagonal ones, j ≠ i.

    Examples
    --------
    >>> from refmarl.games import NormalForm
    >>> from refmarl.games.markov import repeated
    >>> game = repeated(NormalForm.zero_sum([[1, -1], [-1, 1]]), 0.0)
    >>> print(cross_gradients(game, [[[0, 0]], [[0, -1000]]]).gradient[0])
    [[[ 0.5 -0.5]]
    <BLANKLINE>
     [[-0.5  0.5]]]
    """
    theta, seen = readings(game, logits, observe)
    pi = tuple(softmax(x)[o] for x, o in zip(theta, seen, strict=True))
    weights, after, values = course(game, pi, horizon)
    later = np.einsum("ts,tiu->siu", weights, after)  # Σ_t γ^t P(s_t = s) V_i(s') after round t
    found = []
    for j, (x, o) in enumerate(zip(theta, seen, strict=True)):
        worth = _action_worth(game, pi, j, weights.sum(axis=0), later)
        gradient = np.zeros((len(x), *worth.shape[1:]))
        mean = (worth * pi[j][:, None]).sum(axis=-1, keepdims=True)
        np.add.at(gradient, o, pi[j][:, None] * (worth - mean))  # (1.14), π ∇log π = π (1 - π)
        found.append(np.ascontiguousarray(np.moveaxis(gradient, 1, 0)))
    return Gradient(values @ game.initial, tuple(found))


def _action_worth(game: MarkovGame, pi: Profile, j: int, visits: Array, later: Array) -> Array:
    """d(s) Q_i^j(s, b), shape (S, n, A_j), the actions of all players but j averaged out."""
    others = [k for k in range(game.num_players) if k != j]
    moves = average_actions(np.moveaxis(game.transition, -1, 1), pi, others)  # (S, S', A_j)
    paid = average_actions(np.moveaxis(game.reward, 0, 1), pi, others)  # (S, n, A_j)
    found: Array = visits[:, None, None] * paid + game.gamma * (later @ moves)
    return found


def shared_gradient(
    game: MarkovGame, logits: Any, observe: Any = None, horizon: int | None = None
) -> SharedGradient:
    """J_i and ∇_θ J_i when all players act by one table θ (O, A): the sum of (1.14) over agents.

    Raises
    ------
    InputError
        If the players differ in how many actions they have, and as :func:`policy_gradient` does.

    Examples
    --------
    >>> from refmarl.games import NormalForm
    >>> from refmarl.games.markov import repeated
    >>> game = repeated(NormalForm.bimatrix([[4, 0], [0, 0]], [[4, 0], [0, 0]]), 0.0)
    >>> print(shared_gradient(game, [[0, 0]]).gradient[0])
    [[ 1. -1.]]
    """
    if len(set(game.num_actions)) > 1:
        raise InputError(f"logits: shared, but the numbers of actions are {game.num_actions}")
    values, every = cross_gradients(game, [logits] * game.num_players, observe, horizon)
    return SharedGradient(values, np.sum(every, axis=0))
