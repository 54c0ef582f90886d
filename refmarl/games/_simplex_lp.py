"""One linear program for many questions: the best distribution under linear constraints."""

from typing import Any

import numpy as np

from ..check import Array

TOLERANCES = (1e-10, 1e-7)  # what HiGHS may violate a constraint by: its tightest, its default


def best_distribution(gain: Array, rows: Any, bound: Array, size: int) -> Array | None:
    """argmax gain @ z over z = (p, t) with rows @ z ≤ bound; None if nothing is feasible.

    The first ``size`` entries of z are a distribution p, those after it are free numbers. Rounding
    is cleaned up: p comes back without negative entries and sums to 1.

    Parameters
    ----------
    gain : float (size + free,)
    rows : float (R, size + free)
        Dense or ``scipy.sparse``; entries of size about 1, which is what the tolerance is for.
    bound : float (R,)
    size : int ≥ 1

    Raises
    ------
    RuntimeError
        If the solver gives up.
    """
    from scipy.optimize import linprog

    free = len(gain) - size
    total = np.concatenate([np.ones(size), np.zeros(free)])[None]
    bounds = np.array([(0.0, np.inf)] * size + [(-np.inf, np.inf)] * free)
    for tol in TOLERANCES:
        found = linprog(
            -gain,
            A_ub=rows,
            b_ub=bound,
            A_eq=total,
            b_eq=[1.0],
            bounds=bounds,
            options={"primal_feasibility_tolerance": tol, "dual_feasibility_tolerance": tol},
        )
        if found.status == 0:
            return _polished(found.x, size)
        if found.status == 2:
            return None
    raise RuntimeError(f"linear program of {rows.shape[0]} × {size}: {found.message}")


def _polished(z: Array, size: int) -> Array:
    p = np.maximum(z[:size], 0.0)
    return np.concatenate([p / p.sum(), z[size:]])
