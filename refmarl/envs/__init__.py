"""Environments: batched, functional, each with its rules and their source in its docstring."""

from .cartpole import CartPole
from .navigation import Navigation
from .pursuit import Pursuit
from .reference import Reference
from .speaker_listener import SpeakerListener

__all__ = ["CartPole", "Navigation", "Pursuit", "Reference", "SpeakerListener"]
