"""Good tests in other words."""

import numpy as np


def by_properties(regrets):
    """Pure profiles are read off; the rest is the best of the deviations, each made pure."""
    rng = np.random.default_rng(5)
    for sizes in [(3,), (2, 3), (3, 3), (2, 2, 2), (3, 2, 3)] * 4:
        payoffs = rng.integers(-4, 5, (len(sizes), *sizes)) / 2
        profile = [rng.dirichlet(np.ones(k)) for k in sizes]
        profile[0] = np.eye(sizes[0])[0] if rng.random() < 0.5 else profile[0]

        def worth(i, x, payoffs=payoffs):
            u = payoffs[i]
            for y in reversed(x):
                u = u @ y
            return u

        got = np.array(regrets(payoffs, profile), dtype=float)
        if got.shape != (len(sizes),):
            return False
        for i, k in enumerate(sizes):
            moved = [[*profile[:i], e, *profile[i + 1 :]] for e in np.eye(k)]
            gain = max(worth(i, x) for x in moved) - worth(i, profile)
            if abs(got[i] - gain) > 1e-9:
                return False
    return True


def by_hand(regrets):
    """Four games, each worked out."""
    half = np.array([0.5, 0.5])
    first, second = np.eye(2)
    one = np.array([[0.0, 1.0, 4.0]])
    assert np.allclose(regrets(one, [np.array([0.5, 0.5, 0.0])]), [3.5])
    assert np.allclose(regrets(one, [np.array([0.25, 0.0, 0.75])]), [1.0])
    row, column = np.array([[4.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 3.0], [5.0, 0.0]])
    game = np.stack([row, column])
    assert np.allclose(regrets(game, [first, second]), [2.0, 0.0])
    assert np.allclose(regrets(game, [second, second]), [0.0, 5.0])
    assert np.allclose(regrets(game, [half, first]), [2.0, 0.0])
    assert np.allclose(regrets(game, [np.array([0.75, 0.25]), half]), [0.25, 0.125])
    wide = np.array([[[1.0, 0.0, 7.0], [3.0, 2.0, 0.0]], [[0.0, 4.0, 1.0], [2.0, 2.0, 6.0]]])
    assert np.allclose(regrets(wide, [first, np.eye(3)[0]]), [2.0, 4.0])
    three = np.zeros((3, 2, 2, 2))
    three[2, 1, 0, 1], three[1, 0, 1, 1], three[0, 1, 1, 0] = 8.0, 3.0, 5.0
    assert np.allclose(regrets(three, [second, first, first]), [0.0, 0.0, 8.0])
    assert np.allclose(regrets(three, [first, first, second]), [0.0, 3.0, 0.0])
    assert np.allclose(regrets(three, [first, second, first]), [5.0, 0.0, 0.0])
