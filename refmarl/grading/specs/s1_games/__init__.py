"""Specifications of the section 1 exercises."""
