"""Exercise 3.3: REINFORCE with a baseline.                                  Eq. (3.3)

Read   docs/s3_policy_gradient/reinforce.md        Check  refmarl check reinforce
Time   about 30 minutes                            Needs  nothing

The gradient of what a policy earns can be estimated without knowing the world: play, and raise the
log-probability of each action in proportion to what came after it. Subtracting what was to be
expected anyway changes nothing on average, but calms the estimate; forgetting the discount of the
time at which the action was taken does change the average.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def reinforce(logits, states, actions, rewards, gamma, baseline):
    """Return the estimated gradient of J = E[sum_t gamma^t r_t] in the logits, (S, A).

    logits : float (S, A)              pi(a|s) = exp(logits[s, a]) / sum_b exp(logits[s, b]); any
                                       numbers, also such whose exp overflows
    states : list of N integer arrays  states[n][t], one array for each episode, of any length
    actions : list of N integer arrays  actions[n][t]
    rewards : list of N float arrays   rewards[n][t], what action t brought
    gamma : float in [0, 1]
    baseline : float (S,)              b(s)

    One state, one episode of one step: pi = (1/2, 1/2), action 0 brought 3 where 1 was expected.

    >>> first, paid = [np.array([0])], [np.array([3.0])]
    >>> print(reinforce(np.zeros((1, 2)), first, first, paid, 0.9, np.array([1.0])))
    [[ 1. -1.]]
    """
    # BEGIN SOLUTION
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    gradient = np.zeros(logits.shape)
    for s, a, r in zip(states, actions, rewards, strict=True):
        g = 0.0
        for t in reversed(range(len(r))):
            g = r[t] + gamma * g
            score = -chances[s[t]]
            score[a[t]] += 1.0
            gradient[s[t]] += gamma**t * (g - baseline[s[t]]) * score  # (3.3)
    return gradient / len(rewards)
    # END SOLUTION
