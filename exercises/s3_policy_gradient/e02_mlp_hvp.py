"""Exercise 3.2: products with the Jacobian and the Hessian of a perceptron.      Eq. (3.2)

Read   docs/s3_policy_gradient/mlp-hvp.md          Check  refmarl check mlp-hvp
Time   about 60 minutes                            Needs  mlp-backward

A Hessian of a million parameters cannot be written down, but its product with one vector costs
two backward passes. Pearlmutter's rule: write R{.} for the derivative along the direction v, and
apply it to every line of the forward and of the backward pass.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def mlp_hvp(weights, biases, x, target, v_weights, v_biases):
    """Return (Jv, hv_weights, hv_biases) for L = 1/2 sum (y - target)^2.

    weights, biases : lists of K arrays    W_k (I_k, I_{k+1}) and b_k (I_{k+1},)
    x : float (M, I_1)                     M rows; z_k = h_{k-1} W_k + b_k, h_k = tanh(z_k), y = z_K
    target : float (M, I_{K+1})
    v_weights, v_biases : lists of K arrays    the direction v, in the shapes of the parameters

    Jv (M, I_{K+1}) is R{y}: how the outputs move when the parameters move along v. The other two
    are R{dL/dW_k} and R{dL/db_k}, lists in the shapes of weights and biases: the Hessian of L in
    the parameters, times v.

    One linear layer, y = w x + b at x = 2: J = (2, 1), H = JᵀJ.

    >>> W, b, v = [np.array([[5.0]])], [np.zeros(1)], ([np.array([[1.0]])], [np.zeros(1)])
    >>> Jv, hw, hb = mlp_hvp(W, b, np.array([[2.0]]), np.array([[0.0]]), *v)
    >>> Jv, hw[0], hb[0]
    (array([[2.]]), array([[4.]]), array([2.]))
    """
    raise NotImplementedError("mlp-hvp: mlp_hvp")
