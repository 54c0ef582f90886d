"""Exercise 1.14: the multi-agent policy gradient.                          Eq. (1.14)

Read   docs/s1_games/marl-policy-gradient.md    Check  refmarl check marl-policy-gradient
Time   about 45 minutes                         Needs  induced-mdp

What a player earns depends on the logits of all. Its own gradient sums, over the states as often
as they are visited, score times advantage. On a game whose tables are known nothing needs to be
sampled: the visits and the action values are the solutions of two linear systems.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def policy_gradient(transition, reward, logits, observe, gamma, initial, player):
    """Return (value, gradient) of one player: J, and its derivative by the player's own logits.

    transition : float (S, A_1, ..., A_n, S)   transition[s, a_1, ..., a_n, t] is P(t | s, a)
    reward : float (n, S, A_1, ..., A_n)       reward[i, s, a_1, ..., a_n] is R_i(s, a)
    logits : list of n arrays (O_j, A_j)       pi_j(b | o) is proportional to exp(logits[j][o, b])
    observe : list of n int arrays (S,)        observe[j][s] is what player j sees in state s
    gamma : float                              the discount, 0 <= gamma < 1
    initial : float (S,)                       the distribution of the first state
    player : int                               whose value and logits, from 0

    The gradient has the shape of logits[player]. Several states may look the same to a player, and
    some rows of its logits may be for what is never seen: there the gradient is 0.

    Both players get 4 if both take their first action, else nothing; nothing comes after.

    >>> team = np.array([[[[4.0, 0.0], [0.0, 0.0]]]] * 2)
    >>> even, state = np.zeros((1, 2)), np.zeros(1, dtype=int)
    >>> policy_gradient(
    ...     np.ones((1, 2, 2, 1)), team, [even, even], [state, state], 0.0, np.ones(1), 0
    ... )
    (1.0, array([[ 0.5, -0.5]]))
    """
    raise NotImplementedError("marl-policy-gradient: policy_gradient")
