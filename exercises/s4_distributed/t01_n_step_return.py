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
    raise NotImplementedError("tests-n-step-return: check_n_step_return")
