"""Tasks of section 3: networks, advantages, environments, training."""

from . import advantages, carts, navigation, networks, training

TASKS = (*networks.TASKS, *advantages.TASKS, *carts.TASKS, *navigation.TASKS, *training.TASKS)
"""All of them, as :mod:`refmarl.bench` lists them."""
