"""Exercise 1.7: correlated equilibrium.                                       Eq. (1.7)

Read   docs/s1_games/correlated.md              Check  refmarl check correlated
Time   about 40 minutes                         Needs  nash

A traffic light draws a joint action and tells each driver only its own part. If nobody gains by
doing anything else than told, that is a correlated equilibrium. All conditions are linear in the
probabilities of the joint actions, so the best such light is one linear program.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np
from scipy.optimize import linprog


def correlated_equilibrium(row, column):
    """Return a correlated equilibrium with the largest sum of payoffs, shape (m, n).

    row    : float (m, n)    row[a, b] is what the row player gets
    column : float (m, n)    column[a, b] is what the column player gets

    The answer p holds the probability of each joint action: p[a, b] >= 0, and they sum to 1. The
    row player is told a and may play any other a', the column player is told b. If several p are
    best, any of them will do. A player may have a single action.

    >>> stag_hunt = np.array([[4.0, 0.0], [3.0, 3.0]])
    >>> correlated_equilibrium(stag_hunt, stag_hunt.T)
    array([[1., 0.],
           [0., 0.]])
    """
    # BEGIN SOLUTION
    m, n = row.shape
    gains = []  # of each deviation, as weights of p; none may be positive
    for told in range(m):
        for played in range(m):
            gain = np.zeros((m, n))
            gain[told] = row[played] - row[told]  # (1.7), times p[told, :], summed over b
            gains.append(gain.ravel())
    for told in range(n):
        for played in range(n):
            gain = np.zeros((m, n))
            gain[:, told] = column[:, played] - column[:, told]
            gains.append(gain.ravel())
    best = linprog(
        -(row + column).ravel(),  # linprog minimises
        A_ub=np.array(gains),
        b_ub=np.zeros(len(gains)),
        A_eq=np.ones((1, m * n)),
        b_eq=[1.0],
        bounds=(0, None),
    )
    p = np.maximum(best.x, 0.0).reshape(m, n)
    return p / p.sum()
    # END SOLUTION
