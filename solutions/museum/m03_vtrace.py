"""Bug museum 3: V-trace that bootstraps from the next trajectory.

Read   docs/museum/index.md                     Check  refmarl check museum-vtrace-next-trajectory
Time   about 20 minutes                         Needs  nothing before it
Seen   pytorch/rl#4209, mended in pytorch/rl#4210

The advantage of V-trace needs the target of the next state. It was taken from the row below, also
where a time limit had cut and the row below was the first of another trajectory. With V = 1 in one
trajectory and V = 100 in the next the advantage at the cut was 99 where it should have been 0.
"""

import numpy as np


def vtrace_advantage(ratio, reward, value, next_value, terminated, truncated, gamma):
    """Return rho (r + gamma v' - V), v the V-trace targets, in the shape of reward.

    ratio : float (T,)          pi / mu of the action taken; both clips are at 1
    reward, value : float (T,)  T steps of one stream; value is V(s_t)
    next_value : float (T,)     V of the state in which step t ended, of a trajectory's last, too
    terminated : bool (T,)      the world ended at t: nothing follows
    truncated : bool (T,)       a time limit cut at t: the row below is another trajectory
    gamma : float in [0, 1]

    v_t = V_t + delta_t + gamma c_t (v_{t+1} - V_{t+1}), delta_t = rho_t (r_t + gamma V' - V_t), the
    sum ending with the trajectory, and v' = v_{t+1} within it. Nothing is known after the last row
    but next_value.
    """
    clipped, on = np.minimum(ratio, 1.0), 1.0 - terminated
    cut = terminated | truncated
    delta = clipped * (reward + gamma * on * next_value - value)
    target, tail = np.zeros(len(reward)), 0.0
    for t in reversed(range(len(reward))):
        tail = delta[t] + gamma * clipped[t] * np.where(cut[t], 0.0, tail)
        target[t] = value[t] + tail
    # BEGIN BUG
    # - following = np.append(target[1:], next_value[-1:])
    following = np.where(cut, next_value, np.append(target[1:], next_value[-1:]))
    # END BUG
    return clipped * (reward + gamma * on * following - value)
