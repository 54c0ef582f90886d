"""Tasks of section 2: learning of teams."""

from . import (
    actors_critics,
    attention,
    counterfactuals,
    memories,
    mixing,
    navigators,
    two_step,
)

TASKS = (
    *actors_critics.TASKS,
    *counterfactuals.TASKS,
    *attention.TASKS,
    *navigators.TASKS,
    *mixing.TASKS,
    *memories.TASKS,
    *two_step.TASKS,
)
"""All of them, as :mod:`refmarl.bench` lists them."""
