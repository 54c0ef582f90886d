"""Exercise 1.5: iterated elimination of strictly dominated actions.           Eq. (1.5)

Read   docs/s1_games/dominance.md               Check  refmarl check dominance
Time   about 40 minutes                         Needs  zero-sum-value

An action that some mixture of the others beats whatever the opponent does will not be played. Once
it is gone, actions of the opponent may have lost their only excuse, and so on. What is left does
not depend on the order.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np
from scipy.optimize import linprog


def iterated_elimination(row, column):
    """Return (rows, columns): masks of the actions that survive, bool (m,) and bool (n,).

    row : float (m, n)       row[a, b] is the row player's payoff
    column : float (m, n)    column[a, b] is the column player's payoff

    An action goes if a mixture of its owner's actions pays more in every case that is left: more
    than a tie, and in *every* one. A mixture may do what no single action does:

    >>> row = np.array([[3.0, 0.0], [0.0, 3.0], [1.0, 1.0]])
    >>> column = np.array([[0.0, 1.0], [0.0, 1.0], [9.0, 0.0]])
    >>> rows, columns = iterated_elimination(row, column)
    >>> print(rows, columns)
    [False  True False] [False  True]
    """
    # BEGIN SOLUTION
    rows, columns = np.arange(len(row)), np.arange(row.shape[1])
    while True:
        left = np.ix_(rows, columns)
        stay_rows, stay_columns = undominated(row[left]), undominated(column[left].T)
        if stay_rows.all() and stay_columns.all():
            break
        rows, columns = rows[stay_rows], columns[stay_columns]
    return np.isin(np.arange(len(row)), rows), np.isin(np.arange(row.shape[1]), columns)
    # END SOLUTION


def undominated(u):
    """Return the mask (m,) of the rows of u that no mixture of rows beats in every column.

    A helper that you may use, change or delete.
    """
    # BEGIN SOLUTION
    return np.array([most_gain(u, a) <= 1e-7 for a in range(len(u))])
    # END SOLUTION


def most_gain(u, a):
    """Return the largest eps by which a mixture of the rows of u beats row a in every column.

    A helper that you may use, change or delete.
    """
    # BEGIN SOLUTION
    gain = u - u[a]
    m, n = gain.shape
    if gain.max(axis=0).min() <= 0:  # row a is a best response to some column
        return 0.0
    found = linprog(
        np.append(np.zeros(m), -1.0),  # variables (x, eps): maximise eps
        A_ub=np.column_stack([-gain.T, np.ones(n)]),  # (1.5): eps <= (x @ gain)_j for every j
        b_ub=np.zeros(n),
        A_eq=[np.append(np.ones(m), 0.0)],
        b_eq=[1.0],
        bounds=[(0, None)] * m + [(None, None)],
    )
    return found.x[m]
    # END SOLUTION
