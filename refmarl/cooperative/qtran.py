r"""QTRAN-base: any joint value, and a sum of utilities whose greedy actions are its own.

    L_td   = E[(y − Q_jt(s, u))²],   y = r + γ (1 − d) Q'_jt(s', û')
    L_opt  = E[(Σ_i Q_i(û_i) − Q_jt(s, û) + V(s))²]                decomposition.qtran_loss
    L_nopt = E[min(Σ_i Q_i(u_i) − Q_jt(s, u) + V(s), 0)²],         û_i = argmax Q_i

Son et al. 2019, arXiv:1905.05408. Q_jt sees the state and what everybody does; it is held in the
last two losses. Where both are 0, Σ Q_i + V is at least Q_jt everywhere and equals it at û: û is
best for Q_jt. Unlike the sum itself (2.7) this asks nothing of the shape of Q_jt. V(s) is for what
the agents do not see.
"""

from dataclasses import dataclass

import numpy as np

from ..config import option
from ..env_api import Env
from ..learner import Metrics, Progress
from ..nn.mlp import MLP
from . import value_decomposition
from .all_actions import state_size
from .decomposition import qtran_loss, td_loss, td_target
from .experience import Batch
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
    seen,
    taken,
    utilities,
    width,
)

__all__ = ["METHOD", "Config", "gradient", "iterate", "nets", "policy", "seen", "start"]


@dataclass(frozen=True, kw_only=True)
class Config(value_decomposition.Config):
    """Constants of a run."""

    joint: tuple[int, ...] = option((64, 64), "hidden units of Q_jt and of V", "[1, inf)")
    opt: float = option(1.0, "weight of L_opt", "[0, inf)")
    nopt: float = option(1.0, "weight of L_nopt", "[0, inf)")


def nets(env: Env, cfg: Config) -> Nets:
    """(utilities, Q_jt, V)."""
    size = state_size(env)
    joint, value = (MLP((n, *cfg.joint, 1), "relu") for n in (size + width(env), size))
    return utilities(env, cfg), joint, value


def gradient(cfg: Config, nets: Nets, phi: Parts, slow: Parts, batch: Batch) -> Found:
    """(∂(L_td + weighted L_opt and L_nopt) of each network, metrics); y and Q_jt held."""
    net, joint, value = nets
    now = net.forward(phi[0], batch.obs, batch.stretches[0])
    after = beyond(net, slow[0], batch)
    best = next_actions(cfg, net, phi[0], after, batch, now.memory)
    x_next = seen(net, batch.next_state, best, batch.next_alive)
    q_next = joint.forward(slow[1], x_next)[0]
    y = td_target(batch.reward[:, :1], batch.terminated[:, :1], q_next, batch.discount)

    q, tape = joint.forward(phi[1], seen(net, batch.state, batch.action, batch.alive))
    td = td_loss(q, y)
    here = greedy(now.q, batch.mask)
    top = joint.forward(phi[1], seen(net, batch.state, here, batch.alive))[0][:, 0]
    v, v_tape = value.forward(phi[2], batch.state)
    sums = [taken(now.q, a, batch.alive).sum(axis=1) for a in (here, batch.action)]
    opt = qtran_loss(sums[0], top, v[:, 0], taken=False)
    nopt = qtran_loss(sums[1], q[:, 0], v[:, 0], taken=True)

    slopes = cfg.opt * opt.gradients[0], cfg.nopt * nopt.gradients[0]
    every = np.ones_like(q, shape=batch.reward.shape)
    ways = [(a, every * d[:, None]) for a, d in zip((here, batch.action), slopes, strict=True)]
    dtheta = pulled(net, phi[0], now, batch, *ways)
    dv = (slopes[0] + slopes[1])[:, None]
    parts = dtheta, joint.gradient(phi[1], tape, td.gradient), value.gradient(phi[2], v_tape, dv)
    return parts, {
        "target": float(y.mean()), "loss": td.value, "opt_loss": opt.value,
        "nopt_loss": nopt.value, "q": float(q.mean()),
    }  # fmt: skip


METHOD = Method(nets, gradient, central=True)


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """New networks, an empty memory, fresh copies."""
    return value_decomposition.start(env, cfg, rng, METHOD)


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """Steps of all copies, and updates after each."""
    return value_decomposition.iterate(env, cfg, progress, METHOD)
