"""Exercise 2.4: the gradient of a MADDPG actor, through its own action.       Eq. (2.4)

Read   docs/s2_cooperative/maddpg-actor.md         Check  refmarl check maddpg-actor
Time   about 40 minutes                            Needs  maddpg-critic

An actor climbs its agent's critic. The critic is shown what all did, out of the memory, with one
slot replaced: the agent's own action is what its policy would do now. From there the slope in that
slot goes back into the policy. The printed equation of the course leaves open whose actions stand
in the other slots, and at which action the slope is taken.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def maddpg_actor(weights, obs, actions, linear, curved, agent):
    """Return (gain, dw): J = E[Q(s, (mu(o), a_others))] of one agent and its gradient in weights.

    weights : float (A, O)              the agent's policy: mu(o) = tanh(weights @ o), A numbers
    obs : float (M, O)                  what the agent saw in M steps
    actions : float (M, N, A)           what all N agents did, from the memory
    linear : float (M, N * A)           the agent's critic, at each step's state:
    curved : float (N * A, N * A)         Q(s, a) = linear[m] @ a + a @ curved @ a / 2,
                                        a all agents' actions side by side; curved is symmetric
    agent : int                         whose actor it is, 0 to N - 1

    E is the mean over the M steps; gain is a number and dw (A, O).

    One step, two agents: mu = tanh(0) = 0 replaces 9, the other's 2 stays. Q = 3 * 0 + 5 * 2 = 10,
    and its slope in the own action is 3 + 1 * 2, because curved couples the two.

    >>> obs, actions = np.array([[4.0]]), np.array([[[9.0], [2.0]]])
    >>> linear, curved = np.array([[3.0, 5.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> gain, dw = maddpg_actor(np.zeros((1, 1)), obs, actions, linear, curved, 0)
    >>> print(gain, dw)
    10.0 [[20.]]
    """
    # BEGIN SOLUTION
    mu = np.tanh(obs @ np.transpose(weights))
    joint = np.array(actions, dtype=float)
    joint[:, agent] = mu
    a = joint.reshape(len(joint), -1)
    slope = (linear + a @ curved).reshape(joint.shape)[:, agent]
    gain = ((linear * a).sum(axis=1) + 0.5 * ((a @ curved) * a).sum(axis=1)).mean()
    return gain, (slope * (1.0 - mu**2)).T @ obs / len(a)  # (2.4)
    # END SOLUTION
