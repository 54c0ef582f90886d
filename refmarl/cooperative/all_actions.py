r"""Critics that give the values of all own actions at once, the others' actions being inputs.

    Q_i(s, (a_-i, ·)) = net(s, a_-i, i),   K outputs

One pass gives Q of the action taken, of all others in its place, and so every baseline that
averages the own action out (Foerster et al. 2018, arXiv:1705.08926, section 4). Others' actions are
one-hot, in the order of the environment's agents; the agent's number is an input where a group of
several shares one network.

Axes: any rows, N agents of a group, S numbers of the global state, E = Σ_{j≠i} K_j, K own actions.
"""

from functools import cache

import numpy as np

from ..env_api import Discrete, Env, Group
from ..nn.mlp import MLP
from ..policy_gradient.actor_critic import rows, unrows
from ..policy_gradient.spaces import require
from ..rollout import Arrays
from ..value_grad import Real
from .central import critic_loss

FIRST = 0.01  # of the weights of a critic's last layer at the beginning, so that Q is near 0


def require_choices(env: Env, name: str) -> None:
    """Refuse what such critics cannot do.

    Raises
    ------
    InputError
        If an agent's actions are not one of K.
    """
    require(env, name, Discrete)


def state_size(env: Env) -> int:
    """S."""
    probe = env.reset(np.random.default_rng(0), 1)
    return int(env.global_state(probe).shape[-1])


def judge(env: Env, hidden: tuple[int, ...], g: int, x: Real) -> MLP:
    """The network of group g for what it sees, x (..., I)."""
    return MLP((x.shape[-1], *hidden, choices(env.groups[g])), "tanh")


def critic(env: Env, hidden: tuple[int, ...], share: bool, g: int, size: int) -> MLP:
    """The network of group g for global states of S = ``size`` numbers."""
    group, (_, others) = env.groups[g], _columns(env.groups, g).shape
    seen = size + others + marks(group, share)
    return MLP((seen, *hidden, choices(group)), "tanh")


def choices(group: Group) -> int:
    """K."""
    return int(getattr(group.space, "n", 0))


def marks(group: Group, share: bool) -> int:
    """How many numbers tell the critic whose values are wanted."""
    return len(group.agents) if share and len(group.agents) > 1 else 0


def seen(env: Env, share: bool, state: Real, actions: Arrays, g: int, dtype: str) -> Real:
    """What each agent's critic of group g sees, (..., N, S + E + marks).

    ``state`` (..., S), ``actions`` (..., N_g) of int for each group.
    """
    group, columns = env.groups[g], _columns(env.groups, g)
    hot = [
        (a[..., None] == np.arange(choices(p))).reshape(*a.shape[:-1], a.shape[-1] * choices(p))
        for p, a in zip(env.groups, actions, strict=True)
    ]
    others = np.concatenate(hot, axis=-1)[..., columns]  # (..., N, E)
    shape = (*state.shape[:-1], len(group.agents))
    parts = [np.broadcast_to(state[..., None, :], (*shape, state.shape[-1])), others]
    if own := marks(group, share):
        parts.append(np.broadcast_to(np.eye(own), (*shape, own)))
    return np.concatenate(parts, axis=-1, dtype=dtype)


@cache
def _columns(groups: tuple[Group, ...], g: int) -> Real:
    """(N, E): which of all agents' one-hot actions, side by side, are not agent i's of group g."""
    counts = [len(p.agents) for p in groups]
    widths = np.repeat([choices(p) for p in groups], counts)
    owner, first = np.repeat(np.arange(sum(counts)), widths), sum(counts[:g])
    return np.stack([np.flatnonzero(owner != first + i) for i in range(counts[g])])


def values(net: MLP, phi: Real, x: Real) -> Real:
    """Q (..., N, K) for x (..., N, I)."""
    return unrows(phi, net.forward(phi, rows(phi, x))[0])


def critic_gradient(
    net: MLP, phi: Real, x: Real, action: Real, target: Real, weight: Real
) -> tuple[float, Real]:
    """(L, ∂L/∂φ) of (2.2) at the actions taken; ``action``, ``target``, ``weight`` (..., N)."""
    q, tape = net.forward(phi, rows(phi, x))
    q, at = unrows(phi, q), action[..., None]
    loss = critic_loss(np.take_along_axis(q, at, axis=-1)[..., 0], target, weight)
    dq = np.zeros_like(q)
    np.put_along_axis(dq, at, loss.gradient[..., None], axis=-1)
    return float(loss.value), net.gradient(phi, tape, rows(phi, dq))
