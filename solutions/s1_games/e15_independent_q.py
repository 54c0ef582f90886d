"""Exercise 1.15: independent Q-learning.                                   Eq. (1.15)

Read   docs/s1_games/independent-q.md           Check  refmarl check independent-q
Time   about 20 minutes                         Needs  nothing before it

An independent learner updates its own table after every transition, as if the other agents were
weather. In a team, bad luck is often a teammate who explores: a hysteretic learner follows good
news at rate alpha and bad news at a smaller rate beta. With beta = alpha it is Q-learning.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def q_update(q, obs, action, reward, next_obs, terminated, alpha, beta, gamma):
    """Return the agent's table after one transition, float (O, A).

    q          : float (O, A)     q[o, a] is the value of action a where o is observed
    obs        : int              what was observed
    action     : int              what was done
    reward     : float            what it paid
    next_obs   : int              what was observed next
    terminated : bool             whether that is a terminal state, which is worth 0
    alpha      : float            the rate for good news, where δ ≥ 0
    beta       : float            the rate for bad news, where δ < 0
    gamma      : float            the discount

    The table that was given stays as it is.

    >>> q = np.array([[0.0, 4.0], [1.0, 10.0]])
    >>> q_update(q, 0, 1, 1.0, 1, False, alpha=0.5, beta=0.25, gamma=0.5)
    array([[ 0.,  5.],
           [ 1., 10.]])
    >>> q_update(q, 0, 1, 2.0, 1, True, alpha=0.5, beta=0.25, gamma=0.5)[0]
    array([0. , 3.5])
    """
    # BEGIN SOLUTION
    future = 0.0 if terminated else gamma * q[next_obs].max()
    delta = reward + future - q[obs, action]
    q = np.array(q, dtype=float)
    q[obs, action] += (alpha if delta >= 0 else beta) * delta  # (1.15)
    return q
    # END SOLUTION
