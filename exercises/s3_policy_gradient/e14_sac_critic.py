"""Exercise 3.14: the target and the loss of SAC's critics.                  Eq. (3.14)

Read   docs/s3_policy_gradient/sac-critic.md       Check  refmarl check sac-critic
Time   about 25 minutes                            Needs  td-error

Two critics are trained towards one target. It looks at the smaller of two slow copies, because a
maximum over noisy values is too high, and adds what the next action's entropy is worth. The
questions are where that bonus ends, and what the gradient does not go through.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def sac_critic(q, reward, terminated, truncated, q_next, log_prob_next, alpha, gamma):
    """Return (loss, y, dq): half the mean squared error of both critics, the target, the gradient.

    q : float (2, M)              Q_k(s, a) of both critics for M steps
    reward : float (M,)           r
    terminated : bool (M,)        nothing is to come after this step
    truncated : bool (M,)         only a time limit cut the episode here
    q_next : float (2, M)         Q'_k(s', a') of the slow copies, a' drawn from the policy
    log_prob_next : float (M,)    log pi(a'|s')
    alpha, gamma : floats         alpha >= 0, gamma in [0, 1]

    loss is a number, the mean over the M steps of the sum over both critics of (Q_k - y)^2 / 2; y
    is (M,), and dq (2, M) the gradient of the loss in q, with y held. No step is both terminated
    and truncated.

    One step: y = 1 + 0.5 * (min(4, 6) + 2 * 1) = 4.

    >>> no, one = np.array([False]), np.ones(1)
    >>> nxt = np.array([[4.0], [6.0]])
    >>> loss, y, dq = sac_critic(np.array([[5.0], [4.0]]), one, no, no, nxt, -one, 2.0, 0.5)
    >>> print(loss, y, dq[:, 0])
    0.5 [4.] [1. 0.]
    """
    raise NotImplementedError("sac-critic: sac_critic")
