"""Every option of every algorithm changes what is learnt, somewhere: none does nothing."""

from dataclasses import replace

import numpy as np
import pytest

from refmarl.check import InputError
from refmarl.config import options
from refmarl.learner import learn
from refmarl.training import registry
from refmarl.training.checkpoint import same

TINY = {
    "num_envs": 3, "num_steps": 8, "iterations": 3, "batch": 6, "warmup": 5, "capacity": 20,
    "every": 3, "updates": 2, "hidden": (5,), "units": 4, "heads": 2,
}  # fmt: skip
CHOICES = ("foraging", {"rows": 3, "columns": 3, "foods": 1, "horizon": 6, "players": 3})
NUMBERS = ("navigation", {"continuous": True, "horizon": 6})
REFUSED = [("reward", "common"), ("max_steps", 3)]  # of agents paid differently; of long episodes
ALSO = {  # what an option needs beside it to have a say
    "tau": {"period": 0},
    "period": {"period": 2},
    "double": {"lr": 0.1},
    "stretch": {"memory": 3, "capacity": 40, "stretch": 3},
    "memory": {"capacity": 40, "stretch": 3, "minibatches": 1},
    "smoothing_clip": {"smoothing": 2.0},
    "clip_anneal": {"lr": 0.1},
    "dual": {"lr": 0.5},
    "kl_target": {"objective": "kl", "lr": 0.1},
    "beta": {"objective": "kl"},
    "value_lr": {"baseline": "value"},
    "value_steps": {"baseline": "value"},
    "tries": {"delta": 0.5, "tries": 1, "shrink": 0.3},
    "shrink": {"delta": 9.0},
}
INSTEAD = {  # values that bite in so short a run
    "warmup": 30, "max_norm": 1e-3, "clip": 1e-3, "dual": 1.5, "kl_stop": 1e-9, "value_clip": 1e-3,
    "units": 6, "heads": 4, "cg_tolerance": 0.5, "max_steps": 3, "epsilon_steps": 9,
}  # fmt: skip


def learnt(name, env, cfg):
    """All that a run leaves: agent, metrics, and how it acts in the end."""
    algorithm = registry.algorithm(name)
    *_, (progress, metrics) = learn(algorithm, env, cfg, np.random.default_rng(3))
    act = algorithm.policy(env, cfg, progress.agent, np.random.default_rng(5), False)
    state = env.reset(np.random.default_rng(7), 20)
    done = act(env.observe(state), env.mask(state), ()).action
    return progress.agent, np.array([*metrics.values()]), done


def base(kind, field, where):
    """Settings of a tiny run in which ``field`` has a say."""
    have = {f.name for f in options(kind)}
    wanted = TINY | ALSO.get(field, {})
    if "reward" in have and where is CHOICES:
        wanted = {"reward": "mean"} | wanted
    return kind(**{name: value for name, value in wanted.items() if name in have})


def others(field, value):
    """Other values of an option: all that a choice has, one of everything else."""
    within = field.metadata["within"]
    if field.name in INSTEAD:
        return [INSTEAD[field.name]]
    if isinstance(value, bool):
        return [not value]
    if isinstance(within, tuple):
        return [text for text in within if text != value]
    if isinstance(value, tuple):
        return [tuple(x + 1 for x in value)]
    return [value + 1 if isinstance(value, int) else 0.5 * value or 0.3]


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_option_changes_what_is_learnt(name):
    kind, found = registry.config(name), {}
    for field in options(kind):
        where = NUMBERS if "number" in field.metadata["says"] else CHOICES
        env, cfg = registry.environment(*where), base(kind, field.name, where)
        key = (where[0], cfg)
        if key not in found:
            found[key] = learnt(name, env, cfg)
        for value in others(field, getattr(cfg, field.name)):
            changed = replace(cfg, **{field.name: value})
            if (field.name, value) in REFUSED:
                with pytest.raises(InputError, match=field.name):
                    learnt(name, env, changed)
                continue
            other = learnt(name, env, changed)
            assert not same(other, found[key]), f"{field.name}={value} does nothing"
