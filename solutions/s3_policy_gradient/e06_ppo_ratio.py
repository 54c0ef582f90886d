"""Exercise 3.6: the probability ratio.                                      Eq. (3.6)

Read   docs/s3_policy_gradient/ppo-ratio.md        Check  refmarl check ppo-ratio
Time   about 15 minutes                            Needs  nothing

Samples of an old policy tell about a new one if each counts by how much more, or less, likely the
new one would have drawn it. The trap: probabilities may be too small for a computer, while their
ratio is an ordinary number.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def ppo_ratio(logits, logits_old, actions):
    """Return r = pi(a|s) / pi_old(a|s) of each sample, shape (M,).

    logits : float (M, K)       of the new policy in the M states of the samples;
                                pi(a|s) = exp(logits[m, a]) / sum_b exp(logits[m, b]); any numbers,
                                also such whose exp overflows, or is 0
    logits_old : float (M, K)   of the policy that drew the actions
    actions : int (M,)          the action drawn in each state

    pi_old = (1/2, 1/2) and pi = (3/4, 1/4):

    >>> old, new = np.zeros((2, 2)), np.log([[3.0, 1.0], [3.0, 1.0]])
    >>> print(ppo_ratio(new, old, np.array([0, 1])))
    [1.5 0.5]
    """
    # BEGIN SOLUTION
    rows = np.arange(len(actions))
    log_probs = []
    for x in (logits, logits_old):
        lowered = x - np.max(x, axis=1, keepdims=True)
        total = np.log(np.exp(lowered).sum(axis=1))
        log_probs.append(lowered[rows, actions] - total)
    return np.exp(log_probs[0] - log_probs[1])  # (3.6)
    # END SOLUTION
