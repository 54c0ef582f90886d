"""Bug museum 1: a time limit taken for the end of the world.

Read   docs/museum/index.md                     Check  refmarl check museum-truncation-as-terminal
Time   about 10 minutes                         Needs  nothing before it
Seen   vwxyzjn/cleanrl#198, Farama-Foundation/PettingZoo#1126

One flag, done, stood for two things: the world ended, or the clock ran out. Where only the clock
ran out the state still has a value, and the target must contain it. Policies learnt that life ends
at the time limit. Find the line and mend it.
"""

import numpy as np


def td_target(reward, next_value, terminated, truncated, gamma):
    """Return r + gamma V(s'), without V where nothing follows, in the shape of reward.

    reward : float (T, B)       T steps of B copies of an environment
    next_value : float (T, B)   V of the state in which step t ended, of an episode's last, too
    terminated : bool (T, B)    the world ended at t: nothing follows
    truncated : bool (T, B)     a time limit cut the episode at t, which would have gone on
    gamma : float in [0, 1]
    """
    # BEGIN BUG
    # - done = terminated | truncated
    # - return reward + gamma * (1.0 - done) * next_value
    return reward + gamma * (1.0 - terminated) * next_value
    # END BUG
