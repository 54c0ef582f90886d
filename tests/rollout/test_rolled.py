"""Collecting in one kernel: the bits of collecting step by step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from refmarl.env_api import Choice, Env
from refmarl.envs import CartPole
from refmarl.nn import MLP, Policy, fused
from refmarl.policy_gradient.actor_critic import Actors
from refmarl.rollout import begin, collect

pytestmark = pytest.mark.skipif(not fused.ENABLED, reason="no BLAS that kernels can call")


def both_ways(env, actors, seed, copies, steps, batches=2):
    """What collecting gives with the kernel and without it, some batches one after the other."""
    net, theta = actors
    found = []
    for slow in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            if slow:
                patch.setattr(type(env), "roll", Env.roll)
            act = Actors((net,), (theta,), np.random.default_rng(seed))
            roll, got = begin(env, np.random.default_rng(seed), copies), []
            for _ in range(batches):
                roll, batch = collect(env, act, roll, steps)
                got.append(batch)
            found.append((roll, got, act.rng.random()))
    return found


def leaves(tree):
    """All arrays of a tree of tuples, in order."""
    if isinstance(tree, tuple | list):
        return [leaf for part in tree for leaf in leaves(part)]
    return [tree]


@settings(max_examples=20)
@given(
    st.integers(0, 2**32), st.sampled_from([1, 3, 9]), st.integers(1, 40),
    st.sampled_from([(5,), (64, 64), ()]), st.sampled_from(["tanh", "relu"]),
    st.sampled_from([np.float32, np.float64]), st.sampled_from([0, 7]),
    st.sampled_from([1.0, 20.0]),
)  # fmt: skip
def test_many_steps_in_one_kernel_are_the_same_bits(
    seed, copies, steps, hidden, kind, dtype, horizon, size
):
    net = Policy(MLP((4, *hidden, 2), kind), "categorical")
    theta = size * net.init(np.random.default_rng(seed), out_scale=1.0, dtype=dtype)
    theta = theta.astype(dtype)
    fast, slow = both_ways(CartPole(horizon=horizon), (net, theta), seed, copies, steps)
    for one, two in zip(leaves(fast), leaves(slow), strict=True):
        assert (one is None) == (two is None)
        if one is not None:
            assert np.asarray(one).dtype == np.asarray(two).dtype
            assert_array_equal(one, two)


@pytest.mark.parametrize("why", ["greedy", "memory", "normalised", "apart", "central"])
def test_what_the_kernel_does_not_know_goes_step_by_step(why):
    env, rng = CartPole(), np.random.default_rng(0)
    units = 3 if why == "memory" else 0
    net = Policy(MLP((4 + units, 5, 2), layer_norm=why == "normalised"), "categorical")
    theta = net.init(rng, (1,) if why == "apart" else ())
    actors = Actors((net,), (theta,), rng, greedy=why == "greedy", units=units)
    if why == "central":
        assert isinstance(actors.choice(3, 2), Choice)
        assert collect(env, actors, begin(env, rng, 2), 3, central=True)[1].state.shape == (4, 2, 4)
    else:
        assert actors.choice(3, 2) is None


class Far(CartPole):
    """Paid by the place of the cart."""

    def step(self, state, actions):
        after, step = super().step(state, actions)
        return after, step._replace(reward=(after.x[:, None, 0],))


class Slow(CartPole):
    """Sees no speeds."""

    def observe(self, state):
        (seen,) = super().observe(state)
        return (seen * [1.0, 0.0, 1.0, 0.0],)


@pytest.mark.parametrize("kind", [Far, Slow])
def test_an_environment_derived_from_one_with_a_kernel_keeps_its_own_rules(kind):
    net = Policy(MLP((4, 5, 2), "tanh"), "categorical")
    act = Actors((net,), (net.init(np.random.default_rng(1)),), np.random.default_rng(2))
    _, batch = collect(kind(), act, begin(kind(), np.random.default_rng(3), 4), 6)
    assert batch.at.size == 0  # nobody has fallen yet
    if kind is Far:
        assert_array_equal(batch.reward[0], batch.obs[0][1:, ..., 0])
    else:
        assert not batch.obs[0][..., [1, 3]].any()
