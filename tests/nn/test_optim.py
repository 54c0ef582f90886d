"""Optimisers: closed forms, exact recurrences on quadratics, and where they lead."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.nn.optim import Adam, RmsProp, Sgd, clip_norm, polyak

SEEDS = st.integers(0, 2**32)
SHAPES = st.sampled_from([(1,), (5,), (2, 3), (2, 1, 3)])
RATES = st.floats(1e-4, 0.5)
ALL = pytest.mark.parametrize(
    "optimiser",
    [Sgd(), Sgd(momentum=0.9), RmsProp(), Adam(), Adam(decay=0.1)],
    ids=["sgd", "momentum", "rmsprop", "adam", "adamw"],
)


def descend(optimiser, theta, gradients, rate):
    """All θ along a sequence of gradients, or of a gradient as a function of θ."""
    state, path = optimiser.init(theta), [theta]
    for g in gradients:
        state, theta = optimiser.update(state, theta, g(theta) if callable(g) else g, rate)
        path.append(theta)
    return np.stack(path)


# -- closed forms -----------------------------------------------------------------------


@given(SEEDS, SHAPES, RATES)
def test_plain_descent_subtracts_the_sum_of_the_gradients(seed, shape, rate):
    rng = np.random.default_rng(seed)
    theta, gradients = rng.standard_normal(shape), rng.standard_normal((4, *shape))
    found = descend(Sgd(), theta, gradients, rate)[-1]
    assert_allclose(found, theta - rate * gradients.sum(axis=0), rtol=1e-12, atol=1e-12)


@given(SEEDS, SHAPES, RATES, st.floats(0.0, 0.99))
def test_momentum_weighs_each_gradient_by_a_geometric_sum(seed, shape, rate, momentum):
    rng = np.random.default_rng(seed)
    theta, gradients = rng.standard_normal(shape), rng.standard_normal((5, *shape))
    found = descend(Sgd(momentum=momentum), theta, gradients, rate)[-1]
    weight = np.array([sum(momentum**j for j in range(5 - k)) for k in range(5)])
    expected = theta - rate * np.tensordot(weight, gradients, 1)
    assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


@given(st.floats(0.01, 0.5), st.floats(0.0, 0.95), st.floats(0.1, 2.0), st.integers(1, 20))
def test_momentum_on_a_quadratic_is_a_linear_recurrence(rate, momentum, curvature, steps):
    """(m, θ) ↦ (μ m + h θ, θ − α (μ m + h θ)): the power of a 2 × 2 matrix."""
    found = descend(
        Sgd(momentum=momentum), np.array([1.0]), [lambda t: curvature * t] * steps, rate
    )[-1, 0]
    step = np.array([[momentum, curvature], [-rate * momentum, 1.0 - rate * curvature]])
    expected = (np.linalg.matrix_power(step, steps) @ [0.0, 1.0])[1]
    assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@given(SEEDS, SHAPES, RATES, st.integers(1, 8))
def test_adam_takes_equal_steps_along_a_constant_gradient(seed, shape, rate, steps):
    """With the bias corrected, the moments are g and g² from the first step on."""
    rng = np.random.default_rng(seed)
    theta, g = rng.standard_normal((2, *shape))
    path = descend(Adam(), theta, [g] * steps, rate)
    expected = theta - steps * rate * g / (abs(g) + 1e-8)
    assert_allclose(path[-1], expected, rtol=1e-9, atol=1e-9)


@given(SEEDS, SHAPES, RATES, st.floats(0.0, 0.99), st.floats(0.0, 0.999))
def test_adam_is_its_moments_written_out(seed, shape, rate, beta1, beta2):
    rng = np.random.default_rng(seed)
    theta, gradients = rng.standard_normal(shape), rng.standard_normal((4, *shape))
    optimiser = Adam(beta1=beta1, beta2=beta2)
    path = descend(optimiser, theta, gradients, rate)
    t = 4

    def average(beta, values):
        weight = beta ** np.arange(t - 1, -1, -1.0)
        return np.tensordot(weight / weight.sum(), values, 1)  # Σ β^k = (1 − βᵗ) / (1 − β)

    step = average(beta1, gradients) / (np.sqrt(average(beta2, gradients**2)) + 1e-8)
    assert_allclose(path[-1], path[-2] - rate * step, rtol=1e-9, atol=1e-9)


@given(SEEDS, SHAPES, RATES, st.floats(1.0, 1e6))
def test_adam_does_not_see_the_scale_of_the_loss(seed, shape, rate, scale):
    rng = np.random.default_rng(seed)
    theta, gradients = rng.standard_normal(shape), rng.standard_normal((5, *shape))
    one, other = (descend(Adam(epsilon=1e-300), theta, c * gradients, rate) for c in (1.0, scale))
    assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@given(SEEDS, SHAPES, RATES, st.floats(0.0, 1.0), st.integers(1, 6))
def test_decay_is_decoupled_from_the_moments(seed, shape, rate, decay, steps):
    """Without a gradient θ shrinks by 1 − α w; with one, the step of Adam is as it would be."""
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal(shape)
    idle = descend(Adam(decay=decay), theta, [np.zeros(shape)] * steps, rate)[-1]
    assert_allclose(idle, (1.0 - rate * decay) ** steps * theta, rtol=1e-10)
    gradients = rng.standard_normal((steps, *shape))
    with_decay = descend(Adam(decay=decay), theta, gradients, rate)
    without = descend(Adam(), theta, gradients, rate)
    steps_with = with_decay[1:] - (1.0 - rate * decay) * with_decay[:-1]
    assert_allclose(steps_with, np.diff(without, axis=0), rtol=1e-9, atol=1e-9)


@given(SEEDS, SHAPES, RATES, st.floats(0.0, 0.99), st.integers(1, 6))
def test_rmsprop_along_a_constant_gradient(seed, shape, rate, beta, steps):
    rng = np.random.default_rng(seed)
    theta, g = rng.standard_normal((2, *shape))
    path = descend(RmsProp(beta=beta), theta, [g] * steps, rate)
    for t in range(1, steps + 1):
        size = np.sqrt(1.0 - beta**t) * abs(g) + 1e-5  # v_t = (1 − βᵗ) g²
        assert_allclose(path[t], path[t - 1] - rate * g / size, rtol=1e-9, atol=1e-9)


# -- what all have in common ------------------------------------------------------------


@ALL
@given(SEEDS, st.sampled_from([(2, 3), (2, 1, 3)]))
def test_leading_axes_are_networks_by_themselves(optimiser, seed, shape):
    rng = np.random.default_rng(seed)
    theta, gradients = rng.standard_normal(shape), rng.standard_normal((3, *shape))
    whole = descend(optimiser, theta, gradients, 0.1)
    for k in range(shape[0]):
        assert_array_equal(whole[:, k], descend(optimiser, theta[k], gradients[:, k], 0.1))


@ALL
@given(SEEDS, SHAPES, st.sampled_from([float, np.float64]))
def test_float32_stays_in_parameters_and_moments(optimiser, seed, shape, kind):
    rng = np.random.default_rng(seed)
    theta, g = rng.standard_normal((2, *shape)).astype(np.float32)
    state = optimiser.init(theta)
    for _ in range(2):
        state, theta = optimiser.update(state, theta, g, kind(0.1))
        assert theta.dtype == state.m.dtype == state.v.dtype == np.float32
    assert polyak(theta, g, kind(0.1)).dtype == clip_norm(g, kind(0.1))[0].dtype == np.float32


@ALL
def test_states_and_parameters_are_values(optimiser):
    theta, g = np.ones(3), np.full(3, 0.5)
    state = optimiser.init(theta)
    kept = (state.step, state.m.copy(), state.v.copy())
    again = [optimiser.update(state, theta, g, 0.1)[1] for _ in range(2)]
    assert_array_equal(again[0], again[1])
    assert_array_equal(theta, 1.0)
    assert_array_equal(g, 0.5)
    assert state.step == kept[0]
    assert_array_equal(state.m, kept[1])
    assert_array_equal(state.v, kept[2])


@pytest.mark.parametrize(
    ("optimiser", "rate"),
    [(Sgd(), 0.1), (Sgd(momentum=0.9), 0.02), (RmsProp(), 0.02), (Adam(), 0.05)],
    ids=["sgd", "momentum", "rmsprop", "adam"],
)
def test_all_find_the_bottom_of_a_bowl(optimiser, rate):
    curvature, bottom = np.array([1.0, 10.0]), np.array([2.0, -1.0])
    theta, state = np.zeros(2), optimiser.init(np.zeros(2))
    for k in range(1500):
        step = rate * (1 - k / 1500)
        state, theta = optimiser.update(state, theta, curvature * (theta - bottom), step)
    assert_allclose(theta, bottom, atol=1e-3)
    assert state.step == 1500


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Sgd(momentum=1.0), lambda: RmsProp(beta=-0.1), lambda: RmsProp(epsilon=0.0),
        lambda: Adam(beta1=1.0), lambda: Adam(beta2=np.nan), lambda: Adam(epsilon=np.inf),
        lambda: Adam(decay=-1.0), lambda: Adam(decay=np.nan),
    ],
)  # fmt: skip
def test_constants_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match="need a number"):
        wrong()


# -- helpers ----------------------------------------------------------------------------


@given(SEEDS, SHAPES, st.floats(1e-3, 10.0))
def test_clipping_keeps_the_direction_and_limits_the_length(seed, shape, limit):
    g = np.random.default_rng(seed).standard_normal(shape)
    clipped, norm = clip_norm(g, limit)
    length = np.minimum(norm, limit)
    assert_allclose(norm, np.linalg.norm(g, axis=-1), rtol=1e-12)
    assert_allclose(np.linalg.norm(clipped, axis=-1), length, rtol=1e-12)
    assert_allclose(clipped * norm[..., None], g * length[..., None], rtol=1e-9)
    assert_array_equal(clip_norm(np.zeros(shape), limit)[0], 0.0)
    assert clip_norm(g, 2 * norm.max())[0] is g
    with pytest.raises(InputError, match="limit"):
        clip_norm(g, 0.0)


@given(SEEDS, st.integers(1, 3), st.floats(1e-3, 10.0))
def test_networks_side_by_side_are_clipped_as_if_alone(seed, networks, limit):
    g = np.random.default_rng(seed).standard_normal((networks, 4))
    clipped, norm = clip_norm(g, limit)
    for k in range(networks):
        one, length = clip_norm(g[k], limit)
        assert_allclose(clipped[k], one, rtol=1e-12)
        assert length == norm[k]


@pytest.mark.equation("2.5")
@given(SEEDS, SHAPES, st.floats(0.0, 1.0), st.integers(1, 10))
def test_a_target_network_follows_geometrically(seed, shape, tau, steps):
    """A θ that stands still is approached by the factor (1 − τ) at every step."""
    start, theta = np.random.default_rng(seed).standard_normal((2, *shape))
    target = start
    for _ in range(steps):
        target = polyak(target, theta, tau)
    assert_allclose(target, theta + (1 - tau) ** steps * (start - theta), rtol=1e-9, atol=1e-9)
    assert_array_equal(polyak(start, theta, 0.0), start)
    assert_allclose(polyak(start, theta, 1.0), theta, rtol=1e-12)
    assert_array_equal(polyak(theta, theta, tau), theta)


@pytest.mark.equation("2.5")
@given(SEEDS, SHAPES, st.floats(0.0, 1.0))
def test_a_polyak_step_leaves_one_minus_tau_of_the_gap_and_never_overshoots(seed, shape, tau):
    target, theta = np.random.default_rng(seed).standard_normal((2, *shape))
    found = polyak(target, theta, tau)
    gap = np.linalg.norm(target - theta)
    assert_allclose(np.linalg.norm(found - theta), (1.0 - tau) * gap, atol=1e-12)
    low, high = np.minimum(target, theta), np.maximum(target, theta)
    assert ((found >= low - 1e-12) & (found <= high + 1e-12)).all()


def test_a_polyak_step_beyond_its_goal_is_refused():
    for tau in (-0.1, 1.5, np.nan):
        with pytest.raises(InputError, match=r"tau: need a number in \[0, 1\]"):
            polyak(np.zeros(2), np.ones(2), tau)
