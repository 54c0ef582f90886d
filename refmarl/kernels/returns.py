r"""Returns and advantages of trajectories as kernels, one backward pass each.

    δ_t = r_t + γ (1 − d_t) V(s_{t+1}) − V(s_t)                                        (3.4)
    A_t = δ_t + γλ A_{t+1},   A_{t+1} = 0 where the episode ended at t                 (3.5)
    G_t^{(n)} = Σ_{k<m} γ^k r_{t+k} + γ^m (1 − d_{t+m−1}) V(s_{t+m})                   (4.1)

Every array is (T, M): T steps of M streams side by side. Three facts about a step are kept apart:
``terminated`` (d_t: nothing follows, so V(s_{t+1}) counts 0), ``ended`` (the next row is another
episode: terminated or truncated), and ``next_value`` = V(s_{t+1}), the value of the state in which
step t really ended, also where the next row already shows a restarted episode. The last row is
always a cut: what follows it is known only through ``next_value``.
"""

from ..value_grad import Real
from ._jit import kernel


@kernel
def td_errors(
    reward: Real, value: Real, next_value: Real, terminated: Real, gamma: float, out: Real
) -> None:
    """δ (T, M) into ``out``."""
    for t in range(reward.shape[0]):
        for m in range(reward.shape[1]):
            follow = 0.0 if terminated[t, m] else gamma * next_value[t, m]
            out[t, m] = reward[t, m] + follow - value[t, m]  # (3.4)


@kernel
def advantages(
    reward: Real,
    value: Real,
    next_value: Real,
    terminated: Real,
    ended: Real,
    gamma: float,
    lam: float,
    out: Real,
) -> None:
    """Generalised advantages A (T, M) into ``out``."""
    last, decay = reward.shape[0] - 1, gamma * lam
    for t in range(last, -1, -1):
        for m in range(reward.shape[1]):
            follow = 0.0 if terminated[t, m] else gamma * next_value[t, m]
            delta = reward[t, m] + follow - value[t, m]
            tail = 0.0 if t == last or ended[t, m] else out[t + 1, m]
            out[t, m] = delta + decay * tail  # (3.5)


@kernel
def lambda_returns(
    reward: Real,
    next_value: Real,
    terminated: Real,
    ended: Real,
    gamma: float,
    lam: float,
    out: Real,
) -> None:
    """G^λ_t = r_t + γ ((1 − λ) V(s_{t+1}) + λ G^λ_{t+1}) into ``out`` (T, M); cuts use V alone."""
    last = reward.shape[0] - 1
    for t in range(last, -1, -1):
        for m in range(reward.shape[1]):
            follow = 0.0 if terminated[t, m] else next_value[t, m]
            if t < last and not ended[t, m]:
                follow = (1.0 - lam) * follow + lam * out[t + 1, m]
            out[t, m] = reward[t, m] + gamma * follow


@kernel
def n_step_returns(
    reward: Real,
    next_value: Real,
    terminated: Real,
    ended: Real,
    gamma: float,
    n: int,
    out: Real,
) -> None:
    """G^(n) (T, M) into ``out``: at most n rewards, then the value where they stop."""
    steps = reward.shape[0]
    for t in range(steps):
        for m in range(reward.shape[1]):
            total, scale, k = 0.0, 1.0, t
            while True:
                total += scale * reward[k, m]
                scale *= gamma
                if k == steps - 1 or ended[k, m] or k - t == n - 1:
                    break
                k += 1
            follow = 0.0 if terminated[k, m] else next_value[k, m]
            out[t, m] = total + scale * follow  # (4.1)
