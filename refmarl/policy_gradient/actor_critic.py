"""What the on-policy algorithms share: actors and critics for each group, and how they act.

Axes: T steps, B copies, N agents of a group, P parameters; a group's parameters are (P,) if its
agents share them, (N, P) if each has its own. H is the size of a memory: networks with
``units`` = H > 0 remember (:mod:`refmarl.nn.recurrent`), those with 0 do not, and have none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..check import InputError
from ..env_api import Box, Choice, Discrete, Env, Group, MultiDiscrete
from ..nn import fused
from ..nn.mlp import MLP, Tape
from ..nn.optim import State as OptState
from ..nn.policy import Policy
from ..nn.recurrent import Recurrent
from ..rollout import Act, Arrays, Batch, Masks, next_values
from ..rollout import Policy as Acting
from ..value_grad import Real
from .returns import gae

Net = MLP | Policy


class Agent(NamedTuple):
    """All that learning changes; one entry for each group."""

    theta: Arrays  # policy parameters, (P,) or (N, P)
    phi: Arrays  # value parameters, (P',) or (N, P')
    opt_theta: tuple[OptState, ...]
    opt_phi: tuple[OptState, ...]
    recall: Arrays = ()  # (B, N, H) of critics that remember


class HasHidden(Protocol):
    """Settings that say how large networks are."""

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units of each hidden layer."""


class HasTheta(Protocol):
    """An agent with actors."""

    @property
    def theta(self) -> Arrays:
        """Policy parameters of each group, (P,) or (N, P)."""


@cache
def actor(
    group: Group, hidden: tuple[int, ...], activation: str = "tanh", units: int = 0
) -> Policy:
    """The policy network of a group, which reads ``units`` numbers of a memory, too.

    Raises
    ------
    InputError
        If there is no distribution for its actions.
    """
    space, before = group.space, (group.obs_dim + units, *hidden)
    if isinstance(space, Discrete):
        return Policy(MLP((*before, space.n), activation), "categorical")
    if isinstance(space, MultiDiscrete):
        net = MLP((*before, sum(space.sizes)), activation)
        return Policy(net, "multi-discrete", space.sizes)
    if isinstance(space, Box):
        return Policy(MLP((*before, space.size), activation), "gaussian")
    raise InputError(f"{group.name}: no policy for actions of {group.space}")


@cache
def critic(group: Group, hidden: tuple[int, ...], activation: str = "tanh", units: int = 0) -> MLP:
    """V(o) of a group, of ``units`` remembered numbers, too."""
    return MLP((group.obs_dim + units, *hidden, 1), activation)


def networks(
    env: Env,
    hidden: tuple[int, ...],
    share: bool,
    dtype: str,
    rng: np.random.Generator,
    widths: tuple[int, ...] = (),
    units: int = 0,
) -> tuple[Arrays, Arrays]:
    """(θ, φ) of new actors and critics, one entry for each group.

    ``widths`` are the numbers that each group's critic sees, by default what its agents see; with
    ``units`` both remember.
    """
    theta, phi, kind = [], [], np.dtype(dtype).type
    for g, group in enumerate(env.groups):
        lead = () if share else (len(group.agents),)
        net = whole(actor(group, hidden, units=units), units)
        theta.append(net.init(rng, lead, dtype=kind))
        judged = group._replace(obs_dim=widths[g]) if widths else group
        net = whole(critic(judged, hidden, units=units), units)
        phi.append(net.init(rng, lead, dtype=kind))
    return tuple(theta), tuple(phi)


def rows(theta: Real, x: Real) -> Real:
    """``x`` (..., N, F) as a network wants it: as it is if shared, (N, ..., F) if not."""
    return x if theta.ndim == 1 else np.moveaxis(x, -2, 0)


def unrows(theta: Real, y: Real) -> Real:
    """Back from :func:`rows`: (..., N, F)."""
    return y if theta.ndim == 1 else np.moveaxis(y, 0, -2)


def values(net: MLP, phi: Real, obs: Real) -> tuple[Real, Tape]:
    """(V (..., N), tape) for obs (..., N, O)."""
    y, tape = net.forward(phi, rows(phi, obs))
    return unrows(phi, y)[..., 0], tape


@dataclass(frozen=True)
class Actors:
    """A policy for :func:`~refmarl.rollout.collect`: samples, or takes the mode if ``greedy``.

    With ``units`` it remembers; a memory of ``()`` is that of an episode's beginning.
    """

    nets: tuple[Policy, ...]
    theta: Arrays
    rng: np.random.Generator
    greedy: bool = False
    units: int = 0

    def __call__(self, obs: Arrays, mask: Masks, memory: Arrays) -> Act:
        """What each agent does."""
        actions, log_probs = [], []
        kept: list[Any] = []  # None without a memory
        for g, (net, theta) in enumerate(zip(self.nets, self.theta, strict=True)):
            h = None
            if self.units:
                h = memory[g] if memory else blank(theta, obs[g], self.units)
            params, h = step(net, self.units, theta, obs[g], h)
            action, log_prob = net.draw(self.rng, net.restrict(params, mask[g]), self.greedy)
            actions.append(action)
            log_probs.append(log_prob)
            kept.append(h)
        return Act(tuple(actions), tuple(log_probs), tuple(kept) if self.units else memory)

    def choice(self, steps: int, copies: int) -> Choice | None:
        """The same for kernels that play many steps, with the numbers that they draw with.

        Only of one group of agents that share a network without memory, and choose one of K.
        """
        net, theta = self.nets[0].net, self.theta[0]
        plan = fused.plan(net.sizes, net.activation, net.layer_norm)
        plain = len(self.nets) == 1 and self.nets[0].kind == "categorical" and theta.ndim == 1
        if plan is None or not plain or self.units or self.greedy:
            return None
        if not fused.applies(theta, theta):
            return None
        own = np.require(theta, requirements=["C", "W"])  # one kind of array for kernels
        return Choice(own, plan.sizes, plan.smooth, self.rng.random((steps, copies)))


def policy(
    env: Env, cfg: HasHidden, agent: HasTheta, rng: np.random.Generator, greedy: bool = False
) -> Acting:
    """How an agent acts whose actors stand in ``theta``."""
    actors = tuple(actor(group, cfg.hidden) for group in env.groups)
    return Actors(actors, agent.theta, rng, greedy)


def advantages(
    gamma: float, lam: float, batch: Batch, value: Real, final_value: Real, reward: Real
) -> tuple[Real, Real]:
    """(A, Ĝ = A + V), both (T, B, N), from V of all T + 1 rows and of the episodes' ends."""
    shape = value[:-1].shape
    terminated, ended = (
        np.broadcast_to(flag[..., None], shape) for flag in (batch.terminated, batch.ended)
    )
    after, paid = next_values(value, final_value, batch), reward.astype(value.dtype, copy=False)
    found = gae(paid, value[:-1], after, terminated, ended, gamma, lam)
    return found, found + value[:-1]


# -- memory -------------------------------------------------------------------------


@cache
def whole(net: Net, units: int) -> Net | Recurrent:
    """The network with its memory, of which it reads ``units`` numbers after what it sees."""
    return Recurrent(net, units) if units else net


def blank(theta: Real, obs: Real, units: int) -> Real:
    """What is remembered at the beginning, (B, N, H) for obs (B, N, O): nothing."""
    return np.zeros((*obs.shape[:-1], units), theta.dtype)


def step(net: Net, units: int, theta: Real, x: Real, h: Real | None) -> tuple[Real, Real | None]:
    """(y (B, N, D), what is remembered then) for x (B, N, I) and h (B, N, H)."""
    full = whole(net, units)
    if not isinstance(full, Recurrent) or h is None:
        return unrows(theta, net.forward(theta, rows(theta, x))[0]), None
    y, after = full.step(theta, rows(theta, x), rows(theta, h))
    return unrows(theta, y), unrows(theta, after)


def stretch(
    net: Net, units: int, theta: Real, x: Real, h: Real | None, starts: Real | None
) -> tuple[Real, Any]:
    """(y (T, B, N, D), tape) for x (T, B, N, I), h (B, N, H) before it, and ``starts`` (T, B).

    Where an episode starts, what was remembered is forgotten. Without a memory x may have any rows.
    """
    full = whole(net, units)
    if not isinstance(full, Recurrent) or h is None or starts is None:
        y, tape = net.forward(theta, rows(theta, x))
        return unrows(theta, y), tape
    begins = starts[..., None] if theta.ndim == 1 else starts
    y, through = full.forward(theta, rows(theta, x), rows(theta, h), begins)
    return unrows(theta, y), through


class Along(NamedTuple):
    """What a network says of a batch that it goes along."""

    y: Real  # (T + 1, B, N, D)
    final: Real  # (F, N, D) where episodes ended
    tape: Any  # of the T + 1 rows
    memory: Real | None  # (B, N, H) before row T, None without one


def along(
    net: Net, units: int, theta: Real, seen: tuple[Real, Real], h: Real | None, batch: Batch
) -> Along:
    """Of all that was seen (T + 1, B, N, I), and at the ends (F, N, I), after h (B, N, H)."""
    obs, last = seen
    starts = begins(batch)
    y, tape = stretch(net, units, theta, obs, h, starts)
    if h is None or not units:
        return Along(y, step(net, 0, theta, last, None)[0], tape, None)
    after = unrows(theta, tape.h)
    then = after[batch.at[:, 0], batch.at[:, 1]]
    kept = np.where(starts[-1, :, None, None], theta.dtype.type(0.0), after[-2])
    return Along(y, step(net, units, theta, last, then)[0], tape, kept)


def begins(batch: Batch) -> Real:
    """(T + 1, B) whether row t is the first of an episode that begins within the batch."""
    return np.concatenate([np.zeros_like(batch.ended[:1]), batch.ended])


def empty(counts: Sequence[int], copies: int, units: int, dtype: Any) -> Arrays:
    """Memories (B, N, H) of groups of so many, as episodes begin with; () without units."""
    return tuple(np.zeros((copies, n, units), dtype) for n in counts if units)


def pull_back(net: Net, units: int, theta: Real, tape: Any, dy: Real) -> Real:
    """∂L/∂θ, in the shape of θ, from dy = ∂L/∂y (..., N, D) of a :func:`stretch`."""
    full = whole(net, units)
    if isinstance(full, Recurrent):
        return full.backward(theta, tape, rows(theta, dy))[0]
    return full.gradient(theta, tape, rows(theta, dy))
