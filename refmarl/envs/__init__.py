"""Environments: batched, functional, each with its rules and their source in its docstring."""

from .cartpole import CartPole

__all__ = ["CartPole"]
