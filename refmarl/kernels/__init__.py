"""Numba kernels shared by several packages, and the one place of the JIT policy."""
