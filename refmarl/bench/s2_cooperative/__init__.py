"""Tasks of section 2: learning of teams."""

from . import actors_critics, mixing, two_step

TASKS = (*actors_critics.TASKS, *mixing.TASKS, *two_step.TASKS)
"""All of them, as :mod:`refmarl.bench` lists them."""
