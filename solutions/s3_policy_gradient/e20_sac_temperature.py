"""Exercise 3.20: the temperature that keeps entropy at a target.            Eq. (3.20)

Read   docs/s3_policy_gradient/sac-temperature.md  Check  refmarl check sac-temperature
Time   about 15 minutes                            Needs  nothing

How much a nat of entropy should be worth is hard to say; how much entropy there should be is not.
So the price is learnt: it rises while there is too little and falls while there is too much. Most
code moves log alpha, which keeps alpha positive, and it pays to know that both agree.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def sac_temperature(log_alpha, log_prob, target):
    """Return (J, d_alpha, d_log_alpha): the loss of the temperature, and its slopes in both forms.

    log_alpha : float           log of the temperature alpha
    log_prob : float (M,)       log pi(a|s) of M actions
    target : float              the entropy that there should be, in nats; of either sign

    All three are numbers. J is to be descended.

    alpha = 1, and an entropy of 1/2 where 2 are asked for: J falls as alpha rises.

    >>> print(*sac_temperature(0.0, np.array([-1.0, 0.0]), 2.0))
    -1.5 -1.5 -1.5
    """
    # BEGIN SOLUTION
    alpha, missing = np.exp(log_alpha), np.mean(log_prob) + target
    return -alpha * missing, -missing, -alpha * missing  # (3.20)
    # END SOLUTION
