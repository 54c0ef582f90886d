"""Exercise 2.9: potential-based reward shaping.                              Eq. (2.9)

Read   docs/s2_cooperative/potential-shaping.md    Check  refmarl check potential-shaping
Time   about 15 minutes                            Needs  nothing

An agent that is paid at the goal only learns slowly. Whoever pays it for coming closer must take
the money back when it goes away again, or it will walk in circles. A potential does both.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def shaped_rewards(reward, potential, next_potential, terminated, gamma):
    """Return the shaped rewards r', shape (T, M): T steps of M episodes side by side.

    reward : float (T, M)             r
    potential : float (T, M)          Phi of the state that the step left
    next_potential : float (T, M)     Phi of the state that it reached, also where the episode ended
    terminated : bool (T, M)          d: nothing comes after; a time limit is no termination
    gamma : float in [0, 1]

    >>> shaped_rewards(np.array([[0.0], [1.0]]), np.array([[2.0], [4.0]]),
    ...                np.array([[4.0], [8.0]]), np.array([[False], [True]]), 0.5)
    array([[ 0.],
           [-3.]])
    """
    raise NotImplementedError("potential-shaping: shaped_rewards")
