r"""Running mean and variance, exact however the data are split.

    n = n_a + n_b,   δ = mean_b − mean_a
    mean = mean_a + δ n_b / n,   S = S_a + S_b + δ² n_a n_b / n,   variance = S / n

S is the sum of squared distances from the mean (Chan, Golub & LeVeque 1983, Am. Stat. 37): merging
two summaries gives that of all data together, and nothing cancels when the mean is large. Sums are
float64 whatever the data. A state is a value: updates return a new one.

Axes: F features of any shape; leading axes of the data are samples.
"""

from typing import NamedTuple

import numpy as np

from ..check import InputError
from ..value_grad import Real

EPSILON = 1e-8  # added to the variance before its root is divided by


class Moments(NamedTuple):
    """What is known of data: how many, their mean and S, both (F)."""

    samples: float
    mean: Real
    squares: Real

    @property
    def variance(self) -> Real:
        """(F); 1 where there are no data yet, so that nothing is scaled."""
        return self.squares / self.samples if self.samples > 0 else np.ones_like(self.squares)


def begin(shape: tuple[int, ...]) -> Moments:
    """Of no data with features of this shape."""
    return Moments(0.0, np.zeros(shape), np.zeros(shape))


def summary(data: Real, axes: int = 1) -> Moments:
    """Of ``data`` whose last ``axes`` axes are features (0: numbers), all others samples.

    Raises
    ------
    InputError
        If the data are empty or not finite.
    """
    data = np.asarray(data, dtype=np.float64)
    flat = data.reshape(-1, *data.shape[data.ndim - axes :])
    if flat.size == 0 or not np.isfinite(flat).all():
        raise InputError(f"data: need finite numbers, at least one; got shape {data.shape}")
    mean = np.asarray(flat.mean(axis=0))
    return Moments(float(len(flat)), mean, np.asarray(np.square(flat - mean).sum(axis=0)))


def merge(a: Moments, b: Moments) -> Moments:
    """Of both sets of data together.

    Raises
    ------
    InputError
        If their features have different shapes.
    """
    if a.mean.shape != b.mean.shape:
        raise InputError(f"moments: of features {a.mean.shape} and {b.mean.shape}")
    count = a.samples + b.samples
    if count == 0.0:
        return a
    delta = b.mean - a.mean
    mean = a.mean + delta * (b.samples / count)
    return Moments(count, mean, a.squares + b.squares + delta**2 * (a.samples * b.samples / count))


def update(moments: Moments, data: Real) -> Moments:
    """After more data (*samples, *F), which may be none at all."""
    if np.size(data) == 0:
        return moments
    return merge(moments, summary(data, moments.mean.ndim))


def normalise(moments: Moments, x: Real, limit: float = np.inf) -> Real:
    """(x − mean) / √(variance + ε), within ±limit; keeps the dtype of x."""
    scaled = (x - moments.mean) / np.sqrt(moments.variance + EPSILON)
    return np.asarray(np.clip(scaled, -limit, limit), dtype=x.dtype)


def denormalise(moments: Moments, y: Real) -> Real:
    """x of which y is the normalisation, where it was not limited."""
    scaled = y * np.sqrt(moments.variance + EPSILON) + moments.mean
    return np.asarray(scaled, dtype=y.dtype)
