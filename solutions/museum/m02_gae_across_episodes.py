"""Bug museum 2: advantages that leak from the next episode.

Read   docs/museum/index.md                     Check  refmarl check museum-gae-across-episodes
Time   about 15 minutes                         Needs  nothing before it
Seen   Toni-SM/skrl#449

The tail of the recursion was cut at terminated steps only. A time limit ends an episode as well:
the row below shows another one, and its advantages flowed back into the actions before the limit.
"""

import numpy as np


def gae(reward, value, next_value, terminated, truncated, gamma, lam):
    """Return the advantages A (3.5), in the shape of reward.

    reward, value : float (T, B)    T steps of B copies; value is V(s_t)
    next_value : float (T, B)       V of the state in which step t ended, of an episode's last, too
    terminated : bool (T, B)        the world ended at t: nothing follows
    truncated : bool (T, B)         a time limit cut at t; row t + 1 is another episode
    gamma, lam : floats in [0, 1]
    """
    delta = reward + gamma * np.where(terminated, 0.0, next_value) - value
    advantage, tail = np.zeros(np.shape(reward)), 0.0
    for t in reversed(range(len(reward))):
        # BEGIN BUG
        # - ended = terminated[t]
        ended = terminated[t] | truncated[t]
        # END BUG
        tail = delta[t] + gamma * lam * np.where(ended, 0.0, tail)
        advantage[t] = tail
    return advantage
