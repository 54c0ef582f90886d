"""Exercise 3.17: multi-agent PPO.                                           Eq. (3.17)

Read   docs/s3_policy_gradient/mappo.md            Check  refmarl check mappo
Time   about 45 minutes                            Needs  gae, ppo-clip

Agents of one team act each on its own, but while they learn, a critic may see everything. Its
values give one advantage for each step, the same for all, and each agent's policy is moved by PPO's
clipped objective with its own ratio. The traps: whose reward, whose ratio, and who is dead.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def mappo(
    logits, actions, log_prob_old, alive, reward, value, next_value, terminated, truncated,
    gamma, lam, epsilon,
):  # fmt: skip
    """Return (L, slope): the objective of all agents, a number, and its derivative in logits.

    logits : float (T, N, K)        pi_i(a|o) of agent i at step t is the softmax of a row
    actions : int (T, N)            what each agent did
    log_prob_old : float (T, N)     log of the probability with which it was drawn
    alive : bool (T, N)             who acted; the dead count for nothing, but see their rewards
    reward : float (T, N)           the team earns the mean over all N agents, dead or alive
    value : float (T,)              V(s_t) of the global state
    next_value : float (T,)         V of the state in which step t ended
    terminated, truncated : bool (T,)   the kinds of ends, as in exercise 3.5
    gamma, lam : floats in [0, 1]
    epsilon : float                 > 0; a ratio is never exactly 1 - epsilon or 1 + epsilon

    A_t is the generalised advantage of the team's reward and V. L is the mean, over all agents and
    steps at which the agent was alive, of min(r A_t, clip(r, 1 - epsilon, 1 + epsilon) A_t) with
    the agent's own ratio r. Somebody is alive.

    Two agents, one step, rewards 1 and 3, V = 0: both have the advantage 2.

    >>> no, two = np.array([False]), np.ones((1, 2))
    >>> gain, slope = mappo(
    ...     np.zeros((1, 2, 2)), np.array([[0, 1]]), np.log(two / 2), two == 1,
    ...     np.array([[1.0, 3.0]]), np.zeros(1), np.zeros(1), no, no, 0.9, 0.5, 0.2)
    >>> print(gain, slope[0])
    2.0 [[ 0.5 -0.5]
     [-0.5  0.5]]
    """
    # BEGIN SOLUTION
    delta = np.mean(reward, axis=1) + gamma * np.where(terminated, 0.0, next_value) - value
    advantage, tail = np.zeros(len(delta)), 0.0
    for t in reversed(range(len(delta))):
        tail = 0.0 if terminated[t] or truncated[t] else tail
        tail = delta[t] + gamma * lam * tail
        advantage[t] = tail
    advantage = advantage[:, None]  # of all agents (3.17)
    log_pi = logits - np.logaddexp.reduce(logits, axis=2, keepdims=True)
    one = np.arange(log_pi.shape[2]) == np.asarray(actions)[..., None]
    ratio = np.exp((one * log_pi).sum(axis=2) - log_prob_old)
    free, held = ratio * advantage, np.clip(ratio, 1.0 - epsilon, 1.0 + epsilon) * advantage
    share = alive / np.sum(alive)
    weight = np.where(free <= held, free, 0.0) * share
    gain = (np.minimum(free, held) * share).sum()
    return float(gain), weight[..., None] * (one - np.exp(log_pi))
    # END SOLUTION
