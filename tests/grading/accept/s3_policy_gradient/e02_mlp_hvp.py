"""Right answers to exercise 3.2, in other words."""

import numpy as np


def by_a_complex_step(weights, biases, x, target, v_weights, v_biases):
    """The gradient of a network whose parameters moved along v by a tiny imaginary number."""
    w = [a + 1e-30j * v for a, v in zip(weights, v_weights, strict=True)]
    b = [a + 1e-30j * v for a, v in zip(biases, v_biases, strict=True)]
    h = [x + 0j]
    for k in range(len(w)):
        z = h[-1] @ w[k] + b[k]
        h.append(np.tanh(z) if k + 1 < len(w) else z)
    delta, d_w, d_b = h[-1] - target, [], []
    for k in reversed(range(len(w))):
        d_w.append((h[k].T @ delta).imag / 1e-30)
        d_b.append(delta.sum(axis=0).imag / 1e-30)
        delta = (delta @ w[k].T) * (1 - h[k] ** 2)
    return h[-1].imag / 1e-30, tuple(d_w[::-1]), tuple(d_b[::-1])


class _Dual:
    """A number array and its derivative along v."""

    def __init__(self, value, slope):
        self.value, self.slope = value, slope

    def __add__(self, other):
        return _Dual(self.value + other.value, self.slope + other.slope)

    def __matmul__(self, other):
        slope = self.slope @ other.value + self.value @ other.slope
        return _Dual(self.value @ other.value, slope)

    def __mul__(self, other):
        slope = self.slope * other.value + self.value * other.slope
        return _Dual(self.value * other.value, slope)

    @property
    def T(self):
        return _Dual(self.value.T, self.slope.T)

    def tanh(self):
        h = np.tanh(self.value)
        return _Dual(h, (1 - h**2) * self.slope)

    def bend(self):
        return _Dual(1 - self.value**2, -2 * self.value * self.slope)


def by_dual_numbers(weights, biases, x, target, v_weights, v_biases):
    """Both passes on pairs (value, derivative)."""
    w = [_Dual(a, v) for a, v in zip(weights, v_weights, strict=True)]
    b = [_Dual(a, v) for a, v in zip(biases, v_biases, strict=True)]
    h = [_Dual(x, np.zeros(np.shape(x)))]
    for k in range(len(w)):
        z = h[k] @ w[k] + b[k]
        h.append(z.tanh() if k < len(w) - 1 else z)
    delta = _Dual(h[-1].value - target, h[-1].slope)
    hv_w, hv_b = [], []
    for k in range(len(w) - 1, -1, -1):
        hv_w.insert(0, (h[k].T @ delta).slope.tolist())
        hv_b.insert(0, delta.slope.sum(axis=0).tolist())
        if k:
            delta = (delta @ w[k].T) * h[k].bend()
    return h[-1].slope, hv_w, hv_b
