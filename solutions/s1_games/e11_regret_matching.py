"""Exercise 1.11: regret matching.                                           Eq. (1.11)

Read   docs/s1_games/regret-matching.md         Check  refmarl check regret-matching
Time   about 25 minutes                         Needs  expected-utility

In every round you choose a mixed strategy, and only then learn what each action pays. The regret
of an action is what it would have earned in all rounds so far, minus what you earned. Play the
actions that you regret, in proportion to their regret: then your average regret tends to zero
against any opponent.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def regret_matching(utilities):
    """Return the strategies x_1, ..., x_T that regret matching plays, shape (T, A).

    utilities : float (T, A)        utilities[t, a] is what action a pays in round t

    Row t of the answer is chosen before row t of ``utilities`` is known: it depends on the
    rows before it only. Where no regret is positive, play is uniform.

    >>> print(regret_matching(np.array([[1.0, 3.0], [5.0, 1.0], [0.0, 0.0]])))
    [[0.5  0.5 ]
     [0.   1.  ]
     [0.75 0.25]]
    """
    # BEGIN SOLUTION
    regrets = np.zeros(utilities.shape[1])
    strategies = np.empty(utilities.shape)
    for t, u in enumerate(utilities):
        positive = np.maximum(regrets, 0.0)
        total = positive.sum()
        strategies[t] = positive / total if total > 0 else 1 / len(u)  # (1.11)
        regrets += u - strategies[t] @ u
    return strategies
    # END SOLUTION
