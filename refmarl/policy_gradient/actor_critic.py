"""What the on-policy algorithms share: actors and critics for each group, and how they act.

Axes: T steps, B copies, N agents of a group, P parameters; a group's parameters are (P,) if its
agents share them, (N, P) if each has its own.
"""

from functools import cache
from typing import NamedTuple, Protocol

import numpy as np

from ..check import InputError
from ..env_api import Box, Discrete, Env, Group, MultiDiscrete
from ..nn.mlp import MLP, Tape
from ..nn.optim import State as OptState
from ..nn.policy import Policy
from ..rollout import Act, Arrays, Batch, Masks, next_values
from ..rollout import Policy as Acting
from ..value_grad import Real
from .returns import gae


class Agent(NamedTuple):
    """All that learning changes; one entry for each group."""

    theta: Arrays  # policy parameters, (P,) or (N, P)
    phi: Arrays  # value parameters, (P',) or (N, P')
    opt_theta: tuple[OptState, ...]
    opt_phi: tuple[OptState, ...]


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
def actor(group: Group, hidden: tuple[int, ...], activation: str = "tanh") -> Policy:
    """The policy network of a group.

    Raises
    ------
    InputError
        If there is no distribution for its actions.
    """
    space, before = group.space, (group.obs_dim, *hidden)
    if isinstance(space, Discrete):
        return Policy(MLP((*before, space.n), activation), "categorical")
    if isinstance(space, MultiDiscrete):
        net = MLP((*before, sum(space.sizes)), activation)
        return Policy(net, "multi-discrete", space.sizes)
    if isinstance(space, Box):
        return Policy(MLP((*before, space.size), activation), "gaussian")
    raise InputError(f"{group.name}: no policy for actions of {group.space}")


@cache
def critic(group: Group, hidden: tuple[int, ...], activation: str = "tanh") -> MLP:
    """V(o) of a group."""
    return MLP((group.obs_dim, *hidden, 1), activation)


def networks(
    env: Env, hidden: tuple[int, ...], share: bool, dtype: str, rng: np.random.Generator
) -> tuple[Arrays, Arrays]:
    """(θ, φ) of new actors and critics, one entry for each group."""
    theta, phi, kind = [], [], np.dtype(dtype).type
    for group in env.groups:
        lead = () if share else (len(group.agents),)
        theta.append(actor(group, hidden).init(rng, lead, dtype=kind))
        phi.append(critic(group, hidden).init(rng, lead, dtype=kind))
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


def acting(
    env: Env, actors: tuple[Policy, ...], theta: Arrays, rng: np.random.Generator, greedy: bool
) -> Acting:
    """A policy for :func:`~refmarl.rollout.collect`: samples, or takes the mode if ``greedy``."""

    def act(obs: Arrays, mask: Masks, memory: Arrays) -> Act:
        actions, log_probs = [], []
        for net, parameters, seen, legal in zip(actors, theta, obs, mask, strict=True):
            params = unrows(parameters, net.forward(parameters, rows(parameters, seen))[0])
            params = net.restrict(params, legal)
            action, log_prob = net.draw(rng, params, greedy)
            actions.append(action)
            log_probs.append(log_prob)
        return Act(tuple(actions), tuple(log_probs), memory)

    return act


def policy(
    env: Env, cfg: HasHidden, agent: HasTheta, rng: np.random.Generator, greedy: bool = False
) -> Acting:
    """How an agent acts whose actors stand in ``theta``."""
    actors = tuple(actor(group, cfg.hidden) for group in env.groups)
    return acting(env, actors, agent.theta, rng, greedy)


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
