r"""Weighted QMIX: errors count less where a joint action looks worse than it need be.

    y     = r + γ (1 − d) Q*'(s', a'),   a' greedy for Q_tot
    L(Q*)    = E[(y − Q*(s, a))²],       Q* = g(s, Q*_1, …, Q*_n), any function      mixers.Free
    L(Q_tot) = E[w (y − Q_tot(s, a))²],  Q_tot monotone as in QMIX                        (2.8)

    CW: w = 1 if a is greedy or y > Q*(s, û), else α;   OW: w = 1 if Q_tot < y, else α

Rashid et al. 2020, arXiv:2006.10800. QMIX weighs all joint actions alike, and may sink the best one
to fit what exploring colleagues spoil; the weights let it overrate bad ones instead. As α → 0 the
greedy joint action of Q_tot is the best of Q*. α = 1 is QMIX with Q* for its target.
"""

from dataclasses import dataclass

import numpy as np

from ..config import option
from ..env_api import Env
from ..learner import Metrics, Progress
from ..rollout import Arrays
from ..value_grad import Real
from . import qmix, value_decomposition
from .decomposition import central_weight, optimistic_weight, td_loss, td_target
from .experience import Batch
from .mixers import Free
from .utilities import greedy
from .value_decomposition import (
    Found,
    Method,
    Nets,
    Parts,
    beyond,
    next_actions,
    policy,
    pulled,
    taken,
)

__all__ = ["METHOD", "Config", "gradient", "iterate", "nets", "policy", "start"]


@dataclass(frozen=True, kw_only=True)
class Config(qmix.Config):
    """Constants of a run."""

    weighting: str = option("central", "w: CW or OW", ("central", "optimistic"))
    alpha: float = option(0.1, "α, weight of what is thought less of", "(0, 1]")
    free: tuple[int, ...] = option((64, 64), "hidden units of Q*'s mixing", "[1, inf)")


def nets(env: Env, cfg: Config) -> Nets:
    """(utilities, monotone mixer, utilities of Q*, its mixer)."""
    net, mixer = qmix.nets(env, cfg)
    return net, mixer, net, Free(mixer.agents, mixer.state, cfg.free)


def gradient(cfg: Config, nets: Nets, phi: Parts, slow: Parts, batch: Batch) -> Found:
    """(∂(L(Q_tot) + L(Q*)) of each network, metrics), y and w held."""
    net, mixer, _, free = nets
    now = net.forward(phi[0], batch.obs, batch.stretches[0])
    star = net.forward(phi[2], batch.obs, batch.stretches[1])
    after = beyond(net, slow[0], batch)
    best = next_actions(cfg, net, phi[0], after, batch, now.memory)
    q_next = taken(beyond(net, slow[2], batch, 1), best, batch.next_alive)
    value_next = free.forward(slow[3], q_next, batch.next_state)[0]
    y = td_target(batch.reward[:, :1], batch.terminated[:, :1], value_next, batch.discount)

    total, tape = mixer.forward(phi[1], taken(now.q, batch.action, batch.alive), batch.state)
    value, free_tape = free.forward(phi[3], taken(star.q, batch.action, batch.alive), batch.state)
    weight = optimistic_weight(total, y, cfg.alpha)
    if cfg.weighting == "central":
        here = greedy(now.q, batch.mask)
        top = free.forward(phi[3], taken(star.q, here, batch.alive), batch.state)[0]
        weight = central_weight(_same(here, batch), y, top, cfg.alpha)

    loss, star_loss = td_loss(total, y, weight / len(total)), td_loss(value, y)
    dpsi, dq = mixer.backward(phi[1], tape, loss.gradient)
    dfree, dq_star = free.backward(phi[3], free_tape, star_loss.gradient)
    parts = (
        pulled(net, phi[0], now, batch, (batch.action, dq)), dpsi,
        pulled(net, phi[2], star, batch, (batch.action, dq_star)), dfree,
    )  # fmt: skip
    return parts, {
        "target": float(y.mean()), "loss": loss.value, "star_loss": star_loss.value,
        "q": float(total.mean()), "weight": float(weight.mean()),
    }  # fmt: skip


def _same(here: Arrays, batch: Batch) -> Real:
    """(M, 1): whether everybody who is there did what is greedy now."""
    pairs = zip(here, batch.action, strict=True)
    equal = np.concatenate([a == b for a, b in pairs], axis=1)
    if batch.alive is not None:
        equal |= ~batch.alive
    return np.asarray(equal.all(axis=1, keepdims=True))


METHOD = Method(nets, gradient, central=True)


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """New networks, an empty memory, fresh copies."""
    return value_decomposition.start(env, cfg, rng, METHOD)


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """Steps of all copies, and updates after each."""
    return value_decomposition.iterate(env, cfg, progress, METHOD)
