"""Losses of regression and classification: derivatives, limits, and what their minima are."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.nn import bernoulli, categorical, check_gradient
from refmarl.nn.embedding import one_hot
from refmarl.nn.losses import (
    binary_cross_entropy,
    cross_entropy,
    half_mse,
    huber,
    quantile_huber,
)

SEEDS = st.integers(0, 2**32)
SHAPES = st.sampled_from([(), (1,), (4,), (2, 3)])


@pytest.mark.certifies("refmarl.nn.losses:half_mse", "refmarl.nn.losses:huber")
@given(SEEDS, SHAPES, st.floats(0.1, 3.0), st.booleans())
def test_gradients_of_errors(seed, shape, delta, weighted):
    rng = np.random.default_rng(seed)
    y, target = rng.standard_normal((2, *shape))
    y, weight = np.asarray(y), rng.random(shape) if weighted else None
    check_gradient(lambda y: half_mse(y, np.asarray(target), weight), y).require()
    assume(abs(abs(y - target) - delta).min() > 1e-3)
    found = check_gradient(lambda y: huber(y, np.asarray(target), delta, weight), y)
    found.require()


@pytest.mark.certifies("refmarl.nn.losses:quantile_huber")
@given(SEEDS, SHAPES, st.integers(1, 4), st.integers(1, 3), st.floats(0.1, 3.0), st.booleans())
def test_gradient_of_quantiles(seed, rows, estimates, samples, delta, weighted):
    rng = np.random.default_rng(seed)
    quantiles = rng.standard_normal((*rows, estimates))
    target = rng.standard_normal((*rows, samples))
    levels = rng.uniform(0.05, 0.95, estimates)
    weight = rng.random(rows) if weighted else None
    error = target[..., None, :] - quantiles[..., None]
    assume(min(abs(abs(error) - delta).min(), abs(error).min()) > 1e-3)
    check_gradient(lambda q: quantile_huber(q, target, levels, delta, weight), quantiles).require()


@given(SEEDS, SHAPES)
def test_huber_is_the_square_inside_and_the_distance_outside(seed, shape):
    y, target = np.random.default_rng(seed).standard_normal((2, *shape))
    y, target = np.asarray(y), np.asarray(target)
    wide, square = huber(y, target, 1e6), half_mse(y, target)
    assert_allclose(wide.value, square.value, rtol=1e-12)
    assert_allclose(wide.gradient, square.gradient, rtol=1e-12)
    narrow = huber(y, target, 1e-9)
    assert_allclose(narrow.value / 1e-9, abs(y - target).mean(), atol=1e-6)
    slope = huber(100.0 * y, target, 0.5).gradient * y.size
    assert (abs(slope) <= 0.5).all()


@given(SEEDS, st.integers(1, 6))
def test_weights_are_masks_and_repetitions(seed, size):
    rng = np.random.default_rng(seed)
    y, target = rng.standard_normal((2, size))
    times = rng.integers(0, 3, size)
    assume(times.any())
    for loss in (half_mse, huber):
        repeated = loss(np.repeat(y, times), np.repeat(target, times))
        weighted = loss(y, target, weight=times * (size / times.sum()))
        assert_allclose(weighted.value, repeated.value, rtol=1e-12, atol=1e-15)
        assert_array_equal(weighted.gradient[times == 0], 0.0)


@given(SEEDS, st.integers(1, 9))
def test_the_best_quantiles_are_those_of_the_targets(seed, samples):
    """With δ → 0 the loss is that of quantile regression: its subgradient is 0 at a quantile."""
    rng = np.random.default_rng(seed)
    target = np.sort(rng.standard_normal(samples))
    levels = (np.arange(samples) + 0.5) / samples  # a sample is the quantile of its own level
    best = quantile_huber(target, target, levels, 1e-7).value
    for _ in range(10):
        other = target + rng.normal(0, 0.3, samples)
        assert quantile_huber(other, target, levels, 1e-7).value >= best - 1e-9


@given(SEEDS, st.integers(1, 5))
def test_the_median_weighs_both_sides_alike(seed, samples):
    rng = np.random.default_rng(seed)
    quantile, target = rng.standard_normal(1), rng.standard_normal(samples)
    found = quantile_huber(quantile, target, np.array([0.5]), 0.7)
    plain = huber(np.repeat(quantile, samples), target, 0.7)
    assert_allclose(found.value, plain.value * 0.5 / 0.7, rtol=1e-12)
    assert_allclose(found.gradient, plain.gradient.sum() * 0.5 / 0.7, atol=1e-12)


@pytest.mark.certifies("refmarl.nn.losses:cross_entropy")
@given(SEEDS, SHAPES, st.integers(1, 4), st.sampled_from([1.0, 40.0]), st.booleans())
def test_gradient_of_cross_entropy(seed, rows, size, scale, weighted):
    rng = np.random.default_rng(seed)
    logits, weight = scale * rng.standard_normal((*rows, size)), rng.random(rows)
    target = rng.random((*rows, size))  # rows need not sum to 1
    check_gradient(
        lambda at: cross_entropy(at, target, weight if weighted else None), logits
    ).require()


@pytest.mark.certifies("refmarl.nn.losses:binary_cross_entropy")
@given(SEEDS, SHAPES, st.sampled_from([1.0, 40.0]), st.booleans())
def test_gradient_of_binary_cross_entropy(seed, shape, scale, weighted):
    rng = np.random.default_rng(seed)
    logits, target = np.asarray(scale * rng.standard_normal(shape)), np.asarray(rng.random(shape))
    weight = rng.random(shape) if weighted else None
    check_gradient(lambda at: binary_cross_entropy(at, target, weight), logits).require()


@given(SEEDS, st.integers(1, 4), st.integers(1, 5))
def test_cross_entropy_is_entropy_plus_divergence(seed, rows, size):
    logits, wanted = np.random.default_rng(seed).standard_normal((2, rows, size))
    target = categorical.probs(wanted)
    least = categorical.entropy(wanted).mean()
    found = cross_entropy(logits, target)
    assert_allclose(found.value, least + categorical.kl(wanted, logits).mean(), atol=1e-12)
    best = cross_entropy(wanted + 3.0, target)  # Gibbs: least where both are the same
    assert_allclose(best.value, least, atol=1e-12)
    assert_allclose(best.gradient, 0.0, atol=1e-12)


@given(SEEDS, st.integers(1, 5), st.integers(1, 5))
def test_of_one_class_it_is_minus_its_log_probability_masks_included(seed, rows, size):
    rng = np.random.default_rng(seed)
    legal = rng.random((rows, size)) < 0.6
    legal[:, 0] = True
    logits = np.where(legal, rng.standard_normal((rows, size)), -np.inf)
    action = categorical.sample(rng, logits)
    found = cross_entropy(logits, one_hot(action, size))
    assert_allclose(found.value, -categorical.log_prob(logits, action).mean(), atol=1e-12)
    assert_allclose(found.gradient, -categorical.d_log_prob(logits, action) / rows, atol=1e-12)
    if not legal.all():
        with pytest.raises(InputError, match="0 where a logit is −∞"):
            cross_entropy(logits, np.ones((rows, size)))


@given(SEEDS, st.integers(1, 5), st.sampled_from([1.0, 1e3, 1e30]))
def test_bits_are_classes_of_two(seed, size, scale):
    rng = np.random.default_rng(seed)
    logits, target = scale * rng.standard_normal(size), rng.random(size)
    found = binary_cross_entropy(logits, target)
    pairs = np.stack([np.zeros(size), logits], axis=-1)
    two = cross_entropy(pairs, np.stack([1.0 - target, target], axis=-1))
    assert_allclose(found.value, two.value, rtol=1e-12)
    assert_allclose(found.gradient, two.gradient[:, 1], atol=1e-12)
    bits = (target > 0.5) * 1
    sure = binary_cross_entropy(logits, bits).value
    assert_allclose(sure, -bernoulli.log_prob(logits, bits) / size, rtol=1e-12)


def test_published_huber():
    """rlax, clipping_test.py: δ = 1."""
    x = np.array([-2, -1, -0.5, 0, 0.5, 1, 2])
    values = [1.5, 0.5, 0.125, 0, 0.125, 0.5, 1.5]
    slopes = [-1, -1, -0.5, 0, 0.5, 1, 1]
    for number, value, slope in zip(x, values, slopes, strict=True):
        found = huber(np.array([number]), np.zeros(1))
        assert_allclose((found.value, found.gradient[0]), (value, slope), atol=1e-12)


@given(SEEDS)
def test_float32_stays_and_constants_are_python_numbers_or_arrays(seed):
    rng = np.random.default_rng(seed)
    y, target, weight = rng.standard_normal((3, 2, 3)).astype(np.float32)
    for target_dtype in (np.float32, np.float64):
        other = target.astype(target_dtype)
        assert half_mse(y, other, weight).gradient.dtype == np.float32
        assert huber(y, other, 0.3).gradient.dtype == np.float32
    for loss in (cross_entropy, binary_cross_entropy):
        assert loss(y, rng.random((2, 3))).gradient.dtype == np.float32
    levels = np.array([0.2, 0.5, 0.9])
    assert quantile_huber(y, target, levels).gradient.dtype == np.float32


def test_what_does_not_fit_is_refused():
    y = np.zeros((2, 1))
    for loss in (half_mse, huber):
        with pytest.raises(InputError, match=r"target: need shape \(2, 1\), got \(2,\)"):
            loss(y, np.zeros(2))
        with pytest.raises(InputError, match="weight: need shape"):
            loss(y, y, weight=np.zeros(2))
    with pytest.raises(InputError, match=r"target: need shape \(2, 1\), got \(2,\)"):
        cross_entropy(y, np.zeros(2))
    with pytest.raises(InputError, match=r"weight: need one for each row \(2,\), got \(2, 1\)"):
        cross_entropy(y, y, y)
    with pytest.raises(InputError, match="weight: need one for each row"):
        quantile_huber(y, y, np.array([0.5]), 1.0, y)
    with pytest.raises(InputError, match="target: need numbers ≥ 0"):
        cross_entropy(y, y - 1.0)
    with pytest.raises(InputError, match=r"target: need numbers in \[0, 1\]"):
        binary_cross_entropy(y, y + 2.0)
    with pytest.raises(InputError, match="delta"):
        huber(y, y, 0.0)
    with pytest.raises(InputError, match="levels: need numbers"):
        quantile_huber(y, y, np.array([1.0]))
    with pytest.raises(InputError, match="quantiles, target, levels"):
        quantile_huber(y, y[0], np.array([0.5]))
    with pytest.raises(InputError, match="quantiles, target, levels"):
        quantile_huber(y, y, np.array([0.5, 0.6]))
