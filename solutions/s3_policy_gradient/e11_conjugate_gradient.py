"""Exercise 3.11: conjugate gradients.                                        Eq. (3.11)

Read   docs/s3_policy_gradient/conjugate-gradient.md  Check  refmarl check conjugate-gradient
Time   about 30 minutes                               Needs  nothing before it

A matrix that is known only by what it does to vectors can still be solved with: each product tells
one direction more, and every iterate is the best that can be made of those so far. After as many
products as there are unknowns the answer is exact; long before that it is good enough.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def conjugate_gradient(h, g, iterations):
    """Return the iterate x, shape (P,), of H x = g after this many iterations from x = 0.

    h : float (P, P)     symmetric, positive definite; use it in products h @ p only
    g : float (P,)
    iterations : int     0 or more; it may be more than P, and the answer then stays what it is

    x = 0 and r = p = g at first. Each iteration goes along p as far as is best, alpha = r.r / p.Hp,
    takes alpha H p from the residual r, and turns p: new r + (new r.r / old r.r) p. Once r is 0,
    or as good as 0 beside g, say |r| <= 1e-12 |g|, it is done.

    >>> h, g = np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([2.0, 2.0])
    >>> print(conjugate_gradient(h, g, 1).round(4), conjugate_gradient(h, g, 2).round(4))
    [1.3333 1.3333] [1. 2.]
    """
    # BEGIN SOLUTION
    x = np.zeros(len(g))
    residual = np.array(g, dtype=float)
    direction, square = residual.copy(), residual @ residual
    goal = 1e-24 * square
    for _ in range(iterations):
        if square <= goal:
            break
        moved = h @ direction
        alpha = square / (direction @ moved)
        x = x + alpha * direction  # (3.11)
        residual = residual - alpha * moved
        new = residual @ residual
        direction, square = residual + new / square * direction, new
    return x
    # END SOLUTION
