"""PPO's constants, and the networks that they ask for.

Axes: N agents of a group, O numbers that each of them sees.
"""

from dataclasses import dataclass

import numpy as np

from ..check import InputError
from ..config import Settings, option
from ..env_api import Group
from ..nn.mlp import MLP
from ..nn.policy import Policy
from ..value_grad import Real
from . import actor_critic


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Constants of a run."""

    gamma: float = option(0.99, "γ, discount", "[0, 1]")
    lam: float = option(0.95, "λ of the advantages", "[0, 1]")
    objective: str = option("clip", "clipped (3.7) or with a penalty (3.8)", ("clip", "kl"))
    clip: float = option(0.2, "ε of the clipped objective", "(0, inf)")
    clip_anneal: bool = option(False, "whether ε falls linearly to 0  [+]")
    dual: float = option(0.0, "c > 1, least gain c·A where A < 0; 0: none  [+]", "[0, inf)")
    beta: float = option(1.0, "β of the penalty at first; it adapts", "(0, inf)")
    kl_target: float = option(0.01, "KL wanted of an iteration, for the penalty", "(0, inf)")
    kl_stop: float = option(0.0, "end the epochs beyond this KL; 0: never  [+]", "[0, inf)")
    value_clip: float = option(0.0, "ε of the critic's clipping; 0: none  [+]", "[0, inf)")
    popart: bool = option(True, "whether the critic's targets are normalised  [+]")
    entropy: float = option(0.0, "c_2, weight of the entropy", "[0, inf)")
    normalise: bool = option(True, "whether a batch's advantages get mean 0, deviation 1  [+]")
    lr: float = option(1e-3, "α, step of Adam, of both networks", "(0, inf)")
    anneal: bool = option(True, "whether the step falls linearly to 0  [+]")
    max_norm: float = option(0.5, "limit of the gradient's norm  [+]", "(0, inf)")
    epochs: int = option(4, "passes over a batch", "[1, inf)")
    minibatches: int = option(4, "updates of a pass", "[1, inf)")
    hidden: tuple[int, ...] = option((64, 64), "units of each hidden layer", "[1, inf)")
    memory: int = option(0, "H, units of the GRUs that remember; 0: none  [+]", "[0, inf)")
    share: bool = option(True, "whether the agents of a group share parameters")
    ids: bool = option(False, "whether each agent of several sees which one it is")
    num_envs: int = option(8, "B, copies of the environment", "[1, inf)")
    num_steps: int = option(128, "T, steps of each copy between updates", "[1, inf)")
    iterations: int = option(500, "batches", "[1, inf)")
    dtype: str = option("float32", "of the parameters", ("float32", "float64"))

    def __post_init__(self) -> None:
        super().__post_init__()
        rows = self.num_envs * self.num_steps
        if self.minibatches > rows:
            need = f"need at most num_envs · num_steps = {rows}"
            raise InputError(f"minibatches: {need}, got {self.minibatches}")
        if self.memory and self.minibatches > self.num_envs:
            need = f"with a memory need at most num_envs = {self.num_envs}"
            raise InputError(f"minibatches: {need}, got {self.minibatches}")
        if 0 < self.dual <= 1:
            raise InputError(f"dual: need 0 or a number > 1, got {self.dual!r}")


def actor(cfg: Config, group: Group) -> Policy:
    """The policy network of a group, which may see ids, and what it remembers behind."""
    width = named_width(cfg, group) + cfg.memory
    return actor_critic.actor(group._replace(obs_dim=width), cfg.hidden)


def critic(cfg: Config, width: int) -> MLP:
    """V of what ``width`` numbers say, and of what is remembered."""
    return MLP((width + cfg.memory, *cfg.hidden, 1))


def named_width(cfg: Config, group: Group) -> int:
    """How many numbers an agent sees, its id included."""
    count = len(group.agents)
    return group.obs_dim + (count if cfg.ids and count > 1 else 0)


def named(cfg: Config, obs: Real) -> Real:
    """What N agents see, (..., N, O), with a one-hot id behind it if they are to have one."""
    count = obs.shape[-2]
    if not cfg.ids or count == 1:
        return obs
    ids = np.broadcast_to(np.eye(count, dtype=obs.dtype), (*obs.shape[:-1], count))
    return np.concatenate([obs, ids], axis=-1)
