"""The compiled updates of soft actor–critic against the definition in sac.py."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.envs import Pendulum
from refmarl.kernels import perceptron, soft
from refmarl.nn import fused
from refmarl.policy_gradient import masac, sac, soft_fused
from refmarl.replay import ring
from refmarl.training import checkpoint

pytestmark = pytest.mark.skipif(not fused.ENABLED, reason="no BLAS that kernels can call")
TINY = {"num_steps": 3, "batch": 6, "warmup": 6, "capacity": 12, "num_envs": 2, "lr": 0.03,
        "alpha_lr": 0.05, "tau": 0.2, "dtype": "float64"}  # fmt: skip
SEEDS = st.integers(0, 2**32)


def definition(f, *args):
    """Call a function with the compiled updates switched off."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(soft_fused, "begin", lambda *_: None)
        return f(*args)


def run(algorithm, env, cfg, seed, change=None, iterations=4):
    """(progress, metrics) after some iterations; ``change`` turns the first agent into another."""
    progress, metrics = algorithm.start(env, cfg, np.random.default_rng(seed)), {}
    if change is not None:
        progress = progress._replace(agent=change(progress.agent))
    for _ in range(iterations):
        progress, metrics = algorithm.iterate(env, cfg, progress)
    return progress, metrics


def assert_alike(one, two, rtol=1e-9):
    """All that was learnt, all that is remembered, and what was told of it."""
    (first, told), (second, other) = one, two
    assert told.keys() == other.keys()
    for key in told:
        assert_allclose(told[key], other[key], rtol=rtol, atol=rtol, err_msg=key)
    pairs = zip(leaves(first.agent), leaves(second.agent), strict=True)
    for a, b in pairs:
        assert_allclose(a, b, rtol=rtol, atol=rtol)
    held, found = ring.in_order(first.roll.memory), ring.in_order(second.roll.memory)
    for a, b in zip(leaves(held), leaves(found), strict=True):
        assert_allclose(a, b, rtol=rtol, atol=rtol)


def leaves(tree):
    if not isinstance(tree, tuple):
        return [tree]
    return [leaf for node in tree for leaf in leaves(node)]


@pytest.mark.parametrize("algorithm", [sac, masac], ids=["sac", "masac"])
@settings(max_examples=12)
@given(
    SEEDS,
    st.booleans(),
    st.lists(st.integers(1, 6), min_size=1, max_size=3),
    st.sampled_from(["relu", "tanh"]),
    st.booleans(),
    st.integers(0, 3),
)
def test_runs_agree_with_deaths_ends_two_groups_and_others(
    boxes, algorithm, seed, share, hidden, activation, tune, updates
):
    cfg = sac.Config(share=share, hidden=tuple(hidden), activation=activation, tune=tune,
                     updates=updates, **TINY)  # fmt: skip
    found = run(algorithm, boxes, cfg, seed)
    assert_alike(found, definition(run, algorithm, boxes, cfg, seed))
    assert found[0].agent.opt_theta[0].step == 10 * updates  # 12 steps, 2 of the warm-up


@settings(max_examples=12)
@given(SEEDS, st.sampled_from([-40.0, -19.0, 0.5, 1.9, 6.0]), st.sampled_from([-30.0, 0.3, 4.0]))
def test_they_agree_where_the_policy_is_saturated_or_log_sigma_at_its_bounds(seed, log_std, mean):
    def change(agent):
        theta = agent.theta[0].copy()
        theta[-2:] = mean, log_std
        return agent._replace(theta=(theta,))

    cfg = sac.Config(hidden=(5, 4), **TINY)
    found = run(sac, Pendulum(), cfg, seed, change)
    assert_alike(found, definition(run, sac, Pendulum(), cfg, seed, change), rtol=1e-8)
    assert all(np.isfinite(list(found[1].values())))


@pytest.mark.parametrize("rows", [perceptron.WIDE - 1, perceptron.WIDE + 44])
def test_they_agree_on_wide_layers_that_are_cut_in_panels(rows):
    sizes = {"hidden": (perceptron.WIDE, 9), "batch": rows}
    cfg = sac.Config(**(TINY | sizes))
    one, two = run(sac, Pendulum(), cfg, 5), definition(run, sac, Pendulum(), cfg, 5)
    assert_alike(one, two, rtol=1e-8)


def test_in_float32_they_agree_to_its_rounding():
    cfg = sac.Config(hidden=(16, 16), **(TINY | {"dtype": "float32", "lr": 1e-3}))
    one, two = run(sac, Pendulum(), cfg, 1), definition(run, sac, Pendulum(), cfg, 1)
    assert one[0].agent.theta[0].dtype == one[0].agent.opt_phi[0].v.dtype == np.float32
    assert_allclose(one[0].agent.phi[0], two[0].agent.phi[0], atol=2e-4)
    assert_allclose(one[0].agent.theta[0], two[0].agent.theta[0], atol=2e-4)


def test_the_agent_that_an_iteration_began_with_is_left_as_it_was():
    cfg = sac.Config(hidden=(4,), **TINY)
    progress, _ = run(sac, Pendulum(), cfg, 2)
    before = [np.copy(leaf) for leaf in leaves(progress.agent)]
    after, _ = sac.iterate(Pendulum(), cfg, progress)
    for a, b in zip(before, leaves(progress.agent), strict=True):
        assert_array_equal(a, b)
    assert not checkpoint.same(after.agent, progress.agent)


@given(SEEDS, st.integers(1, 40), st.integers(1, 3), st.sampled_from([(3, 1), (4, 5, 1)]))
@settings(max_examples=20)
def test_of_chosen_rows_the_slope_in_the_actions_is_that_of_all_rows(seed, rows, actions, tail):
    """Rows that are not chosen keep what they had."""
    from refmarl.nn import MLP

    rng = np.random.default_rng(seed)
    net = MLP((2 + actions + 2, *tail), "tanh")
    phi, x = rng.standard_normal(net.size), rng.standard_normal((rows, net.sizes[0]))
    weight = rng.random(rows)
    _, tape = net.forward(phi, x)
    whole = net.input_gradient(phi, tape, -weight[:, None])[:, 2 : 2 + actions]
    chosen = np.flatnonzero(rng.random(rows) < 0.5)
    out, room = np.full(rows * actions, 7.0), np.empty((2, rows * max(net.sizes)))
    soft.pull_actions(
        phi, x.reshape(-1), np.array(net.sizes), True, chosen, len(chosen), tape.flat, weight, 2,
        actions, room, out,
    )  # fmt: skip
    wanted = np.full((rows, actions), 7.0)
    wanted[chosen] = whole[chosen]
    assert_allclose(out.reshape(rows, actions), wanted, rtol=1e-9, atol=1e-12)


def test_nan_is_the_smaller_value_as_in_the_definition():
    values = [1.0, 2.0, np.nan]
    for a in values:
        for b in values:
            least = b if soft.smaller(a, b) else a
            assert_array_equal(least, np.minimum(a, b))
