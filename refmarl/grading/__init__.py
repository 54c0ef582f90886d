"""Exercises and their property specifications."""
