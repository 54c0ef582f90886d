"""Bug museum 5: a column minus a row.

Read   docs/museum/index.md                     Check  refmarl check museum-silent-broadcast
Time   about 10 minutes                         Needs  nothing before it
Seen   RLinf/RLinf#1568, thu-ml/tianshou pull request 155

A critic returns a column (N, 1), the targets are a row (N,). NumPy subtracts every target from
every value, N * N differences, and the mean of their squares is a number like any other. The critic
learns the same mean for all states. No error is raised.
"""

import numpy as np


def value_loss(value, target):
    """Return 1/2 the mean of (V - target)^2 over the N states, a float.

    value : float (N, 1)    V of N states, a column, as networks return it
    target : float (N,)     what it should have been
    """
    # BEGIN BUG
    # - error = value - target
    error = value[:, 0] - target
    # END BUG
    return 0.5 * (error**2).mean()
