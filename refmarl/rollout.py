"""On-policy experience: T steps of B copies, with what bootstrapping needs at every cut.

Axes: T steps, B copies, G groups, N_g agents of a group, F episode ends within the batch.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .check import positive
from .env_api import Env, advance
from .value_grad import Real

Arrays = tuple[Real, ...]
Masks = tuple[Real | None, ...]


class Act(NamedTuple):
    """What a policy does with what it sees."""

    action: Arrays  # one (B, N_g, …) for each group
    log_prob: Arrays  # log π(a|o), (B, N_g)
    memory: Arrays = ()  # of recurrent policies, leading axis B


Policy = Callable[[Arrays, Masks, Arrays], Act]  # (obs, mask, memory) ↦ Act


class Roll(NamedTuple):
    """Where collecting stands between two batches."""

    state: Any  # of the environment
    total: Real  # (B,) the team's reward so far in the episode: the mean over agents
    memory: Arrays  # of the policy, leading axis B; zeros at the start of an episode


class Batch(NamedTuple):
    """T steps. Row T of ``obs`` and ``state`` is what the last step led to, restarted if ended."""

    obs: Arrays  # (T + 1, B, N_g, O_g) for each group
    action: Arrays  # (T, B, N_g, …)
    log_prob: Arrays  # (T, B, N_g)
    reward: Arrays  # (T, B, N_g)
    terminated: Real  # (T, B)
    truncated: Real  # (T, B)
    mask: Masks  # (T, B, N_g, K_g) or None
    alive: Masks  # (T, B, N_g) or None: who acted
    memory: Arrays  # (B, …) at the first step
    at: Real  # (F, 2): (t, b) of each episode end
    final: Arrays  # (F, N_g, O_g): what was seen there, before restarting
    returns: Real  # (F,) undiscounted, mean over agents
    lengths: Real  # (F,)

    @property
    def ended(self) -> Real:
        """(T, B): the next row is another episode."""
        return np.asarray(self.terminated | self.truncated)

    @property
    def steps(self) -> int:
        """T · B, environment steps."""
        return self.terminated.size


def begin(env: Env, rng: np.random.Generator, num_envs: int, memory: Arrays = ()) -> Roll:
    """Fresh copies; ``memory`` is what a recurrent policy starts every episode with."""
    return Roll(env.reset(rng, num_envs), np.zeros(num_envs), memory)


def collect(env: Env, policy: Policy, roll: Roll, steps: int) -> tuple[Roll, Batch]:
    """(where it stands, the batch) after ``steps`` steps of every copy.

    Episodes run on from batch to batch; one that ends is restarted at once.
    """
    state, total, memory = roll
    rows: list[tuple[Any, ...]] = []
    ends: list[tuple[Any, ...]] = []
    obs = env.observe(state)
    for t in range(positive(steps, "steps")):
        mask, alive = env.mask(state), env.alive(state)
        act = policy(obs, mask, memory)
        state, step, final = advance(env, state, act.action)
        total = total + np.concatenate(step.reward, axis=1).mean(axis=1)
        ended = step.terminated | step.truncated
        seen = obs
        obs, memory = env.observe(state), act.memory
        if ended.any():
            which = np.flatnonzero(ended)
            before = tuple(o[which] for o in env.observe(final))
            ends.append((t, which, before, total[which], final.t[which]))
            total = np.where(ended, 0.0, total)
            memory = tuple(np.where(_like(ended, m), 0.0, m).astype(m.dtype) for m in memory)
        rows.append((seen, act, step, mask, alive))
    return Roll(state, total, memory), _stack(rows, obs, roll.memory, ends)


def next_values(value: Real, final_value: Real, batch: Batch) -> Real:
    """V(s_{t+1}) (T, B, …) from V of all T + 1 rows and V where episodes ended (F, …)."""
    after = value[1:].copy()
    after[batch.at[:, 0], batch.at[:, 1]] = final_value
    return after


def _like(ended: Real, array: Real) -> Real:
    """(B,) in as many axes as ``array`` has."""
    return ended.reshape(-1, *(1,) * (array.ndim - 1))


def _stack(
    rows: list[tuple[Any, ...]], last: Arrays, memory: Arrays, ends: list[tuple[Any, ...]]
) -> Batch:
    obs, acts, steps, masks, alive = zip(*rows, strict=True)
    groups = range(len(last))

    def both(parts: tuple[Masks, ...], g: int) -> Real | None:
        given = [part[g] for part in parts]
        return np.stack([m for m in given if m is not None]) if given[0] is not None else None

    at = [(t, b) for t, which, *_ in ends for b in which]
    empty = tuple(np.empty((0, *last[g].shape[1:]), last[g].dtype) for g in groups)
    return Batch(
        obs=tuple(np.stack([*(o[g] for o in obs), last[g]]) for g in groups),
        action=tuple(np.stack([a.action[g] for a in acts]) for g in groups),
        log_prob=tuple(np.stack([a.log_prob[g] for a in acts]) for g in groups),
        reward=tuple(np.stack([s.reward[g] for s in steps]) for g in groups),
        terminated=np.stack([s.terminated for s in steps]),
        truncated=np.stack([s.truncated for s in steps]),
        mask=tuple(both(masks, g) for g in groups),
        alive=tuple(both(alive, g) for g in groups),
        memory=memory,
        at=np.array(at, dtype=np.int64).reshape(-1, 2),
        final=tuple(np.concatenate([empty[g], *(e[2][g] for e in ends)]) for g in groups),
        returns=np.concatenate([np.empty(0), *(e[3] for e in ends)]),
        lengths=np.concatenate([np.empty(0, np.int64), *(e[4] for e in ends)]),
    )
