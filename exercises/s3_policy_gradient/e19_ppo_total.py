"""Exercise 3.19: all that PPO ascends.                                      Eq. (3.19)

Read   docs/s3_policy_gradient/ppo-total.md        Check  refmarl check ppo-total
Time   about 40 minutes                            Needs  ppo-clip

If policy and value share a network, one objective must move both: the clipped gain, minus the error
of the value, plus a little for staying random. Write its value and its derivatives by hand; the
traps are signs, the factor of the square, and the entropy's derivative.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def ppo_total(logits, value, actions, log_prob_old, advantage, target, epsilon, c_1, c_2):
    """Return (L, d_logits, d_value): a number and its derivatives, (M, K) and (M,).

    logits : float (M, K)        pi is the softmax of each row
    value : float (M,)           V of each row
    actions : int (M,)           the action drawn in each row
    log_prob_old : float (M,)    log pi_old of that action
    advantage : float (M,)       A, a number: nothing is differentiated through it
    target : float (M,)          what V should be, a number too
    epsilon : float              > 0, of the clipping
    c_1, c_2 : floats >= 0

    L is the mean over the rows of min(r A, clip(r, 1 - epsilon, 1 + epsilon) A)
    - c_1 (V - target)^2 + c_2 H(pi), to be ascended; r is never exactly 1 - epsilon or 1 + epsilon.

    pi = pi_old = (1/2, 1/2), so the gain is A = 2 and the entropy does not move:

    >>> one = np.ones(1)
    >>> gain, d_logits, d_value = ppo_total(
    ...     np.zeros((1, 2)), 3.0 * one, np.array([0]), np.log([0.5]), 2.0 * one, one,
    ...     0.2, 0.5, 0.0)
    >>> print(round(gain, 6), d_logits, d_value)
    0.0 [[ 1. -1.]] [-2.]
    """
    raise NotImplementedError("ppo-total: ppo_total")
