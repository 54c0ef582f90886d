r"""Returns and advantages of trajectories as kernels, one backward pass each.

    δ_t = r_t + γ (1 − d_t) V(s_{t+1}) − V(s_t)                                        (3.4)
    A_t = δ_t + γλ A_{t+1},   A_{t+1} = 0 where the episode ended at t                 (3.5)
    G_t^{(n)} = Σ_{k<m} γ^k r_{t+k} + γ^m (1 − d_{t+m−1}) V(s_{t+m})                   (4.1)

Every array is (T, M): T steps of M streams side by side. Three facts about a step are kept apart:
``terminated`` (d_t: nothing follows, so V(s_{t+1}) counts 0), ``ended`` (the next row is another
episode: terminated or truncated), and ``next_value`` = V(s_{t+1}), the value of the state in which
step t really ended, also where the next row already shows a restarted episode. The last row is
always a cut: what follows it is known only through ``next_value``.

What does not count is read all the same, and then not chosen: without a branch around the reading
the inner loops become vector instructions. Sums are float64, results are rounded to ``out``.
"""

from ..value_grad import Real
from ._jit import kernel

FEW = 8  # passes that cost less than looking how long the episodes are


@kernel
def td_errors(
    reward: Real, value: Real, next_value: Real, terminated: Real, gamma: float, out: Real
) -> None:
    """δ (T, M) into ``out``."""
    for t in range(reward.shape[0]):
        for m in range(reward.shape[1]):
            follow = gamma * float(next_value[t, m])
            follow = 0.0 if terminated[t, m] else follow
            out[t, m] = float(reward[t, m]) + follow - float(value[t, m])  # (3.4)


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
    td_errors(reward, value, next_value, terminated, gamma, out)
    decay = gamma * lam
    for t in range(reward.shape[0] - 2, -1, -1):
        for m in range(reward.shape[1]):
            tail = decay * float(out[t + 1, m])
            tail = 0.0 if ended[t, m] else tail
            out[t, m] = float(out[t, m]) + tail  # (3.5)


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
    for m in range(reward.shape[1]):
        follow = gamma * float(next_value[last, m])
        out[last, m] = float(reward[last, m]) + (0.0 if terminated[last, m] else follow)
    for t in range(last - 1, -1, -1):
        for m in range(reward.shape[1]):
            follow = float(next_value[t, m])
            mixed = (1.0 - lam) * follow + lam * float(out[t + 1, m])
            follow = 0.0 if terminated[t, m] else follow
            follow = follow if ended[t, m] else mixed
            out[t, m] = float(reward[t, m]) + gamma * follow


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
    """G^(n) (T, M) into ``out``: at most n ≤ T rewards, then the value where they stop.

    G^(n)_t = r_t + γ G^(n−1)_{t+1} within an episode, and G^(0) = V: n passes forward, each of
    which finds the row below it not yet raised. One pass backward finds it raised, and that is
    all there is to do if n reaches every end.
    """
    last = reward.shape[0] - 1
    lambda_returns(reward, next_value, terminated, ended, gamma, 0.0, out)
    far = n > last or (n > FEW and n >= _longest(ended))
    passes = 1 if far else n - 1
    for _ in range(passes):
        for k in range(last):
            t = last - 1 - k if far else k
            for m in range(reward.shape[1]):
                more = float(reward[t, m]) + gamma * float(out[t + 1, m])
                out[t, m] = float(out[t, m]) if ended[t, m] else more  # (4.1)


@kernel
def _longest(ended: Real) -> int:
    """The most rows that an episode has here; the last row ends all."""
    longest = 0
    for m in range(ended.shape[1]):
        length = 0
        for t in range(ended.shape[0]):
            length += 1
            longest = max(longest, length)
            length = 0 if ended[t, m] else length
    return longest
