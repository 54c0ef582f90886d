"""Exercise 2.10: difference rewards.                                         Eq. (2.10)

Read   docs/s2_cooperative/difference-reward.md    Check  refmarl check difference-reward
Time   about 15 minutes                            Needs  nothing

A team gets one number for what all of them have done. What is one agent's part in it? Ask what
the number would have been if this agent alone had done something else, its default action.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def difference_rewards(team, actions, defaults):
    """Return D_i of every agent at one joint action, shape (n,).

    team : float (A_1, ..., A_n)      G(a), the team's reward for each joint action
    actions : tuple of n ints         a, counted from 0
    defaults : tuple of n ints        c, the default action of each agent

    >>> difference_rewards(np.array([[1.0, 2.0], [3.0, 9.0]]), (1, 1), (0, 0))
    array([7., 6.])
    """
    raise NotImplementedError("difference-reward: difference_rewards")
