r"""COMA's advantage: what an action brought beyond what the agent's other actions would have.

    A_i(s, a) = Q(s, a) − Σ_b π_i(b|o_i) Q(s, (a_-i, b))                                (2.6)

The others' actions are held, the agent's own is averaged out: the baseline is a function of s and
a_-i alone. It therefore changes no expected gradient, Σ_b π_i(b) A_i(s, (a_-i, b)) = 0, and
whatever part of Q does not depend on a_i drops out of A_i. Foerster et al. 2018, arXiv:1705.08926,
eq. (4). The course says that the baseline removes the effect of the agent's action; it is the
other way round (docs/errata.md, A7).

Axes: any rows, K own actions; in tables S states and A_j actions of agent j.
"""

import numpy as np

from ..check import Array, InputError, player
from ..value_grad import Real


def advantages(q: Real, pi: Real) -> Real:
    """A (..., K) of all own actions, from Q (..., K) with the others' actions held, π (..., K).

    Actions of probability 0 count nothing in the baseline, whatever their Q.

    Examples
    --------
    >>> print(advantages(np.array([4.0, 0.0]), np.array([0.25, 0.75])))
    [ 3. -1.]
    """
    return np.asarray(q - (pi * q).sum(axis=-1, keepdims=True))  # (2.6)


def advantage(q: Real, pi: Real, action: Real) -> Real:
    """A (...) of the actions taken (...), which are in 0..K−1."""
    found = np.take_along_axis(advantages(q, pi), np.asarray(action)[..., None], axis=-1)
    return np.asarray(found[..., 0])


def joint_advantages(q: Array, pi: Array, i: int) -> Array:
    """A_i (S, A_1, …, A_n) of every joint action, from Q (S, A_1, …, A_n) and π_i (S, A_i).

    Raises
    ------
    InputError
        If there is no agent i, or the shapes do not fit.

    Examples
    --------
    Two agents who earn the sum of what they do: the other's part is gone.

    >>> print(joint_advantages(np.array([[[0.0, 1.0], [1.0, 2.0]]]), np.array([[0.5, 0.5]]), 0)[0])
    [[-0.5 -0.5]
     [ 0.5  0.5]]
    """
    i = player(i, q.ndim - 1)
    if np.shape(pi) != (q.shape[0], q.shape[1 + i]):
        raise InputError(f"pi: need shape {(q.shape[0], q.shape[1 + i])}, got {np.shape(pi)}")
    last = np.moveaxis(q, 1 + i, -1)
    others = np.expand_dims(pi, tuple(range(1, q.ndim - 1)))
    return np.ascontiguousarray(np.moveaxis(advantages(last, others), -1, 1 + i))
