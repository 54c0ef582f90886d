"""Exercise 3.4: temporal-difference errors.                                 Eq. (3.4)

Read   docs/s3_policy_gradient/td-error.md         Check  refmarl check td-error
Time   about 15 minutes                            Needs  nothing

A value function makes a claim at every step: what comes now, and what is to come after it, are
worth what I said before. The error of that claim is what critics learn from and what advantages are
made of. Two kinds of ends must be kept apart: where the world ended nothing is to come, where only
the clock ran out there is.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def td_error(reward, value, next_value, terminated, gamma):
    """Return the errors delta, in the shape of reward.

    reward : float (T, B)       T steps of B copies of an environment
    value : float (T, B)        V(s_t)
    next_value : float (T, B)   V(s_{t+1}), of the state to which step t led; where the episode
                                terminated there is none, and the entry means nothing
    terminated : bool (T, B)    True where the episode terminated at t; a time limit does not count
    gamma : float in [0, 1]

    >>> v = np.array([[1.0], [1.0]])
    >>> over = np.array([[False], [True]])
    >>> print(td_error(np.array([[2.0], [2.0]]), v, np.array([[4.0], [4.0]]), over, 0.5)[:, 0])
    [3. 1.]
    """
    # BEGIN SOLUTION
    follow = np.where(terminated, 0.0, next_value)
    return reward + gamma * follow - value  # (3.4)
    # END SOLUTION
