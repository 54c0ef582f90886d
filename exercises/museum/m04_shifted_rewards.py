"""Bug museum 4: rewards that are one step late.

Read   docs/museum/index.md                     Check  refmarl check museum-shifted-rewards
Time   about 10 minutes                         Needs  nothing before it
Seen   openai/spinningup#50, openai/spinningup#67

Each row of the buffer held the reward that came before its observation, not the one its action
brought. Every action was praised for what the one before it had done. In tasks that pay all the
time nobody noticed; where only the last step pays, nothing was learnt from it.
"""

import numpy as np


def td_errors(reward, value, last_value, gamma):
    """Return r_t + gamma V(s_{t+1}) - V(s_t) for the T steps of one path, float (T,).

    reward : float (T,)     reward[t] is what the action at step t brought
    value : float (T,)      V(s_t)
    last_value : float      V of the state after the last step, 0 if the episode ended there
    gamma : float in [0, 1]
    """
    earned = np.append(0.0, reward[:-1])
    following = np.append(value[1:], last_value)
    return earned + gamma * following - value
