"""Tasks of section 2: learning of teams."""

from . import actors_critics, mixing

TASKS = (*actors_critics.TASKS, *mixing.TASKS)
"""All of them, as :mod:`refmarl.bench` lists them."""
