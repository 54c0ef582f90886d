"""Good tests in other words."""

import numpy as np


def by_identities(gae):
    """lam = 0, the recursion from one row to the next, and copies one by one."""
    rng = np.random.default_rng(3)
    for _ in range(30):
        shape = (int(rng.integers(2, 6)), 2)
        r, v, w = rng.normal(size=(3, *shape))
        over, cut = rng.random((2, *shape)) < 0.3
        gamma, lam = 0.7, 0.6
        delta = r + gamma * np.where(over, 0, w) - v
        if not np.allclose(gae(r, v, w, over, cut, gamma, 0.0), delta):
            return False
        a = np.array(gae(r, v, w, over, cut, gamma, lam))
        if a.shape != shape:
            return False
        tail = np.where(over | cut, 0.0, np.vstack([a[1:], np.zeros((1, 2))]))
        if not np.allclose(a, delta + gamma * lam * tail):
            return False
    return True


def by_hand(gae):
    """One long stream with every kind of end in it, worked out once."""
    no = [False] * 7
    over, cut = np.array(no), np.array(no)
    over[[1, 5]], cut[[3, 5]] = True, True
    r = np.array([1.0, 2.0, 2.0, 4.0, 1.0, 3.0, 2.0])
    v = np.array([0.5, 1.0, 2.0, 1.0, 3.0, 0.0, 1.0])
    w = np.array([1.0, 8.0, 1.0, 6.0, 0.0, 9.0, 4.0])
    delta = np.array([1.0, 1.0, 0.5, 6.0, -2.0, 3.0, 3.0])  # gamma = 1/2
    want = np.array([1.25, 1.0, 2.0, 6.0, -1.25, 3.0, 3.0])  # gamma lam = 1/4
    assert np.allclose(delta, r + np.where(over, 0, w / 2) - v)
    pair = [np.stack([x, np.roll(x, 1)], axis=1) for x in (r, v, w, over, cut)]
    got = np.asarray(gae(*pair, 0.5, 0.5))
    assert got.shape == (7, 2)
    assert np.allclose(got[:, 0], want)
    alone = [x[:, None] for x in (r, v, w, over, cut)]
    assert np.allclose(np.asarray(gae(*alone, 0.5, 0.5))[:, 0], want)
