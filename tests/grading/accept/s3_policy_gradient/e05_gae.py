"""Right answers to exercise 3.5, in other words."""

import numpy as np


def as_one_matrix(reward, value, next_value, terminated, truncated, gamma, lam):
    """A = W δ for each copy: W has the powers of γλ within episodes."""
    delta = reward + gamma * next_value * (1 - terminated) - value
    number = np.cumsum(terminated | truncated, axis=0) - (terminated | truncated)
    steps = np.arange(len(reward))
    ahead = np.maximum(steps[None, :] - steps[:, None], 0)
    weights = np.triu((gamma * lam) ** ahead)
    together = number[:, None] == number[None, :]  # (T, T, B)
    return np.einsum("tk,tkb,kb->tb", weights, together, delta)


def by_recursion(reward, value, next_value, terminated, truncated, gamma, lam):
    """The first row from all the rows below it; lists are returned."""
    if len(reward) == 0:
        return []
    below = by_recursion(
        reward[1:], value[1:], next_value[1:], terminated[1:], truncated[1:], gamma, lam
    )
    row = []
    for b in range(len(reward[0])):
        a = reward[0][b] - value[0][b]
        if not terminated[0][b]:
            a += gamma * next_value[0][b]
            if below and not truncated[0][b]:
                a += gamma * lam * below[0][b]
        row.append(float(a))
    return [row, *below]


def as_mixture_of_returns(reward, value, next_value, terminated, truncated, gamma, lam):
    """The λ-return minus V: r + γ((1-λ) V' + λ G'), V' alone where the row below is another's."""
    future = np.array(next_value[-1], dtype=float)
    out = np.empty(np.shape(reward))
    for t in range(len(reward) - 1, -1, -1):
        cut = truncated[t] if t < len(reward) - 1 else np.ones_like(truncated[t])
        mixed = np.where(cut, next_value[t], (1 - lam) * next_value[t] + lam * future)
        future = reward[t] + gamma * np.where(terminated[t], 0, mixed)
        out[t] = future - value[t]
    return out


def step_by_step_forwards(reward, value, next_value, terminated, truncated, gamma, lam):
    """Each error is handed to all rows before it in its episode."""
    found = np.zeros(np.shape(reward))
    trace = np.zeros((len(reward), np.shape(reward)[1]))
    for t in range(len(reward)):
        trace[t] = 1.0
        follow = gamma * np.where(terminated[t], 0.0, next_value[t])
        found += trace * (reward[t] + follow - value[t])
        trace = trace * gamma * lam * ~(terminated[t] | truncated[t])
    return found
