"""Exercise 1.2: best responses.                                              Eq. (1.2)

Read   docs/s1_games/best-response.md           Check  refmarl check best-response
Time   about 20 minutes                         Needs  expected-utility

The others' mixed strategies are fixed. Which actions of one player are the best against them?
There may be several, and then every mixture of them is a best response, too. Equal values are
sums in different orders, so compare them with a tolerance.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def best_responses(payoffs, profile, player):
    """Return which actions of the player are best against the others, bool (A_i,).

    payoffs : float (n, A_1, ..., A_n)    payoffs[i, a_1, ..., a_n] is u_i(a)
    profile : list of n arrays            profile[j] is x_j, shape (A_j,), sums to 1
    player  : int                         i, counted from 0

    Values that differ by at most 1e-9 count as equal. The player's own entry of the profile does
    not matter. There may be any number of players, and a player may have a single action.

    >>> coordination = np.array([[[2.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 1.0]]])
    >>> best_responses(coordination, [np.array([1.0, 0.0]), np.array([0.25, 0.75])], 0)
    array([False,  True])
    >>> best_responses(coordination, [np.array([1.0, 0.0]), np.array([0.25, 0.75])], 1)
    array([ True, False])
    """
    # BEGIN SOLUTION
    values = np.moveaxis(payoffs[player], player, 0)  # own actions first, the others' in order
    others = [x for j, x in enumerate(profile) if j != player]
    for x in reversed(others):
        values = values @ x
    return values >= values.max() - 1e-9  # (1.2)
    # END SOLUTION
