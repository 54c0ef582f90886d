"""Commitment to a policy in two-player Markov games (course §7.6).

    max_{π_L} J_L(π_L, π_F),   π_F ∈ BR(π_L)                                  (1.18)

The leader announces a stationary policy π_L, the follower answers with a best policy of the
decision process that is left to it (1.19), and ties go for the leader (strong) or against it
(weak). J_i = Σ_s ρ(s) V_i(s), ρ the distribution of the first state.

*The response, exactly.* Let Q_F be the follower's best action values against π_L. Its best policies
are those that play in each state only what maximises Q_F(s, ·) there; what they do in states that
they never reach matters to nobody. Which of them is best, or worst, for the leader is again
a decision process, with these actions and the leader's rewards. So J_L of any given
commitment is exact, up to rounding: ``committed``.

*The maximum.* Over the leader's deterministic policies it is found by going through all of them:
``pure_policy_commitment``. Over all stationary policies it is not a linear program as in (1.8): the
follower's values depend on the leader's policy through time, and the set of policies to
which a given one responds is not convex. The best policy may depend on ρ (Vorobeychik & Singh
2012). One state is the exception, row 1.8 exactly. Else ``policy_stackelberg`` encloses the strong
maximum by branch and bound: ``payoff`` is earned by a policy that is returned, ``bound`` is proved.

*Proof of the bound.* Cover the leader's policies by cells, products of one simplex for each state.
Let c be a cell's centre and δ the largest total variation from c(s) to a π(s) of the cell. For
every fixed policy f of the follower and every state

    |V_i^{π,f}(s) - V_i^{c,f}(s)| ≤ e_i(f) = δ/(1-γ) · max_s' span_a Q_i^{c,f}(s', a)

(the performance difference of Kakade & Langford 2002, as Σ_a (π - c)(a|s') Q(s', a) is at most
total variation times span). If f is best against some π of the cell from every state, then
V_F^{c,f} + e_F(f) ≥ V_F^{c,g} - e_F(g) in each state for all g. The largest J_L(c, f) + e_L(f)
over the deterministic f that pass this test bounds the cell, for a strong response may be taken
deterministic and best from every state. Cells are halved at their longest edge, the one of the
largest bound first. ∎

Deterministic stationary responses suffice, and so does memory on the follower's side. A leader
with memory may do better than any stationary one.
"""

import heapq
import math
from itertools import product
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, InputError
from .induced import induced_mdp
from .markov import MarkovGame, evaluate
from .mdp import MDP, solve_mdp
from .normal_form import NormalForm
from .stackelberg import EQUAL, stackelberg

Ties = Literal["strong", "weak"]
MAX_POLICIES = 20_000  # deterministic ones of one player
MAX_TABLES = 2_000_000  # what one cell needs: the follower's policies times states squared


class PolicyCommitment(NamedTuple):
    """What the leader commits to, the response, and what both get."""

    leader: int
    policy: Array  # π_L, (S, A_L)
    response: Array  # π_F, (S, A_F), one action in every state
    payoff: float  # J_L
    follower_payoff: float  # J_F


class PolicyStackelberg(NamedTuple):
    """An enclosure of the best commitment: the best found, and what none can exceed."""

    found: PolicyCommitment
    bound: float  # ≥ the value of every commitment, strong or weak
    cells: int  # examined; 0 if the answer is exact


def committed(
    game: MarkovGame, policy: Any, leader: int = 0, ties: Ties = "strong"
) -> PolicyCommitment:
    """What the commitment ``policy`` (S, A_L) earns against a best response; Eq. (1.18).

    Actions whose values to the follower differ by less than 1e-9 of the spread of its values are
    ties.

    Raises
    ------
    InputError
        If there are not two players, or the policy does not fit.

    Examples
    --------
    One state, γ = 1/2: twice the payoffs of row 1.8. Even mixing makes the follower indifferent.

    >>> from refmarl.games.markov import repeated
    >>> stage = NormalForm.bimatrix([[2, 4], [1, 3]], [[1, 0], [0, 1]])
    >>> game = repeated(stage, 0.5)
    >>> committed(game, [[0.5, 0.5]]).payoff, committed(game, [[0.5, 0.5]], ties="weak").payoff
    (7.0, 3.0)
    """
    leader = _two(game, leader, ties)
    joint = list(game.uniform())
    joint[leader] = policy
    pi = game.policies(joint)
    theirs = induced_mdp(game, pi, 1 - leader)
    allowed = best_actions(theirs)
    ours = _paid(game, pi[leader], leader)
    kept = np.where(allowed, np.arange(allowed.shape[1]), allowed.argmax(axis=1)[:, None])
    here = np.arange(len(kept))
    moves = theirs.transition[here[:, None], kept]  # what is not best is a copy of what is
    wanted = (ours if ties == "strong" else -ours)[here[:, None], kept]
    chosen = solve_mdp(MDP(moves, wanted, game.gamma)).policy.argmax(axis=1)
    response = np.eye(allowed.shape[1])[kept[here, chosen]]
    return _outcome(game, leader, pi[leader], response)


def best_actions(mdp: MDP) -> NDArray[np.bool_]:
    """(S, A): what best policies may play; ties are up to 1e-9 of the spread of the best values.

    Examples
    --------
    >>> best_actions(MDP(np.ones((1, 3, 1)), [[1, 0, 1]], 0.5))
    array([[ True, False,  True]])
    """
    q = mdp.action_values(solve_mdp(mdp).values)
    spread = float(np.ptp(mdp.reward)) / (1.0 - mdp.gamma)
    found: NDArray[np.bool_] = q >= q.max(axis=1, keepdims=True) - EQUAL * spread
    return found


def pure_policy_commitment(
    game: MarkovGame, leader: int = 0, ties: Ties = "strong"
) -> PolicyCommitment:
    """The best commitment to a deterministic policy, exactly: all A_L^S of them are tried.

    Raises InputError if these are more than 20 000, or as :func:`committed` does.

    Examples
    --------
    >>> from refmarl.games.markov import repeated
    >>> stage = NormalForm.bimatrix([[2, 4], [1, 3]], [[1, 0], [0, 1]])
    >>> best = pure_policy_commitment(repeated(stage, 0.5))
    >>> print(best.policy, best.payoff)
    [[0. 1.]] 6.0
    """
    leader = _two(game, leader, ties)
    policies = _deterministic(game.num_states, game.num_actions[leader], "leader")
    outcomes = (committed(game, policy, leader, ties) for policy in policies)
    return max(outcomes, key=lambda outcome: outcome.payoff)  # (1.18)


def policy_stackelberg(
    game: MarkovGame,
    leader: int = 0,
    ties: Ties = "strong",
    gap: float = 1e-2,
    max_cells: int = 2000,
) -> PolicyStackelberg:
    """An enclosure of the best stationary commitment, for small games; Eq. (1.18).

    Parameters
    ----------
    ties : "strong" or "weak"
        The policy returned is judged by this rule. ``bound`` is proved for both; with weak ties
        it may be out of reach.
    gap : float
        Stop when bound and payoff differ by no more than this share of the spread of J_L.
    max_cells : int
        Stop after so many cells in any case.

    Returns
    -------
    PolicyStackelberg
        ``found.payoff`` is what the policy returned earns, ``bound`` what none exceeds. With one
        state both are row 1.8; a weak supremum that is not attained is then ``bound`` alone.

    Raises
    ------
    InputError
        As :func:`committed`, or if the follower has too many deterministic policies.

    Examples
    --------
    >>> from refmarl.games.markov import repeated
    >>> stage = NormalForm.bimatrix([[2, 4], [1, 3]], [[1, 0], [0, 1]])
    >>> best = policy_stackelberg(repeated(stage, 0.5))
    >>> round(best.found.payoff, 9), round(best.bound, 9), best.cells
    (7.0, 7.0, 0)
    """
    leader = _two(game, leader, ties)
    check.positive(max_cells, "max_cells")
    if not gap > 0.0:
        raise InputError(f"gap: need a positive number, got {gap!r}")
    if game.num_states == 1:
        return _one_state(game, leader, ties)
    return _enclosed(game, leader, ties, gap, max_cells)


def _one_state(game: MarkovGame, leader: int, ties: Ties) -> PolicyStackelberg:
    """Row 1.8, and for ever."""
    best = stackelberg(NormalForm(game.reward[:, 0]), leader, ties)
    lasting = 1.0 / (1.0 - game.gamma)
    found = committed(game, best.strategy[None], leader, ties)
    return PolicyStackelberg(found, max(best.payoff * lasting, found.payoff), 0)


def _enclosed(
    game: MarkovGame, leader: int, ties: Ties, gap: float, max_cells: int
) -> PolicyStackelberg:
    """Branch and bound over cells (S, A_L, A_L): the corners of a simplex in every state."""
    cells = _Cells(game, leader)
    size, actions = game.num_states, game.num_actions[leader]
    whole: Array = np.broadcast_to(np.eye(actions), (size, actions, actions))
    found = committed(game, np.full((size, actions), 1.0 / actions), leader, ties)
    near = gap * float(np.ptp(game.reward[leader])) / (1.0 - game.gamma)
    queue, count, closed = [(-cells.bound(whole), 0, whole)], 1, -math.inf
    while queue:
        bound, _, cell = heapq.heappop(queue)
        corner = int(count % actions)
        for policy in (cell.mean(axis=1), cell[:, corner]):
            tried = committed(game, policy, leader, ties)
            found = max(found, tried, key=lambda outcome: outcome.payoff)
        if -bound <= found.payoff + near or count >= max_cells:
            closed = -bound
            break
        for part in _halves(cell):
            count += 1
            own = min(cells.bound(part), -bound)
            if own > found.payoff:
                heapq.heappush(queue, (-own, count, part))
    return PolicyStackelberg(found, max(closed, found.payoff), count)


def _halves(cell: Array) -> tuple[Array, Array]:
    """The cell cut at the middle of its longest edge (in total variation)."""
    apart = np.abs(cell[:, :, None] - cell[:, None]).sum(axis=-1)  # (S, A, A)
    s, j, k = np.unravel_index(int(apart.argmax()), apart.shape)
    one, two = cell.copy(), cell.copy()
    one[s, j] = two[s, k] = 0.5 * (cell[s, j] + cell[s, k])
    return one, two


class _Cells:
    """Upper bounds of J_L on cells; all of the follower's deterministic policies at once."""

    def __init__(self, game: MarkovGame, leader: int) -> None:
        states, mine = game.num_states, game.num_actions[leader]
        theirs = game.num_actions[1 - leader]
        self.gamma, self.initial, self.leader = game.gamma, game.initial, leader
        policies = [p.argmax(axis=1) for p in _deterministic(states, theirs, "follower")]
        count = len(policies)
        if count * states * max(states, mine) * states > MAX_TABLES:
            raise InputError(f"follower: {count} policies over {states} states are too many")
        answers = np.array(policies)  # (F, S)
        moves = game.transition if leader == 0 else game.transition.swapaxes(1, 2)
        pays = game.reward if leader == 0 else game.reward.swapaxes(2, 3)
        here = np.arange(states)
        self.moves: Array = np.ascontiguousarray(moves.swapaxes(1, 2)[here, answers])
        self.pays: Array = np.ascontiguousarray(pays.swapaxes(2, 3)[:, here, answers])

    def bound(self, cell: Array) -> float:
        """What no commitment in the cell exceeds."""
        centre = cell.mean(axis=1)  # (S, A_L)
        radius = 0.5 * float(np.abs(cell - centre[:, None]).sum(axis=-1).max())
        chain = np.einsum("sa,fsat->fst", centre, self.moves)
        paid = np.einsum("sa,ifsa->fsi", centre, self.pays)
        v = np.linalg.solve(np.eye(len(centre)) - self.gamma * chain, paid)  # (F, S, 2)
        q = self.pays + self.gamma * np.einsum("fsat,fti->ifsa", self.moves, v)
        slack = radius / (1.0 - self.gamma) * np.ptp(q, axis=-1).max(axis=-1)  # (2, F)
        ours, theirs = v[..., self.leader], v[..., 1 - self.leader]
        e_ours, e_theirs = slack[self.leader], slack[1 - self.leader]
        needed = (theirs - e_theirs[:, None]).max(axis=0)  # (S,)
        rounding = EQUAL * (float(np.ptp(theirs)) + 1e-300)
        passes = (theirs + e_theirs[:, None] >= needed - rounding).all(axis=1)
        return float((ours @ self.initial + e_ours)[passes].max())


def _two(game: MarkovGame, leader: int, ties: str) -> int:
    if game.num_players != 2:
        raise InputError(f"game: need 2 players, got {game.num_players}")
    if ties not in get_args(Ties):
        raise InputError(f"ties: need 'strong' or 'weak', got {ties!r}")
    return check.player(leader, 2, "leader")


def _deterministic(states: int, actions: int, who: str) -> list[Array]:
    """Every deterministic policy (S, A)."""
    if actions**states > MAX_POLICIES:
        count = actions**states
        raise InputError(f"{who}: {count} deterministic policies; the cap is {MAX_POLICIES}")
    eye = np.eye(actions)
    return [eye[list(row)] for row in product(range(actions), repeat=states)]


def _paid(game: MarkovGame, policy: Array, leader: int) -> Array:
    """(S, A_F): the leader's reward for each of the follower's actions."""
    reward = game.reward[leader] if leader == 0 else game.reward[leader].swapaxes(1, 2)
    found: Array = np.einsum("sa,sab->sb", policy, reward)
    return found


def _outcome(game: MarkovGame, leader: int, policy: Array, response: Array) -> PolicyCommitment:
    """Both players' payoffs."""
    pi = (policy, response) if leader == 0 else (response, policy)
    payoffs = evaluate(game, pi) @ game.initial
    return PolicyCommitment(
        leader, policy, response, float(payoffs[leader]), float(payoffs[1 - leader])
    )
