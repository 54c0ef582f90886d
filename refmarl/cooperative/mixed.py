"""The loss of utilities that are mixed: independent learners, VDN and QMIX differ by their mixer.

Axes: M rows, n agents, J values of a row.
"""

from ..rollout import Arrays
from ..value_grad import Real
from .decomposition import td_loss, td_target
from .experience import Batch
from .value_decomposition import Config, Found, Nets, Parts, beyond, next_actions, pulled, taken


def targets(
    cfg: Config, nets: Nets, phi: Parts, slow: Parts, batch: Batch, memory: Arrays = ()
) -> Real:
    """y (M, J) from φ' and the greedy actions at s'; ``memory`` of φ after each row."""
    net, mixer = nets
    after = beyond(net, slow[0], batch)
    best = next_actions(cfg, net, phi[0], after, batch, memory)
    q = taken(after, best, batch.next_alive)
    value, _ = mixer.forward(slow[1], q, batch.next_state)
    count = value.shape[1]
    over = batch.terminated[:, :count]
    return td_target(batch.reward[:, :count], over, value, batch.discount)


def gradient(cfg: Config, nets: Nets, phi: Parts, slow: Parts, batch: Batch) -> Found:
    """((∂L/∂θ, ∂L/∂ψ), metrics) of L = E[(y − Q)²], y held; of J values the sum."""
    net, mixer = nets
    now = net.forward(phi[0], batch.obs, batch.stretches[0])
    y = targets(cfg, nets, phi, slow, batch, now.memory)
    value, tape = mixer.forward(phi[1], taken(now.q, batch.action, batch.alive), batch.state)
    weight = None if batch.alive is None or value.shape[1] == 1 else batch.alive / len(value)
    loss = td_loss(value, y, weight)
    dpsi, dq = mixer.backward(phi[1], tape, loss.gradient)
    return (pulled(net, phi[0], now, batch, (batch.action, dq)), dpsi), {
        "target": float(y.mean()), "loss": loss.value, "q": float(value.mean()),
    }  # fmt: skip
