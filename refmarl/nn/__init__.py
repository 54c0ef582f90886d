"""Networks on one flat parameter vector, distributions, losses and optimisers, by hand.

Every ``backward`` is an analytic derivative; :mod:`refmarl.nn.gradcheck` compares it, and yours,
with differences of the function itself. Distributions, losses, schedules, normalisations and the
conjugate gradients are modules of functions: ``from refmarl.nn import categorical``. The page
docs/networks.md shows how all of it is used.
"""

from .attention import Attention
from .embedding import Embedding
from .gradcheck import check_backward, check_gradient, check_hvp, check_jvp
from .gru import GRU
from .mlp import MLP, Block, Tape
from .optim import Adam, RmsProp, Sgd
from .policy import Policy
from .recurrent import Recurrent

__all__ = [
    "GRU",
    "MLP",
    "Adam",
    "Attention",
    "Block",
    "Embedding",
    "Policy",
    "Recurrent",
    "RmsProp",
    "Sgd",
    "Tape",
    "check_backward",
    "check_gradient",
    "check_hvp",
    "check_jvp",
]
