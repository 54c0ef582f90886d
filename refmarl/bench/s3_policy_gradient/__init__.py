"""Tasks of section 3: networks, advantages, environments, training."""

from . import advantages, carts, networks, particles, proximal, soft, training, trust

TASKS = (
    *networks.TASKS,
    *advantages.TASKS,
    *carts.TASKS,
    *particles.TASKS,
    *training.TASKS,
    *proximal.TASKS,
    *soft.TASKS,
    *trust.TASKS,
)
"""All of them, as :mod:`refmarl.bench` lists them."""
