"""A stochastic policy: a perceptron whose outputs are the parameters of a distribution.

    kind             the network's outputs              actions
    categorical      K logits                           one of K
    multi-discrete   K_1 + … + K_J logits               one of each of J sets
    bernoulli        A logits                           A bits
    gaussian         A means                            A numbers
    tanh-gaussian    A means and A log deviations       A numbers in (−1, 1)
    beta             2A concentrations before softplus  A numbers in (0, 1)
    dirichlet        K concentrations before softplus   K shares, numbers ≥ 0 that sum to 1

A Gaussian's log standard deviations are A further parameters at the end of θ, the same in every
state, as PPO and TRPO have them (Schulman et al. 2015, appendix D); a squashed Gaussian's depend
on the state, as soft actor–critic has them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..check import InputError
from ..value_grad import Real
from . import bernoulli, beta, categorical, dirichlet, gaussian, tanh_gaussian
from .mlp import MLP, Curvature, Tape
from .multi_discrete import MultiDiscrete


class Head(Protocol):
    """The verbs that every distribution has; its modules are used as they are."""

    def sample(self, rng: np.random.Generator, params: Real) -> Real:
        """An action for each row."""
        ...

    def mode(self, params: Real) -> Real:
        """The likeliest action of each row."""
        ...

    def log_prob(self, params: Real, action: Real) -> Real:
        """The log probability (density) of each action."""
        ...

    def d_log_prob(self, params: Real, action: Real) -> Real:
        """Its derivative in the parameters."""
        ...

    def entropy(self, params: Real) -> Real:
        """The entropy of each row."""
        ...

    def d_entropy(self, params: Real) -> Real:
        """Its derivative."""
        ...

    def kl(self, old: Real, new: Real) -> Real:
        """KL(old ‖ new) of each row."""
        ...

    def d_kl(self, old: Real, new: Real) -> Real:
        """Its derivative in the new parameters."""
        ...

    def d_kl_old(self, old: Real, new: Real) -> Real:
        """Its derivative in the old parameters."""
        ...

    def fisher(self, params: Real, v: Real) -> Real:
        """The Fisher metric times v."""
        ...


HEADS: dict[str, Any] = {
    "categorical": categorical,
    "multi-discrete": MultiDiscrete,  # of the policy's sizes
    "bernoulli": bernoulli,
    "gaussian": gaussian,
    "tanh-gaussian": tanh_gaussian,
    "beta": beta,
    "dirichlet": dirichlet,
}
PAIRS = ("tanh-gaussian", "beta")  # the kinds with two outputs for each number
LOGITS = ("categorical", "multi-discrete")  # the kinds that know illegal actions


@dataclass(frozen=True)
class Policy:
    """π_θ(a|o): a network and the distribution that it parametrises.

    Parameters
    ----------
    net : from O observed numbers to what the kind needs
    kind : one of ``HEADS``
    sizes : (K_1, …, K_J) of "multi-discrete", empty for the others

    Examples
    --------
    >>> policy = Policy(MLP((3, 8, 2)), "categorical")
    >>> theta = policy.init(np.random.default_rng(0))
    >>> params, tape = policy.forward(theta, np.zeros((5, 3)))
    >>> params.shape, policy.head.entropy(params).round(4)[0]
    ((5, 2), np.float64(0.6931))
    """

    net: MLP
    kind: str
    sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        outputs = self.net.sizes[-1]
        if self.kind not in HEADS:
            raise InputError(f"kind: need one of {', '.join(HEADS)}; got {self.kind!r}")
        if (self.kind == "multi-discrete") != bool(self.sizes):
            raise InputError(f'sizes: "multi-discrete" has them, alone; got {self.sizes!r}')
        if self.sizes and sum(self.sizes) != outputs:
            raise InputError(f"sizes: need a sum of {outputs}, as outputs; got {self.sizes!r}")
        if self.kind in PAIRS and outputs % 2:
            raise InputError(f"net: need an even number of outputs, got {outputs}")

    @property
    def head(self) -> Head:
        """The distribution's verbs, on rows of its parameters."""
        head: Head = MultiDiscrete(self.sizes) if self.sizes else HEADS[self.kind]
        return head

    def restrict(self, params: Real, mask: Real | None) -> Real:
        """Parameters under which illegal actions have probability 0: their logits become −∞.

        ``mask`` is of the shape of the logits, True for legal, or None where all are. Every verb
        of the head takes the result; its derivatives are exactly 0 at illegal actions.

        Raises
        ------
        InputError
            If the actions are not discrete, or the mask has another shape or leaves no action.
        """
        if mask is None:
            return params
        if self.kind not in LOGITS or np.shape(mask) != params.shape:
            raise InputError(f"mask: need {params.shape} of logits, got {np.shape(mask)}")
        parts = MultiDiscrete(self.sizes).parts(mask) if self.sizes else (mask,)
        if not all(part.any(axis=-1).all() for part in parts):
            raise InputError("mask: a row without any legal action")
        return np.where(mask, params, params.dtype.type(-np.inf))

    def draw(
        self, rng: np.random.Generator, params: Real, greedy: bool = False
    ) -> tuple[Real, Real]:
        """(an action for each row, drawn or the likeliest, the log probability of each)."""
        if self.kind == "categorical":
            return categorical.draw(rng, params, greedy)
        action = self.head.mode(params) if greedy else self.head.sample(rng, params)
        return action, self.head.log_prob(params, action)

    @property
    def free(self) -> int:
        """How many parameters stand beside the network's: the log σ of a Gaussian."""
        return self.net.sizes[-1] if self.kind == "gaussian" else 0

    @property
    def size(self) -> int:
        """P, the number of parameters."""
        return self.net.size + self.free

    def init(
        self,
        rng: np.random.Generator,
        lead: Sequence[int] = (),
        *,
        out_scale: float = 0.01,
        log_std: float = 0.0,
        dtype: type = np.float64,
    ) -> Real:
        """θ (*lead, P): nearly uniform (or centred) at first, because ``out_scale`` is small."""
        theta = self.net.init(rng, lead, out_scale=out_scale, dtype=dtype)
        return np.concatenate([theta, np.full((*lead, self.free), log_std, dtype)], axis=-1)

    def forward(self, theta: Real, obs: Real) -> tuple[Real, Tape]:
        """(distribution parameters (*L, *rows, D), tape) for obs (*L, *rows, O).

        D = K for logits, 2A for (μ, log σ).
        """
        y, tape = self.net.forward(theta[..., : self.net.size], obs)
        if not self.free:
            return y, tape
        lead = theta.shape[:-1]
        log_std = theta[..., self.net.size :]
        log_std = log_std.reshape(*lead, *(1,) * (y.ndim - len(lead) - 1), self.free)
        return np.concatenate([y, np.broadcast_to(log_std, y.shape)], axis=-1), tape

    def backward(self, theta: Real, tape: Tape, d_params: Real) -> tuple[Real, Real]:
        """(∂L/∂θ (*L, P), ∂L/∂obs) from ∂L/∂(distribution parameters)."""
        outputs = self.net.sizes[-1]
        dtheta, dx = self.net.backward(theta[..., : self.net.size], tape, d_params[..., :outputs])
        if not self.free:
            return dtheta, dx
        lead = theta.ndim - 1
        rows = tuple(range(lead, d_params.ndim - 1))
        return np.concatenate([dtheta, d_params[..., outputs:].sum(axis=rows)], axis=-1), dx

    def gradient(self, theta: Real, tape: Tape, d_params: Real) -> Real:
        """∂L/∂θ (*L, P) alone, which is less work."""
        outputs = self.net.sizes[-1]
        dtheta = self.net.gradient(theta[..., : self.net.size], tape, d_params[..., :outputs])
        if not self.free:
            return dtheta
        rows = tuple(range(theta.ndim - 1, d_params.ndim - 1))
        return np.concatenate([dtheta, d_params[..., outputs:].sum(axis=rows)], axis=-1)

    def per_sample(self, theta: Real, tape: Tape, d_params: Real) -> Real:
        """∂L_m/∂θ (*L, *rows, P), the gradient of each row by itself; they sum to ∂L/∂θ."""
        outputs = self.net.sizes[-1]
        each = self.net.per_sample(theta[..., : self.net.size], tape, d_params[..., :outputs])
        return np.concatenate([each, d_params[..., outputs:]], axis=-1) if self.free else each

    def jvp(self, theta: Real, tape: Tape, v: Real, u: Real | None = None) -> Real:
        """How the distribution's parameters (*L, *rows, D) move along v for θ and u for obs."""
        r_y = self.net.jvp(theta[..., : self.net.size], tape, v[..., : self.net.size], u)
        if not self.free:
            return r_y
        lead = theta.ndim - 1
        r_log = v[..., self.net.size :].reshape(
            *theta.shape[:-1], *(1,) * (r_y.ndim - lead - 1), self.free
        )
        return np.concatenate([r_y, np.broadcast_to(r_log, r_y.shape)], axis=-1)

    def hvp(
        self,
        theta: Real,
        tape: Tape,
        d_params: Real,
        curvature: Curvature,
        v: Real,
        u: Real | None = None,
    ) -> tuple[Real, Real]:
        """Hv = R{(∂L/∂θ, ∂L/∂obs)} along v for θ and u for obs.

        ``curvature`` is R{distribution parameters} ↦ R{d_params}, the rest as in ``MLP.hvp``.
        """
        outputs, size = self.net.sizes[-1], self.net.size
        r_d = curvature(self.jvp(theta, tape, v, u))
        r_theta, r_obs = self.net.hvp(
            theta[..., :size], tape, d_params[..., :outputs], lambda _: r_d[..., :outputs],
            v[..., :size], u,
        )  # fmt: skip
        if not self.free:
            return r_theta, r_obs
        rows = tuple(range(theta.ndim - 1, r_d.ndim - 1))
        return np.concatenate([r_theta, r_d[..., outputs:].sum(axis=rows)], axis=-1), r_obs
