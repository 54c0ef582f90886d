r"""Pop-Art: targets of any size, normalised, without changing what the network says.

    μ ← μ + β (E[G] − μ),   ν ← ν + β (E[G²] − ν),   σ = √(ν − μ²)
    W′ = W σ / σ′,   b′ = (σ b + μ − μ′) / σ′,   so that   σ′ y′ + μ′ = σ y + μ   for every input

van Hasselt et al. 2016, arXiv:1602.07714. The network's output y is trained on (G − μ) / σ and
σ y + μ is the prediction; when the statistics move, the last layer is rewritten so that all
predictions stay. β is max(β, 1 / number of updates): the first batch is taken as it is  [+].

Axes: L networks (any leading axes of θ, or none), O outputs, P parameters; statistics are (O,), or
(*L, O) with their own for each network.
"""

from typing import NamedTuple

import numpy as np

from ..check import InputError
from ..value_grad import Real
from .mlp import MLP

LEAST, MOST = 1e-4, 1e6  # σ stays between, as in the paper's experiments


class Scale(NamedTuple):
    """The statistics of the targets."""

    updates: int
    mean: Real  # μ
    square: Real  # ν, the second moment about 0

    @property
    def std(self) -> Real:
        """σ, between ``LEAST`` and ``MOST``; 1 before the first update."""
        if self.updates == 0:
            return np.ones_like(self.mean)
        spread = np.sqrt(np.maximum(self.square - self.mean**2, 0.0))
        return np.asarray(np.clip(spread, LEAST, MOST))


def begin(shape: tuple[int, ...]) -> Scale:
    """Statistics that change nothing."""
    return Scale(0, np.zeros(shape), np.ones(shape))


def track(scale: Scale, targets: Real, beta: float = 3e-4) -> Scale:
    """The statistics after a batch of targets (*L, *rows, O), or (*rows, O) if they are (O,).

    Raises
    ------
    InputError
        If β is not in (0, 1], or the targets are none, not finite or of another shape.
    """
    if not 0.0 < beta <= 1.0:
        raise InputError(f"beta: need a number in (0, 1], got {beta!r}")
    *lead, outputs = scale.mean.shape
    targets = np.asarray(targets, dtype=np.float64)
    if targets.shape[: len(lead)] != tuple(lead) or targets.shape[-1:] != (outputs,):
        need = f"({', '.join(map(str, [*lead, '...', outputs]))})"
        raise InputError(f"targets: need {need}, got shape {targets.shape}")
    if targets.size == 0 or not np.isfinite(targets).all():
        raise InputError("targets: need finite numbers, at least one")
    rows = tuple(range(len(lead), targets.ndim - 1))
    step = max(beta, 1.0 / (scale.updates + 1))
    mean = scale.mean + step * (targets.mean(axis=rows) - scale.mean)
    square = scale.square + step * (np.square(targets).mean(axis=rows) - scale.square)
    return Scale(scale.updates + 1, mean, square)


def normalise(scale: Scale, g: Real) -> Real:
    """(G − μ) / σ for G (*L, *rows, O)."""
    mean, std = _along(scale, g)
    return np.asarray((g - mean) / std, dtype=g.dtype)


def denormalise(scale: Scale, y: Real) -> Real:
    """σ y + μ for outputs y (*L, *rows, O): the prediction."""
    mean, std = _along(scale, y)
    return np.asarray(std * y + mean, dtype=y.dtype)


def preserve(net: MLP, theta: Real, old: Scale, new: Scale) -> Real:
    """θ′ (*L, P) that predicts with ``new`` what θ predicts with ``old``, for every input."""
    theta = theta.copy()
    last = net.layers(theta)[-1]
    ratio = (old.std / new.std)[..., None, :]
    shift = ((old.mean - new.mean) / new.std)[..., None, :]
    last.w[...] = last.w * ratio
    last.b[...] = last.b * ratio + shift
    return theta


def _along(scale: Scale, x: Real) -> tuple[Real, Real]:
    """(μ, σ) with axes for the rows of x."""
    *lead, outputs = scale.mean.shape
    shape = (*lead, *(1,) * (x.ndim - len(lead) - 1), outputs)
    return scale.mean.reshape(shape), scale.std.reshape(shape)
