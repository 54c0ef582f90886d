"""Exercise: test an implementation of n-step returns.                       Eq. (4.1)

Read   docs/s4_distributed/n-step-return.md        Check  refmarl check tests-n-step-return
Time   about 40 minutes                            Needs  n-step-return

Other people's code comes without a proof. Write the test that tells right from wrong: it is handed
an implementation, tries it on cases that you choose, and raises an AssertionError if an answer is
wrong. It will meet several right implementations and about a dozen wrong ones; each of these that
it rejects earns a share of the points, but rejecting a right one costs them all.
"""

import numpy as np


def check_n_step_return(n_step_return):
    """Raise an AssertionError, or return False, if ``n_step_return`` is wrong; else return nothing.

    n_step_return : a function n_step_return(reward, next_value, terminated, truncated, gamma, n),
                    as in exercise 4.1: arrays (T, B), a float, and an int of at least 1; the
                    answer is (T, B), an array or nested lists

    Call it as often as you like, with at most some thousand numbers. The same implementation must
    get the same verdict every time: draw random cases from np.random.default_rng(0), or choose
    them. Compare with a tolerance: right answers differ in their last digits.

    >>> check_n_step_return(lambda reward, *rest: reward)
    Traceback (most recent call last):
    AssertionError
    """
    # BEGIN SOLUTION
    rng = np.random.default_rng(0)
    for _ in range(40):
        shape = rng.integers(1, 6), rng.integers(1, 4)
        reward, after = rng.normal(size=(2, *shape))
        over, cut = rng.random((2, *shape)) < 0.2
        gamma, n = rng.random(), int(rng.integers(1, 8))
        got = np.asarray(n_step_return(reward, after, over, cut, gamma, n), dtype=float)
        assert got.shape == shape
        for t in range(shape[0]):
            for b in range(shape[1]):
                want, weight = 0.0, 1.0
                for k in range(t, min(t + n, shape[0])):  # (4.1), reward by reward
                    want, weight = want + weight * reward[k, b], weight * gamma
                    if over[k, b] or cut[k, b]:
                        break
                want += 0.0 if over[k, b] else weight * after[k, b]
                assert abs(got[t, b] - want) < 1e-9
    # END SOLUTION
