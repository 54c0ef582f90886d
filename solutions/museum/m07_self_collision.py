"""Bug museum 7: an agent that collides with itself.

Read   docs/museum/index.md                     Check  refmarl check museum-self-collision
Time   about 10 minutes                         Needs  nothing before it
Seen   Farama-Foundation/PettingZoo pull request 894, openai/multiagent-particle-envs#67

Each agent is fined 1 for every agent that it touches. The loop ran over all agents, and everybody
touches itself: each was fined in every step, whatever it did.
"""

import numpy as np


def collision_penalties(position, radius):
    """Return minus the number of other agents that each agent touches, float (N,).

    position : float (N, 2)    where the agents are
    radius : float             two agents touch if their distance is below 2 * radius; above 0
    """
    between = position[:, None] - position[None, :]
    touches = np.sqrt((between**2).sum(axis=2)) < 2 * radius
    # BEGIN BUG
    # - return -1.0 * touches.sum(axis=1)
    return -1.0 * (touches.sum(axis=1) - 1)
    # END BUG
