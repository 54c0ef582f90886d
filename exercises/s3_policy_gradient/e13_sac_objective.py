"""Exercise 3.13: soft values.                                               Eq. (3.13)

Read   docs/s3_policy_gradient/sac-objective.md    Check  refmarl check sac-objective
Time   about 30 minutes                            Needs  nothing

An agent that is paid for entropy too, alpha for each nat, prefers good actions but does not swear
by one. What a state is worth to it is a softened maximum over its actions, and its best policy
follows from their values alone. One sweep of that over all states is soft value iteration.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def soft_backup(transition, reward, gamma, alpha, value):
    """Return (new_value, policy): one sweep of the soft Bellman operator, and what it would do.

    transition : float (S, A, S)   P(s'|s, a), each row over s' a distribution
    reward : float (S, A)          R(s, a)
    gamma : float in [0, 1)
    alpha : float > 0              the temperature
    value : float (S,)             V(s)

    new_value is (S,), policy (S, A). With Q(s, a) = R(s, a) + gamma sum_s' P(s'|s, a) V(s'), Q may
    be thousands of times as large as alpha: exp(Q / alpha) overflows where the answer does not.

    One state, two equal actions: alpha log 2 more than either of them.

    >>> stay = np.ones((1, 2, 1))
    >>> new_value, policy = soft_backup(stay, np.zeros((1, 2)), 0.5, 1.0, np.zeros(1))
    >>> print(new_value.round(4), policy)
    [0.6931] [[0.5 0.5]]
    """
    raise NotImplementedError("sac-objective: soft_backup")
