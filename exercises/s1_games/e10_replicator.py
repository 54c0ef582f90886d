"""Exercise 1.10: replicator dynamics.                                        Eq. (1.10)

Read   docs/s1_games/replicator.md              Check  refmarl check replicator
Time   about 15 minutes                         Needs  expected-utility

In a large population everybody plays one fixed action, and those who earn more have more
offspring. The share of an action therefore grows at a rate equal to its advantage over the
population's average. Nobody computes a best response, and yet the result has much to do with Nash.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def replicator_field(A, x):
    """Return the derivative of the shares, shape (K,).

    A : float (K, K)    A[a, b] is what action a gets when it meets action b
    x : float (K,)      x[a] is the share of action a; shares are ≥ 0 and sum to 1

    Each action meets opponents in proportion to their shares.

    >>> rare_is_good = np.array([[0.0, 2.0], [1.0, 0.0]])
    >>> replicator_field(rare_is_good, np.array([0.5, 0.5]))
    array([ 0.125, -0.125])
    """
    raise NotImplementedError("replicator: replicator_field")
