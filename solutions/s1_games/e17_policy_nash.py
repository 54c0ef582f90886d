"""Exercise 1.17: regrets of policies.                                       Eq. (1.17)

Read   docs/s1_games/policy-nash.md             Check  refmarl check policy-nash
Time   about 40 minutes                         Needs  induced-mdp

In a Nash equilibrium in policies nobody gains by changing its own policy. The regret of a player
is what its best policy would gain while the others keep to theirs. Against fixed policies it is
alone in a Markov decision process, so the best it can do is found by solving that process.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def policy_regrets(transition, reward, policies, gamma, initial):
    """Return every player's regret, shape (n,): zeros at a Nash equilibrium, and only there.

    transition : float (S, A_1, ..., A_n, S)   transition[s, a_1, ..., a_n, t] is P(t | s, a)
    reward : float (n, S, A_1, ..., A_n)       reward[i, s, a_1, ..., a_n] is R_i(s, a)
    policies : list of n arrays                policies[j][s] is pi_j(. | s), shape (S, A_j)
    gamma : float                              the discount, 0 <= gamma < 1
    initial : float (S,)                       the distribution of the first state

    There may be any number of players, and a player may have a single action.

    Matching pennies for ever, both show heads: player 2 loses 1 in every round, and could win 1.

    >>> pennies = np.array([[[[1.0, -1.0], [-1.0, 1.0]]], [[[-1.0, 1.0], [1.0, -1.0]]]])
    >>> heads = np.array([[1.0, 0.0]])
    >>> policy_regrets(np.ones((1, 2, 2, 1)), pennies, [heads, heads], 0.5, np.ones(1))
    array([0., 4.])
    """
    # BEGIN SOLUTION
    regrets = np.zeros(len(policies))
    for i, own in enumerate(policies):
        moves, paid = _induced(transition, reward[i], policies, i)
        best = _values(moves, paid, gamma, np.eye(own.shape[1])[paid.argmax(axis=1)])
        while True:  # policy iteration: take what is better by more than rounding
            q = paid + gamma * moves @ best
            if (q.max(axis=1) <= best + 1e-10 * (1 + abs(best).max())).all():
                break
            best = _values(moves, paid, gamma, np.eye(own.shape[1])[q.argmax(axis=1)])
        regrets[i] = initial @ (best - _values(moves, paid, gamma, own))  # (1.17)
    return np.maximum(regrets, 0.0)


def _induced(transition, reward, policies, i):
    """Everybody but i averaged out: (S, A_i, S) and (S, A_i)."""
    moves, paid = np.moveaxis(transition, -1, 1), reward[:, None]
    for j in reversed([j for j in range(len(policies)) if j != i]):
        moves = np.einsum("s...a,sa->s...", np.moveaxis(moves, j + 2, -1), policies[j])
        paid = np.einsum("s...a,sa->s...", np.moveaxis(paid, j + 2, -1), policies[j])
    return np.moveaxis(moves, 1, -1), paid[:, 0]


def _values(moves, paid, gamma, policy):
    """V (S,) of a policy (S, A): V = R + gamma P V."""
    chain = np.einsum("sa,sat->st", policy, moves)
    return np.linalg.solve(np.eye(len(chain)) - gamma * chain, (policy * paid).sum(axis=1))
    # END SOLUTION
