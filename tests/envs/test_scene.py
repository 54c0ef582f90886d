"""Pictures: what is drawn of a state, in the scene's own units."""

import math

import numpy as np
import pytest

from refmarl.check import InputError
from refmarl.env_api import Env, Segment
from refmarl.envs import CartPole


def test_the_pole_stands_on_the_cart_at_its_angle():
    env = CartPole()
    state = env.reset(np.random.default_rng(0), 2)
    x = np.array([[0.0, 0, 0, 0], [1.5, 3.0, 0.2, -1.0]])
    scene = env.scene(state._replace(x=x), 1)
    pole = next(s for s in scene.shapes if isinstance(s, Segment) and s.colour == 1)
    run, rise = pole.end[0] - pole.start[0], pole.end[1] - pole.start[1]
    assert pole.start == (1.5, 0.0)
    assert math.hypot(run, rise) == pytest.approx(1.0)
    assert math.atan2(run, rise) == pytest.approx(0.2)  # leans to the right


def test_an_environment_without_a_picture_says_so():
    env = CartPole()
    with pytest.raises(InputError, match="cartpole: this environment has no picture"):
        Env.scene(env, env.reset(np.random.default_rng(0), 1))
