r"""QPLEX: the team's value is any whose best joint action is made of its members' best.

    Q_tot = Σ_i w_i(s) V_i + b(s) + Σ_i λ_i(s, a) w_i(s) (Q_i − V_i)      duplex.Duplex
    L(φ) = E[(r + γ (1 − d) max_a' Q'_tot(s', a') − Q_tot)²]

Wang et al. 2021, arXiv:2008.01062. A monotone mixing (2.8) sees the utilities alone; here what an
advantage counts depends on what all do, and only its sign is kept. With ``hold``, as in the
authors' program, utilities learn as if λ were 1, ∂Q_tot/∂Q_i = w_i. Without, by the loss's own
derivative, λ_i goes to 0 where a joint action pays more than Q_tot can say while a_i looks bad, and
with it goes the gradient that would raise Q_i.
"""

from dataclasses import dataclass

import numpy as np

from ..config import option
from ..env_api import Env
from ..learner import Metrics, Progress
from ..rollout import Arrays
from ..value_grad import Real
from . import value_decomposition
from .all_actions import state_size
from .decomposition import td_loss, td_target
from .duplex import Duplex
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

__all__ = ["METHOD", "Config", "gradient", "iterate", "nets", "policy", "start", "targets"]


@dataclass(frozen=True, kw_only=True)
class Config(value_decomposition.Config):
    """Constants of a run."""

    mixing: tuple[int, ...] = option((64,), "hidden units of w and b, and of λ", "[1, inf)")
    hold: bool = option(True, "whether utilities learn as if λ were 1")


def nets(env: Env, cfg: Config) -> Nets:
    """(utilities, mixer)."""
    return utilities(env, cfg), Duplex(len(env.agents), state_size(env), width(env), cfg.mixing)


def targets(cfg: Config, nets: Nets, phi: Parts, slow: Parts, batch: Batch, memory: Arrays) -> Real:
    """y (M, 1) from φ' and the greedy actions at s'; ``memory`` of φ after each row."""
    net, mixer = nets
    after = beyond(net, slow[0], batch)
    best = next_actions(cfg, net, phi[0], after, batch, memory)
    q, top = (taken(after, a, batch.next_alive) for a in (best, greedy(after, batch.next_mask)))
    both = seen(net, batch.next_state, best, batch.next_alive)
    value, _ = mixer.forward(slow[1], q, top, batch.next_state, both)
    return td_target(batch.reward[:, :1], batch.terminated[:, :1], value, batch.discount)


def gradient(cfg: Config, nets: Nets, phi: Parts, slow: Parts, batch: Batch) -> Found:
    """((∂L/∂θ, ∂L/∂ψ), metrics) of L = E[(y − Q_tot)²], y held."""
    net, mixer = nets
    now = net.forward(phi[0], batch.obs, batch.stretches[0])
    y = targets(cfg, nets, phi, slow, batch, now.memory)
    here = greedy(now.q, batch.mask)
    q, top = (taken(now.q, a, batch.alive) for a in (batch.action, here))
    both = seen(net, batch.state, batch.action, batch.alive)
    value, tape = mixer.forward(phi[1], q, top, batch.state, both)
    loss = td_loss(value, y)
    dpsi, dq, dtop = mixer.backward(phi[1], tape, loss.gradient)
    ways = [(batch.action, dq + dtop)] if cfg.hold else [(batch.action, dq), (here, dtop)]
    dtheta = pulled(net, phi[0], now, batch, *ways)
    return (dtheta, dpsi), {
        "target": float(y.mean()), "loss": loss.value, "q": float(value.mean()),
    }  # fmt: skip


METHOD = Method(nets, gradient, central=True)


def start(env: Env, cfg: Config, rng: np.random.Generator) -> Progress:
    """New utilities and mixer, an empty memory, fresh copies."""
    return value_decomposition.start(env, cfg, rng, METHOD)


def iterate(env: Env, cfg: Config, progress: Progress) -> tuple[Progress, Metrics]:
    """Steps of all copies, and updates after each."""
    return value_decomposition.iterate(env, cfg, progress, METHOD)
