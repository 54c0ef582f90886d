"""Networks on one flat parameter vector, distributions, losses and optimisers, by hand.

Every ``backward`` is an analytic derivative; :mod:`refmarl.nn.gradcheck` compares it, and yours,
with differences of the function itself.
"""

from .gradcheck import check_backward, check_gradient, check_hvp, check_jvp
from .mlp import MLP, Block, Tape

__all__ = [
    "MLP",
    "Block",
    "Tape",
    "check_backward",
    "check_gradient",
    "check_hvp",
    "check_jvp",
]
