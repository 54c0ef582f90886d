"""Pop-Art: predictions stay while the scale of the targets moves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.nn import MLP, popart

SEEDS = st.integers(0, 2**32)
LEADS = st.sampled_from([(), (2,), (2, 3)])


@given(SEEDS, LEADS, st.booleans(), st.integers(1, 3), st.sampled_from([(), (5,)]))
def test_predictions_are_preserved(seed, lead, own, outputs, hidden):
    rng = np.random.default_rng(seed)
    net = MLP((2, *hidden, outputs))
    theta = net.init(rng, lead) + 0.3 * rng.standard_normal((*lead, net.size))
    x = rng.standard_normal((*lead, 6, 2))
    stats = lead if own else ()
    scale = popart.begin((*stats, outputs))
    before = popart.denormalise(scale, net.forward(theta, x)[0])
    assert_array_equal(before, net.forward(theta, x)[0])  # at first it changes nothing
    for _ in range(3):
        targets = rng.normal(50.0, 200.0, (*stats, 7, outputs))
        new = popart.track(scale, targets, 0.1)
        theta, scale = popart.preserve(net, theta, scale, new), new
        after = popart.denormalise(scale, net.forward(theta, x)[0])
        assert_allclose(after, before, rtol=1e-9, atol=1e-9)


@given(SEEDS, st.integers(1, 3))
def test_the_first_batch_is_normalised_by_itself(seed, outputs):
    targets = np.random.default_rng(seed).normal(-30.0, 5.0, (40, outputs))
    scale = popart.track(popart.begin((outputs,)), targets)
    assert_allclose(scale.mean, targets.mean(axis=0), rtol=1e-12)
    assert_allclose(scale.std, targets.std(axis=0), rtol=1e-6)
    scaled = popart.normalise(scale, targets)
    assert_allclose(scaled.mean(axis=0), 0.0, atol=1e-9)
    assert_allclose(scaled.std(axis=0), 1.0, rtol=1e-6)
    assert_allclose(popart.denormalise(scale, scaled), targets, rtol=1e-9)


@given(SEEDS, st.floats(0.05, 0.9))
def test_the_statistics_forget_at_the_rate_beta(seed, beta):
    rng = np.random.default_rng(seed)
    scale = popart.begin((1,))
    for _ in range(int(1 / beta) + 1):  # until 1 / updates has fallen below β
        scale = popart.track(scale, rng.standard_normal((3, 1)), beta)
    kept = popart.track(scale, np.full((3, 1), 10.0), beta)
    assert_allclose(kept.mean, (1 - beta) * scale.mean + beta * 10.0, rtol=1e-9)
    assert_allclose(kept.square, (1 - beta) * scale.square + beta * 100.0, rtol=1e-9)


@given(SEEDS, st.integers(1, 20))
def test_until_then_they_are_the_mean_of_all_batches(seed, batches):
    targets = np.random.default_rng(seed).standard_normal((batches, 4, 2))
    scale = popart.begin((2,))
    for batch in targets:
        scale = popart.track(scale, batch, 0.01)
    assert_allclose(scale.mean, targets.mean(axis=(0, 1)), atol=1e-12)
    assert_allclose(scale.square, np.square(targets).mean(axis=(0, 1)), rtol=1e-9)


def test_equal_targets_do_not_divide_by_zero():
    scale = popart.track(popart.begin((1,)), np.full((5, 1), 3.0))
    assert scale.std == popart.LEAST
    assert_array_equal(popart.normalise(scale, np.full((2, 1), 3.0)), 0.0)


def test_parameters_and_statistics_are_values():
    net, old = MLP((2, 3, 1)), popart.begin((1,))
    theta = net.init(np.random.default_rng(0))
    kept, new = theta.copy(), popart.track(old, np.array([[1.0], [9.0]]))
    assert not np.array_equal(popart.preserve(net, theta, old, new), kept)
    assert_array_equal(theta, kept)
    assert_array_equal(old.mean, 0.0)
    assert old.updates == 0


def test_float32_stays():
    net = MLP((2, 3, 1))
    theta = net.init(np.random.default_rng(0), dtype=np.float32)
    scale = popart.track(popart.begin((1,)), np.array([[1.0], [5.0]], np.float32))
    assert popart.preserve(net, theta, popart.begin((1,)), scale).dtype == np.float32
    assert popart.normalise(scale, np.ones((2, 1), np.float32)).dtype == np.float32
    assert popart.denormalise(scale, np.ones((2, 1), np.float32)).dtype == np.float32


def test_what_does_not_fit_is_refused():
    scale = popart.begin((2, 1))
    with pytest.raises(InputError, match=r"targets: need \(2, ..., 1\), got shape \(3, 1\)"):
        popart.track(scale, np.zeros((3, 1)))
    with pytest.raises(InputError, match="targets: need"):
        popart.track(scale, np.zeros((2, 5, 2)))
    with pytest.raises(InputError, match="finite"):
        popart.track(scale, np.zeros((2, 0, 1)))
    with pytest.raises(InputError, match="beta"):
        popart.track(scale, np.zeros((2, 5, 1)), 0.0)
