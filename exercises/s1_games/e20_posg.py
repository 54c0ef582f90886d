"""Exercise 1.20: what to believe after an action and an observation.        Eq. (1.20)

Read   docs/s1_games/posg.md                    Check  refmarl check posg
Time   about 30 minutes                         Needs  multi-agent-mdp

Nobody sees the state; each player gets a signal that depends on the new state and on what was done.
Whoever knows all actions and all signals can keep a distribution over states, the belief: predict
where the game went, weigh each state by how likely it made the signals, and normalise. The
weights' sum is worth keeping, too: it is the probability of the signals.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def belief_update(transition, observation, belief, actions, seen):
    """Return (b', p): the belief (S,) after the round, and the probability of what was seen.

    transition : float (S, A_1, ..., A_n, S)     transition[s, a_1, ..., a_n, t] is P(t | s, a)
    observation : float (S, A_1, ..., A_n, O_1, ..., O_n)
                                                 observation[t, a_1, ..., o_1, ...] is O(o | t, a),
                                                 t the state that the actions led to
    belief : float (S,)                          b(s), before the actions
    actions, seen : tuples of n ints             one action, one observation of each player

    Raise a ValueError if the observation cannot occur after this belief and these actions.

    One player, one action. It stays in state 1 or moves there from 0 with probability 1/2. Signal 1
    is certain in state 1 and appears with probability 1/2 in state 0. From state 0, after signal 1:
    weights 1/2 * 1/2 and 1/2 * 1.

    >>> P = np.array([[[0.5, 0.5]], [[0.0, 1.0]]])
    >>> O = np.array([[[0.5, 0.5]], [[0.0, 1.0]]])
    >>> b, p = belief_update(P, O, np.array([1.0, 0.0]), (0,), (1,))
    >>> b.round(4), float(p)
    (array([0.3333, 0.6667]), 0.75)
    """
    raise NotImplementedError("posg: belief_update")
