"""Exercise 1.21: social welfare and the price of anarchy.                    Eq. (1.21)

Read   docs/s1_games/social-welfare.md          Check  refmarl check social-welfare
Time   about 15 minutes                         Needs  nash

The welfare of a joint action is the sum of what it pays the players. What could a planner reach
with the players' actions, and what is left of it where everybody looks after themselves? The price
of anarchy is the best welfare of all joint actions over the worst welfare of the equilibria.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def price_of_anarchy(payoffs, equilibria):
    """Return max_a W(a) over the smallest W at the equilibria, a float.

    payoffs    : float (n, A_1, ..., A_n)    payoffs[i, a_1, ..., a_n] is u_i(a)
    equilibria : list of joint actions       each a tuple (a_1, ..., a_n), counted from 0

    Welfare is positive at each equilibrium given; single payoffs may be negative.

    >>> dilemma = np.array([[[3.0, 0.0], [5.0, 1.0]], [[3.0, 5.0], [0.0, 1.0]]])
    >>> float(price_of_anarchy(dilemma, [(1, 1)]))
    3.0
    """
    raise NotImplementedError("social-welfare: price_of_anarchy")
