"""Exercise 2.1: the actor of the multi-agent actor-critic.                  Eq. (2.1)

Read   docs/s2_cooperative/maac-actor.md           Check  refmarl check maac-actor
Time   about 30 minutes                            Needs  marl-policy-gradient

The critic knows what everybody did, the actor only its own state. Where the world can be listed,
the expectation in (2.1) is a sum: over the states as often as they are visited, and over all joint
actions as likely as the policies make them. What is subtracted from Q does not matter, as long as
it does not look at the agent's own action; so you may subtract nothing at all.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def maac_actor(logits, q, visits, agent):
    """Return the gradient of (2.1) in the agent's logits, a float array (S, A_i).

    logits : list of n float arrays (S, A_j)   pi_j(b|s) is proportional to exp(logits[j][s, b])
    q : float (S, A_1, ..., A_n)               Q_i(s, a) of the agent, for every joint action
    visits : float (S,)                        d(s), the sum over t of gamma^t P(s_t = s)
    agent : int                                i, from 0

    One state, two agents with even policies; both earn 4 if both take their first action.

    >>> even = np.zeros((1, 2))
    >>> maac_actor([even, even], np.array([[[4.0, 0.0], [0.0, 0.0]]]), np.ones(1), 0)
    array([[ 0.5, -0.5]])
    """
    raise NotImplementedError("maac-actor: maac_actor")
