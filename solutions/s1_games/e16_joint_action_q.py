"""Exercise 1.16: joint-action learning.                                    Eq. (1.16)

Read   docs/s1_games/joint-action-q.md          Check  refmarl check joint-action-q
Time   about 20 minutes                         Needs  expected-utility

A joint-action learner has a value for every joint action, but chooses its own action only. So it
counts what each of the others did, takes the frequencies for their mixed strategies, independent
of each other, and averages its table over what they might do next.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def expected_values(q, counts, player):
    """Return EV_i(a_i) of every action of the player, float (A_i,).

    q      : float (A_1, ..., A_n)    q[a_1, ..., a_n] is the player's value of the joint action
    counts : list of n arrays         counts[j][a] is how often player j took action a, shape (A_j,)
    player : int                      i, counted from 0

    There may be any number of players, and a single one. Somebody who has not played yet, whose
    counts are all 0, is taken to play every action alike.

    >>> climbing = np.array([[11.0, -30.0, 0.0], [-30.0, 7.0, 6.0], [0.0, 0.0, 5.0]])
    >>> seen = [np.array([0.0, 0.0, 4.0]), np.array([2.0, 1.0, 1.0])]
    >>> print(expected_values(climbing, seen, 0))
    [ -2.   -11.75   1.25]
    >>> print(expected_values(climbing, seen, 1))
    [0. 0. 5.]
    """
    # BEGIN SOLUTION
    values = np.moveaxis(q, player, 0)  # own actions first, the others' in order
    for j in reversed(range(len(counts))):
        if j != player:
            total = counts[j].sum()
            size = len(counts[j])
            model = counts[j] / total if total > 0 else np.full(size, 1 / size)
            values = values @ model  # (1.16)
    return values
    # END SOLUTION
