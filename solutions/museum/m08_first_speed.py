"""Bug museum 8: everybody is paid for the first one.

Read   docs/museum/index.md                     Check  refmarl check museum-first-vehicle
Time   about 10 minutes                         Needs  nothing before it
Seen   Farama-Foundation/HighwayEnv pull request 318

An environment for one car was made one for many. The reward of each was still computed from the
speed of the first: the others could stand still and be paid, or drive well and not be.
"""

import numpy as np


def speed_rewards(speed, crashed, slow, fast):
    """Return the reward of each of N vehicles, float (N,).

    speed : float (N,)       how fast each drives
    crashed : bool (N,)      who has crashed: the reward is -1 then
    slow, fast : floats      the reward is 0 at slow, 1 at fast, linear between, cut off outside
    """
    rewards = np.empty(len(speed))
    for i in range(len(speed)):
        # BEGIN BUG
        # - share = (speed[0] - slow) / (fast - slow)
        share = (speed[i] - slow) / (fast - slow)
        # END BUG
        rewards[i] = -1.0 if crashed[i] else min(max(share, 0.0), 1.0)
    return rewards
