"""Exercise 1.19: the decision process of one player.                        Eq. (1.19)

Read   docs/s1_games/induced-mdp.md             Check  refmarl check induced-mdp
Time   about 30 minutes                         Needs  multi-agent-mdp

Let everybody but one player keep to a policy. To that player the others are part of the weather:
averaging over what they draw leaves a Markov decision process of its own actions. When the others
learn, that process moves, which is why learning among learners is not learning in an MDP.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def induced_mdp(transition, reward, policies, player):
    """Return (P_i, R_i), shapes (S, A_i, S) and (S, A_i): the process that ``player`` is in.

    transition : float (S, A_1, ..., A_n, S)   transition[s, a_1, ..., a_n, t] is P(t | s, a)
    reward : float (n, S, A_1, ..., A_n)       reward[i, s, a_1, ..., a_n] is R_i(s, a)
    policies : list of n arrays                policies[j][s] is pi_j(. | s), shape (S, A_j)
    player : int                               i, counted from 0

    Given the state the others draw independently; the player's own policy does not matter. There
    may be any number of players, and a player may have a single action.

    One state. Player 1's payoffs are 2, 0 and 0, 1; player 2 plays its first action with
    probability 1/4.

    >>> stay, pay = np.ones((1, 2, 2, 1)), np.array([[[[2.0, 0.0], [0.0, 1.0]]]] * 2)
    >>> P, R = induced_mdp(stay, pay, [np.array([[1.0, 0.0]]), np.array([[0.25, 0.75]])], 0)
    >>> R
    array([[0.5 , 0.75]])
    >>> P.shape
    (1, 2, 1)
    """
    # BEGIN SOLUTION
    states, actions = policies[player].shape
    moves, paid = np.zeros((states, actions, states)), np.zeros((states, actions))
    for s in range(states):
        step = np.moveaxis(transition[s], (player, -1), (0, 1))  # (A_i, S, A_j of the others)
        pay = np.moveaxis(reward[player, s], player, 0)
        for j in reversed([j for j in range(len(policies)) if j != player]):
            step, pay = step @ policies[j][s], pay @ policies[j][s]  # (1.19)
        moves[s], paid[s] = step, pay
    return moves, paid
    # END SOLUTION
