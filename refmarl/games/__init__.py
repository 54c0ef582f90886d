"""Normal-form games (course §1): utilities, equilibria, dynamics, and a library of named games."""

from .normal_form import NormalForm, action_values, expected_utility

__all__ = ["NormalForm", "action_values", "expected_utility"]
