"""Tasks of section 2: learning of teams."""

from . import actors_critics, mixing, navigators, two_step

TASKS = (*actors_critics.TASKS, *navigators.TASKS, *mixing.TASKS, *two_step.TASKS)
"""All of them, as :mod:`refmarl.bench` lists them."""
