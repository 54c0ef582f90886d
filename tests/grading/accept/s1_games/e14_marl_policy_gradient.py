"""Right answers to exercise 1.14, in other words."""

from itertools import product

import numpy as np


def _earned(transition, reward, logits, observe, gamma, initial, player):
    """J, for logits that may be complex."""
    pi = []
    for x, o in zip(logits, observe, strict=True):
        odds = np.exp(x - np.real(x).max(axis=1, keepdims=True))
        pi.append((odds / odds.sum(axis=1, keepdims=True))[o])
    states = len(initial)
    moves, paid = np.zeros((states, states), complex), np.zeros(states, complex)
    for s in range(states):
        for a in product(*map(range, reward.shape[2:])):
            chance = np.prod([p[s, b] for p, b in zip(pi, a, strict=True)])
            moves[s] += chance * transition[(s, *a)]
            paid[s] += chance * reward[(player, s, *a)]
    return initial @ np.linalg.solve(np.eye(states) - gamma * moves, paid)


def by_complex_steps(transition, reward, logits, observe, gamma, initial, player):
    """Every own logit moves a little along the imaginary axis."""
    given = (transition, reward, logits, observe, gamma, initial, player)
    gradient = np.zeros(logits[player].shape)
    for index in np.ndindex(gradient.shape):
        moved = [np.array(x, dtype=complex) for x in logits]
        moved[player][index] += 1e-30j
        gradient[index] = _earned(*given[:2], moved, *given[3:]).imag / 1e-30
    return float(_earned(*given).real), gradient


def from_joint_actions(transition, reward, logits, observe, gamma, initial, player):
    """Q of joint actions first: the score of the own action, times all of it."""
    pi = []
    for x, o in zip(logits, observe, strict=True):
        odds = np.exp(x - np.max(x, axis=1, keepdims=True))
        pi.append((odds / odds.sum(axis=1, keepdims=True))[o])
    states, joint = len(initial), list(product(*map(range, reward.shape[2:])))
    chance = np.array(
        [
            [np.prod([p[s, b] for p, b in zip(pi, a, strict=True)]) for a in joint]
            for s in range(states)
        ]
    )
    moves = np.array([[transition[(s, *a)] for a in joint] for s in range(states)])
    paid = np.array([[reward[(player, s, *a)] for a in joint] for s in range(states)], dtype=float)
    system = np.eye(states) - gamma * np.einsum("sa,sat->st", chance, moves)
    v = np.linalg.solve(system, (chance * paid).sum(axis=1))
    visits = np.linalg.solve(system.T, initial)
    q = paid + gamma * moves @ v
    gradient = np.zeros(logits[player].shape)
    for s in range(states):
        row = gradient[observe[player][s]]
        for k, a in enumerate(joint):
            row -= visits[s] * chance[s, k] * q[s, k] * pi[player][s]
            row[a[player]] += visits[s] * chance[s, k] * q[s, k]
    return float(v @ initial), gradient
