"""Right answers to exercise 3.6, in other words."""

import numpy as np
from scipy.special import log_softmax, logsumexp


def by_scipy(logits, logits_old, actions):
    """Two log softmaxes."""
    difference = log_softmax(logits, axis=1) - log_softmax(logits_old, axis=1)
    return np.exp(np.take_along_axis(difference, np.asarray(actions)[:, None], axis=1)[:, 0])


def row_by_row(logits, logits_old, actions):
    """A loop; a list comes out."""
    found = []
    for new, old, a in zip(logits, logits_old, actions, strict=True):
        found.append(float(np.exp((new[a] - logsumexp(new)) - (old[a] - logsumexp(old)))))
    return found
