"""Bug museum 6: learning from steps that never were.

Read   docs/museum/index.md                     Check  refmarl check museum-padded-steps
Time   about 15 minutes                         Needs  nothing before it
Seen   uoe-agents/epymarl, src/learners/maddpg_learner.py (mask = 1 - terminated)

Episodes of unequal length lie in one array, the rest is padding. The mask was made of terminated
instead of filled: the last real step, the one that ends the episode, was thrown away, and the zeros
behind it were learnt from.
"""

import numpy as np


def masked_loss(error, filled, terminated):
    """Return the mean of the squared errors over the steps that were played, a float.

    error : float (B, T)        TD errors of B episodes; beyond an episode's end they mean nothing
    filled : bool (B, T)        True where a step was played; at least one is
    terminated : bool (B, T)    True at the step that ended the episode, False everywhere else
    """
    # BEGIN BUG
    # - mask = 1.0 - terminated
    mask = 1.0 * filled
    # END BUG
    return (mask * error**2).sum() / mask.sum()
