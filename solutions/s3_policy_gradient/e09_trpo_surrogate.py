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

    # BEGIN SOLUTION
    def log_pi(x):
        shifted = x - np.max(x, axis=1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

    new, old, rows = log_pi(logits), log_pi(logits_old), np.arange(len(logits))
    taken = np.zeros(new.shape)
    taken[rows, actions] = 1.0
    gains = np.exp(new[rows, actions] - old[rows, actions]) * advantage
    kls = (np.exp(old) * (old - new)).sum(axis=1)  # (3.9)
    d_gain = gains[:, None] * (taken - np.exp(new)) / len(rows)
    d_kl = (np.exp(new) - np.exp(old)) / len(rows)
    return float(gains.mean()), float(kls.mean()), d_gain, d_kl
    # END SOLUTION
