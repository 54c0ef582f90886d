r"""Several categoricals side by side: one action of each of J sets, chosen independently.

    π(a_1, …, a_J) = Π_j π_j(a_j),   log π, H and KL are sums over j

The parameters are the logits of all sets in a row, (..., K_1 + … + K_J), as is ``mask``; an action
is (..., J) of int64. The verbs are those of :mod:`~refmarl.nn.categorical`, which does the work;
they belong to a :class:`MultiDiscrete` because they need the sizes.

Axes: any rows, J sets, K = Σ K_j logits; results keep the dtype of the logits.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..check import InputError
from ..value_grad import Real
from . import categorical
from .categorical import Mask


@dataclass(frozen=True)
class MultiDiscrete:
    """The distribution over one action of each of sets with ``sizes`` actions.

    Examples
    --------
    >>> head = MultiDiscrete((2, 3))
    >>> logits = np.log([0.5, 0.5, 0.2, 0.3, 0.5])
    >>> np.exp(head.log_prob(logits, np.array([1, 2]))).round(3)
    np.float64(0.25)
    >>> head.mode(logits)
    array([0, 2])
    """

    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.sizes or not all(isinstance(k, int) and k > 0 for k in self.sizes):
            raise InputError(f"sizes: need whole numbers ≥ 1, at least one; got {self.sizes!r}")

    def parts(self, row: Real) -> Iterator[Real]:
        """Views (..., K_j) of each set's part of ``row`` (..., K).

        Raises
        ------
        InputError
            If the last axis is not K.
        """
        stops = np.cumsum((0, *self.sizes)).tolist()
        if row.shape[-1] != stops[-1]:
            raise InputError(f"params: need (..., K = {stops[-1]}), got shape {row.shape}")
        return (row[..., start:stop] for start, stop in pairwise(stops))

    def sample(self, rng: np.random.Generator, logits: Real, mask: Mask = None) -> Real:
        """An action of each set, (..., J) of int64; J uniform numbers for each row."""
        pairs = zip(self.parts(logits), self._masks(mask), strict=True)
        return np.stack([categorical.sample(rng, part, legal) for part, legal in pairs], axis=-1)

    def mode(self, logits: Real, mask: Mask = None) -> Real:
        """The likeliest action (..., J)."""
        pairs = zip(self.parts(logits), self._masks(mask), strict=True)
        return np.stack([categorical.mode(part, legal) for part, legal in pairs], axis=-1)

    def log_prob(self, logits: Real, action: Real, mask: Mask = None) -> Real:
        """log π(a) (...) for actions (..., J)."""
        return _sum(categorical.log_prob(*part) for part in self._choices(logits, action, mask))

    def d_log_prob(self, logits: Real, action: Real, mask: Mask = None) -> Real:
        """∂ log π(a) / ∂l, (..., K)."""
        chosen = self._choices(logits, action, mask)
        return np.concatenate([categorical.d_log_prob(*part) for part in chosen], axis=-1)

    def entropy(self, logits: Real, mask: Mask = None) -> Real:
        """H (...), the sum of the sets' entropies."""
        pairs = zip(self.parts(logits), self._masks(mask), strict=True)
        return _sum(categorical.entropy(*pair) for pair in pairs)

    def d_entropy(self, logits: Real, mask: Mask = None) -> Real:
        """∂H / ∂l, (..., K)."""
        pairs = zip(self.parts(logits), self._masks(mask), strict=True)
        return np.concatenate([categorical.d_entropy(*pair) for pair in pairs], axis=-1)

    def kl(self, old: Real, new: Real, mask: Mask = None) -> Real:
        """KL(π_old ‖ π_new) (...), the sum of the sets' divergences."""
        return _sum(categorical.kl(*part) for part in self._both(old, new, mask))

    def d_kl(self, old: Real, new: Real, mask: Mask = None) -> Real:
        """∂ KL(π_old ‖ π_new) / ∂(logits of new), (..., K)."""
        return self._each(categorical.d_kl, old, new, mask)

    def d_kl_old(self, old: Real, new: Real, mask: Mask = None) -> Real:
        """∂ KL(π_old ‖ π_new) / ∂(logits of old), (..., K)."""
        return self._each(categorical.d_kl_old, old, new, mask)

    def fisher(self, logits: Real, v: Real, mask: Mask = None) -> Real:
        """M v (..., K): the Fisher metric has a block for each set."""
        return self._each(categorical.fisher, logits, v, mask)

    def _masks(self, mask: Mask) -> Iterator[Mask]:
        return iter([None] * len(self.sizes)) if mask is None else self.parts(np.asarray(mask))

    def _both(self, one: Real, two: Real, mask: Mask) -> Iterator[tuple[Real, Real, Mask]]:
        return zip(self.parts(one), self.parts(two), self._masks(mask), strict=True)

    def _choices(self, logits: Real, action: Real, mask: Mask) -> Iterator[tuple[Real, Real, Mask]]:
        if action.shape[-1:] != (len(self.sizes),):
            need = f"(..., J = {len(self.sizes)})"
            raise InputError(f"action: need {need}, got shape {action.shape}")
        chosen = (action[..., j] for j in range(len(self.sizes)))
        return zip(self.parts(logits), chosen, self._masks(mask), strict=True)

    def _each(
        self, verb: Callable[[Real, Real, Mask], Real], one: Real, two: Real, mask: Mask
    ) -> Real:
        return np.concatenate([verb(*part) for part in self._both(one, two, mask)], axis=-1)


def _sum(terms: Iterator[Real]) -> Real:
    total = next(terms)
    for term in terms:
        total = total + term
    return total
