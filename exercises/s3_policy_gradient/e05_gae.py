"""Exercise 3.5: generalised advantage estimation.                           Eq. (3.5)

Read   docs/s3_policy_gradient/gae.md              Check  refmarl check gae
Time   about 30 minutes                            Needs  td-error

How much better than expected was an action? The TD error of its step says it with the values'
prejudice, the sum of all later errors with all the noise of the episode. A geometric weight between
the two is a dial, and one pass backwards computes it. The traps are all at the ends of episodes.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def gae(reward, value, next_value, terminated, truncated, gamma, lam):
    """Return the advantages A, in the shape of reward.

    reward : float (T, B)       T steps of B copies of an environment
    value : float (T, B)        V(s_t)
    next_value : float (T, B)   V of the state in which step t ended; at the end of an episode that
                                is its last state, although row t + 1 shows a fresh one
    terminated : bool (T, B)    the episode ended at t, and nothing is to come
    truncated : bool (T, B)     a time limit cut it at t: row t + 1 is another episode, but
                                next_value counts
    gamma, lam : floats in [0, 1]

    What follows the last row is known through next_value only. Two steps, delta = (1, 1 + 0.5 * 4):

    >>> no, r = np.zeros((2, 1), dtype=bool), np.ones((2, 1))
    >>> print(gae(r, 0 * r, np.array([[0.0], [4.0]]), no, no, 0.5, 1.0)[:, 0])
    [2.5 3. ]
    """
    raise NotImplementedError("gae: gae")
