"""Exercise 2.5: Polyak averaging of target parameters.                      Eq. (2.5)

Read   docs/s2_cooperative/polyak.md               Check  refmarl check polyak
Time   about 10 minutes                            Needs  nothing

A critic that is trained towards its own next value chases itself. A slow copy of it, the target
network, holds still long enough to be aimed at: after every step it moves a small share of the way.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def polyak(target, theta, tau):
    """Return the target's new parameters, a list of arrays in the shapes of target's.

    target : list of K float arrays   theta', the slow parameters; any shapes
    theta : list of K float arrays    theta, the parameters that learn, in the same shapes
    tau : float in [0, 1]             1 copies theta, 0 keeps the target

    >>> polyak([np.array([0.0, 8.0])], [np.array([4.0, 0.0])], 0.25)
    [array([1., 6.])]
    """
    # BEGIN SOLUTION
    return [tau * new + (1.0 - tau) * old for old, new in zip(target, theta, strict=True)]  # (2.5)
    # END SOLUTION
