"""Bug museum 9: the square of a mean.

Read   docs/museum/index.md                     Check  refmarl check museum-fisher-of-the-mean
Time   about 15 minutes                         Needs  nothing before it
Seen   kuc2477/pytorch-ewc#1, facebookresearch/GradientEpisodicMemory#7

Elastic weight consolidation holds back the weights that mattered, and measures how much by the mean
of the squared gradients of single samples. Frameworks return the gradient of the mean loss; its
square is something else: gradients that point against each other cancel, and at an optimum nothing
is left to hold anything back.
"""

import numpy as np


def fisher_diagonal(gradients):
    """Return the diagonal of the empirical Fisher matrix, float (P,).

    gradients : float (N, P)    the gradient of log p of each of N samples, in the P weights

    The answer has, for each weight, the mean over the samples of the squared gradient.
    """
    # BEGIN BUG
    # - return gradients.mean(axis=0) ** 2
    return (gradients**2).mean(axis=0)
    # END BUG
