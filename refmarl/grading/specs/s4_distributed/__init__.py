"""Specifications of the exercises of section 4, one module each."""
