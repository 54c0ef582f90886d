r"""A independent bits, given by logits (..., A): π(a) = Π σ(l)^a (1 − σ(l))^{1 − a}.

    log π(a) = −Σ softplus((1 − 2a) l),   ∂ log π(a) / ∂l = a − σ(l)
    H = Σ softplus(l) − σ(l) l,   KL(p‖q) = Σ p (log p − log q) + (1 − p) (log(1 − p) − log(1 − q))

Actions are (..., A) of int64, each 0 or 1. The verbs are those of
:mod:`~refmarl.nn.categorical`; the Fisher metric is diag(p (1 − p)). A bit is a categorical over
two actions with logits (0, l).

Axes: any rows, A bits; results keep the dtype of the logits, which may be of any finite size.
"""

import numpy as np

from ..check import generator
from ..value_grad import Real
from .activations import sigmoid, softplus


def sample(rng: np.random.Generator, logits: Real) -> Real:
    """Bits (..., A) of int64, one uniform number each."""
    u = generator(rng).random(logits.shape)
    return np.asarray(u < sigmoid(logits), dtype=np.int64)


def mode(logits: Real) -> Real:
    """The likelier value of each bit (..., A), 0 where both are."""
    return np.asarray(logits > 0, dtype=np.int64)


def log_prob(logits: Real, action: Real) -> Real:
    """log π(a) (...) for bits (..., A)."""
    return np.asarray(-softplus(np.where(action == 1, -logits, logits)).sum(axis=-1))


def d_log_prob(logits: Real, action: Real) -> Real:
    """∂ log π(a) / ∂l = a − σ(l), (..., A): the probability of the other value, signed."""
    other = sigmoid(np.where(action == 1, -logits, logits))
    return np.asarray(np.where(action == 1, other, -other))


def entropy(logits: Real) -> Real:
    """H (...), in nats, 0 … A log 2."""
    size = abs(logits)  # H is even, and without cancellation for −|l|
    return np.asarray((softplus(-size) + size * sigmoid(-size)).sum(axis=-1))


def d_entropy(logits: Real) -> Real:
    """∂H / ∂l = −l σ(l) σ(−l), (..., A)."""
    return np.asarray(-logits * sigmoid(logits) * sigmoid(-logits))


def kl(old: Real, new: Real) -> Real:
    """KL(π_old ‖ π_new) (...) ≥ 0, from the logits of both."""
    one = sigmoid(old) * (softplus(-new) - softplus(-old))
    zero = sigmoid(-old) * (softplus(new) - softplus(old))
    return np.asarray((one + zero).sum(axis=-1))


def d_kl(old: Real, new: Real) -> Real:
    """∂ KL(π_old ‖ π_new) / ∂(logits of new) = σ(new) − σ(old), (..., A)."""
    return np.asarray(sigmoid(new) - sigmoid(old))


def d_kl_old(old: Real, new: Real) -> Real:
    """∂ KL(π_old ‖ π_new) / ∂(logits of old) = p (1 − p) (l_old − l_new), (..., A)."""
    return fisher(old, old - new)


def fisher(logits: Real, v: Real) -> Real:
    """M v = p (1 − p) v, (..., A)."""
    return np.asarray(sigmoid(logits) * sigmoid(-logits) * v)
