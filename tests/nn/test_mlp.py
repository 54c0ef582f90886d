"""The perceptron's derivatives against differences of the perceptron, and their identities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.nn import MLP, check_backward, check_gradient, check_hvp, check_jvp
from refmarl.nn.activations import ACTIVATIONS
from refmarl.nn.gradcheck import join

SMOOTH = sorted(name for name, f in ACTIVATIONS.items() if not f.kink)


@st.composite
def cases(draw, names=tuple(ACTIVATIONS), max_lead=2):
    """(network, θ, x, rng): any widths, one row, one unit, several networks, large weights."""
    sizes = tuple(draw(st.lists(st.integers(1, 4), min_size=2, max_size=4)))
    lead = tuple(draw(st.lists(st.integers(1, 3), max_size=max_lead)))
    rows = tuple(draw(st.lists(st.integers(1, 3), max_size=2)))
    net = MLP(sizes, draw(st.sampled_from(names)), draw(st.booleans()))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    theta = net.init(rng, lead) + 0.3 * rng.standard_normal((*lead, net.size))
    size = draw(st.sampled_from([1.0, 1.0, 20.0]))  # the last saturates tanh
    return net, theta, size * rng.standard_normal((*lead, *rows, sizes[0])), rng


def deep(case):
    """Whether the network has hidden units, so that its activation matters."""
    return case[0].depth > 1


def away_from_kinks(case):
    """Whether no unit of a kinked network, and no normalised row, is near its kink."""
    net, theta, x, _ = case
    tape = net.forward(theta, x)[1]
    if any((norm.sigma < 0.1).any() for norm in tape.norms):
        return False  # σ near √ε: the normalisation bends within a step of the differences
    before = tape.before
    if tape.flat is not None:  # compiled passes keep f(z) alone
        pairs = zip(tape.inputs, net.layers(theta)[:-1], strict=False)
        before = [h @ layer.w + layer.b for h, layer in pairs]
    return not ACTIVATIONS[net.activation].kink or all((abs(z) > 1e-2).all() for z in before)


def forward(net):
    return lambda theta, x: net.forward(theta, x)[0]


@pytest.mark.equation("3.1")
@pytest.mark.certifies("refmarl.nn.mlp:MLP.backward", "refmarl.nn.mlp:MLP.vjp")
@pytest.mark.parametrize("name", ACTIVATIONS)
@given(st.data())
def test_backward_is_the_adjoint_of_the_derivative(name, data):
    net, theta, x, rng = data.draw(cases([name]).filter(away_from_kinks))
    check_backward(forward(net), net.vjp, (theta, x), rng, names=("θ", "x")).require()


@pytest.mark.equation("3.1")
@pytest.mark.certifies("refmarl.nn.mlp:MLP.input_gradient")
@given(cases(SMOOTH, max_lead=1).filter(away_from_kinks))
def test_the_gradient_in_the_input_alone_is_a_difference_quotient(case):
    net, theta, x, rng = case
    weight = rng.standard_normal(net.forward(theta, x)[0].shape)

    def loss(at):
        y, tape = net.forward(theta, at)
        return (weight * y).sum(), net.input_gradient(theta, tape, weight)

    check_gradient(loss, x).require()
    tape = net.forward(theta, x)[1]
    assert_allclose(net.input_gradient(theta, tape, weight), net.backward(theta, tape, weight)[1])


@pytest.mark.equation("3.1")
@pytest.mark.parametrize("name", SMOOTH)
@settings(max_examples=10)
@given(st.data())
def test_every_entry_of_the_gradient_is_a_difference_quotient(name, data):
    net, theta, x, rng = data.draw(cases([name], max_lead=0).filter(away_from_kinks))
    target = rng.standard_normal(net.forward(theta, x)[0].shape)

    def loss(at):
        y, tape = net.forward(at, x)
        return 0.5 * ((y - target) ** 2).sum(), net.backward(at, tape, y - target)[0]

    # exact to rounding, where gradients are small beside the loss too
    check_gradient(loss, theta, blocks=net.blocks, method="complex").require()


@pytest.mark.equation("3.1")
@given(cases())
def test_backward_is_linear_in_the_output_gradient(case):
    net, theta, x, rng = case
    y, tape = net.forward(theta, x)
    a, b = rng.standard_normal((2, *y.shape))
    both = net.backward(theta, tape, 2.0 * a - 3.0 * b)
    for whole, left, right in zip(
        both, net.backward(theta, tape, a), net.backward(theta, tape, b), strict=True
    ):
        scale = abs(left).max() + abs(right).max() + 1.0
        assert_allclose(whole, 2.0 * left - 3.0 * right, atol=1e-12 * scale)


@pytest.mark.equation("3.1")
@pytest.mark.certifies("refmarl.nn.mlp:MLP.per_sample")
@given(cases(SMOOTH, max_lead=0).filter(away_from_kinks))
def test_each_row_has_the_gradient_of_its_own_loss(case):
    net, theta, x, rng = case
    weight = rng.standard_normal(x.shape[:-1])  # of each row in the sum of losses

    def loss(at):
        y, tape = net.forward(at, x)
        each = net.per_sample(at, tape, y)
        return (0.5 * weight * (y**2).sum(axis=-1)).sum(), (weight[..., None] * each).sum(
            axis=tuple(range(weight.ndim))
        )

    check_gradient(loss, theta, blocks=net.blocks, method="complex").require()


@pytest.mark.equation("3.1")
@given(cases())
def test_the_batch_gradient_is_the_sum_over_rows(case):
    net, theta, x, rng = case
    y, tape = net.forward(theta, x)
    dy = rng.standard_normal(y.shape)
    each = net.per_sample(theta, tape, dy)
    assert each.shape == (*y.shape[:-1], net.size)
    rows = tuple(range(theta.ndim - 1, y.ndim - 1))
    total = net.backward(theta, tape, dy)[0]
    assert_allclose(each.sum(axis=rows), total, atol=1e-12 * (1.0 + abs(total).max()))
    if rows:  # and each is what its row gives alone
        first = tuple(slice(0, 1) if k in rows else slice(None) for k in range(y.ndim - 1))
        alone = net.vjp(theta, x[first], dy[first])[0]
        check = each[first].reshape(alone.shape)
        assert_allclose(check, alone, atol=1e-12 * (1.0 + abs(alone).max()))


@pytest.mark.equation("3.1")
@given(cases(max_lead=1))
def test_several_networks_at_once_are_each_by_itself(case):
    net, theta, x, rng = case
    if theta.ndim == 1:
        return
    y, tape = net.forward(theta, x)
    dy = rng.standard_normal(y.shape)
    dtheta, dx = net.backward(theta, tape, dy)
    for k in range(len(theta)):
        one, one_tape = net.forward(theta[k], x[k])
        assert_allclose(y[k], one, rtol=1e-12, atol=1e-12)
        for got, alone in zip(
            (dtheta[k], dx[k]), net.backward(theta[k], one_tape, dy[k]), strict=True
        ):
            assert_allclose(got, alone, rtol=1e-12, atol=1e-10)


@pytest.mark.equation("3.1")
@given(cases(max_lead=0), st.integers(1, 3))
def test_a_shared_input_gathers_the_gradients_of_all_networks(case, networks):
    net, theta, x, rng = case
    many = theta + 0.1 * rng.standard_normal((networks, net.size))
    shared, repeated = x[None], np.repeat(x[None], networks, axis=0)
    y, tape = net.forward(many, shared)
    dy = rng.standard_normal(y.shape)
    dtheta, dx = net.backward(many, tape, dy)
    same, each = net.vjp(many, repeated, dy)
    assert_array_equal(y, net.forward(many, repeated)[0])
    assert_allclose(dtheta, same, rtol=1e-12, atol=1e-10)
    assert_allclose(dx, each.sum(axis=0, keepdims=True), rtol=1e-12, atol=1e-10)


@pytest.mark.equation("3.2")
@pytest.mark.certifies("refmarl.nn.mlp:MLP.jvp")
@pytest.mark.parametrize("name", ACTIVATIONS)
@settings(max_examples=10)
@given(st.data())
def test_the_jacobian_vector_product_is_a_directional_derivative(name, data):
    some = cases([name], max_lead=1).filter(deep).filter(away_from_kinks)
    net, theta, x, rng = data.draw(some)
    both, apart = join((theta, x))

    def jvp(at, v):
        theta, x = apart(at)
        return net.jvp(theta, net.forward(theta, x)[1], *apart(v))

    check_jvp(lambda at: net.forward(*apart(at))[0], jvp, both, rng).require()


@pytest.mark.equation("3.2")
@given(cases())
def test_jvp_and_vjp_are_adjoint(case):
    net, theta, x, rng = case
    y, tape = net.forward(theta, x)
    w = rng.standard_normal(y.shape)
    v, u = rng.standard_normal(theta.shape), rng.standard_normal(x.shape)
    dtheta, dx = net.backward(theta, tape, w)
    left, right = (w * net.jvp(theta, tape, v, u)).sum(), (dtheta * v).sum() + (dx * u).sum()
    scale = abs(dtheta * v).sum() + abs(dx * u).sum() + 1.0
    assert_allclose(left, right, atol=1e-12 * scale)


def quartic(net, apart):
    """∇(¼ Σ y⁴) and its Hessian's product, in (θ, x) as one vector."""

    def gradient(at):
        theta, x = apart(at)
        y, tape = net.forward(theta, x)
        return join(net.backward(theta, tape, y**3))[0]

    def product(at, v):
        theta, x = apart(at)
        y, tape = net.forward(theta, x)
        return join(net.hvp(theta, tape, y**3, lambda r: 3.0 * y * y * r, *apart(v)))[0]

    return gradient, product


@pytest.mark.equation("3.2")
@pytest.mark.certifies("refmarl.nn.mlp:MLP.hvp")
@pytest.mark.parametrize("name", ACTIVATIONS)
@settings(max_examples=10)
@given(st.data())
def test_the_hessian_vector_product_differentiates_the_gradient(name, data):
    some = cases([name], max_lead=1).filter(deep).filter(away_from_kinks)
    net, theta, x, rng = data.draw(some)
    both, apart = join((theta, x))
    gradient, product = quartic(net, apart)
    method = "central" if ACTIVATIONS[net.activation].kink else "complex"
    check_hvp(gradient, product, both, rng, method=method, tolerance=1e-5).require()


@pytest.mark.equation("3.2")
@given(cases(["identity"], max_lead=0))
def test_a_linear_layer_has_no_curvature_of_its_own(case):
    net, theta, x, rng = case
    net = MLP((net.sizes[0], net.sizes[-1]))
    theta = net.init(rng)
    y, tape = net.forward(theta, x)
    dy, v = rng.standard_normal(y.shape), rng.standard_normal(theta.shape)
    r_theta, _ = net.hvp(theta, tape, dy, np.zeros_like, v)
    assert_array_equal(r_theta, 0.0)


@given(cases(max_lead=1), st.sampled_from([np.float32, np.float64]))
def test_results_keep_the_dtype_of_theta(case, dtype):
    net, theta, x, _ = case
    theta = theta.astype(dtype)
    y, tape = net.forward(theta, x)
    for result in (y, *net.backward(theta, tape, y), net.per_sample(theta, tape, y)):
        assert result.dtype == dtype
    assert net.jvp(theta, tape, theta).dtype == dtype
    assert net.hvp(theta, tape, y, lambda r: r, theta)[0].dtype == dtype


@given(cases())
def test_nothing_given_is_changed(case):
    net, theta, x, _ = case
    y, tape = net.forward(theta, x)
    given = (theta, x, y, *tape.inputs, *tape.before)
    before = [array.copy() for array in given]
    net.forward(theta, x)
    net.backward(theta, tape, y)
    net.gradient(theta, tape, y)
    net.per_sample(theta, tape, y)
    net.jvp(theta, tape, theta, x)
    net.hvp(theta, tape, y, lambda r: r, theta, x)
    for old, array in zip(before, given, strict=True):
        assert_array_equal(old, array)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_orthogonal_weights_are_orthonormal_on_their_shorter_side(rows, columns, seed):
    net = MLP((rows, columns))
    w = net.view(net.init(np.random.default_rng(seed), (2,), out_scale=0.5), "W1")
    product = w @ np.swapaxes(w, 1, 2) if rows <= columns else np.swapaxes(w, 1, 2) @ w
    assert_allclose(product, 0.25 * np.broadcast_to(np.eye(min(rows, columns)), product.shape),
                    atol=1e-12)  # fmt: skip


def test_fan_in_keeps_the_variance():
    net = MLP((400, 500, 1), "identity")
    theta = net.init(np.random.default_rng(1), scheme="fan-in", scale=1.0)
    x = np.random.default_rng(2).standard_normal((200, 400))
    z = net.forward(theta, x)[1].before[0]
    assert_allclose(z.std(), 1.0, atol=0.02)  # 10⁵ numbers: the standard error is 0.003


def test_view_names_the_blocks_and_writes_through():
    net = MLP((2, 3, 1), layer_norm=True)
    assert [b.name for b in net.blocks] == ["W1", "b1", "gain1", "shift1", "W2", "b2"]
    theta = net.init(np.random.default_rng(0))
    net.view(theta, "b2")[...] = 7.0
    assert theta[-1] == 7.0
    assert net.size == len(theta) == 2 * 3 + 3 + 3 + 3 + 3 + 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda net, t, x: net.forward(t[:-1], x), r"P = 13\), got shape \(12,\)"),
        (lambda net, t, x: net.forward(t.astype(int), x), "floating-point numbers, got int64"),
        (lambda net, t, x: net.forward(t, x[:, :1]), r"I = 2\) for 0 axes of networks"),
        (lambda net, t, x: net.forward(np.stack([t, t]), np.stack([x] * 3)), "need 2 or 1"),
        (lambda net, t, x: net.backward(t, net.forward(t, x)[1], x), "O = 1"),
        (lambda net, t, x: net.jvp(t, net.forward(t, x)[1], x), "v: need the shape of θ"),
        (lambda net, t, x: net.view(t, "W9"), "need one of W1, b1, W2, b2"),
        (lambda net, t, x: MLP((2,)), "at least two whole numbers"),
        (lambda net, t, x: MLP((2, 0)), "at least two whole numbers"),
        (lambda net, t, x: MLP((2, 1), "swish"), "need one of tanh"),
        (lambda net, t, x: net.init(np.random.default_rng(0), scheme="xavier"), "orthogonal"),
    ],
)
def test_bad_input_is_one_clear_line(call, says):
    net = MLP((2, 3, 1))
    theta = net.init(np.random.default_rng(0))
    with pytest.raises(InputError, match=says):
        call(net, theta, np.ones((5, 2)))
