"""Exercise 1.4: the value of a zero-sum game.                                 Eq. (1.4)

Read   docs/s1_games/zero-sum-value.md          Check  refmarl check zero-sum-value
Time   about 35 minutes                         Needs  expected-utility

What the row player gets, the column player pays. Each fears the best reply of the other: the row
player looks for the mixture whose worst column is best, the column player for the mixture whose
best row is worst. Both are linear programs, and they end in the same number.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np
from scipy.optimize import linprog


def zero_sum_value(A):
    """Return (value, x, y): the value of the game and an optimal strategy of each player.

    A : float (m, n)    the row player gets A[i, j], the column player gets -A[i, j]

    value is a float, x has shape (m,), y has shape (n,). Payoffs may be negative. Where a player
    has several optimal strategies, any of them will do.

    >>> value, x, y = zero_sum_value(np.array([[3.0, 0.0], [1.0, 2.0]]))
    >>> print(round(value, 6), x.round(6), y.round(6))
    1.5 [0.25 0.75] [0.5 0.5]
    """
    # BEGIN SOLUTION
    value, x = _maximin(A)
    _, y = _maximin(-A.T)  # the same game, seen by the column player
    return value, x, y
    # END SOLUTION


def _maximin(A):
    """Return (v, x): the most v that a mixture x of the rows secures in every column of A.

    A helper that you may use, change or delete.
    """
    # BEGIN SOLUTION
    m, n = A.shape
    found = linprog(
        np.append(np.zeros(m), -1.0),  # variables (x, v): maximise v
        A_ub=np.column_stack([-A.T, np.ones(n)]),  # (1.4): v <= (x @ A)_j for every column j
        b_ub=np.zeros(n),
        A_eq=[np.append(np.ones(m), 0.0)],
        b_eq=[1.0],
        bounds=[(0, None)] * m + [(None, None)],
    )
    x = np.maximum(found.x[:m], 0.0)
    return float(found.x[m]), x / x.sum()
    # END SOLUTION
