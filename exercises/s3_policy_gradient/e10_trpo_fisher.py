"""Exercise 3.10: the Fisher matrix of a policy, times a vector.              Eq. (3.10)

Read   docs/s3_policy_gradient/trpo-fisher.md      Check  refmarl check trpo-fisher
Time   about 50 minutes                            Needs  mlp-hvp

How far does a policy move if its parameters move along v? To second order by v . H v / 2, H the
Hessian of the divergence from what it was. H is P by P and nobody writes it down: v goes forwards
through the network, is bent by the softmax, and goes backwards again.

Arrays may hold whole numbers (dtype int), be read-only or views of others; leave them as they are.
Where an array is asked for, a list of numbers will do.
"""

import numpy as np


def fisher_product(weights, biases, x, v_weights, v_biases):
    """Return (hv_weights, hv_biases): H v, lists of arrays in the shapes of weights and biases.

    weights, biases : lists of K arrays    W_k (I_k, I_{k+1}) and b_k (I_{k+1},)
    x : float (M, I_1)                     M states; z_k = h_{k-1} W_k + b_k, h_k = tanh(z_k); the
                                           last z are the logits of a softmax policy
    v_weights, v_biases : lists of K arrays    the direction v, in the shapes of the parameters

    H is the Hessian, in the parameters, of the mean over the states of KL(pi_old || pi), where both
    policies are the same: the mean of J^T M J, J the Jacobian of the logits and M = diag(pi) -
    pi pi^T.

    One state, two actions, biases only: J = 1 and H = M.

    >>> w, b, v = [np.zeros((1, 2))], [np.zeros(2)], ([np.zeros((1, 2))], [np.array([1.0, 0.0])])
    >>> hv_weights, hv_biases = fisher_product(w, b, np.zeros((1, 1)), *v)
    >>> print(hv_biases[0])
    [ 0.25 -0.25]
    """
    raise NotImplementedError("trpo-fisher: fisher_product")
