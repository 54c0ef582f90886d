"""Environments: batched, functional, each with its rules and their source in its docstring."""

from .acrobot import Acrobot
from .allocation import Allocation
from .cartpole import CartPole
from .chain import Chain
from .coverage import Coverage
from .foraging import Foraging
from .grid import Grid
from .hanabi import Hanabi
from .kitchen import Kitchen
from .matrix import Matrix
from .mountain_car import ContinuousMountainCar, MountainCar
from .navigation import Navigation
from .path_finding import PathFinding
from .pendulum import Pendulum
from .posg import PosgEnv
from .pursuit import Pursuit
from .reference import Reference
from .speaker_listener import SpeakerListener
from .t_maze import TMaze
from .tabular import TabularEnv

__all__ = [
    "Acrobot",
    "Allocation",
    "CartPole",
    "Chain",
    "ContinuousMountainCar",
    "Coverage",
    "Foraging",
    "Grid",
    "Hanabi",
    "Kitchen",
    "Matrix",
    "MountainCar",
    "Navigation",
    "PathFinding",
    "Pendulum",
    "PosgEnv",
    "Pursuit",
    "Reference",
    "SpeakerListener",
    "TMaze",
    "TabularEnv",
]
