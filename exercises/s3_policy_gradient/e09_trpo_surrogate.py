"""Exercise 3.9: what a trust region maximises, and what it holds.            Eq. (3.9)

Read   docs/s3_policy_gradient/trpo-surrogate.md   Check  refmarl check trpo-surrogate
Time   about 30 minutes                            Needs  reinforce

Samples of an old policy say how good a new one is, as long as the new one does nearly the same.
Two numbers make that a plan: the gain, which is to be raised, and the divergence, which must stay
small. Each comes with its slope, written by hand.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def trpo_surrogate(logits, logits_old, actions, advantage):
    """Return (gain, kl, d_gain, d_kl): two numbers and their slopes in logits, both (M, K).

    logits, logits_old : float (M, K)   of the new and of the old policy in each of M states
    actions : int (M,)                  in 0..K-1, what the old policy did
    advantage : float (M,)

    pi is the softmax of a row. gain is the mean over the rows of pi(a) / pi_old(a) times advantage,
    kl the mean of KL(pi_old || pi), the sum over all actions of pi_old (log pi_old - log pi).

    Two equal policies: the gain is the mean advantage, the divergence 0 and flat.

    >>> gain, kl, d_gain, d_kl = trpo_surrogate(np.zeros((1, 2)), np.zeros((1, 2)), [0], [2.0])
    >>> print(round(gain, 6), round(kl, 6), d_gain.round(6), d_kl)
    2.0 0.0 [[ 1. -1.]] [[0. 0.]]
    """

    raise NotImplementedError("trpo-surrogate: trpo_surrogate")
