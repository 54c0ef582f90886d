"""Exercise 1.13: one step of Shapley's value iteration.                       Eq. (1.13)

Read   docs/s1_games/shapley-iteration.md       Check  refmarl check shapley-iteration
Time   about 25 minutes                         Needs  zero-sum-value, multi-agent-mdp

In every state two players choose at the same time; the column player pays the reward, and both
choices together decide where they meet next. If the states were worth ``values``, each state
would be a matrix game: reward now, and the discounted worth of what comes next. Its value is the
new worth of the state.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np
from scipy.optimize import linprog


def shapley_step(values, transition, reward, gamma):
    """Return the new values of all states, shape (S,), by one application of (1.13).

    values : float (S,)                 what each state is taken to be worth to the row player
    transition : float (S, A, B, S)     transition[s, a, b, t]: probability of going from s to t
    reward : float (S, A, B)            what the column player pays in state s
    gamma : float in [0, 1)             the discount

    All new values follow from the old ones.

    >>> transition = np.ones((1, 2, 2, 1))
    >>> reward = np.array([[[3.0, 0.0], [1.0, 2.0]]])
    >>> print(shapley_step(np.array([10.0]), transition, reward, 0.5).round(6))
    [6.5]
    """
    # BEGIN SOLUTION
    stages = reward + gamma * transition @ values  # (S, A, B)
    return np.array([_value(stage) for stage in stages])  # (1.13)
    # END SOLUTION


def _value(A):
    """The value of the zero-sum game in which A[i, j] is paid to the row player: exercise 1.4."""
    secured, conceded = A.min(axis=1).max(), A.max(axis=0).min()
    if secured == conceded:
        return float(secured)
    m, n = A.shape
    found = linprog(
        np.append(np.zeros(m), -1.0),
        A_ub=np.column_stack([-A.T, np.ones(n)]),
        b_ub=np.zeros(n),
        A_eq=[np.append(np.ones(m), 0.0)],
        b_eq=[1.0],
        bounds=[(0, None)] * m + [(None, None)],
    )
    return float(found.x[m])
