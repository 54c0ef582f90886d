r"""A categorical policy with a floor under it: no legal action is ever given up.

    π(a) = (1 − ε) p(a) + ε / K,   p = softmax(logits),   K legal actions
    ∂ log π(a) / ∂l = (1 − ε) p(a) (1_a − p) / π(a)

COMA explores in this way (Foerster et al. 2018, arXiv:1705.08926, on the actors' training). Illegal
actions are logits of −∞ and stay at 0. ε = 0 is :mod:`refmarl.nn.categorical`.

Axes: any rows, A actions.
"""

from dataclasses import dataclass

import numpy as np

from ..check import InputError
from ..nn import categorical
from ..value_grad import Real


@dataclass(frozen=True)
class Floored:
    """The distribution; its parameters are logits (..., A).

    Examples
    --------
    >>> print(Floored(0.2).probs(np.array([1000.0, 0.0, -np.inf])))
    [0.9 0.1 0. ]
    """

    epsilon: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.epsilon <= 1.0:
            raise InputError(f"epsilon: need a number in [0, 1], got {self.epsilon!r}")

    def probs(self, logits: Real) -> Real:
        """π (..., A)."""
        p, eps = categorical.probs(logits), logits.dtype.type(self.epsilon)
        legal = ~np.isneginf(logits)
        even = legal / legal.sum(axis=-1, keepdims=True).astype(logits.dtype)
        return np.asarray((1 - eps) * p + eps * even)

    def log_prob(self, logits: Real, action: Real) -> Real:
        """log π(a) (...) for actions (...)."""
        if self.epsilon == 0.0:
            return categorical.log_prob(logits, action)
        chosen = np.take_along_axis(self.probs(logits), action[..., None], axis=-1)
        return np.asarray(np.log(chosen[..., 0]))

    def d_log_prob(self, logits: Real, action: Real) -> Real:
        """∂ log π(a) / ∂l (..., A)."""
        score = categorical.d_log_prob(logits, action)
        if self.epsilon == 0.0:
            return score
        at = action[..., None]
        p = np.take_along_axis(categorical.probs(logits), at, axis=-1)
        kept = logits.dtype.type(1.0 - self.epsilon) * p
        return np.asarray(kept / np.take_along_axis(self.probs(logits), at, axis=-1) * score)

    def draw(
        self, rng: np.random.Generator, logits: Real, greedy: bool = False
    ) -> tuple[Real, Real]:
        """(actions (...), their log π); the likeliest action if ``greedy``."""
        found = self.probs(logits)
        with np.errstate(divide="ignore"):  # −∞ where illegal
            return categorical.draw(rng, np.log(found), greedy)
