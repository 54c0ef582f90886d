r"""A critic that looks at the other agents with attention: Iqbal & Sha's network.

    h_i = s(o_i),   e_j = e(o_j, a_j)                              encodings, perceptrons
    x_i = Attention(query h_i; keys and values e_j, j ≠ i)         :mod:`refmarl.nn.attention`
    Q_i(o, (a_-i, ·)) = f(h_i, x_i)                                K outputs

Who does not act is not looked at, and nobody looks at himself: Q_i does not see a_i, so that one
pass gives all own actions their values. Attention is the same for all agents; encoders and f are
the same for the agents of a group if ``share``, else each agent has its own. With shared ones and
one group, to relabel the agents relabels the values. All parameters are one vector φ. Iqbal & Sha
2019, arXiv:1810.02912; their s and e have one layer, those here two (f has two in both), and they
join the heads without a matrix behind them.

Axes: M rows, N agents of all groups, N_g of one, O_g, K_g, U units, H heads, P parameters.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..check import InputError
from ..env_api import Group
from ..nn.attention import Attention, AttentionTape
from ..nn.mlp import MLP, Tape
from ..policy_gradient.actor_critic import rows, unrows
from ..rollout import Arrays
from ..value_grad import Real
from .all_actions import FIRST, choices


class CriticTape(NamedTuple):
    """What a forward pass leaves."""

    parts: Arrays  # the parameters, as the networks have them
    state: tuple[Tape, ...]
    pair: tuple[Tape, ...]
    look: AttentionTape
    head: tuple[Tape, ...]


@dataclass(frozen=True)
class AttentionCritic:
    """Shapes of the network.

    Parameters
    ----------
    groups : of the environment, all of whose actions are one of K
    units : U, of every encoding; a multiple of ``heads``
    heads : H
    share : whether the agents of a group share their encoders and f

    Raises
    ------
    InputError
        If ``units`` is not a multiple of ``heads``.
    """

    groups: tuple[Group, ...]
    units: int = 64
    heads: int = 4
    share: bool = True

    def __post_init__(self) -> None:
        if self.units % self.heads:
            need = f"a multiple of heads = {self.heads}"
            raise InputError(f"units: need {need}, got {self.units}")

    @cached_property
    def attention(self) -> Attention:
        """The part that all agents share."""
        u = self.units
        return Attention(u, u, self.heads, u // self.heads, u)

    @cached_property
    def nets(self) -> tuple[tuple[MLP, ...], ...]:
        """(s, e, f), each one network for each group."""
        u, found = self.units, []
        for group in self.groups:
            o, k = group.obs_dim, choices(group)
            sizes = (o, u, u), (o + k, u, u), (2 * u, u, k)
            found.append(tuple(MLP(s, "leaky-relu") for s in sizes))
        return tuple(zip(*found, strict=True))

    @cached_property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of all parts of φ in order: s of every group, e, f, attention."""
        leads = [() if self.share else (len(g.agents),) for g in self.groups]
        each = [
            (*lead, net.size) for nets in self.nets for net, lead in zip(nets, leads, strict=True)
        ]
        return (*each, (self.attention.size,))

    @property
    def size(self) -> int:
        """P."""
        return sum(int(np.prod(shape)) for shape in self.shapes)

    def split(self, phi: Real) -> Arrays:
        """φ (P,) as its parts, views in their shapes.

        Raises
        ------
        InputError
            If φ has another shape.
        """
        if phi.shape != (self.size,):
            raise InputError(f"phi: need shape {(self.size,)}, got {phi.shape}")
        found, start = [], 0
        for shape in self.shapes:
            stop = start + int(np.prod(shape))
            found.append(phi[start:stop].reshape(shape))
            start = stop
        return tuple(found)

    def init(self, rng: np.random.Generator, *, dtype: type = np.float64) -> Real:
        """φ (P,): weights orthogonal, biases 0, those of the last layers so small that Q is near 0.

        What values are at first is forgotten by γ for each time that the slow copy turns over, and
        until then an end of the episode is worth less than to go on.
        """
        phi: Real = np.zeros(self.size, dtype)
        nets: list[MLP | Attention] = [net for part in self.nets for net in part]
        for view, net in zip(self.split(phi), [*nets, self.attention], strict=True):
            view[...] = net.init(rng, view.shape[:-1], dtype=dtype)
        tops = self.split(phi)[2 * len(self.groups) : -1]
        for view, top in zip(tops, self.nets[2], strict=True):
            top.layers(view)[-1].w[...] *= FIRST
        return phi

    def forward(
        self, phi: Real, obs: Arrays, action: Arrays, acts: Arrays = ()
    ) -> tuple[Arrays, CriticTape]:
        """(Q (M, N_g, K_g) of each group, tape).

        Parameters
        ----------
        phi : (P,)
        obs : (M, N_g, O_g) for each group
        action : (M, N_g) of int for each group
        acts : (M, N_g) of bool, who is there to be looked at; () for all
        """
        parts, count = self.split(phi), len(self.groups)
        hot = [
            np.concatenate([o, a[..., None] == np.arange(choices(g))], axis=-1, dtype=phi.dtype)
            for g, o, a in zip(self.groups, obs, action, strict=True)
        ]
        h, state = _passed(self.nets[0], parts[:count], obs)
        e, pair = _passed(self.nets[1], parts[count : 2 * count], tuple(hot))
        query, source = np.concatenate(h, axis=-2), np.concatenate(e, axis=-2)
        x, look = self.attention.forward(parts[-1], query, source, self._mask(query, acts))
        both = np.split(np.concatenate([query, x], axis=-1), self._cuts, axis=-2)
        q, head = _passed(self.nets[2], parts[2 * count : -1], tuple(both))
        return q, CriticTape(parts, state, pair, look, head)

    def backward(self, phi: Real, tape: CriticTape, dq: Arrays) -> Real:
        """∂L/∂φ (P,) from ∂L/∂Q (M, N_g, K_g) of each group."""
        count, u, out = len(self.groups), self.units, np.empty_like(phi)
        into, below = self.split(out), []
        for k, (net, d) in enumerate(zip(self.nets[2], dq, strict=True)):
            theta = tape.parts[2 * count + k]
            into[2 * count + k][...], d_in = net.backward(theta, tape.head[k], rows(theta, d))
            below.append(unrows(theta, d_in))
        joined = np.concatenate(below, axis=-2)
        into[-1][...], d_query, d_source = self.attention.backward(
            tape.parts[-1], tape.look, joined[..., u:]
        )
        d_encoded = (joined[..., :u] + d_query, tape.state), (d_source, tape.pair)
        for which, (d_all, tapes) in enumerate(d_encoded):
            for k, d in enumerate(np.split(d_all, self._cuts, axis=-2)):
                theta = tape.parts[which * count + k]
                net = self.nets[which][k]
                into[which * count + k][...] = net.gradient(theta, tapes[k], rows(theta, d))
        return out

    def looks(self, phi: Real, obs: Arrays, action: Arrays, acts: Arrays = ()) -> Real:
        """How much each agent looks at each other, (M, H, N, N): rows sum to 1, or 0 if alone."""
        return self.forward(phi, obs, action, acts)[1].look.heads.weights

    @cached_property
    def _cuts(self) -> list[int]:
        return [int(k) for k in np.cumsum([len(g.agents) for g in self.groups])[:-1]]

    def _mask(self, query: Real, acts: Arrays) -> Real:
        """(M, N, N): True where the first may look at the second."""
        n = query.shape[-2]
        others = np.broadcast_to(~np.eye(n, dtype=bool), (*query.shape[:-1], n))
        return others & np.concatenate(acts, axis=-1)[..., None, :] if acts else others


def _passed(
    nets: tuple[MLP, ...], parts: Arrays, x: Arrays
) -> tuple[tuple[Real, ...], tuple[Tape, ...]]:
    """(outputs (M, N_g, ·) of each group, tapes)."""
    outputs, tapes = [], []
    for net, theta, given in zip(nets, parts, x, strict=True):
        y, tape = net.forward(theta, rows(theta, given))
        outputs.append(unrows(theta, y))
        tapes.append(tape)
    return tuple(outputs), tuple(tapes)
