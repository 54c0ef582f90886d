"""Exercise 3.16: the gradient of SAC's actor, through the noise.            Eq. (3.16)

Read   docs/s3_policy_gradient/sac-actor.md        Check  refmarl check sac-actor
Time   about 45 minutes                            Needs  tanh-gaussian

An action that is a function of parameters and of noise can be differentiated: the critic tells in
which direction it should move, the entropy that it should not be too sure. Both arrive at the same
place, before the tanh, and go from there to mu and log sigma.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def sac_actor(mean, log_std, noise, q, dq, alpha):
    """Return (loss, d_mean, d_log_std): E[alpha log pi(a) - min_k Q_k(a)] and its gradients.

    mean, log_std, noise : float (M, A)   a = tanh(u), u = mean + exp(log_std) * noise, |u| < 5
    q : float (2, M)                      Q_k(s, a) of both critics at these actions, never equal
    dq : float (2, M, A)                  the slope of each Q_k in a
    alpha : float >= 0

    E is the mean over the M rows; the noise is held. log pi is that of exercise 3.15.

    mu = 0, sigma = 1, no noise: a = 0, where log pi is flat in mu, but falls by 1 with log sigma.

    >>> zero, dq = np.zeros((1, 1)), np.array([[[3.0]], [[7.0]]])
    >>> loss, d_mean, d_log_std = sac_actor(zero, zero, zero, np.array([[1.0], [2.0]]), dq, 0.5)
    >>> print(d_mean[0], d_log_std[0])
    [-3.] [-0.5]
    """
    # BEGIN SOLUTION
    sigma = np.exp(log_std)
    u = mean + sigma * noise
    a, rows = np.tanh(u), len(mean)
    normal = -0.5 * (np.square(noise) + np.log(2.0 * np.pi)) - log_std
    slope = 2.0 * (np.log(2.0) - u - np.logaddexp(0.0, -2.0 * u))
    log_prob = (normal - slope).sum(axis=1)
    smaller = np.where((q[0] < q[1])[:, None], dq[0], dq[1])
    du = 2.0 * alpha * a - smaller * (1.0 - a**2)  # d log pi / du = 2a, da/du = 1 - a^2
    loss = (alpha * log_prob - np.min(q, axis=0)).mean()  # (3.16)
    return loss, du / rows, (du * sigma * noise - alpha) / rows
    # END SOLUTION
