"""Figures and their arithmetic."""
