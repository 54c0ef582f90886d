"""Specifications of the exercises of section 2, one module each."""
