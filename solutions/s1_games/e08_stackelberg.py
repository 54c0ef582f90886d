"""Exercise 1.8: Stackelberg commitment.                                       Eq. (1.8)

Read   docs/s1_games/stackelberg.md             Check  refmarl check stackelberg
Time   about 35 minutes                         Needs  best-response

The leader announces a mixed strategy and keeps to it, the follower answers with whatever is best
against it. What should the leader announce? Where the follower is indifferent, it does the leader
a favour. Decide first what the follower is to play: then the best announcement that makes it want
to is a linear program.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np
from scipy.optimize import linprog


def stackelberg(row, column):
    """Return (x, value): the row player's best commitment and what it earns with it.

    row    : float (m, n)    row[a, b] is what the leader, the row player, gets
    column : float (m, n)    column[a, b] is what the follower gets

    x has shape (m,), is >= 0 and sums to 1; value is a float. Of the follower's best replies to x,
    the one that pays the leader most is played. If several x are best, any of them will do.

    >>> x, value = stackelberg(np.array([[2.0, 4.0], [1.0, 3.0]]), np.eye(2))
    >>> print(x.round(6), round(value, 6))
    [0.5 0.5] 3.5
    """
    # BEGIN SOLUTION
    m, n = row.shape
    commitments = []
    for reply in range(n):
        found = linprog(
            -row[:, reply],  # linprog minimises
            A_ub=(column - column[:, [reply]]).T,  # no other reply is better against x
            b_ub=np.zeros(n),
            A_eq=np.ones((1, m)),
            b_eq=[1.0],
            bounds=(0, None),
        )
        if found.success:  # else no x makes the follower want this reply
            commitments.append((float(found.x @ row[:, reply]), found.x))
    value, x = max(commitments, key=lambda pair: pair[0])  # (1.8)
    return x, value
    # END SOLUTION
