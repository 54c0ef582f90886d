"""Numbers that change with the iteration: step sizes, clips, temperatures, exploration.

A schedule is a function of the ``step`` k = 0, 1, … and of its constants, and gives a float. Those
with an end, ``steps``, start at ``first``, arrive at ``last`` when k = ``steps`` and stay there.

Examples
--------
>>> [linear(k, 4, 1.0) for k in range(6)]
[1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
>>> [warm_up(k, 2, linear(k, 4, 1.0)) for k in range(5)]
[0.5, 0.75, 0.5, 0.25, 0.0]
"""

from math import cos, pi

from ..check import InputError


def constant(step: int, value: float) -> float:
    """``value``, always."""
    _from_zero(step)
    return value


def linear(step: int, steps: int, first: float, last: float = 0.0) -> float:
    """first + (last − first) k / steps."""
    part = _part(step, steps)
    return (1.0 - part) * first + part * last


def cosine(step: int, steps: int, first: float, last: float = 0.0) -> float:
    """last + (first − last) (1 + cos π k / steps) / 2 (Loshchilov & Hutter 2017, 1608.03983)."""
    part = 0.5 * (1.0 - cos(pi * _part(step, steps)))
    return (1.0 - part) * first + part * last


def exponential(step: int, steps: int, first: float, last: float) -> float:
    """first (last / first)^(k / steps): the same factor at every step.

    Raises
    ------
    InputError
        If ``first`` and ``last`` are not both positive or both negative.
    """
    part = _part(step, steps)
    if not first * last > 0.0:
        raise InputError(f"first, last: need numbers of one sign, not 0; got {first!r}, {last!r}")
    value: float = first * (last / first) ** part
    return last if part == 1.0 else value


def warm_up(step: int, steps: int, value: float) -> float:
    """``value`` times (k + 1) / steps for the first ``steps`` steps, then ``value`` itself."""
    _from_zero(step)
    if steps < 0:
        raise InputError(f"steps: need a whole number ≥ 0, got {steps!r}")
    return value * (step + 1) / steps if step + 1 < steps else value


def _part(step: int, steps: int) -> float:
    """How much of the way is done, in [0, 1]."""
    _from_zero(step)
    if steps < 1:
        raise InputError(f"steps: need a whole number ≥ 1, got {steps!r}")
    return min(step / steps, 1.0)


def _from_zero(step: int) -> None:
    if step < 0:
        raise InputError(f"step: need a whole number ≥ 0, got {step!r}")
