"""Exercise 1.1: expected utility.                                            Eq. (1.1)

Read   docs/s1_games/expected-utility.md        Check  refmarl check expected-utility
Time   about 20 minutes                         Needs  nothing before it

Everybody draws an action from a mixed strategy, independently of the others. What does each
player get on average? The sum runs over every joint action; taken one player at a time it is
a chain of matrix products.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def expected_utility(payoffs, profile):
    """Return the players' expected utilities u(x), shape (n,).

    payoffs : float (n, A_1, ..., A_n)    payoffs[i, a_1, ..., a_n] is u_i(a)
    profile : list of n arrays            profile[j] is x_j, shape (A_j,), sums to 1

    There may be any number of players, and a player may have a single action.

    >>> coordination = np.array([[[2.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 1.0]]])
    >>> expected_utility(coordination, [np.array([1.0, 0.0]), np.array([0.25, 0.75])])
    array([0.5, 0.5])
    """
    raise NotImplementedError("expected-utility: expected_utility")
