"""Exercise 2.2: the critic of the multi-agent actor-critic.                 Eq. (2.2)

Read   docs/s2_cooperative/maac-critic.md          Check  refmarl check maac-critic
Time   about 30 minutes                            Needs  td-error

A critic of the joint action is trained towards r plus what the next state is worth. What it is
worth depends on what all agents do there, and they draw: the target is an expectation over the
joint actions of the slow policies. The questions are what ends the sum of rewards, and what the
gradient does not go through.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def maac_critic(q, actions, reward, terminated, truncated, q_next, policies, gamma):
    """Return (loss, y, dq): the mean squared error, the target, and the gradient in q.

    q : float (M, A_1, ..., A_n)        Q(s, a) of M steps, for every joint action
    actions : int (M, n)                what each agent did
    reward : float (M,)                 r
    terminated : bool (M,)              nothing is to come after this step
    truncated : bool (M,)               only a time limit cut the episode here
    q_next : float (M, A_1, ..., A_n)   Q'(s', a') of the slow critic, for every joint action
    policies : list of n arrays (M, A_j)   pi'_j(a'_j|o'_j) of the slow policies
    gamma : float in [0, 1]

    loss is a number, the mean over the M steps of (Q(s, a) - y)^2 at the actions taken; y is (M,),
    and dq, in the shape of q, is the gradient of the loss with y held.

    One step, two agents: y = 1 + 0.5 * (0.5 * 0.5 * 4) = 1.5.

    >>> no, half = np.array([False]), np.full((1, 2), 0.5)
    >>> slow = np.array([[[4.0, 0.0], [0.0, 0.0]]])
    >>> loss, y, dq = maac_critic(
    ...     np.zeros((1, 2, 2)), np.array([[0, 1]]), np.ones(1), no, no, slow, [half, half], 0.5)
    >>> print(loss, y, dq[0, 0])
    2.25 [1.5] [ 0. -3.]
    """
    raise NotImplementedError("maac-critic: maac_critic")
