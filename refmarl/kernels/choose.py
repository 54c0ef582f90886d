"""What a policy of one choice does with what it sees: the network's pass and the draw, in one call.

The same calls on the same numbers as :mod:`refmarl.nn.mlp` and :mod:`refmarl.nn.categorical` make,
so the same bits.
"""

import numpy as np

from ..value_grad import Real
from . import perceptron
from ._jit import kernel
from .categorical import draw


@kernel
def choose(
    theta: Real, seen: Real, sizes: Real, smooth: bool, u: Real, action: Real, log_prob: Real
) -> None:
    """Fill in ``action`` (M) and ``log_prob`` (M) for ``seen`` (M·O) and u (M) uniform in [0, 1).

    ``theta`` (P) has the layers of ``sizes`` (O, …, K).
    """
    rows, width = len(u), sizes[-1]
    x, y = np.empty(len(seen), theta.dtype), np.empty(rows * width, theta.dtype)
    hidden = np.empty(rows * sizes[1:-1].sum(), theta.dtype)
    for k in range(len(seen)):
        x[k] = seen[k]
    perceptron.forward(theta, x, sizes, smooth, rows, hidden, y)
    draw(y.reshape(rows, width), u, action, log_prob)
