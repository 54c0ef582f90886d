"""Binary trees of sums and minima over C leaves, as arrays of 2L, L a power of two ≥ C.

Node 1 is the root, node n has the children 2n and 2n + 1, leaf i is node L + i. Each inner node
is made anew from its two children at every change, so that it never drifts from what it stands for.
"""

from ..check import Array
from ..value_grad import Real
from ._jit import kernel


@kernel
def assign(total: Array, least: Array, index: Real, value: Array) -> None:
    """Set leaf ``index[k]`` to ``value[k]``, one after the other, in both trees."""
    leaves = total.shape[0] // 2
    for k in range(index.shape[0]):
        node = leaves + index[k]
        total[node] = value[k]
        least[node] = value[k]
        node //= 2
        while node >= 1:
            left, right = 2 * node, 2 * node + 1
            total[node] = total[left] + total[right]
            least[node] = min(least[left], least[right])
            node //= 2


@kernel
def descend(total: Array, mass: Array, index: Real) -> None:
    """index[k] is the leaf in which the cumulative sum of the leaves passes ``mass[k]``.

    A leaf of value 0 is never reached while the root is positive, whatever was rounded.
    """
    leaves = total.shape[0] // 2
    for k in range(mass.shape[0]):
        node, left_over = 1, mass[k]
        while node < leaves:
            left = total[2 * node]
            if left_over < left or total[2 * node + 1] == 0.0:
                node = 2 * node
            else:
                left_over -= left
                node = 2 * node + 1
        index[k] = node - leaves
