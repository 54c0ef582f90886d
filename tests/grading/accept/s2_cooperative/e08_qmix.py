"""Right answers to exercise 2.8, in other words."""

import numpy as np


def einsum(q, w1, b1, w2, v):
    """Sums over letters; f by its larger half."""
    first, second = np.abs(np.asarray(w1, float)), np.abs(w2)
    z = np.einsum("mi,mie->me", q, first) + b1
    h = np.maximum(z, 0) + np.expm1(np.minimum(z, 0))
    slope = np.exp(np.minimum(z, 0))
    return np.einsum("me,me->m", h, second) + v, np.einsum("mie,me->mi", first, slope * second)


def rows(q, w1, b1, w2, v):
    """One row after the other."""
    totals, slopes = [], []
    for own, into, offset, out, last in zip(q, w1, b1, w2, v, strict=True):
        z = own @ abs(into) + offset
        inside = np.array([x if x > 0 else np.e**x - 1 for x in z])
        steep = np.array([1.0 if x > 0 else np.e**x for x in z])
        totals.append(inside @ abs(out) + last)
        slopes.append(abs(into) @ (steep * abs(out)))
    return np.array(totals), np.array(slopes)
