"""Exercise 2.7: the loss of a value decomposition network.                  Eq. (2.7)

Read   docs/s2_cooperative/vdn.md                  Check  refmarl check vdn
Time   about 25 minutes                            Needs  td-error

A team of n agents is paid one reward. Each has values of its own actions, and the team's value is
their sum. Nobody has a target: the sum has one, and its error comes back to all of them. The
questions are what the best joint action at s' is worth, and who gets which gradient.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def vdn(q, actions, reward, terminated, truncated, q_next, gamma):
    """Return (loss, y, dq): the mean squared error of the team's values, the target, the gradient.

    q : float (n, M, K)           Q_i(o_i, .) of n agents in M rows, K actions each
    actions : int (n, M)          what each agent did
    reward : float (M,)           r, one for all
    terminated : bool (M,)        nothing is to come after this step
    truncated : bool (M,)         only a time limit cut the episode here
    q_next : float (n, M, K)      Q'_i(o'_i, .) of the slow copies, at the next observations
    gamma : float in [0, 1]

    loss is a number, the mean over the M rows of (y - Q_tot)^2; y is (M,); dq (n, M, K) is the
    gradient of the loss in q, with y held. No step is both terminated and truncated.

    One row, two agents: Q_tot = 1 + 3 = 4, y = 1 + 0.5 * (2 + 6) = 5.

    >>> no = np.array([False])
    >>> q, q_next = np.array([[[1.0, 0.0]], [[2.0, 3.0]]]), np.array([[[2.0, 1.0]], [[0.0, 6.0]]])
    >>> loss, y, dq = vdn(q, np.array([[0], [1]]), np.ones(1), no, no, q_next, 0.5)
    >>> print(loss, y, dq[:, 0].tolist())
    1.0 [5.] [[-2.0, 0.0], [0.0, -2.0]]
    """
    raise NotImplementedError("vdn: vdn")
