"""Exercise 3.15: the log density of a squashed Gaussian.                    Eq. (3.15)

Read   docs/s3_policy_gradient/tanh-gaussian.md    Check  refmarl check tanh-gaussian
Time   about 30 minutes                            Needs  nothing

Torques and steering angles have limits. Send a Gaussian through tanh and it keeps them, but space
is squeezed on the way, and the density grows by what the slope takes away. That slope is 0 to
machine precision long before the action is of no interest, and its logarithm must not be.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def tanh_gaussian(mean, log_std, noise):
    """Return (action, log_prob): a = tanh(mean + exp(log_std) * noise) and log pi(a).

    mean : float (M, A)       mu of M states, A numbers each
    log_std : float (M, A)    log sigma
    noise : float (M, A)      epsilon, drawn from the standard normal

    action is (M, A), log_prob (M,), the density of all A numbers together. It must be right to nine
    digits for |mean + exp(log_std) * noise| up to 500, where 1 - tanh^2 is 0 in floating point.

    >>> zero = np.zeros((1, 1))
    >>> action, log_prob = tanh_gaussian(zero, zero, zero)
    >>> print(action[0], log_prob.round(4))
    [0.] [-0.9189]
    """
    raise NotImplementedError("tanh-gaussian: tanh_gaussian")
