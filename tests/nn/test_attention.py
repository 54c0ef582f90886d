"""Attention: its derivative, what a mask hides, and what does not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.nn import check_backward, check_hvp, check_jvp
from refmarl.nn.attention import AttendTape, Attention, attend, backward, jvp, r_backward
from refmarl.nn.gradcheck import join

SEEDS, SIZES = st.integers(0, 2**32), st.integers(1, 3)
LEADS = st.sampled_from([(), (2,), (2, 1)])
ROWS = st.sampled_from([(), (1,), (2, 2)])


@pytest.mark.certifies("refmarl.nn.attention:backward")
@given(SEEDS, ROWS, SIZES, SIZES, SIZES, SIZES, st.booleans())
def test_backward_of_a_head_is_the_adjoint(seed, rows, m, s, d, e, masked):
    rng = np.random.default_rng(seed)
    q, k = rng.standard_normal((*rows, m, d)), rng.standard_normal((*rows, s, d))
    v = rng.standard_normal((*rows, s, e))
    mask = rng.random((*rows, m, s)) < 0.6 if masked else None

    def forward(q, k, v):
        return attend(q, k, v, mask)[0]

    def back(q, k, v, u):
        return backward(attend(q, k, v, mask)[1], u)

    check_backward(forward, back, (q, k, v), rng, names=("q", "k", "v")).require()


def case(seed, lead, rows, m, s, heads):
    rng = np.random.default_rng(seed)
    net = Attention(inputs=2, source=3, heads=heads, units=2, outputs=3)
    theta = net.init(rng, lead) + 0.3 * rng.standard_normal((*lead, net.size))
    x = rng.choice([1.0, 1.0, 30.0]) * rng.standard_normal((*lead, *rows, m, 2))  # 30: all on one
    source = rng.standard_normal((*lead, *rows, s, 3))
    return net, theta, x, source, rng.random((*lead, *rows, m, s)) < 0.6, rng


@pytest.mark.certifies("refmarl.nn.attention:Attention.backward")
@given(SEEDS, LEADS, ROWS, SIZES, SIZES, SIZES, st.booleans())
def test_backward_with_projections_is_the_adjoint(seed, lead, rows, m, s, heads, masked):
    net, theta, x, source, mask, rng = case(seed, lead, rows, m, s, heads)
    mask = mask if masked else None

    def forward(theta, x, source):
        return net.forward(theta, x, source, mask)[0]

    def back(theta, x, source, u):
        return net.backward(theta, net.forward(theta, x, source, mask)[1], u)

    names = ("θ", "x", "source")
    for method in ("central", "complex"):
        arrays = (theta, x, source)
        check_backward(forward, back, arrays, rng, names=names, method=method).require()


@pytest.mark.equation("3.2")
@pytest.mark.certifies("refmarl.nn.attention:jvp", "refmarl.nn.attention:r_backward")
@given(SEEDS, ROWS, SIZES, SIZES, SIZES, SIZES, st.booleans())
def test_a_head_along_a_direction(seed, rows, m, s, d, e, masked):
    rng = np.random.default_rng(seed)
    shapes = ((*rows, m, d), (*rows, s, d), (*rows, s, e))
    both, apart = join([rng.standard_normal(shape) for shape in shapes])
    mask = rng.random((*rows, m, s)) < 0.6 if masked else None
    weight = rng.standard_normal((*rows, m, e))

    def along(at, v):
        return jvp(attend(*apart(at), mask)[1], *apart(v))[0]

    check_jvp(lambda at: attend(*apart(at), mask)[0], along, both, rng, method="complex").require()

    def gradient(at):  # of Σ c (y + ¼ y⁴)
        y, tape = attend(*apart(at), mask)
        return join(backward(tape, weight * (1.0 + y**3)))[0]

    def product(at, v):
        y, tape = attend(*apart(at), mask)
        r_y, r_w = jvp(tape, *apart(v))
        moved = AttendTape(*apart(v), r_w)
        r_dy = 3.0 * weight * y * y * r_y
        return join(r_backward(tape, weight * (1.0 + y**3), moved, r_dy))[0]

    check_hvp(gradient, product, both, rng, method="complex").require()


@pytest.mark.equation("3.2")
@pytest.mark.certifies("refmarl.nn.attention:Attention.jvp", "refmarl.nn.attention:Attention.hvp")
@given(SEEDS, LEADS, ROWS, SIZES, SIZES, SIZES, st.booleans())
def test_projections_along_a_direction(seed, lead, rows, m, s, heads, masked):
    net, theta, x, source, mask, rng = case(seed, lead, rows, m, s, heads)
    mask = mask if masked else None
    both, apart = join((theta, x, source))

    def forward(at):
        return net.forward(*apart(at), mask)[0]

    def along(at, v):
        theta, x, source = apart(at)
        return net.jvp(theta, net.forward(theta, x, source, mask)[1], *apart(v))

    check_jvp(forward, along, both, rng, method="complex").require()
    weight = rng.standard_normal(forward(both).shape)

    def gradient(at):  # of Σ c (y + ¼ y⁴)
        theta, x, source = apart(at)
        y, tape = net.forward(theta, x, source, mask)
        return join(net.backward(theta, tape, weight * (1.0 + y**3)))[0]

    def product(at, v):
        theta, x, source = apart(at)
        y, tape = net.forward(theta, x, source, mask)
        dy = weight * (1.0 + y**3)
        return join(net.hvp(theta, tape, dy, lambda r: 3 * weight * y * y * r, *apart(v)))[0]

    check_hvp(gradient, product, both, rng, method="complex").require()


@pytest.mark.equation("3.2")
@given(SEEDS, LEADS, ROWS, SIZES, SIZES, SIZES)
def test_jvp_and_backward_are_adjoint(seed, lead, rows, m, s, heads):
    net, theta, x, source, mask, rng = case(seed, lead, rows, m, s, heads)
    y, tape = net.forward(theta, x, source, mask)
    dy, v = rng.standard_normal(y.shape), [rng.standard_normal(a.shape) for a in (theta, x, source)]
    pairs = zip(net.backward(theta, tape, dy), v, strict=True)
    terms = np.concatenate([(d * along).ravel() for d, along in pairs])
    found = (dy * net.jvp(theta, tape, *v)).sum()
    assert_allclose(found, terms.sum(), atol=1e-12 * (1.0 + abs(terms).sum()))


@given(SEEDS, st.integers(1, 5), SIZES)
def test_self_attention_is_equivariant_under_permutations(seed, agents, heads):
    rng = np.random.default_rng(seed)
    net = Attention(inputs=2, source=2, heads=heads, units=3, outputs=2)
    theta = net.init(rng)
    x, mask = rng.standard_normal((agents, 2)), rng.random((agents, agents)) < 0.7
    order = rng.permutation(agents)
    y, tape = net.forward(theta, x, x, mask)
    moved, moved_tape = net.forward(theta, x[order], x[order], mask[order][:, order])
    assert_allclose(moved, y[order], atol=1e-12)
    one = net.backward(theta, tape, y)
    other = net.backward(theta, moved_tape, moved)
    assert_allclose(one[0], other[0], atol=1e-10)
    assert_allclose((one[1] + one[2])[order], other[1] + other[2], atol=1e-10)


@given(SEEDS, LEADS, ROWS, SIZES, st.integers(2, 4))
def test_what_is_masked_might_as_well_not_be_there(seed, lead, rows, m, s):
    net, theta, x, source, _, rng = case(seed, lead, rows, m, s, 2)
    mask = np.ones((m, s), dtype=bool)
    mask[:, -1] = False
    y, tape = net.forward(theta, x, source, mask)
    few, few_tape = net.forward(theta, x, source[..., :-1, :])
    assert_allclose(y, few, atol=1e-12)
    assert_array_equal(tape.heads.weights[..., -1], 0.0)
    dy = rng.standard_normal(y.shape)
    parts, few_parts = net.backward(theta, tape, dy), net.backward(theta, few_tape, dy)
    assert_array_equal(parts[2][..., -1, :], 0.0)
    assert_allclose(parts[0], few_parts[0], atol=1e-10)
    assert_allclose(parts[1], few_parts[1], atol=1e-10)
    source[..., -1, :] = 1e6
    assert_array_equal(net.forward(theta, x, source, mask)[0], y)


@given(SEEDS, LEADS, ROWS, SIZES, SIZES)
def test_who_may_look_at_nothing_gets_the_bias_and_passes_nothing_on(seed, lead, rows, m, s):
    net, theta, x, source, _, _ = case(seed, lead, rows, m, s, 2)
    y, tape = net.forward(theta, x, source, np.zeros((m, s), dtype=bool))
    bias = net.views(theta)["b"]
    bias = bias.reshape(*lead, *(1,) * (y.ndim - len(lead) - 1), 3)
    assert_array_equal(y, np.broadcast_to(bias, y.shape))
    dtheta, dx, d_source = net.backward(theta, tape, np.ones_like(y))
    assert_array_equal(dx, 0.0)
    assert_array_equal(d_source, 0.0)
    for name, part in net.views(dtheta).items():
        assert (part == 0.0).all() == (name != "b")


@given(SEEDS, ROWS, SIZES, SIZES, SIZES)
def test_weights_are_distributions_uniform_over_equal_keys(seed, rows, m, s, d):
    rng = np.random.default_rng(seed)
    q, k = 30 * rng.standard_normal((*rows, m, d)), 30 * rng.standard_normal((*rows, s, d))
    v = rng.standard_normal((*rows, s, d))
    y, tape = attend(q, k, v)
    assert_allclose(tape.weights.sum(axis=-1), 1.0, rtol=1e-12)
    low, high = v.min(axis=-2, keepdims=True), v.max(axis=-2, keepdims=True)
    assert ((y >= low - 1e-12) & (y <= high + 1e-12)).all()  # a mean of values
    same, tape = attend(q, np.broadcast_to(k[..., :1, :], k.shape), v)
    assert_allclose(tape.weights, 1.0 / s, rtol=1e-9)
    assert_allclose(same, np.broadcast_to(v.mean(axis=-2, keepdims=True), same.shape), atol=1e-12)


@given(SEEDS, SIZES, SIZES)
def test_one_head_is_the_formula_written_out(seed, m, s):
    net, theta, x, source, _, _ = case(seed, (), (), m, s, 1)
    part = net.views(theta)
    y, _ = net.forward(theta, x, source)
    for i in range(m):
        score = [(x[i] @ part["WQ"]) @ (source[j] @ part["WK"]) / 2**0.5 for j in range(s)]
        weight = np.exp(score) / np.exp(score).sum()
        mean = sum(weight[j] * (source[j] @ part["WV"]) for j in range(s))
        assert_allclose(y[i], mean @ part["WO"] + part["b"], atol=1e-12)


@given(SEEDS, SIZES, SIZES)
def test_several_heads_are_single_heads_added(seed, m, s):
    net, theta, x, source, mask, _ = case(seed, (), (), m, s, 3)
    part, total = net.views(theta), 0.0
    for head in range(3):
        at = slice(2 * head, 2 * head + 2)
        q, k, v = x @ part["WQ"][:, at], source @ part["WK"][:, at], source @ part["WV"][:, at]
        total = total + attend(q, k, v, mask)[0] @ part["WO"][at]
    assert_allclose(net.forward(theta, x, source, mask)[0], total + part["b"], atol=1e-12)


@given(SEEDS, LEADS, ROWS)
def test_networks_and_rows_are_independent(seed, lead, rows):
    net, theta, x, source, mask, _ = case(seed, lead, rows, 2, 3, 2)
    y, tape = net.forward(theta, x, source, mask)
    parts = net.backward(theta, tape, y)
    for at in np.ndindex(*lead):
        one, tape_one = net.forward(theta[at], x[at], source[at], mask[at])
        assert_allclose(y[at], one, atol=1e-12)
        for whole, part in zip(parts, net.backward(theta[at], tape_one, one), strict=True):
            assert_allclose(whole[at], part, atol=1e-10)
        for row in np.ndindex(*rows):
            alone, _ = net.forward(theta[at], x[at][row], source[at][row], mask[at][row])
            assert_allclose(y[at][row], alone, atol=1e-12)


def test_large_scores_and_float32():
    q = np.full((2, 3), 1e4, np.float32)
    y, tape = attend(q, q, np.eye(2, dtype=np.float32))
    assert np.isfinite(y).all()
    assert y.dtype == np.float32
    assert all(part.dtype == np.float32 for part in backward(tape, y))
    net = Attention(inputs=2, source=2, heads=2, units=2, outputs=1)
    theta = net.init(np.random.default_rng(0), dtype=np.float32)
    x = np.ones((4, 2))
    out, tape = net.forward(theta, x, x)
    assert out.dtype == np.float32
    curved = net.hvp(theta, tape, out, np.zeros_like, theta)
    for part in (*net.backward(theta, tape, out), net.jvp(theta, tape, theta), *curved):
        assert part.dtype == np.float32


def test_what_does_not_fit_is_refused():
    net = Attention(inputs=2, source=3, heads=2, units=2, outputs=1)
    theta, x, source = np.zeros(net.size), np.zeros((5, 4, 2)), np.zeros((5, 6, 3))
    with pytest.raises(InputError, match=r"x: need \(..., any, 2\)"):
        net.forward(theta, source, source)
    with pytest.raises(InputError, match="source: need rows"):
        net.forward(theta, x, source[:3])
    with pytest.raises(InputError, match="S ≥ 1"):
        net.forward(theta, x, source[:, :0])
    with pytest.raises(InputError, match=r"mask: need what broadcasts to \(5, 4, 6\)"):
        net.forward(theta, x, source, np.ones((6, 4), dtype=bool))
    tape = net.forward(theta, x, source)[1]
    for name, wrong in (("v", (theta[1:],)), ("u", (theta, x[:, :3])), ("w", (theta, x, x))):
        with pytest.raises(InputError, match=f"{name}: need"):
            net.jvp(theta, tape, *wrong)
    with pytest.raises(InputError, match="heads: need a whole number"):
        Attention(inputs=2, source=3, heads=0, units=2, outputs=1)
