"""Categorical distributions, a row of logits each, in one pass.

``logits`` (M, K) may hold −∞, which is never drawn; results are filled in for every row.
"""

import math

from ..value_grad import Real
from ._jit import JIT, kernel

COMPILED = JIT  # else arrays do it faster


@kernel
def draw(logits: Real, u: Real, action: Real, log_prob: Real) -> None:
    """The first action whose running probability exceeds u (M,), and log π of it."""
    rows, size = logits.shape
    for m in range(rows):
        top = logits[m, 0]
        for k in range(1, size):
            top = max(top, logits[m, k])
        total = 0.0
        for k in range(size):
            total += math.exp(logits[m, k] - top)
        chosen, below, bound = 0, 0.0, u[m] * total
        for k in range(size):
            p = math.exp(logits[m, k] - top)
            if p > 0.0:
                chosen = k
            below += p
            if below > bound:
                break
        action[m] = chosen
        log_prob[m] = logits[m, chosen] - top - math.log(total)


@kernel
def likeliest(logits: Real, action: Real, log_prob: Real) -> None:
    """The action of the largest logit, the first among equals, and log π of it."""
    rows, size = logits.shape
    for m in range(rows):
        chosen = 0
        for k in range(1, size):
            if logits[m, k] > logits[m, chosen]:
                chosen = k
        total = 0.0
        for k in range(size):
            total += math.exp(logits[m, k] - logits[m, chosen])
        action[m], log_prob[m] = chosen, -math.log(total)


@kernel
def log_probs(logits: Real, out: Real) -> None:
    """log π (M, K)."""
    rows, size = logits.shape
    for m in range(rows):
        top = logits[m, 0]
        for k in range(1, size):
            top = max(top, logits[m, k])
        total = 0.0
        for k in range(size):
            total += math.exp(logits[m, k] - top)
        shift = math.log(total)
        for k in range(size):
            out[m, k] = logits[m, k] - top - shift
