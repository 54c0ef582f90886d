"""Exercise 2.8: monotone mixing, as in QMIX.                                Eq. (2.8)

Read   docs/s2_cooperative/qmix.md                 Check  refmarl check qmix
Time   about 30 minutes                            Needs  vdn

The value of a team as a function of its members' values that never falls with any of them. Then
what is best for each is best for all, and more can be said than with a sum. One hidden layer does
it, if no weight is negative. The weights come from elsewhere, another set in each row; they may
have any sign, and it is for you to make them positive.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def qmix(q, w1, b1, w2, v):
    """Return (total, dq): Q_tot of each row, and its derivative in each agent's utility.

    q : float (M, n)         Q_i of n agents in M rows
    w1 : float (M, n, E)     weights into E hidden units; their absolute values count
    b1 : float (M, E)        offsets of the units, of any sign
    w2 : float (M, E)        weights out of them; their absolute values count
    v : float (M,)           offset of the total

    f is the exponential linear unit: f(z) = z for z >= 0, e^z - 1 below. total is (M,), dq (M, n).

    One row, two units: z = (1 + 2 - 1, 0.5 - 4.5 + 4) = (2, 0), total = 3 * 2 + 1 * 0 - 1.

    >>> w1 = np.array([[[-1.0, 0.5], [2.0, 0.0]]])
    >>> total, dq = qmix([[1.0, 1.0]], w1, [[-1.0, -0.5]], [[3.0, -1.0]], [-1.0])
    >>> print(total, dq)
    [5.] [[3.5 6. ]]
    """
    # BEGIN SOLUTION
    first, second = np.abs(w1), np.abs(w2)
    z = (np.asarray(q, float)[:, :, None] * first).sum(axis=1) + b1
    low = np.exp(np.minimum(z, 0.0))
    h = np.where(z >= 0.0, z, low - 1.0)
    total = (h * second).sum(axis=1) + v  # (2.8)
    slope = second * np.where(z >= 0.0, 1.0, low)
    return total, (first * slope[:, None, :]).sum(axis=2)
    # END SOLUTION
