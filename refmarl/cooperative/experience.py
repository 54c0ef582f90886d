"""Rows of a team's memory: n rewards summed up, one reward for all, who is still there.

The memory holds single steps; what n-step returns need is put together when rows are drawn. In the
ring the next step of the same copy stands B places further on. For agents that remember, stretches
of T steps are drawn, with what was remembered before the first of them when it was taken (stored
states, Kapturowski et al. 2019); one may run on from an episode into the next, where memory is 0.

Axes: M rows, B copies, T steps of a stretch, n agents of all groups, S numbers of the global state,
m ≤ n_step rewards.
"""

from typing import Any, NamedTuple

import numpy as np

from ..env_api import Env
from ..policy_gradient.off_policy import More, Transition
from ..replay import Ring, ring
from ..rollout import Arrays
from ..value_grad import Real
from .team_reward import shared
from .utilities import Stretch


class Batch(NamedTuple):
    """M rows."""

    obs: Arrays  # (M, N_g, O_g)
    action: Arrays  # (M, N_g)
    reward: Real  # Σ_{k<m} γ^k r_k, (M, n)
    discount: Real  # γ^m, (M, 1)
    terminated: Real  # whether nothing is to come for an agent, (M, n)
    next_obs: Arrays
    mask: Arrays
    next_mask: Arrays
    state: Real  # (M, S), S = 0 if nobody looks at it
    next_state: Real
    alive: Real | None  # (M, n); None: all always are
    next_alive: Real | None
    stretches: tuple[Stretch | None, ...] = (None, None)  # of each team of utilities that remembers


def extras(central: bool, n_step: int, dtype: str, memories: tuple[Arrays, ...] = ()) -> More:
    """What stands in a row beside the transition.

    (s, s'); whether the episode ended there, for n-step returns; what was remembered before, of
    each team and group, and whether the episode began there.
    """

    def more(env: Env, state: Any, after: Any) -> Arrays:
        pair = (state, after) if central else ()
        seen = tuple(env.global_state(s).astype(dtype) for s in pair)
        if memories:
            return (*seen, *(h for team in memories for h in team), state.t == 0)
        return (*seen, after.ended.copy()) if n_step > 1 else seen

    return more


def sample(
    memory: Ring,
    rng: np.random.Generator,
    count: int,
    copies: int,
    gamma: float,
    n_step: int = 1,
    reward: str = "common",
    steps: int = 0,
) -> Batch:
    """``count`` rows, each uniform among those held; or as many stretches of ``steps`` rows.

    The sum of rewards ends with the episode and with the newest row; actions after the first are
    what was done then, whatever would be done now: n-step returns are not corrected for that.
    Stretches are whole, each uniform among those held, their rows one below the other, time first.

    Raises
    ------
    InputError
        If the memory is empty or shorter than a stretch, or rewards are not common and ``reward``
        says they are.
    """
    if steps:
        index = _through_time(memory, rng, count, copies, steps)
    else:
        index = ring.draw(rng, memory.size, count)
    row: Transition = ring.take(memory.data, index)
    paid, last, length = beside(row.reward), row, np.ones(len(index))
    if n_step > 1:
        paid, index, length = _ahead(memory, index, copies, gamma, n_step, paid)
        last = ring.take(memory.data, index)
    empty = np.zeros((len(index), 0), np.float32)
    central = any(a.ndim == 2 for a in row.more)
    gone, after = (beside(a) if a else None for a in (row.alive, last.next_alive))
    over = np.broadcast_to(last.terminated[:, None], paid.shape)
    return Batch(
        obs=row.obs, action=row.action, reward=shared(paid, reward),
        discount=np.asarray(gamma**length, paid.dtype)[:, None],
        terminated=over, next_obs=last.next_obs, mask=row.mask, next_mask=last.next_mask,
        state=row.more[0] if central else empty, next_state=last.more[1] if central else empty,
        alive=gone, next_alive=after,
        stretches=_stretches(row, count, steps) if steps else (None, None),
    )  # fmt: skip


def _ahead(
    memory: Ring, index: Real, copies: int, gamma: float, n_step: int, paid: Real
) -> tuple[Real, Real, Real]:
    """(Σ γ^k r, where the last of those rows stands, how many there are)."""
    data, first = memory.data, memory.at if memory.size == memory.capacity else 0
    age = (index - first) % memory.capacity  # 0 is the oldest
    going, at, length = np.ones(len(index), bool), index.copy(), np.ones(len(index))
    for k in range(1, n_step):
        going &= ~data.more[-1][at] & (age + k * copies < memory.size)
        at = np.where(going, (at + copies) % memory.capacity, at)
        reward = beside(tuple(r[at] for r in data.reward))
        paid = paid + np.where(going[:, None], reward * paid.dtype.type(gamma**k), 0)
        length += going
    return paid, at, length


def _through_time(
    memory: Ring, rng: np.random.Generator, count: int, copies: int, steps: int
) -> Real:
    """(T · M,) where the rows of ``count`` stretches stand, time first."""
    first = memory.at if memory.size == memory.capacity else 0
    age = ring.draw(rng, max(memory.size - (steps - 1) * copies, 0), count)
    later = copies * np.arange(steps)[:, None]
    return np.asarray(((first + age + later) % memory.capacity).ravel())


def _stretches(row: Transition, count: int, steps: int) -> tuple[Stretch, ...]:
    """What each team of utilities remembered before its first step, and where episodes begin."""
    starts = row.more[-1].reshape(steps, count)
    known = [a[:count] for a in row.more if a.ndim == 3]
    groups = len(row.obs)
    return tuple(
        Stretch(tuple(known[k : k + groups]), starts) for k in range(0, len(known), groups)
    )


def beside(parts: Arrays) -> Real:
    """Arrays (M, N_g) of all groups as one (M, n)."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
