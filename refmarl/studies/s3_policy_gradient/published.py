"""Ours beside the published numbers of section 3: one function for each S-number."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...check import Array
from ...policy_gradient.returns import gae, lambda_return, n_step_return
from ..published import Found
from . import cartpole, classic_control, heads, pendulum, proximal, time_limits, trpo_runs

Data = dict[str, Any]


def advantages(data: Data, full: bool) -> Iterator[Found]:
    """S3.01: a discount of 0 is the source's way to say that the episode terminated there."""
    for lam, published in data["advantages"].items():
        for k, wanted in enumerate(published):
            discount, value = data["discount"][k], np.array(data["v"][k])
            over = np.array(discount) == 0.0
            streams = (np.array(data["r"][k]), value[:-1], value[1:], over, over)
            got = gae(*streams, max(discount), float(lam))
            yield Found(f"λ = {lam}, stream {k + 1}", wanted, got, data["tolerance"])


def returns(data: Data, full: bool) -> Iterator[Found]:
    """S3.02: λ-returns, n-step returns, and returns with a value at their end."""
    for k in range(len(data["r"])):
        reward, value, product = _undiscounted(data, k)
        never = np.zeros(len(reward), dtype=bool)
        streams = (reward, value, never, never, 1.0)
        found = {
            "lambda_075": lambda_return(*streams, 0.75),
            "discounted": lambda_return(*streams, 1.0),
            "n3": n_step_return(*streams, 3),
            "n5": n_step_return(*streams, 5),
        }
        for key, got in found.items():
            case = f"{data['cases'][key]}, stream {k + 1}"
            yield Found(case, data[key][k], got / product, data["tolerance"])


def _undiscounted(data: Data, k: int) -> tuple[Array, Array, Array]:
    """(P_t r_t, P_{t+1} V(s_{t+1}), P_t), P_t the product of the discounts before t.

    The source has a discount for each step. P_t G_t is the return of these with γ = 1.
    """
    product = np.cumprod([1.0, *data["discount"][k]])
    return product[:-1] * data["r"][k], product[1:] * data["v"][k], product[:-1]


FOUND: dict[str, Callable[[Data, bool], Iterator[Found]]] = {
    "S3.01": advantages,
    "S3.02": returns,
    "S3.03": proximal.clipped,
    "S3.04": proximal.parts,
    "S3.05": heads.distributions,
    "S3.06": heads.squashed,
    "S3.07": classic_control.scripted,
    "S3.08": classic_control.random_play,
    "S3.09": proximal.cartpole,
    "S3.10": proximal.acrobot,
    "S3.11": pendulum.sac_pendulum,
    "S3.12": trpo_runs.trpo_cartpole,
    "S3.13": cartpole.a2c_cartpole,
    "S3.14": time_limits.compared,
}
