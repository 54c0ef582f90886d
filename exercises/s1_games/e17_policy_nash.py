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
    raise NotImplementedError("policy-nash: policy_regrets")
