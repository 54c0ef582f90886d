"""Exercise 4.1: n-step returns.                                             Eq. (4.1)

Read   docs/s4_distributed/n-step-return.md        Check  refmarl check n-step-return
Time   about 30 minutes                            Needs  td-error

Workers that send their experience in short pieces cannot wait for the end of an episode. They
count n rewards and then let the value stand for the rest. If the episode ends before, fewer rewards
are counted, and whether a value follows depends on how it ended.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def n_step_return(reward, next_value, terminated, truncated, gamma, n):
    """Return G, in the shape of reward.

    reward : float (T, B)       T steps of B copies of an environment
    next_value : float (T, B)   V of the state in which step t ended; at the end of an episode that
                                is its last state, although row t + 1 shows a fresh one
    terminated : bool (T, B)    the episode ended at t, and nothing is to come
    truncated : bool (T, B)     a time limit cut it at t: row t + 1 is another episode, but
                                next_value counts
    gamma : float in [0, 1]
    n : int >= 1                rewards to count; fewer where the episode or the rows end before

    Three steps with rewards 1, 2, 3, a value of 8 everywhere, gamma = 1/2 and n = 2: the last has
    one reward only, 3 + 8/2.

    >>> r, no = np.array([[1.0], [2.0], [3.0]]), np.zeros((3, 1), dtype=bool)
    >>> print(n_step_return(r, 8.0 + 0 * r, no, no, 0.5, 2)[:, 0])
    [4.  5.5 7. ]
    """
    # BEGIN SOLUTION
    steps, copies = np.shape(reward)
    found = np.zeros((steps, copies))
    for t in range(steps):
        for b in range(copies):
            k = t
            while k < steps - 1 and k - t < n - 1 and not (terminated[k, b] or truncated[k, b]):
                k += 1
            powers = gamma ** np.arange(k - t + 1)
            follow = 0.0 if terminated[k, b] else gamma ** (k - t + 1) * next_value[k, b]
            found[t, b] = powers @ reward[t : k + 1, b] + follow  # (4.1)
    return found
    # END SOLUTION
