"""The course's equations: the only list of them. Docs, tests and exercises are held to it."""

from . import (
    s1_games,
    s2_cooperative,
    s3_policy_gradient,
    s4_distributed,
    s5_communication,
    s6_meta_learning,
    s7_applications,
)
from ._equation import SECTIONS, Equation

EQUATIONS: dict[str, Equation] = {
    equation.label: equation
    for module in (
        s1_games,
        s2_cooperative,
        s3_policy_gradient,
        s4_distributed,
        s5_communication,
        s6_meta_learning,
        s7_applications,
    )
    for equation in module.ROWS
}
BY_TAG: dict[str, Equation] = {equation.tag: equation for equation in EQUATIONS.values()}

__all__ = ["BY_TAG", "EQUATIONS", "SECTIONS", "Equation", "find"]


def find(name: str) -> Equation:
    """The row with this tag ("1.1") or label ("nash").

    Raises
    ------
    KeyError
        If there is none; its argument names the nearest label.
    """
    row = BY_TAG.get(name) or EQUATIONS.get(name)
    if row is None:
        from difflib import get_close_matches

        near = get_close_matches(name, EQUATIONS, n=1, cutoff=0.5)
        raise KeyError(f"no equation {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return row
