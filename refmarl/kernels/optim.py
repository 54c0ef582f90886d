"""Steps of the optimisers on flat arrays, in place: one pass over θ.

Moments nearer to 0 than ``tiny`` become 0. Those of units that never act halve again and again
and would reach the subnormal numbers, on which some processors are twenty times slower.
"""

import numpy as np

from ..value_grad import Real
from ._jit import kernel


@kernel
def adam(
    theta: Real, gradient: Real, m: Real, v: Real, beta1: float, beta2: float, scales: Real
) -> None:
    """Adam's step; ``scales`` is (α / (1 − β₁ᵗ), 1 / √(1 − β₂ᵗ), ε, α w, tiny)."""
    kind = theta.dtype.type
    keep1, keep2, new1, new2 = kind(beta1), kind(beta2), kind(1.0 - beta1), kind(1.0 - beta2)
    rate, widen, epsilon, decay, tiny = scales[0], scales[1], scales[2], scales[3], scales[4]
    zero = kind(0.0)
    for p in range(len(theta)):
        g = gradient[p]
        first, second = keep1 * m[p] + new1 * g, keep2 * v[p] + new2 * g * g
        m[p] = zero if abs(first) < tiny else first
        v[p] = zero if second < tiny else second
        step = rate * first / (np.sqrt(second) * widen + epsilon)
        theta[p] -= step + decay * theta[p]


@kernel
def descend(
    theta: Real, gradient: Real, m: Real, v: Real, step: int, rate: float, constants: Real
) -> None:
    """Adam's step number ``step``, from 1 on; ``constants`` is (β₁, β₂, ε, tiny)."""
    beta1, beta2, found = constants[0], constants[1], np.empty(5, theta.dtype)
    found[0] = rate / (1.0 - beta1**step)
    found[1] = (1.0 - beta2**step) ** -0.5
    found[2], found[3], found[4] = constants[2], 0.0, constants[3]
    adam(theta, gradient, m, v, beta1, beta2, found)


@kernel
def rms_prop(theta: Real, gradient: Real, v: Real, beta: float, scales: Real) -> None:
    """RMSProp's step; ``scales`` is (α, ε, tiny)."""
    kind = theta.dtype.type
    keep, new, zero = kind(beta), kind(1.0 - beta), kind(0.0)
    rate, epsilon, tiny = scales[0], scales[1], scales[2]
    for p in range(len(theta)):
        g = gradient[p]
        second = keep * v[p] + new * g * g
        v[p] = zero if second < tiny else second
        theta[p] -= rate * g / (np.sqrt(second) + epsilon)
