"""On-policy experience: T steps of B copies, with what bootstrapping needs at every cut.

Axes: T steps, B copies, G groups, N_g agents of a group, F episode ends within the batch.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .check import positive
from .env_api import Choice, Env, advance
from .kernels.returns import running_totals
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
    state: Real | None = None  # (T + 1, B, S) for a central critic, if asked for
    final_state: Real | None = None  # (F, S)
    last_mask: Masks = ()  # (B, N_g, K_g) or None: of row T, with the states
    final_mask: Masks = ()  # (F, N_g, K_g) or None

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


def collect(
    env: Env, policy: Policy, roll: Roll, steps: int, central: bool = False
) -> tuple[Roll, Batch]:
    """(where it stands, the batch) after ``steps`` steps of every copy.

    Episodes run on from batch to batch; one that ends is restarted at once. With ``central`` the
    batch holds the global states, too.
    """
    if not central and (played := _in_one_kernel(env, policy, roll, steps)):
        return played
    state, total, memory = roll
    rows: list[tuple[Any, ...]] = []
    ends: list[tuple[Any, ...]] = []
    obs = env.observe(state)
    states, finals = ([env.global_state(state)] if central else []), []
    masks = [_of(env.mask(state), slice(0, 0))] if central else []
    for t in range(positive(steps, "steps")):
        mask, alive = env.mask(state), env.alive(state)
        act = policy(obs, mask, memory)
        state, step, final = advance(env, state, act.action)
        rows.append((obs, act, step, mask, alive))
        obs, memory = env.observe(state), act.memory
        if central:
            states.append(env.global_state(state))
        if final is not state:  # somebody's episode has ended
            which = np.flatnonzero(final.ended)
            if central:
                finals.append(env.global_state(final)[which])
                masks.append(_of(env.mask(final), which))
            ends.append((t, which, tuple(o[which] for o in env.observe(final)), final.t[which]))
            memory = tuple(np.where(_like(final.ended, m), 0.0, m).astype(m.dtype) for m in memory)
    batch, totals = _with_returns(_stack(rows, obs, roll.memory, ends), total)
    if central:
        ends_at = np.concatenate([states[0][:0], *finals])
        batch = batch._replace(
            state=_pile(states), final_state=ends_at, last_mask=env.mask(state),
            final_mask=tuple(_joined(parts) for parts in zip(*masks, strict=True)),
        )  # fmt: skip
    return Roll(state, totals, memory), batch


def _in_one_kernel(env: Env, policy: Policy, roll: Roll, steps: int) -> tuple[Roll, Batch] | None:
    """What :func:`collect` gives, to the bit, where environment and policy have kernels for it."""
    choice = getattr(policy, "choice", None)  # see actor_critic.Actors
    if choice is None or not _rolls(type(env)):
        return None
    given: Choice | None = choice(positive(steps, "steps"), len(roll.total))
    played = None if given is None else env.roll(roll.state, given)
    if played is None:
        return None
    obs, action, log_prob, reward, final = (  # each with an axis for its one agent
        (x[..., None, :] if seen else x[..., None],)
        for x, seen in (
            (played.obs, True), (played.action, False), (played.log_prob, False),
            (played.reward, False), (played.final, True),
        )
    )  # fmt: skip
    terminated, truncated = played.flags
    batch = Batch(
        obs, action, log_prob, reward, terminated, truncated, (None,), (None,), roll.memory,
        played.at, final, np.empty(0), played.lengths,
    )  # fmt: skip
    batch, totals = _with_returns(batch, roll.total)
    return Roll(played.state, totals, roll.memory), batch


def _rolls(kind: type[Env]) -> bool:
    """Whether its ``roll`` plays by its rules: no class below has written any of them anew."""
    for base in kind.__mro__:
        if "roll" in vars(base):
            return kind.roll is not Env.roll
        if any(not name.startswith("__") for name in vars(base).keys() - {"name", "_abc_impl"}):
            return False
    return False


def _with_returns(batch: Batch, total: Real) -> tuple[Batch, Real]:
    """(the batch with the returns of what ended in it, the totals so far), from those before."""
    team = np.concatenate(batch.reward, axis=2).mean(axis=2)
    totals, so_far = total.copy(), np.empty(team.shape)
    running_totals(team, batch.ended, totals, so_far)
    return batch._replace(returns=so_far[batch.at[:, 0], batch.at[:, 1]]), totals


def next_values(value: Real, final_value: Real, batch: Batch) -> Real:
    """V(s_{t+1}) (T, B, …) from V of all T + 1 rows and V where episodes ended (F, …)."""
    after = value[1:].copy()
    after[batch.at[:, 0], batch.at[:, 1]] = final_value
    return after


def _of(masks: Masks, which: slice | Real) -> Masks:
    """The masks of some copies."""
    return tuple(None if m is None else m[which] for m in masks)


def _joined(parts: Masks) -> Real | None:
    """One group's masks one below the other, or None if all actions always are legal."""
    given = [m for m in parts if m is not None]
    return np.concatenate(given) if given else None


def _like(ended: Real, array: Real) -> Real:
    """(B,) in as many axes as ``array`` has."""
    return ended.reshape(-1, *(1,) * (array.ndim - 1))


def _stack(
    rows: list[tuple[Any, ...]], last: Arrays, memory: Arrays, ends: list[tuple[Any, ...]]
) -> Batch:
    obs, acts, steps, masks, alive = zip(*rows, strict=True)
    groups = range(len(last))

    def both(parts: tuple[Masks, ...], g: int) -> Real | None:
        given = [m for part in parts if (m := part[g]) is not None]
        return _pile(given) if given else None

    counts = [len(which) for _, which, *_ in ends]
    t = np.repeat(np.array([t for t, *_ in ends], dtype=np.int64), counts)
    b = np.concatenate([np.empty(0, np.int64), *(which for _, which, *_ in ends)])
    empty = tuple(np.empty((0, *last[g].shape[1:]), last[g].dtype) for g in groups)
    return Batch(
        obs=tuple(_pile([*(o[g] for o in obs), last[g]]) for g in groups),
        action=tuple(_pile([a.action[g] for a in acts]) for g in groups),
        log_prob=tuple(_pile([a.log_prob[g] for a in acts]) for g in groups),
        reward=tuple(_pile([s.reward[g] for s in steps]) for g in groups),
        terminated=_pile([s.terminated for s in steps]),
        truncated=_pile([s.truncated for s in steps]),
        mask=tuple(both(masks, g) for g in groups),
        alive=tuple(both(alive, g) for g in groups),
        memory=memory,
        at=np.stack([t, b], axis=1),
        final=tuple(np.concatenate([empty[g], *(e[2][g] for e in ends)]) for g in groups),
        returns=np.empty(len(t)),
        lengths=np.concatenate([np.empty(0, np.int64), *(e[3] for e in ends)]),
    )


def _pile(rows: list[Real]) -> Real:
    """Arrays of one shape, one below the other along a new first axis."""
    return np.concatenate(rows).reshape(len(rows), *rows[0].shape)
