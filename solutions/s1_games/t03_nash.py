"""Exercise: test an implementation of regrets.                              Eq. (1.3)

Read   docs/s1_games/nash.md                    Check  refmarl check tests-nash
Time   about 30 minutes                         Needs  nash

Other people's code comes without a proof. Write the test that tells right from wrong: it is handed
an implementation, tries it on cases that you choose, and raises an AssertionError if an answer is
wrong. It will meet several right implementations and about a dozen wrong ones; each of these that
it rejects earns a share of the points, but rejecting a right one costs them all.
"""

import numpy as np


def check_regrets(regrets):
    """Raise an AssertionError, or return False, if ``regrets`` is wrong; else return nothing.

    regrets : a function regrets(payoffs, profile), as in exercise 1.3: payoffs (n, A_1, ..., A_n)
              and a list of n mixed strategies; the answer is (n,), an array or a list

    Call it as often as you like, with at most some thousand numbers. The same implementation must
    get the same verdict every time: draw random cases from np.random.default_rng(0), or choose
    them. Compare with a tolerance: right answers differ in their last digits.

    >>> check_regrets(lambda payoffs, profile: np.zeros(len(profile)))
    Traceback (most recent call last):
    AssertionError
    """
    # BEGIN SOLUTION
    rng = np.random.default_rng(0)
    for sizes in [(2,), (2, 2), (2, 3), (3, 2), (3, 3), (2, 2, 2), (2, 3, 2)] * 3:
        payoffs = rng.normal(size=(len(sizes), *sizes))
        weights = [rng.random(k) * (rng.random(k) < 0.7) + 1e-3 for k in sizes]
        profile = [x / x.sum() for x in weights]
        if rng.random() < 0.3:
            profile = [np.eye(len(x))[x.argmax()] for x in profile]
        got = np.asarray(regrets(payoffs, profile), dtype=float)
        assert got.shape == (len(sizes),)
        for i, own in enumerate(profile):
            values = np.zeros(len(own))
            for a in np.ndindex(*sizes):  # (1.3), joint action by joint action
                chance = np.prod([profile[j][k] for j, k in enumerate(a) if j != i])
                values[a[i]] += chance * payoffs[(i, *a)]
            assert abs(got[i] - (values.max() - values @ own)) < 1e-9
    # END SOLUTION
