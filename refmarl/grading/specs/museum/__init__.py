"""Specifications of the bug museum: each bug is one that was found in the wild."""
