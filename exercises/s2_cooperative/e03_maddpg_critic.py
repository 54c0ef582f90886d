"""Exercise 2.3: the targets and the losses of MADDPG's critics.               Eq. (2.3)

Read   docs/s2_cooperative/maddpg-critic.md        Check  refmarl check maddpg-critic
Time   about 25 minutes                            Needs  polyak

Each agent has a critic of its own, which sees what all saw and did. Its target asks what all would
do next: each agent's slow policy, at that agent's own next observation. Rewards are the agents'
own; an episode ends for all at once.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def maddpg_critic(q, reward, terminated, truncated, next_obs, policies, critics, gamma):
    """Return (loss, y, dq): each agent's mean squared error, the targets, the gradients.

    q : float (M, N)                 Q_i(s, a) of N agents' critics for M steps
    reward : float (M, N)            r_i
    terminated : bool (M,)           nothing is to come after this step
    truncated : bool (M,)            only a time limit cut the episode here
    next_obs : float (M, N, O)       o'_j
    policies : float (N, O)          slow policies: mu'_j(o) = tanh(policies[j] @ o), one number
    critics : float (N, N * O + N)   slow critics: Q'_i = critics[i] @ x', with
                                     x' all of next_obs, then mu'_1 to mu'_N
    gamma : float in [0, 1]

    loss is (N,): for each agent the mean over the M steps of (Q_i - y_i)^2; y is (M, N), and dq
    (M, N) the gradient of the sum of the losses in q, with y held. No step is both terminated and
    truncated.

    One agent whose policy is tanh(0) = 0: y = 1 + 0.5 * (2 * 3 + 7 * 0) = 4.

    >>> no, one = np.array([False]), np.ones((1, 1))
    >>> nxt, critics = np.array([[[3.0]]]), np.array([[2.0, 7.0]])
    >>> loss, y, dq = maddpg_critic(5.0 * one, one, no, no, nxt, 0.0 * one, critics, 0.5)
    >>> print(loss, y, dq)
    [1.] [[4.]] [[2.]]
    """
    raise NotImplementedError("maddpg-critic: maddpg_critic")
