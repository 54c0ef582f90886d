"""The contract: every environment keeps it, and every way of breaking it is named."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refmarl.env_api import Box, Discrete, Group, Scene, Step
from refmarl.envs import CartPole, Chain, Foraging, Grid, Matrix, TabularEnv
from refmarl.testing.check_env import ContractError, check_env
from refmarl.testing.strategies import games, markov_games
from refmarl.training.registry import ENVS, environment

COUNTS = st.integers(1, 4)
SMALL = st.one_of(
    st.builds(Chain, length=COUNTS, players=COUNTS, slip=st.floats(0, 1), horizon=COUNTS),
    st.builds(Grid, st.integers(2, 4), st.integers(2, 4), st.floats(0, 1), COUNTS),
    st.builds(
        Foraging,
        rows=st.integers(4, 6),
        columns=st.integers(4, 6),
        players=COUNTS,
        foods=COUNTS,
        max_level=COUNTS,
        cooperative=st.booleans(),
        sight=st.integers(0, 3),
        penalty=st.floats(0, 1),
        horizon=st.integers(1, 9),
    ),
    st.builds(Matrix, games(1, 3), horizon=COUNTS),
    st.builds(TabularEnv, markov_games(), horizon=COUNTS),
)


@pytest.mark.parametrize("name", ENVS)
@settings(max_examples=2)
@given(seed=st.integers(0, 10**6), copies=st.integers(1, 6), horizon=st.integers(1, 8))
def test_every_environment_keeps_the_contract(name, seed, copies, horizon):
    check_env(environment(name), seed, copies, steps=3)
    check_env(environment(name, {"horizon": horizon}), seed, copies, steps=10)


@settings(max_examples=30)
@given(SMALL, st.integers(0, 10**6), st.integers(1, 4))
def test_whatever_their_parameters(env, seed, copies):
    check_env(env, seed, copies, steps=8)


class Broken(CartPole):
    """A CartPole that ends soon; its kinds below each break one promise."""

    def __init__(self, horizon=9):
        super().__init__(horizon)


def kind(says):
    """A broken environment and the words that its error must contain."""

    def enter(cls):
        KINDS.append(pytest.param(cls, says, id=cls.__name__))
        return cls

    return enter


KINDS = []


@kind("groups: two agents of one name")
class Namesakes(Broken):
    groups = (Group("cart", ("cart", "cart"), 4, Discrete(2)),)


@kind("groups: a group without agents")
class Nobody(Broken):
    groups = (Group("cart", (), 4, Discrete(2)),)


@kind("groups: need a tuple")
class Listed(Broken):
    groups: ClassVar = [CartPole().groups[0]]


@kind("need a space with low < high")
class Empty(Broken):
    groups = (Group("cart", ("cart",), 4, Box(1.0, 1.0, 1)),)


@kind("horizon: need a number")
class Backwards(Broken):
    def __init__(self):
        super().__init__()
        object.__setattr__(self, "horizon", -1)


@kind(r"observe: cart: need floats \(5, 1, 5\), got float64 \(5, 1, 4\)")
class Wider(Broken):
    groups = (Group("cart", ("cart",), 5, Discrete(2)),)


@kind("observe: cart: need floats")
class Whole(Broken):
    def observe(self, state):
        return (np.zeros((len(state.t), 1, 4), dtype=int),)


@kind("observe: cart: not finite")
class Blind(Broken):
    def observe(self, state):
        return (super().observe(state)[0] * np.inf,)


@kind("gives a view of the state")
class View(Broken):
    def observe(self, state):
        return (state.x[:, None],)


@kind("observe: need a tuple")
class Bare(Broken):
    def observe(self, state):
        return super().observe(state)[0]


@kind("agent without a legal action")
class Forbidding(Broken):
    def mask(self, state):
        return (np.zeros((len(state.t), 1, 2), dtype=bool),)


@kind("mask: cart: need bool")
class Masked(Broken):
    def mask(self, state):
        return (np.ones((len(state.t), 1, 3), dtype=bool),)


@kind("alive: cart: need bool")
class Alive(Broken):
    def alive(self, state):
        return (np.ones(len(state.t), dtype=bool),)


@kind("reset: the same seed gives another state")
class Moody(Broken):
    def restart(self, key):
        return super().restart(key)._replace(x=np.random.default_rng().random((len(key), 4)) / 99)


@kind("reset: state.key is not what was given")
class Keyless(Broken):
    def restart(self, key):
        return super().restart(key * np.uint64(0))


@kind("reset: need t = 0")
class Late(Broken):
    def restart(self, key):
        return super().restart(key)._replace(t=np.ones(len(key), dtype=int))


@kind("reset: already ended")
class Stillborn(Broken):
    def restart(self, key):
        return super().restart(key)._replace(ended=np.ones(len(key), dtype=bool))


@kind("step: changes the state it was given")
class InPlace(Broken):
    def step(self, state, actions):
        after, step = super().step(state, actions)
        state.x[...] = after.x
        return after, step


@kind("step: changes the actions it was given")
class Grabbing(Broken):
    def step(self, state, actions):
        result = super().step(state, actions)
        actions[0][...] = 0
        return result


@kind("the same state and actions, another result")
class Random(Broken):
    def step(self, state, actions):
        after, step = super().step(state, actions)
        return after._replace(x=after.x + np.random.default_rng().random() * 1e-9), step


ROOM = np.zeros(10)


@kind("changes what an earlier step returned|another result")
class Shared(Broken):
    def step(self, state, actions):
        after, step = super().step(state, actions)
        reward = ROOM[: len(state.t), None]
        reward += 1.0
        return after, Step((reward,), step.terminated, step.truncated)


@kind("a copy behaves differently in another batch")
class Crowd(Broken):
    def step(self, state, actions):
        after, step = super().step(state, actions)
        return after._replace(x=after.x + state.x.mean(axis=0) * 1e-9), step


@kind("observe: a copy looks different in another batch")
class Relative(Broken):
    def observe(self, state):
        return (super().observe(state)[0] - state.x[0],)


@kind("restart: a copy begins differently in another batch|goes on")
class Numbered(Broken):
    def restart(self, key):
        fresh = super().restart(key)
        return fresh._replace(x=fresh.x + 1e-3 * np.arange(len(key))[:, None])


@kind("step: a copy that has ended goes on")
class Undead(Broken):
    def step(self, state, actions):
        return super().step(state._replace(ended=np.zeros_like(state.ended)), actions)


@kind("takes action -1")
class Wrapping(Broken):
    def step(self, state, actions):
        return super().step(state, tuple(np.where(a == -1, 1, a) for a in actions))


@kind("need an InputError, got IndexError")
class Crashing(Broken):
    def step(self, state, actions):
        np.zeros(2)[np.asarray(actions[0])]
        return super().step(state, actions)


@kind("reward: cart: not finite")
class Rich(Broken):
    def step(self, state, actions):
        after, step = super().step(state, actions)
        return after, step._replace(reward=(step.reward[0] * np.inf,))


@kind("reward: cart: need floats")
class Flat(Broken):
    def step(self, state, actions):
        after, step = super().step(state, actions)
        return after, step._replace(reward=(step.reward[0][:, 0],))


@kind("terminated and truncated at once")
class Twice(Broken):
    def step(self, state, actions):
        after, step = super().step(state, actions)
        return after, step._replace(terminated=after.ended, truncated=after.ended)


@kind("goes on after its horizon")
class Endless(Broken):
    def step(self, state, actions):
        after, step = CartPole(0).step(state, actions)
        return after, step


@kind("truncated before its horizon")
class Hasty(Broken):
    def step(self, state, actions):
        return CartPole(3).step(state, actions)


@kind("ended is not terminated or truncated")
class Unmarked(Broken):
    def step(self, state, actions):
        after, step = super().step(state, actions)
        return after._replace(ended=np.zeros_like(after.ended)), step


@kind("t does not count the steps")
class Timeless(Broken):
    def step(self, state, actions):
        after, step = super().step(state, actions)
        return after._replace(t=state.t), step


@kind("step: changes the key")
class Rekeyed(Broken):
    def step(self, state, actions):
        after, step = super().step(state, actions)
        return after._replace(key=after.key + np.uint64(1)), step


@kind("step: state.x was float64")
class Shrinking(Broken):
    def step(self, state, actions):
        after, step = super().step(state, actions)
        return after._replace(x=after.x.astype(np.float32)), step


@kind("cannot be pickled")
class Unpicklable(Broken):
    def __reduce__(self):
        raise TypeError("no")


@dataclass(frozen=True)
class Forgetful(CartPole):
    """What is not a field is lost by pickling."""

    horizon: int = 9

    def __post_init__(self):
        object.__setattr__(self, "push", -1)

    def __reduce__(self):
        return lost, ()

    def step(self, state, actions):
        after, step = super().step(state, actions)
        return after, step._replace(reward=(step.reward[0] * self.push,))


def lost():
    env = Forgetful()
    object.__setattr__(env, "push", 1)
    return env


KINDS.append(pytest.param(Forgetful, "a pickled one plays differently", id="Forgetful"))


@kind("global_state: need finite")
class Growing(Broken):
    def global_state(self, state):
        return np.zeros((len(state.t), 1 + int(state.t[0])))


@kind("scene: need a Scene")
class Upside(Broken):
    def scene(self, state, copy=0):
        return Scene((0.0, 1.0, 1.0, 0.0), ())


@kind("rewards are not exchanged")
class Favourite(Chain):
    """The first swimmer is paid more, though all are said to be alike."""

    def step(self, state, actions):
        after, step = super().step(state, actions)
        return after, step._replace(reward=(step.reward[0] + actions[0][:, :1],))


@kind("the agents see other numbers")
class Privileged(Chain):
    def observe(self, state):
        seen = super().observe(state)[0].copy()
        seen[:, 0] = -1.0
        return (seen + np.arange(2)[:, None],)


class Hiding(Foraging):
    """Exchanges places but not levels."""

    def permuted(self, state, order):
        return state._replace(at=np.ascontiguousarray(state.at[:, order[0]]))


@pytest.mark.parametrize(("cls", "says"), KINDS)
def test_what_is_broken_is_named(cls, says):
    with pytest.raises(ContractError, match=says) as caught:
        check_env(cls(), copies=5, steps=40)
    assert "\n" not in str(caught.value)


def test_a_wrong_exchange_of_agents_is_found():
    with pytest.raises(ContractError, match="permuted"):
        check_env(Hiding(rows=4, columns=4, foods=1), steps=60)


def test_all_kinds_are_different_and_the_unbroken_one_passes():
    check_env(replace(CartPole(), horizon=9), steps=40)
    assert len(KINDS) >= 30
