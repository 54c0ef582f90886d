"""Exercise 3.7: the clipped objective of PPO.                               Eq. (3.7)

Read   docs/s3_policy_gradient/ppo-clip.md         Check  refmarl check ppo-clip
Time   about 30 minutes                            Needs  ppo-ratio

Going through one batch many times pays only if the policy cannot run away from the samples. PPO
takes away the incentive: beyond a factor of 1 ± epsilon nothing more is gained. But a policy that
has run the wrong way must still be called back, and that is what the minimum is for.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def ppo_clip(ratio, advantage, epsilon):
    """Return (L, slope): the objective, a number, and its derivative in each ratio, shape (M,).

    ratio : float (M,)       r of each sample, > 0 and never exactly 1 - epsilon or 1 + epsilon
    advantage : float (M,)   A of each sample, of either sign or 0
    epsilon : float          > 0; may be larger than 1, or infinite

    L is the mean over the samples of the smaller of r A and clip(r, 1 - epsilon, 1 + epsilon) A.
    Two samples with A = 1: the second ratio is beyond 1.2 and moves nothing any more.

    >>> gain, slope = ppo_clip(np.array([0.5, 1.5]), np.ones(2), 0.2)
    >>> print(round(gain, 6), slope)
    0.85 [0.5 0. ]
    """
    raise NotImplementedError("ppo-clip: ppo_clip")
