"""Embeddings are linear layers on one-hot inputs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.nn import MLP, check_backward, check_jvp
from refmarl.nn.embedding import Embedding, one_hot

SEEDS, SIZES = st.integers(0, 2**32), st.integers(1, 4)
LEADS = st.sampled_from([(), (2,), (2, 3)])
ROWS = st.sampled_from([(), (1,), (5,), (2, 3)])


def case(seed, lead, rows, count, units):
    rng = np.random.default_rng(seed)
    net = Embedding(count, units)
    return net, net.init(rng, lead), rng.integers(count, size=(*lead, *rows)), rng


@pytest.mark.certifies(
    "refmarl.nn.embedding:Embedding.backward", "refmarl.nn.embedding:Embedding.jvp"
)
@given(SEEDS, LEADS, ROWS, SIZES, SIZES)
def test_backward_is_the_adjoint(seed, lead, rows, count, units):
    net, theta, index, rng = case(seed, lead, rows, count, units)

    def backward(theta, u):
        return (net.backward(theta, index, u),)

    check_backward(lambda t: net.forward(t, index), backward, (theta,), rng).require()
    along = check_jvp(lambda t: net.forward(t, index), lambda t, v: net.jvp(v, index), theta, rng)
    along.require()


@given(SEEDS, LEADS, ROWS, SIZES, SIZES)
def test_it_is_a_linear_layer_on_one_hot_inputs(seed, lead, rows, count, units):
    net, theta, index, rng = case(seed, lead, rows, count, units)
    layer = MLP((count, units))
    with_bias = np.concatenate([theta, np.zeros((*lead, units))], axis=-1)
    y, tape = layer.forward(with_bias, one_hot(index, count))
    assert_allclose(net.forward(theta, index), y, atol=1e-12)
    dy = rng.standard_normal(y.shape)
    dtheta, _ = layer.backward(with_bias, tape, dy)
    assert_allclose(net.backward(theta, index, dy), dtheta[..., : net.size], atol=1e-12)


@given(SEEDS, LEADS, ROWS, SIZES)
def test_one_hot_rows_name_their_index(seed, lead, rows, count):
    _, _, index, _ = case(seed, lead, rows, count, 1)
    rows_of = one_hot(index, count, np.float32)
    assert rows_of.dtype == np.float32
    assert_array_equal(rows_of.argmax(axis=-1), index)
    assert_array_equal(rows_of.sum(axis=-1), 1.0)


def test_any_integers_are_indices_and_float32_stays():
    net = Embedding(3, 2)
    theta = net.init(np.random.default_rng(0), scale=0.1, dtype=np.float32)
    for dtype in (np.uint8, np.uint64, np.int32):
        y = net.forward(theta, np.array([2, 0], dtype))
        assert_array_equal(y, theta.reshape(3, 2)[[2, 0]])
        assert y.dtype == net.backward(theta, np.array([2, 0], dtype), y).dtype == np.float32
    assert net.forward(theta, np.empty((0, 4), int)).shape == (0, 4, 2)


@pytest.mark.parametrize("index", [[3], [-1], [0.0], [True]])
def test_what_is_no_index_is_refused(index):
    with pytest.raises(InputError, match=r"index: need integers in 0 … 2"):
        Embedding(3, 2).forward(np.zeros(6), np.array(index))
    with pytest.raises(InputError, match=r"index: need integers in 0 … 2"):
        one_hot(np.array(index), 3)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="count: need a whole number"):
        Embedding(0, 2)
    with pytest.raises(InputError, match=r"index: need \(2, ...\)"):
        Embedding(3, 2).forward(np.zeros((2, 6)), np.zeros(3, int))
    with pytest.raises(InputError, match="theta: need"):
        Embedding(3, 2).forward(np.zeros(5), np.zeros(3, int))
