"""Right answers to exercise 1.17, in other words."""

from itertools import product

import numpy as np


def _process(transition, reward, policies, i):
    """Joint action by joint action."""
    states, actions = policies[i].shape
    moves, paid = np.zeros((states, actions, states)), np.zeros((states, actions))
    for s in range(states):
        for a in product(*(range(p.shape[1]) for p in policies)):
            chance = np.prod([p[s, a[j]] for j, p in enumerate(policies) if j != i])
            moves[s, a[i]] += chance * transition[(s, *a)]
            paid[s, a[i]] += chance * reward[(i, s, *a)]
    return moves, paid


def by_trying_all(transition, reward, policies, gamma, initial):
    """Every deterministic policy; a list is returned."""
    found = []
    for i, own in enumerate(policies):
        moves, paid = _process(transition, reward, policies, i)
        states, actions = paid.shape

        def worth(pi, moves=moves, paid=paid):
            chain = np.einsum("sa,sat->st", pi, moves)
            now = (pi * paid).sum(axis=1)
            return float(initial @ np.linalg.solve(np.eye(len(now)) - gamma * chain, now))

        pure = (np.eye(actions)[list(c)] for c in product(range(actions), repeat=states))
        found.append(max(map(worth, pure)) - worth(own))
    return found


def by_value_iteration(transition, reward, policies, gamma, initial):
    """Both values by sweeps that go on until nothing moves."""
    found = []
    for i, own in enumerate(policies):
        moves, paid = _process(transition, reward, policies, i)
        best, now = np.zeros(len(paid)), np.zeros(len(paid))
        for _ in range(4000):
            before = best, now
            best = (paid + gamma * moves @ best).max(axis=1)
            now = (own * (paid + gamma * moves @ now)).sum(axis=1)
            if np.array_equal(before, (best, now)):
                break
        found.append(initial @ (best - now))
    return np.array(found)
