"""Good tests in other words."""

import numpy as np


def by_identities(n_step_return):
    """n = 1 is the TD target, and n + 1 steps are one step before n steps."""
    rng = np.random.default_rng(2)
    for _ in range(25):
        shape = (int(rng.integers(2, 7)), 2)
        r, w = rng.normal(size=(2, *shape))
        over, cut = rng.random((2, *shape)) < 0.25
        short = r + 0.6 * np.where(over, 0, w)
        for n in range(1, 6):
            got = np.array(n_step_return(r, w, over, cut, 0.6, n))
            if got.shape != shape or not np.allclose(got, short):
                return False
            later = r[:-1] + 0.6 * short[1:]
            stays = (over | cut)[:-1]
            short = np.vstack([np.where(stays, short[:-1], later), short[-1:]])
    return True


def by_weights(n_step_return):
    """Linear in rewards and values: the weight of each is found by giving 1 to it alone."""
    over, cut = np.zeros((2, 5, 2), dtype=bool)
    over[1, 0], cut[3, 0], over[2, 1], cut[2, 1] = True, True, True, True
    steps, gamma, n = range(5), 0.5, 2
    for b in (0, 1):
        for t in steps:
            zero = np.zeros((5, 2))
            one = zero.copy()
            one[t, b] = 1.0
            of_reward = np.array(n_step_return(one, zero, over, cut, gamma, n))
            of_value = np.array(n_step_return(zero, one, over, cut, gamma, n))
            for s in steps:
                reach = list(range(s, min(s + n, 5)))
                for k in reach[:-1]:
                    if over[k, b] or cut[k, b]:
                        reach = [x for x in reach if x <= k]
                want = gamma ** (t - s) if t in reach else 0.0
                assert np.isclose(of_reward[s, b], want)
                want = gamma ** len(reach) if t == reach[-1] and not over[t, b] else 0.0
                assert np.isclose(of_value[s, b], want)
