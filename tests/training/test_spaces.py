"""Actions that an algorithm cannot do: what is said, and that it helps."""

import re
from functools import cache

import numpy as np
import pytest

from refmarl.check import InputError
from refmarl.env_api import Box, Discrete
from refmarl.policy_gradient.spaces import require
from refmarl.training import registry

WORLDS = {
    "resources": {},
    "reference": {},
    "navigation": {"continuous": True},
    "pendulum": {},
    "swarm": {"continuous": True},
}


@cache
def begun(name, env, **options):
    """The first progress of a run with few copies and a small memory, or why there is none."""
    algorithm = registry.algorithm(name)
    have = algorithm.Config.__dataclass_fields__
    small = {"num_envs": 2, "capacity": 50, "minibatches": 2, "reward": "mean"}
    cfg = algorithm.Config(**{key: value for key, value in small.items() if key in have})
    world = registry.environment(env, WORLDS[env] | options)
    try:
        return algorithm.start(world, cfg, np.random.default_rng(0))
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("env", WORLDS)
@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_what_a_refusal_advises_helps(name, env):
    said = begun(name, env)
    if not isinstance(said, str):
        return
    assert re.match(rf"{env}: .* needs (Box or )?Discrete actions; ", said)
    if flag := re.search(r"continuous=(true|false) gives such$", said):
        assert not isinstance(begun(name, env, continuous=flag[1] == "true"), str)
    else:
        advised = re.search(r"; ((\w+, )+\w+ and \w+) take those$", said)
        others = re.split(", | and ", advised[1])
        assert len(others) >= 3
        assert all(not isinstance(begun(other, env), str) for other in others)


def test_what_is_in_a_kind_is_let_through():
    require(registry.environment("navigation"), "this", Box, Discrete)
    with pytest.raises(InputError, match="reference: this needs Discrete actions; team has Multi"):
        require(registry.environment("reference"), "this", Discrete)
