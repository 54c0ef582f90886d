"""Tasks of section 2: learning of teams."""

from . import actors_critics

TASKS = (*actors_critics.TASKS,)
"""All of them, as :mod:`refmarl.bench` lists them."""
