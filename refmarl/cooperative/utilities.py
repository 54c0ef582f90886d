"""Utilities: a value for every action of every agent, from what the agent sees alone.

One flat θ holds the networks of all groups; the agents of a group share one, or each has its own.
Where they share, a one-hot id behind the observation tells them apart, if ``ids``. Groups may
differ in what they see and in how many actions they have; columns of q stand in the order of
``env.agents``.

With ``memory`` = H a GRU of H units stands below each network, which reads what it remembers after
the observation (:mod:`refmarl.nn.recurrent`). Rows that follow each other then come as a
:class:`Stretch`.

Axes: M rows, T steps of a stretch, G groups, N_g agents of a group, n agents of all groups, K_g
actions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..check import InputError
from ..env_api import Discrete, Group
from ..nn.mlp import MLP
from ..nn.recurrent import Recurrent
from ..policy_gradient.actor_critic import (
    blank,
    pull_back,
    rows,
    step,
    stretch,
    unrows,
    whole,
)
from ..rollout import Arrays
from ..value_grad import Real


class Stretch(NamedTuple):
    """What T · M rows need to know if they are M stretches of T steps, time first."""

    memory: Arrays  # before the first step, (M, N_g, H) of each group
    starts: Real  # (T, M): whether an episode begins there, so that nothing is remembered


class Valued(NamedTuple):
    """What a forward pass gives."""

    q: Arrays  # (M, N_g, K_g) of each group
    tapes: tuple[Any, ...]
    memory: Arrays = ()  # after each step, (M, N_g, H)


@dataclass(frozen=True)
class Utilities:
    """Q_i(o_i, ·) of all agents.

    Raises
    ------
    InputError
        If a group's actions are not one of K.
    """

    groups: tuple[Group, ...]
    hidden: tuple[int, ...] = (64, 64)
    activation: str = "relu"
    share: bool = True
    ids: bool = True
    memory: int = 0

    def __post_init__(self) -> None:
        for group in self.groups:
            if not isinstance(group.space, Discrete):
                raise InputError(
                    f"{group.name}: values of joint actions need Discrete actions, "
                    f"got {group.space}"
                )

    def _named(self, group: Group) -> int:
        """How many numbers of an id stand behind an observation."""
        count = len(group.agents)
        return count if self.share and self.ids and count > 1 else 0

    @cached_property
    def _nets(self) -> tuple[tuple[MLP, tuple[int, ...], int, int], ...]:
        """(network, leading axes, start, stop) of each group."""
        found, start = [], 0
        for group in self.groups:
            actions = getattr(group.space, "n", 0)
            width = group.obs_dim + self._named(group) + self.memory
            net = MLP((width, *self.hidden, actions), self.activation)
            size = whole(net, self.memory).size
            lead = () if self.share else (len(group.agents),)
            stop = start + size * (1 if self.share else len(group.agents))
            found.append((net, lead, start, stop))
            start = stop
        return tuple(found)

    @property
    def size(self) -> int:
        """P, the number of parameters."""
        return self._nets[-1][3]

    def init(self, rng: np.random.Generator, *, dtype: type = np.float64) -> Real:
        """θ (P,)."""
        parts = [whole(net, self.memory).init(rng, lead).ravel() for net, lead, _, _ in self._nets]
        return np.concatenate(parts).astype(dtype)

    def parts(self, theta: Real) -> Arrays:
        """Views of each group's parameters, (P_g,) if shared, (N_g, P_g) if not."""
        return tuple(theta[start:stop].reshape(*lead, -1) for _, lead, start, stop in self._nets)

    def forward(self, theta: Real, obs: Sequence[Real], along: Stretch | None = None) -> Valued:
        """All values for observations (M, N_g, O_g) of each group; with a memory ``along`` time.

        Raises
        ------
        InputError
            If there is a memory and no stretch.
        """
        found, tapes, kept = [], [], []
        for g, own in enumerate(self.parts(theta)):
            x, h = self._seen(g, obs[g], theta), None
            if self.memory:
                x, h = _in_time(x, along), _known(along).memory[g]
            starts = None if along is None else along.starts
            y, tape = stretch(self._nets[g][0], self.memory, own, x, h, starts)
            found.append(y.reshape(*obs[g].shape[:-1], y.shape[-1]))
            tapes.append(tape)
            if self.memory:
                kept.append(unrows(own, tape.h).reshape(*obs[g].shape[:-1], self.memory))
        return Valued(tuple(found), tuple(tapes), tuple(kept))

    def step(self, theta: Real, obs: Sequence[Real], memory: Arrays) -> tuple[Arrays, Arrays]:
        """(all values, what is remembered then) one step after ``memory``, of each group.

        A memory of ``()`` is that of an episode's beginning. Without one this is ``forward``.
        """
        found, kept = [], []
        for g, own in enumerate(self.parts(theta)):
            x, h = self._seen(g, obs[g], theta), None
            if self.memory:
                h = memory[g] if memory else blank(own, obs[g], self.memory)
            y, h = step(self._nets[g][0], self.memory, own, x, h)
            found.append(y)
            if h is not None:
                kept.append(h)
        return tuple(found), tuple(kept)

    def remembered(self, theta: Real, obs: Sequence[Real], along: Stretch | None) -> Arrays:
        """What θ remembers after each row, (M, N_g, H) of each group; () without a memory."""
        kept = []
        for g, own in enumerate(self.parts(theta)):
            full = whole(self._nets[g][0], self.memory)
            if not isinstance(full, Recurrent):
                return ()
            x = rows(own, _in_time(self._seen(g, obs[g], theta), along))
            known, below = _known(along), own[..., : full.gru.size]
            starts = known.starts[..., None] if own.ndim == 1 else known.starts
            h, _ = full.gru.forward(below, x, rows(own, known.memory[g]), starts)
            kept.append(unrows(own, h).reshape(*obs[g].shape[:-1], self.memory))
        return tuple(kept)

    def gradient(self, theta: Real, valued: Valued, *parts: tuple[Arrays, Real]) -> Real:
        """∂L/∂θ from pairs (actions (M, N_g), ∂L/∂ of their values (M, n)), which add up."""
        out, first = np.empty_like(theta), 0
        thetas, targets = self.parts(theta), self.parts(out)
        for g, (net, *_) in enumerate(self._nets):
            dy = np.zeros_like(valued.q[g])
            last = first + dy.shape[1]
            for actions, dq in parts:
                at = actions[g][..., None]
                more = np.take_along_axis(dy, at, axis=-1) + dq[:, first:last, None]
                np.put_along_axis(dy, at, more, axis=-1)
            if self.memory:
                dy = dy.reshape(valued.tapes[g].h.shape[thetas[g].ndim - 1], -1, *dy.shape[1:])
            targets[g][...] = pull_back(net, self.memory, thetas[g], valued.tapes[g], dy)
            first = last
        return out

    def _seen(self, g: int, obs: Real, theta: Real) -> Real:
        """Observations with ids behind them, where there are any."""
        obs, count = obs.astype(theta.dtype, copy=False), self._named(self.groups[g])
        if not count:
            return obs
        ids = np.broadcast_to(np.eye(count, dtype=obs.dtype), (*obs.shape[:-1], count))
        return np.concatenate([obs, ids], axis=-1)


def _known(along: Stretch | None) -> Stretch:
    """The stretch.

    Raises
    ------
    InputError
        If there is none.
    """
    if along is None:
        raise InputError("memory: need a stretch of steps to remember along, got single rows")
    return along


def _in_time(x: Real, along: Stretch | None) -> Real:
    """Rows (T · M, N, I) as (T, M, N, I)."""
    return x.reshape(*_known(along).starts.shape, *x.shape[1:])


def chosen(q: Arrays, actions: Arrays) -> Real:
    """The values of ``actions`` (M, N_g), side by side: (M, n)."""
    found = [
        np.take_along_axis(own, a[..., None], axis=-1)[..., 0]
        for own, a in zip(q, actions, strict=True)
    ]
    return found[0] if len(found) == 1 else np.concatenate(found, axis=1)


def greedy(q: Arrays, mask: Arrays) -> Arrays:
    """The best legal action of each agent, (M, N_g) of each group; the first of equals."""
    if mask:
        q = tuple(np.where(legal, own, -np.inf) for own, legal in zip(q, mask, strict=True))
    return tuple(own.argmax(axis=-1) for own in q)
