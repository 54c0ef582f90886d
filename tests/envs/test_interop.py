"""Faces to others' tools: their own tests pass, and there and back is where we were."""

import pickle
import warnings
from functools import partial
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.env_api import Box, Discrete, MultiDiscrete, random_actions
from refmarl.envs import CartPole, Chain, Foraging, Grid, Matrix, Navigation, Pendulum, Pursuit
from refmarl.envs._spaces import ParallelSpace, flat, flat_size, native, their_action
from refmarl.envs.interop import Foreign, to_gymnasium, to_parallel
from refmarl.testing.check_env import check_env
from refmarl.training.registry import ENVS, environment

SEEDS = st.integers(0, 10**6)
BACK = {
    "chain": partial(to_parallel, Chain(horizon=5)),
    "foraging": partial(to_parallel, Foraging(4, 4, 2, 1, horizon=6)),
    "grid": partial(to_parallel, Grid(horizon=7)),
    "matrix": partial(to_parallel, Matrix(horizon=3)),
    "navigation": partial(to_parallel, Navigation(horizon=4)),
    "pendulum": partial(to_parallel, Pendulum(horizon=4)),
    "pursuit": partial(to_parallel, Pursuit(horizon=4)),
}


@pytest.mark.parametrize("name", ENVS)
def test_a_face_is_one_copy(name):
    """The same seed and actions: the same observations, rewards and ends as the Env itself."""
    env, rng = environment(name), np.random.default_rng(1)
    theirs, state = to_parallel(env), env.reset(np.random.default_rng(5), 1)
    seen, infos = theirs.reset(seed=5)
    for _ in range(30):
        ours = [row for group in env.observe(state) for row in group[0]]
        for agent, row in zip(env.agents, ours, strict=True):
            assert_array_equal(seen[agent], row)
            assert theirs.observation_space(agent).contains(seen[agent])
        for g, mask in zip(env.groups, env.mask(state), strict=True):
            for i, agent in enumerate(g.agents):
                told = infos[agent].get("action_mask")
                assert (told is None) == (mask is None)
                assert mask is None or (told == mask[0, i]).all()
        assert_array_equal(theirs.state(), env.global_state(state)[0])
        actions = random_actions(env, rng, state)
        flat_actions = [a for group in actions for a in group[0]]
        told = dict(zip(env.agents, flat_actions, strict=True))
        state, step = env.step(state, actions)
        seen, rewards, over, cut, infos = theirs.step(told)
        assert list(rewards.values()) == np.concatenate(step.reward, axis=1)[0].tolist()
        assert set(over.values()) == {bool(step.terminated[0])}
        assert set(cut.values()) == {bool(step.truncated[0])}
        if state.ended[0]:
            assert theirs.agents == []
            with pytest.raises(InputError, match="ended"):
                theirs.step(told)
            break


def test_a_missing_action_is_named():
    theirs = to_parallel(Grid())
    theirs.reset(seed=0)
    with pytest.raises(InputError, match="no action of walker 2"):
        theirs.step({"walker 1": 0})


@pytest.mark.parametrize("name", BACK)
@settings(max_examples=5)
@given(seed=SEEDS, copies=st.integers(1, 3))
def test_there_and_back_keeps_the_contract(name, seed, copies):
    check_env(Foreign(BACK[name]), seed, copies, steps=8)


@pytest.mark.parametrize("name", BACK)
def test_there_and_back_is_the_same_game(name):
    """Under the keys that its seeds make."""
    back, env, rng = Foreign(BACK[name]), BACK[name]().env, np.random.default_rng(2)
    assert [g.space for g in back.groups] == [g.space for g in env.groups]
    keys = rng.integers(2**64, size=3, dtype=np.uint64)
    seeds = [np.random.default_rng(int(k) >> 33) for k in keys]
    state = back.restart(keys)
    plain = env.restart(np.concatenate([env.reset(s, 1).key for s in seeds]))
    for _ in range(10):
        for a, b in zip(back.observe(state), env.observe(plain), strict=True):
            assert_array_equal(a, b)
        for a, b in zip(back.mask(state), env.mask(plain), strict=True):
            assert (a is None or a.all()) if b is None else (a == b).all()
        actions = random_actions(env, rng, plain)
        state, one = back.step(state, actions)
        plain, two = env.step(plain, actions)
        for a, b in zip(one.reward, two.reward, strict=True):
            assert_array_equal(a, b)
        assert_array_equal(one.terminated, two.terminated)
        assert_array_equal(one.truncated, two.truncated)
        if plain.ended.any():
            break


class Sums:
    """Somebody's environment of two agents, one of whom leaves first; odd spaces."""

    possible_agents = ("a", "b")

    class _Space:
        def __init__(self, **attributes):
            self.__dict__ |= attributes

    sees = _Space(spaces={
        "place": _Space(n=3, start=1, shape=()),
        "more": _Space(spaces=(_Space(nvec=np.array([2, 2]), shape=(2,)),)),
        "bits": _Space(n=2, shape=(2,)),
        "action_mask": _Space(n=3, shape=(3,)),
    })  # fmt: skip
    does: ClassVar = {
        "a": _Space(n=3, start=1, shape=()),
        "b": _Space(low=np.array([0.0, -1.0]), high=np.array([1.0, 3.0]), shape=(2,), dtype=float),
    }

    def observation_space(self, agent):
        return self.sees

    def action_space(self, agent):
        return self.does[agent]

    def reset(self, seed=None):
        self.agents, self.told = ["a", "b"], []
        return {a: self.shown() for a in self.agents}, {a: {} for a in self.agents}

    def shown(self):
        return {"place": 2, "more": ([0, 1],), "bits": [1, 0], "action_mask": [1, 0, 1]}

    def step(self, actions):
        self.told.append(actions)
        there, last = self.agents, len(self.told) == 2
        self.agents = [] if last else ["b"]
        shown, paid = (dict.fromkeys(there, x) for x in (self.shown(), 1.0))
        over = {"a": True, "b": False} if not last else {"b": False}
        return shown, paid, over, dict.fromkeys(there, last), {a: {} for a in there}


def test_odd_spaces_leaving_agents_and_masks():
    env = Foreign(Sums)
    assert [(g.obs_dim, g.space) for g in env.groups] == [(9, Discrete(3)), (9, Box(-1.0, 1.0, 2))]
    state = env.reset(np.random.default_rng(0), 2)
    assert_array_equal(env.observe(state)[0][0, 0], [0, 1, 0, 1, 0, 0, 1, 1, 0])
    assert_array_equal(env.mask(state)[0], np.tile([True, False, True], (2, 1, 1)))
    assert env.mask(state)[1] is None
    actions = (np.array([[0], [2]]), np.array([[[-1.0, 1.0]], [[0.0, 0.0]]]))
    after, step = env.step(state, actions)
    told = [world.told[0] for world in after.world]
    assert [t["a"] for t in told] == [1, 3]
    assert_allclose([t["b"] for t in told], [[0.0, 3.0], [0.5, 1.0]])
    assert [len(world.told) for world in state.world] == [0, 0]  # the old state is as it was
    assert_array_equal(env.alive(after)[0], [[False], [False]])
    assert_array_equal(env.alive(after)[1], [[True], [True]])
    assert not env.observe(env.step(after, actions)[0])[0].any()  # a is not there
    _, step = env.step(after, actions)
    assert_array_equal(step.reward[0], [[0.0], [0.0]])
    assert_array_equal(step.reward[1], [[1.0], [1.0]])
    assert step.truncated.all()
    with pytest.raises(InputError, match="action"):
        env.step(state, (np.array([[0], [3]]), actions[1]))


def test_spaces_that_we_do_not_have_are_refused():
    endless = Sums._Space(low=np.array([0.0]), high=np.array([np.inf]), shape=(1,))
    with pytest.raises(InputError, match="actions"):
        native(endless)
    with pytest.raises(InputError, match="observation"):
        flat_size(object())
    pytest.importorskip("gymnasium")
    with pytest.raises(InputError, match="one agent"):
        to_gymnasium(Grid())


@pytest.mark.parametrize("space", [Discrete(3), MultiDiscrete((2, 3)), Box(-1.0, 2.0, 2)])
@given(seed=SEEDS)
def test_our_spaces_are_read_back_and_sample_their_elements(space, seed):
    theirs = ParallelSpace(space)
    assert native(theirs) == space
    theirs.seed(seed)
    x = theirs.sample()
    theirs.seed(seed)
    assert_array_equal(x, theirs.sample())
    assert x in theirs
    assert np.zeros(7) not in theirs
    assert_array_equal(their_action(theirs, x), x)
    assert len(flat(theirs, x)) == flat_size(theirs)
    if isinstance(space, Discrete):
        assert theirs.sample(np.array([0, 1, 0])) == 1


@pytest.mark.parametrize("name", ENVS)
def test_pettingzoo_accepts_our_environments(name):
    api = pytest.importorskip("pettingzoo.test")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        api.parallel_api_test(to_parallel(environment(name)), num_cycles=60)
        api.parallel_seed_test(lambda: to_parallel(environment(name)), num_cycles=20)
    assert [str(w.message) for w in said if "pettingzoo" in w.filename] == []


@pytest.mark.parametrize("name", [name for name in ENVS if len(environment(name).agents) == 1])
def test_gymnasium_accepts_our_environments(name):
    checker = pytest.importorskip("gymnasium.utils.env_checker")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(infinity|render|spec|symmetric).*")
        checker.check_env(to_gymnasium(environment(name)), skip_render_check=True)


def pole():
    import gymnasium

    return gymnasium.make("CartPole-v1")


def rod():
    import gymnasium

    return gymnasium.make("Pendulum-v1", max_episode_steps=6)


def spread():
    from mpe2 import simple_spread_v3

    return simple_spread_v3.parallel_env(max_cycles=5)


THEIRS = [(pole, "gymnasium"), (rod, "gymnasium"), (spread, "mpe2")]


@pytest.mark.parametrize(("make", "module"), THEIRS)
@pytest.mark.filterwarnings("ignore")
def test_their_environments_keep_our_contract(make, module):
    pytest.importorskip(module)
    check_env(Foreign(make), copies=2, steps=12)


def test_a_pole_of_theirs_falls_like_ours():
    pytest.importorskip("gymnasium")
    env, ours = Foreign(pole), CartPole()
    state = env.reset(np.random.default_rng(0), 3)
    mine = ours.reset(np.random.default_rng(0), 3)
    mine = mine._replace(x=np.array([w.unwrapped.state for w in state.world], dtype=float))
    for t in range(8):
        actions = (np.full((3, 1), t % 2),)
        state, step = env.step(state, actions)
        mine, other = ours.step(mine, actions)
        assert_allclose(env.observe(state)[0], ours.observe(mine)[0], rtol=1e-5, atol=1e-6)
        assert_array_equal(step.reward[0], other.reward[0])
        assert_array_equal(step.terminated, other.terminated)
    again = pickle.loads(pickle.dumps(env))
    assert [g.space for g in again.groups] == [Discrete(2)]
