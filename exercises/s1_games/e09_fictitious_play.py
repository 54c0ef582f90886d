"""Exercise 1.9: fictitious play.                                             Eq. (1.9)

Read   docs/s1_games/fictitious-play.md         Check  refmarl check fictitious-play
Time   about 30 minutes                         Needs  best-response

Two players meet again and again. Each believes that the other draws its actions with the
frequencies seen so far, and plays a best response to them. Both move at the same time; then both
averages take in the new action, each with weight 1/(t+1).

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def fictitious_play(row, column, start, steps):
    """Return the averages (x, y) of the first ``steps`` plays, shapes (m,) and (n,).

    row, column : float (m, n)      payoffs of the row and of the column player; whole numbers
    start : (a, b)                  the first play: x^1 is pure a, y^1 is pure b, counted from 0
    steps : int, at least 1         with 1 the averages are the start itself

    Of several best actions the one of lowest index is played.

    >>> pennies = np.array([[1.0, -1.0], [-1.0, 1.0]])
    >>> x, y = fictitious_play(pennies, -pennies, (0, 0), 4)
    >>> print(x, y)
    [0.75 0.25] [0.25 0.75]
    """
    raise NotImplementedError("fictitious-play: fictitious_play")
