"""Tasks of section 1: equilibria, values of zero-sum games, repeated play."""

from . import play, solvers

TASKS = (*solvers.TASKS, *play.TASKS)
