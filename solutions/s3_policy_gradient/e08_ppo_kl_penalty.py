"""Exercise 3.8: PPO with a penalty that adapts.                             Eq. (3.8)

Read   docs/s3_policy_gradient/ppo-kl-penalty.md   Check  refmarl check ppo-kl-penalty
Time   about 40 minutes                            Needs  ppo-ratio

Instead of clipping ratios one can charge for the distance between the policies. The right price is
not known beforehand, but it can be corrected after each update: doubled where the policy went too
far, halved where it hardly moved. The trap: KL is not symmetric.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def ppo_kl_penalty(logits, logits_old, actions, advantage, beta, target):
    """Return (L, slope, beta_next): a number, its derivative in logits (M, K), and a number.

    logits : float (M, K)       of the new policy; pi is the softmax of each row
    logits_old : float (M, K)   of the policy that drew the actions
    actions : int (M,)          the action drawn in each row
    advantage : float (M,)      A of each row
    beta : float                the price, >= 0
    target : float              the KL that was wanted, > 0

    L is the mean over the rows of r A - beta * KL(pi_old || pi), to be ascended. beta_next is
    2 beta if the mean of KL is above 1.5 target, beta / 2 if it is below target / 1.5, else beta.

    Nothing has moved yet: r = 1, KL = 0, the slope is that of the policy gradient.

    >>> x = np.zeros((1, 2))
    >>> gain, slope, beta = ppo_kl_penalty(x, x, np.array([0]), np.array([2.0]), 1.0, 0.01)
    >>> print(gain, slope, beta)
    2.0 [[ 1. -1.]] 0.5
    """
    # BEGIN SOLUTION
    log_pi = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    log_old = logits_old - np.logaddexp.reduce(logits_old, axis=1, keepdims=True)
    pi, old = np.exp(log_pi), np.exp(log_old)
    rows = np.arange(len(actions))
    free = np.exp(log_pi - log_old)[rows, actions] * advantage
    kl = (old * (log_old - log_pi)).sum(axis=1)
    gain = (free - beta * kl).mean()  # (3.8)
    score = -pi
    score[rows, actions] += 1.0
    slope = (free[:, None] * score - beta * (pi - old)) / len(rows)
    if kl.mean() > 1.5 * target:
        beta = 2.0 * beta
    elif kl.mean() < target / 1.5:
        beta = beta / 2.0
    return float(gain), slope, float(beta)
    # END SOLUTION
