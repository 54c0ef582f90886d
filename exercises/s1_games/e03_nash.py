"""Exercise 1.3: regret and Nash equilibrium.                                 Eq. (1.3)

Read   docs/s1_games/nash.md                    Check  refmarl check nash
Time   about 20 minutes                         Needs  best-response

A player's regret is what a best response would gain while the others stay where they are. A
profile is a Nash equilibrium where no player has any; the sum of all regrets is NashConv. So a
few lines judge every equilibrium that any method may find.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def regrets(payoffs, profile):
    """Return every player's regret, shape (n,): zeros at a Nash equilibrium, and only there.

    payoffs : float (n, A_1, ..., A_n)    payoffs[i, a_1, ..., a_n] is u_i(a)
    profile : list of n arrays            profile[j] is x_j, shape (A_j,), sums to 1

    There may be any number of players, and a player may have a single action.

    >>> pennies = np.array([[[1.0, -1.0], [-1.0, 1.0]], [[-1.0, 1.0], [1.0, -1.0]]])
    >>> regrets(pennies, [np.array([1.0, 0.0]), np.array([1.0, 0.0])])
    array([0., 2.])
    >>> regrets(pennies, [np.array([0.5, 0.5]), np.array([0.5, 0.5])])
    array([0., 0.])
    """
    raise NotImplementedError("nash: regrets")
