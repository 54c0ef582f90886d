"""Right answers to exercise 1.20, in other words."""

import numpy as np


def state_by_state(transition, observation, belief, actions, seen):
    """Loops over old and new states; lists are returned."""
    weights = []
    for t in range(len(belief)):
        arrive = sum(
            float(belief[s]) * float(transition[(s, *actions, t)]) for s in range(len(belief))
        )
        weights.append(arrive * float(observation[(t, *actions, *seen)]))
    total = sum(weights)
    if total == 0:
        raise ValueError("it cannot be seen")
    return [w / total for w in weights], total


def from_the_joint_table(transition, observation, belief, actions, seen):
    """P(s, s', o) as a matrix; its columns are summed."""
    moved = transition[(slice(None), *actions)] * np.reshape(belief, (-1, 1))
    table = moved * observation[(slice(None), *actions, *seen)]
    probability = float(table.sum())
    if not probability > 0:
        raise ValueError(f"nobody sees {seen} here")
    return np.ones(len(belief)) @ table / probability, probability
