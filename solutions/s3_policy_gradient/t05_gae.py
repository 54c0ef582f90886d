"""Exercise: test an implementation of GAE.                                  Eq. (3.5)

Read   docs/s3_policy_gradient/gae.md              Check  refmarl check tests-gae
Time   about 40 minutes                            Needs  gae

Other people's code comes without a proof. Write the test that tells right from wrong: it is handed
an implementation, tries it on cases that you choose, and raises an AssertionError if an answer is
wrong. It will meet several right implementations and more than a dozen wrong ones; each of these
that it rejects earns a share of the points, but rejecting a right one costs them all.
"""

import numpy as np


def check_gae(gae):
    """Raise an AssertionError, or return False, if ``gae`` is wrong; else return nothing.

    gae : a function gae(reward, value, next_value, terminated, truncated, gamma, lam), as in
          exercise 3.5: arrays (T, B) and two floats; the answer is (T, B), an array or nested lists

    Call it as often as you like, with at most some thousand numbers. The same implementation must
    get the same verdict every time: draw random cases from np.random.default_rng(0), or choose
    them. Compare with a tolerance: right answers differ in their last digits.

    >>> check_gae(lambda reward, *rest: reward) is None
    Traceback (most recent call last):
    AssertionError
    """
    # BEGIN SOLUTION
    rng = np.random.default_rng(0)
    for _ in range(40):
        shape = rng.integers(1, 6), rng.integers(1, 4)
        reward, value, after = rng.normal(size=(3, *shape))
        over, cut = rng.random((2, *shape)) < 0.3
        gamma, lam = rng.random(2)
        got = np.asarray(gae(reward, value, after, over, cut, gamma, lam), dtype=float)
        assert got.shape == shape
        for t in range(shape[0]):
            for b in range(shape[1]):
                want, weight = 0.0, 1.0
                for k in range(t, shape[0]):  # (3.5), error by error
                    follow = 0.0 if over[k, b] else gamma * after[k, b]
                    want += weight * (reward[k, b] + follow - value[k, b])
                    weight *= gamma * lam
                    if over[k, b] or cut[k, b]:
                        break
                assert abs(got[t, b] - want) < 1e-9
    # END SOLUTION
