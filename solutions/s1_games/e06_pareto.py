"""Exercise 1.6: Pareto optimality.                                           Eq. (1.6)

Read   docs/s1_games/pareto.md                  Check  refmarl check pareto
Time   about 20 minutes                         Needs  nothing before it

A joint action is Pareto optimal unless another one is at least as good for every player and
better for one. Nobody deviates here: all joint actions are compared with all, as whole outcomes.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def pareto_frontier(payoffs):
    """Return which joint actions are Pareto optimal: booleans, shape (A_1, ..., A_n).

    payoffs : float (n, A_1, ..., A_n)    payoffs[i, a_1, ..., a_n] is u_i(a)

    There may be any number of players. Compare payoffs exactly, without a tolerance.

    >>> dilemma = np.array([[[-1.0, -3.0], [0.0, -2.0]], [[-1.0, 0.0], [-3.0, -2.0]]])
    >>> pareto_frontier(dilemma)
    array([[ True,  True],
           [ True, False]])
    """
    # BEGIN SOLUTION
    outcomes = payoffs.reshape(len(payoffs), -1).T  # (K, n), one row per joint action
    optimal = np.empty(len(outcomes), dtype=bool)
    for k, u in enumerate(outcomes):
        dominates = (outcomes >= u).all(axis=1) & (outcomes > u).any(axis=1)
        optimal[k] = not dominates.any()  # (1.6)
    return optimal.reshape(payoffs.shape[1:])
    # END SOLUTION
