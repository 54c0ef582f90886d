"""Utilities: a value for every action of every agent, from what the agent sees alone.

One flat θ holds the networks of all groups; the agents of a group share one, or each has its own.
Where they share, a one-hot id behind the observation tells them apart, if ``ids``. Groups may
differ in what they see and in how many actions they have; columns of q stand in the order of
``env.agents``.

Axes: M rows, G groups, N_g agents of a group, n agents of all groups, K_g actions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..check import InputError
from ..env_api import Discrete, Group
from ..nn.mlp import MLP, Tape
from ..policy_gradient.actor_critic import rows, unrows
from ..rollout import Arrays
from ..value_grad import Real


class Valued(NamedTuple):
    """What a forward pass gives."""

    q: Arrays  # (M, N_g, K_g) of each group
    tapes: tuple[Tape, ...]


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
            net = MLP((group.obs_dim + self._named(group), *self.hidden, actions), self.activation)
            lead = () if self.share else (len(group.agents),)
            stop = start + net.size * (1 if self.share else len(group.agents))
            found.append((net, lead, start, stop))
            start = stop
        return tuple(found)

    @property
    def size(self) -> int:
        """P, the number of parameters."""
        return self._nets[-1][3]

    def init(self, rng: np.random.Generator, *, dtype: type = np.float64) -> Real:
        """θ (P,)."""
        parts = [net.init(rng, lead).ravel() for net, lead, _, _ in self._nets]
        return np.concatenate(parts).astype(dtype)

    def parts(self, theta: Real) -> Arrays:
        """Views of each group's parameters, (P_g,) if shared, (N_g, P_g) if not."""
        return tuple(
            theta[start:stop].reshape(*lead, net.size) for net, lead, start, stop in self._nets
        )

    def forward(self, theta: Real, obs: Sequence[Real]) -> Valued:
        """All values for observations (M, N_g, O_g) of each group."""
        found, tapes = [], []
        for g, own in enumerate(self.parts(theta)):
            y, tape = self._nets[g][0].forward(own, rows(own, self._seen(g, obs[g], theta)))
            found.append(unrows(own, y))
            tapes.append(tape)
        return Valued(tuple(found), tuple(tapes))

    def gradient(self, theta: Real, valued: Valued, actions: Arrays, dq: Real) -> Real:
        """∂L/∂θ from dq = ∂L/∂q (M, n), q the values of ``actions`` (M, N_g)."""
        out, first = np.empty_like(theta), 0
        parts, targets = self.parts(theta), self.parts(out)
        for g, (net, *_) in enumerate(self._nets):
            last = first + actions[g].shape[1]
            dy = np.zeros_like(valued.q[g])
            np.put_along_axis(dy, actions[g][..., None], dq[:, first:last, None], axis=-1)
            targets[g][...] = net.gradient(parts[g], valued.tapes[g], rows(parts[g], dy))
            first = last
        return out

    def _seen(self, g: int, obs: Real, theta: Real) -> Real:
        """Observations with ids behind them, where there are any."""
        obs, count = obs.astype(theta.dtype, copy=False), self._named(self.groups[g])
        if not count:
            return obs
        ids = np.broadcast_to(np.eye(count, dtype=obs.dtype), (*obs.shape[:-1], count))
        return np.concatenate([obs, ids], axis=-1)


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
