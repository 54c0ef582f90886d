"""Specifications of the exercises of section 3, one module each."""
