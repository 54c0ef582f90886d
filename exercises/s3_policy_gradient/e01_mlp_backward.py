"""Exercise 3.1: the backward pass of a perceptron.                          Eq. (3.1)

Read   docs/s3_policy_gradient/mlp-backward.md     Check  refmarl check mlp-backward
Time   about 45 minutes                            Needs  nothing

Every deep algorithm of the course needs the derivative of a network. There is no need for a
library: going back through the layers, the chain rule turns the gradient at a layer's output into
the gradients of its weights, of its bias and of its input, which is the output of the layer below.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def mlp_backward(weights, biases, x, dy):
    """Return (d_weights, d_biases, dx): the gradients of L, given dy = dL/dy.

    weights : list of K arrays     W_k, shape (I_k, I_{k+1})
    biases : list of K arrays      b_k, shape (I_{k+1},)
    x : float (M, I_1)             M rows, h_0 = x
    dy : float (M, I_{K+1})        dL/dy of every row; L is a sum over the rows

    The network is z_k = h_{k-1} W_k + b_k with h_k = tanh(z_k), but y = z_K: the last layer is
    linear. The answers are lists of arrays in the shapes of weights and of biases, and dx (M, I_1).

    One unit and one row: y = 3 tanh(2 x) at x = 0, so dL/dx = 6 dy.

    >>> W, b = [np.array([[2.0]]), np.array([[3.0]])], [np.zeros(1), np.zeros(1)]
    >>> d_weights, d_biases, dx = mlp_backward(W, b, np.array([[0.0]]), np.array([[1.0]]))
    >>> dx, d_biases[0], d_weights[0]
    (array([[6.]]), array([3.]), array([[0.]]))
    """
    raise NotImplementedError("mlp-backward: mlp_backward")
