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
    # BEGIN SOLUTION
    h, r_h, last = [x], [np.zeros_like(x)], len(weights) - 1
    for k, (w, b) in enumerate(zip(weights, biases, strict=True)):
        z = h[k] @ w + b
        r_z = r_h[k] @ w + h[k] @ v_weights[k] + v_biases[k]
        h.append(z if k == last else np.tanh(z))
        r_h.append(r_z if k == last else (1.0 - h[-1] ** 2) * r_z)
    delta, r_delta = h[-1] - target, r_h[-1]
    hv_weights, hv_biases = [], []
    for k in reversed(range(len(weights))):
        hv_weights.insert(0, r_h[k].T @ delta + h[k].T @ r_delta)  # (3.2)
        hv_biases.insert(0, r_delta.sum(axis=0))
        r_delta = r_delta @ weights[k].T + delta @ v_weights[k].T
        delta = delta @ weights[k].T
        if k > 0:
            slope = 1.0 - h[k] ** 2
            r_delta = r_delta * slope - 2.0 * delta * h[k] * r_h[k]
            delta = delta * slope
    return r_h[-1], hv_weights, hv_biases
    # END SOLUTION
