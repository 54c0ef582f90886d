"""Exercise 3.12: a step to the border of the trust region, and back.         Eq. (3.12)

Read   docs/s3_policy_gradient/trpo-step.md        Check  refmarl check trpo-step
Time   about 40 minutes                            Needs  trpo-surrogate, trpo-fisher

A direction says where to go, not how far. The quadratic model of the divergence gives a length; the
divergence itself, and the gain, decide whether that was too much. If so the step is shortened, a
few times, and if nothing helps the policy stays what it is.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def trpo_step(logits, weight, advantage, x, delta, beta, tries):
    """Return the logits of the new policy, shape (S, K).

    logits : float (S, K)       of the old policy in each of S states: its parameters
    weight : float (S,)         how often each state is seen; positive, sums to 1
    advantage : float (S, K)    A(s, a)
    x : float (S, K)            the direction, of any length; rows that are constant do nothing
    delta, beta : floats        delta > 0; 0 < beta < 1
    tries : int                 1 or more

    KL is the mean of KL(pi_old || pi) over the states, with their weights; gain is the mean of
    sum_a pi(a|s) A(s, a). H is the Hessian of KL at the old policy: row s of H x is weight[s] pi
    (x - the mean of x under pi). The full step is sqrt(2 delta / x.Hx) x; of it, of beta times it,
    of beta^2 times it, ..., `tries` in all, the first is taken that has KL <= delta and a gain
    above the old policy's. If there is none, or x.Hx is 0 (to rounding: at most 1e-12), the logits
    stay.

    One state: x.Hx = 1/4, so the full step is sqrt(2 * 0.125 / 0.25) x = x; its KL is 0.12.

    >>> state = np.zeros((1, 2)), np.ones(1), np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]])
    >>> print(trpo_step(*state, 0.125, 0.5, 3))
    [[1. 0.]]
    """

    raise NotImplementedError("trpo-step: trpo_step")
