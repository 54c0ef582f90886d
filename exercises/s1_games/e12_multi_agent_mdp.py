"""Exercise 1.12: the value of joint policies.                               Eq. (1.12)

Read   docs/s1_games/multi-agent-mdp.md         Check  refmarl check multi-agent-mdp
Time   about 30 minutes                         Needs  expected-utility

In a Markov game the joint action pays every player and moves the state. Once all policies are
fixed nothing is left to decide: averaging over what everybody draws gives a Markov chain with a
reward for each player, and the values solve V = R + gamma P V, a system of linear equations.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def joint_values(transition, reward, policies, gamma):
    """Return V, shape (n, S): what each player can expect from each state on, discounted.

    transition : float (S, A_1, ..., A_n, S)   transition[s, a_1, ..., a_n, t] is P(t | s, a)
    reward : float (n, S, A_1, ..., A_n)       reward[i, s, a_1, ..., a_n] is R_i(s, a)
    policies : list of n arrays                policies[j][s] is pi_j(. | s), shape (S, A_j)
    gamma : float                              the discount, 0 <= gamma < 1

    Given the state the players draw independently. There may be any number of players, and a
    player may have a single action.

    One state and both players with one action: the rewards 1 and -3 come in every round.

    >>> stay, always = np.ones((1, 1, 1, 1)), np.array([[[[1.0]]], [[[-3.0]]]])
    >>> joint_values(stay, always, [np.ones((1, 1)), np.ones((1, 1))], 0.5)
    array([[ 2.],
           [-6.]])
    """
    raise NotImplementedError("multi-agent-mdp: joint_values")
