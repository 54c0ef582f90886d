"""Exercise 2.6: COMA's counterfactual advantage.                            Eq. (2.6)

Read   docs/s2_cooperative/coma-advantage.md       Check  refmarl check coma-advantage
Time   about 20 minutes                            Needs  nothing

All agents earn the same. How much of it was the merit of one of them? Hold what the others did, and
compare what came with what the agent's policy would have brought on average in its place.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def coma_advantage(q, pi, actions, agent):
    """Return A_i of the actions taken, a float array (M,).

    q : float (M, A_1, ..., A_n)   Q(s, a) of M steps, for every joint action
    pi : float (M, A_i)            pi_i(b|o_i) of the agent
    actions : int (M, n)           what each agent did
    agent : int                    i, from 0

    One step, two agents who earn the sum of what they do, 0 or 1; both did 1. The agent does 1 half
    of the time, so that half of the sum's second part is its merit, whatever the other did.

    >>> total = np.array([[[0.0, 1.0], [1.0, 2.0]]])
    >>> coma_advantage(total, np.array([[0.5, 0.5]]), np.array([[1, 1]]), 0)
    array([0.5])
    """
    raise NotImplementedError("coma-advantage: coma_advantage")
