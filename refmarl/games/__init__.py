"""Normal-form games (course §1): utilities, equilibria, dynamics, and a library of named games."""

from .nash import (
    Certificate,
    best_responses,
    certify,
    is_nash,
    nash_conv,
    pure_equilibria,
    regrets,
)
from .normal_form import NormalForm, action_values, expected_utility

__all__ = [
    "Certificate",
    "NormalForm",
    "action_values",
    "best_responses",
    "certify",
    "expected_utility",
    "is_nash",
    "nash_conv",
    "pure_equilibria",
    "regrets",
]
