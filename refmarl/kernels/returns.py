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

import numpy as np

from ..value_grad import Real
from ._jit import kernel

FEW = 6  # as many passes cost no more than `_raise`


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
def traces(features: Real, ended: Real, decay: float, out: Real) -> None:
    """e_t = x_t + ``decay`` e_{t−1} within an episode, (T, M, F), into ``out``."""
    for t in range(features.shape[0]):
        for m in range(features.shape[1]):
            fresh = t == 0 or ended[t - 1, m]
            for f in range(features.shape[2]):
                before = 0.0 if fresh else decay * float(out[t - 1, m, f])
                out[t, m, f] = float(features[t, m, f]) + before


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
    all there is to do if n reaches the last row from everywhere. Otherwise many passes are as two.
    """
    last = reward.shape[0] - 1
    lambda_returns(reward, next_value, terminated, ended, gamma, 0.0, out)
    if n > last:
        _add_rows(reward, ended, gamma, 0, last, out)
    elif n > FEW:
        _raise(reward, ended, gamma, n - 1, out)
    else:
        for _ in range(n - 1):
            for t in range(last):
                for m in range(reward.shape[1]):
                    more = float(reward[t, m]) + gamma * float(out[t + 1, m])
                    out[t, m] = float(out[t, m]) if ended[t, m] else more  # (4.1)


@kernel
def _add_rows(reward: Real, ended: Real, gamma: float, start: int, stop: int, out: Real) -> None:
    """From row ``stop`` − 1 back to ``start``, what the row below has, in the same episode."""
    for t in range(stop - 1, start - 1, -1):
        for m in range(reward.shape[1]):
            more = float(reward[t, m]) + gamma * float(out[t + 1, m])
            out[t, m] = float(out[t, m]) if ended[t, m] else more


@kernel
def _raise(reward: Real, ended: Real, gamma: float, w: int, out: Real) -> None:
    """G^(w+1) in the place of ``out`` = G^(1), in time that does not depend on w.

    Row t is a map of what follows, x ↦ r_t + γ x, or ↦ G^(1)_t where an episode ends, and
    G^(w+1)_t is w of them applied to G^(1)_{t+w}. The rows are cut into blocks of w: the maps from
    t to the end of its block are gathered backwards, those from there on forwards (van Herk 1992,
    Pattern Recognit. Lett. 13; Gil & Werman 1993, who take maxima). A gathered map is x ↦ b + a x,
    a power of γ or, behind an end, 0: nothing is divided.
    """
    steps, streams = reward.shape
    power, near, far = np.ones(w + 1), np.empty(streams), np.empty(streams)
    cut = np.empty(streams, dtype=np.int64)  # a block's last end
    for k in range(w):
        power[k + 1] = gamma * power[k]
    for start in range(0, steps, w):
        stop = start + w
        if stop >= steps:
            _add_rows(reward, ended, gamma, start, steps - 1, out)
            return
        for m in range(streams):
            near[m], far[m] = 0.0, 1.0
            cut[m] = -1
            out[stop - 1, m] = out[stop - 1, m] if ended[stop - 1, m] else reward[stop - 1, m]
        _add_rows(reward, ended, gamma, start, stop - 1, out)
        for t in range(start, stop):
            for m in range(streams):
                cut[m] = max(cut[m], t) if ended[t, m] else cut[m]
        for t in range(start, stop):
            _reach(reward, ended, gamma, t, t + w, power[stop - t], cut, near, far, out)


@kernel
def _reach(
    reward: Real,
    ended: Real,
    gamma: float,
    t: int,
    u: int,
    scale: float,
    cut: Real,
    near: Real,
    far: Real,
    out: Real,
) -> None:
    """Add to row t, which has its block's part, that of the rows up to u; let those grow by u."""
    last = reward.shape[0] - 1
    row = min(u, last)
    for m in range(reward.shape[1]):
        a, b = far[m], near[m]
        whole = b + (0.0 if a == 0.0 else a * float(out[row, m]))
        part = b + (0.0 if a == 0.0 else a * float(reward[row, m]))
        over = ended[row, m] or row == last
        near[m], far[m] = (whole if over else part), (0.0 if over else gamma * a)
        out[t, m] += 0.0 if t <= cut[m] else scale * whole  # (4.1)


@kernel
def running_totals(reward: Real, ended: Real, total: Real, out: Real) -> None:
    """What each stream was paid so far in its episode, step t included; ``total`` (M,) goes on."""
    for t in range(reward.shape[0]):
        for m in range(reward.shape[1]):
            total[m] += reward[t, m]
            out[t, m] = total[m]
            if ended[t, m]:
                total[m] = 0.0
