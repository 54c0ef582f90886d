"""Right answers to exercise 1.13, in other words."""

import numpy as np
from scipy.optimize import linprog


def _worth(stage):
    """The column player's program, with positive payoffs."""
    lift = 1.0 - stage.min()
    found = linprog(-np.ones(stage.shape[1]), A_ub=stage + lift, b_ub=np.ones(len(stage)))
    return -1.0 / found.fun - lift


def state_by_state(values, transition, reward, gamma):
    """Stage games entry by entry; a list is returned."""
    found = []
    for s in range(len(values)):
        stage = np.zeros(reward[s].shape)
        for a, b in np.ndindex(stage.shape):
            follow = sum(
                float(p) * float(v) for p, v in zip(transition[s, a, b], values, strict=True)
            )
            stage[a, b] = reward[s, a, b] + gamma * follow
        found.append(float(_worth(stage)))
    return found


def at_once(values, transition, reward, gamma):
    """All stage games by einsum."""
    stages = reward + gamma * np.einsum("sabt,t->sab", transition, values)
    return np.array([_worth(stage) for stage in stages])
