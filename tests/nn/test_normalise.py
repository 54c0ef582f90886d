"""Running moments: whatever the split, the moments of all data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.nn import normalise
from refmarl.nn.normalise import Moments

SEEDS = st.integers(0, 2**32)
FEATURES = st.sampled_from([(), (1,), (3,), (2, 2)])


def close(a, b):
    assert a.samples == b.samples
    assert_allclose(a.mean, b.mean, rtol=1e-12, atol=1e-12)
    assert_allclose(a.variance, b.variance, rtol=1e-9, atol=1e-12)


@given(SEEDS, FEATURES, st.lists(st.integers(0, 7), min_size=1, max_size=6))
def test_batches_of_any_split_give_the_moments_of_all(seed, features, sizes):
    rng = np.random.default_rng(seed)
    batches = [rng.normal(3.0, 2.0, (n, *features)) for n in sizes]
    moments = normalise.begin(features)
    for batch in batches:
        moments = normalise.update(moments, batch)
    whole = np.concatenate(batches)
    assert moments.samples == len(whole)
    if len(whole):
        assert_allclose(moments.mean, whole.mean(axis=0), rtol=1e-12, atol=1e-12)
        assert_allclose(moments.variance, whole.var(axis=0), rtol=1e-9, atol=1e-12)
    else:
        assert_array_equal(moments.variance, 1.0)


@given(SEEDS, FEATURES)
def test_merging_is_commutative_and_associative_and_nothing_is_neutral(seed, features):
    rng = np.random.default_rng(seed)
    a, b, c = (
        normalise.summary(rng.standard_normal((n, *features)), len(features)) for n in (1, 4, 9)
    )
    merge = normalise.merge
    close(merge(a, b), merge(b, a))
    close(merge(merge(a, b), c), merge(a, merge(b, c)))
    close(merge(a, normalise.begin(features)), a)
    close(merge(normalise.begin(features), a), a)
    assert merge(normalise.begin(features), normalise.begin(features)).samples == 0


def test_a_large_mean_does_not_eat_the_variance():
    data = 1e9 + np.random.default_rng(0).standard_normal(1000)
    moments = normalise.begin(())
    for part in np.split(data, 10):
        moments = normalise.update(moments, part)
    assert_allclose(moments.variance, data.var(), rtol=1e-6)  # Σx² − n mean² would have no digit


@given(SEEDS, FEATURES, st.sampled_from([np.float32, np.float64]))
def test_normalised_data_have_mean_zero_and_variance_one(seed, features, dtype):
    rng = np.random.default_rng(seed)
    data = rng.normal(5.0, 3.0, (50, 2, *features)).astype(dtype)  # two axes of samples
    moments = normalise.update(normalise.begin(features), data)
    assert moments.samples == 100
    scaled = normalise.normalise(moments, data)
    assert scaled.dtype == dtype
    assert_allclose(scaled.mean(axis=(0, 1)), 0.0, atol=1e-5)
    assert_allclose(scaled.var(axis=(0, 1)), 1.0, atol=1e-5)
    back = normalise.denormalise(moments, scaled)
    assert_allclose(back, data, rtol=1e-5, atol=1e-5)
    assert back.dtype == dtype
    assert abs(normalise.normalise(moments, data, 0.5)).max() <= 0.5


def test_constant_features_are_not_blown_up():
    moments = normalise.update(normalise.begin((2,)), np.full((5, 2), 7.0))
    assert_array_equal(normalise.normalise(moments, np.full((5, 2), 7.0)), 0.0)
    assert_array_equal(normalise.normalise(normalise.begin((2,)), np.zeros((1, 2))), 0.0)


def test_a_state_is_a_value():
    first = normalise.update(normalise.begin((2,)), np.ones((3, 2)))
    copy = Moments(first.samples, first.mean.copy(), first.squares.copy())
    normalise.update(first, np.zeros((3, 2)))
    assert_array_equal(first.mean, copy.mean)
    assert_array_equal(first.squares, copy.squares)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="finite"):
        normalise.update(normalise.begin((1,)), np.array([[np.nan]]))
    with pytest.raises(InputError, match="finite"):
        normalise.summary(np.empty((0, 2)))
    with pytest.raises(InputError, match="features"):
        normalise.merge(normalise.begin((1,)), normalise.begin((2,)))
