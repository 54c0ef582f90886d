"""What sums and monotone mixings of utilities can and cannot say; by enumeration."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.cooperative import central, deterministic
from refmarl.cooperative import decomposition as dec
from refmarl.cooperative.mixers import Apart, Free, Monotone, Sum
from refmarl.cooperative.utilities import chosen, greedy
from refmarl.kernels import mixing
from refmarl.nn import check_backward, check_gradient

SEEDS = st.integers(0, 2**32)
KINDS = [("abs", "elu"), ("softplus", "elu"), ("abs", "tanh"), ("softplus", "tanh")]
SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


def mixing_net(seed, agents, kind=("abs", "elu"), hidden=None, units=4):
    """(rng, network, ψ) with numbers that are far from small."""
    rng = np.random.default_rng(seed)
    hidden = int(rng.integers(2)) * 5 if hidden is None else hidden
    net = Monotone(agents, 3, units, hidden, *kind)
    return rng, net, net.init(rng) + rng.standard_normal(net.size)


def table(value, utilities):
    """(A_1, …, A_n): Q_tot of every joint action, by ``value`` of rows (S, n)."""
    rows = np.array(list(product(*utilities)))
    return value(rows).reshape([len(u) for u in utilities])


def drawn(rng, shape):
    """Utilities of each player, some with ties."""
    return [np.round(2.0 * rng.standard_normal(size), int(rng.integers(3))) for size in shape]


def best(utilities):
    """The tuple of greedy actions, as agents take them."""
    return tuple(int(a[0, 0]) for a in greedy(tuple(u[None, None] for u in utilities), ()))


# -- sums -------------------------------------------------------------------------------


@pytest.mark.equation("2.7")
@given(SEEDS, SHAPES)
def test_greedy_actions_attain_the_maximum_of_the_sum_which_is_the_sum_of_maxima(seed, shape):
    utilities = drawn(np.random.default_rng(seed), shape)
    total = table(lambda q: dec.vdn(q).value, utilities)
    assert total[best(utilities)] == total.max()
    assert_allclose(total.max(), sum(u.max() for u in utilities), atol=1e-12)
    q = chosen(tuple(u[None, None] for u in utilities), tuple(np.zeros((1, 1), int) for _ in shape))
    assert_array_equal(q[0], [u[0] for u in utilities])


@pytest.mark.equation("2.7")
@pytest.mark.certifies(
    "refmarl.cooperative.mixers:Sum.backward",
    "refmarl.cooperative.mixers:Apart.backward",
)
@given(SEEDS, st.integers(1, 4))
def test_everybody_receives_the_gradient_of_the_total(seed, agents):
    rng = np.random.default_rng(seed)
    q, none, state = rng.standard_normal((5, agents)), np.empty(0), np.empty((5, 0))
    for net in (Sum(), Apart()):
        check_backward(
            lambda q, net=net: net.forward(none, q, state)[0],
            lambda q, dy, net=net: [net.backward(none, net.forward(none, q, state)[1], dy)[1]],
            (q,),
            rng,
        ).require()
    dy = rng.standard_normal((5, 1))
    assert_array_equal(Sum().backward(none, dec.vdn(q).gradient, dy)[1], np.repeat(dy, agents, 1))


@pytest.mark.equation("2.7")
@pytest.mark.certifies("refmarl.cooperative.decomposition:vdn")
@given(SEEDS)
def test_the_gradient_of_the_sum_is_a_difference_quotient(seed):
    check_gradient(dec.vdn, np.random.default_rng(seed).standard_normal((3, 4))).require()


@pytest.mark.equation("2.7")
@given(SEEDS, SHAPES)
def test_one_state_exactly_the_games_without_interactions_are_sums(seed, shape):
    rng = np.random.default_rng(seed)
    sums = dec.additive(tuple(drawn(rng, shape)))
    assert_allclose(dec.additive(dec.main_effects(sums)), sums, atol=1e-9)
    game = rng.standard_normal(shape)
    interacts = any(
        abs(np.diff(np.diff(game, axis=i), axis=j)).max(initial=0.0) > 1e-9
        for i in range(len(shape))
        for j in range(i)
    )
    error = abs(dec.additive(dec.main_effects(game)) - game).max()
    assert (error > 1e-9) == interacts


@pytest.mark.equation("2.7")
@given(SEEDS, SHAPES)
def test_uniform_least_squares_are_main_effects_and_nothing_is_nearer(seed, shape):
    rng = np.random.default_rng(seed)
    game = rng.standard_normal(shape)
    effects = dec.main_effects(game)
    fit = dec.additive(effects)
    assert_allclose(dec.additive(dec.main_effects(game, np.full(shape, 0.3))), fit, atol=1e-9)
    least = np.square(game - fit).sum()
    for scale in (1e-3, 1.0):
        other = tuple(e + scale * rng.standard_normal(e.shape) for e in effects)
        assert np.square(game - dec.additive(other)).sum() >= least - 1e-12
    if len(shape) == 2:
        rows, columns = game.mean(axis=1, keepdims=True), game.mean(axis=0, keepdims=True)
        assert_allclose(fit, rows + columns - game.mean(), atol=1e-9)


@pytest.mark.equation("2.7")
@given(SEEDS)
def test_weighted_least_squares_leave_residuals_that_no_player_can_mend(seed):
    rng = np.random.default_rng(seed)
    game, weights = rng.standard_normal((3, 4)), rng.random((3, 4)) * (rng.random((3, 4)) < 0.8)
    left = weights * (game - dec.additive(dec.main_effects(game, weights)))
    assert_allclose(left.sum(axis=0), 0.0, atol=1e-9)
    assert_allclose(left.sum(axis=1), 0.0, atol=1e-9)


@pytest.mark.equation("2.7")
@given(st.floats(0.81, 0.999), st.floats(0.1, 10.0))
def test_fitting_sums_to_uniform_data_may_diverge_though_values_exist(gamma, value):
    """Errata A6: one state that three of four joint actions keep, with no reward anywhere.

    The true values are 0. The largest sum of the best fit is 5/4 of γ times the one before.
    """
    stays, first = np.array([[1.0, 1.0], [1.0, 0.0]]), value
    for _ in range(5):
        y = dec.td_target(np.zeros((2, 2)), stays == 0.0, np.full((2, 2), value), gamma)
        after = dec.additive(dec.main_effects(y)).max()
        assert_allclose(after, 1.25 * gamma * value, rtol=1e-9)
        value = after
    assert value > first > 0.0


# -- monotone mixings -------------------------------------------------------------------


@pytest.mark.equation("2.8")
@pytest.mark.parametrize("kind", KINDS)
@given(SEEDS, SHAPES)
def test_greedy_actions_attain_the_maximum_of_a_monotone_mixing(kind, seed, shape):
    rng, net, psi = mixing_net(seed, len(shape), kind)
    utilities, state = drawn(rng, shape), rng.standard_normal((1, 3))
    total = table(
        lambda q: net.forward(psi, q, np.repeat(state, len(q), axis=0))[0][:, 0], utilities
    )
    assert_allclose(total[best(utilities)], total.max(), atol=1e-12)


@pytest.mark.equation("2.8")
@pytest.mark.parametrize("kind", KINDS)
@given(SEEDS, st.integers(1, 4))
def test_the_total_never_falls_with_a_utility(kind, seed, agents):
    rng, net, psi = mixing_net(seed, agents, kind)
    q, state = rng.standard_normal((6, agents)), rng.standard_normal((6, 3))
    total, tape = net.forward(psi, q, state)
    assert (net.backward(psi, tape, np.ones((6, 1)))[1] >= 0.0).all()
    more = net.forward(psi, q + rng.random(q.shape) * (rng.random(q.shape) < 0.5), state)[0]
    assert (more >= total - 1e-12).all()


@pytest.mark.equation("2.8")
@given(SEEDS, st.integers(1, 4), st.sampled_from([0, 5]), st.sampled_from([1, 4]))
def test_on_a_bounded_range_it_can_be_any_sum(seed, agents, hidden, units):
    rng, net, _ = mixing_net(seed, agents, hidden=hidden, units=units)
    q, state = rng.uniform(-20.0, 20.0, (8, agents)), rng.standard_normal((8, 3))
    weights = net.as_sum(-20.0 * agents)
    total, tape = net.forward(weights, q, state)
    assert_allclose(total[:, 0], dec.vdn(q).value, atol=1e-9)
    dy = rng.standard_normal((8, 1))
    assert_allclose(net.backward(weights, tape, dy)[1], np.repeat(dy, agents, 1), atol=1e-12)


def game_of(mix, kind):
    """(2, 2) table of a mixing (W (2, E), b, w (E,), v) of utilities 0 and 1."""
    w1, b1, w2, v = (np.asarray(x, float) for x in mix)
    q = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    rows = (np.tile(x.ravel(), (4, 1)) for x in (w1, b1, w2))
    return dec.monotone(q, *rows, np.full(4, float(v)), kind).total.reshape(2, 2)


@pytest.mark.equation("2.8")
@given(st.lists(st.floats(0.0, 10.0), min_size=3, max_size=3), st.floats(-9.0, 9.0))
def test_monotone_games_that_are_no_sums_can_be_represented(rises, low):
    """A monotone game of 2 × 2: each alone, either, and both; steep steps of tanh say each."""
    one, other, both = rises
    either = min(one, other)  # so that one's rise is either + what is its own, and so on
    game = low + np.array([[0.0, one], [other, max(one, other) + both]])
    t = 50.0  # of a step
    w1 = [[0.0, t, t, t], [t, 0.0, t, t]]
    b1 = [-t / 2, -t / 2, -t / 2, -1.5 * t]
    steps = 0.5 * np.array([one - either, other - either, either, both])
    found = game_of((w1, b1, steps, low + steps.sum()), ("abs", "tanh"))
    assert_allclose(found, game, atol=1e-8)


@pytest.mark.equation("2.8")
@given(st.lists(st.floats(0.0, 10.0), min_size=3, max_size=3))
def test_with_elu_those_in_which_agents_need_each_other_can(rises):
    one, other, both = rises
    game = np.array([[0.0, one], [other, one + other + both]])
    t = 1e7
    w1, b1 = [[0.0, 1.0, t], [1.0, 0.0, t]], [0.0, 0.0, -t]
    found = game_of((w1, b1, [one, other, both / t], both / t), ("abs", "elu"))
    assert_allclose(found, game, atol=1e-5)
    if both > 0.1:
        assert abs(dec.additive(dec.main_effects(game)) - game).max() > 0.02


@pytest.mark.equation("2.8")
@pytest.mark.parametrize("kind", KINDS)
@given(SEEDS)
def test_exclusive_or_is_never_nearer_than_a_half(kind, seed):
    rng, net, psi = mixing_net(seed, 2, kind)
    state, utilities = rng.standard_normal((1, 3)), [3.0 * rng.standard_normal(2) for _ in "ab"]
    found = table(lambda q: net.forward(psi, q, np.repeat(state, 4, 0))[0][:, 0], utilities)
    for game in (np.eye(2), 1.0 - np.eye(2)):
        assert abs(found - game).max() >= 0.5 - 1e-12


@pytest.mark.equation("2.8")
@pytest.mark.parametrize("weights", ["abs", "softplus"])
@given(SEEDS, st.integers(2, 3))
def test_with_elu_an_agents_gain_never_falls_with_that_of_another(weights, seed, agents):
    """f is convex and weights are not negative: Q_tot has increasing differences."""
    rng, net, psi = mixing_net(seed, agents, (weights, "elu"))
    state, q = rng.standard_normal((6, 3)), rng.standard_normal((6, agents))
    up = rng.random((2, 6, agents)) * (rng.permutation(agents) == 0)
    up[1] = np.roll(up[0], 1, axis=-1)

    def total(more):
        return net.forward(psi, q + more, state)[0]

    assert (total(up[0] + up[1]) - total(up[1]) >= total(up[0]) - total(0.0) - 1e-9).all()


@pytest.mark.equation("2.8")
@pytest.mark.certifies(
    "refmarl.cooperative.mixers:Monotone.backward", "refmarl.cooperative.mixers:Free.backward"
)
@pytest.mark.parametrize("kind", [*KINDS, "free"])
@settings(max_examples=15)
@given(SEEDS, st.integers(1, 3))
def test_the_way_back_through_a_mixer_is_adjoint_to_the_way_forward(kind, seed, agents):
    rng, net, psi = mixing_net(seed, agents, KINDS[0] if kind == "free" else kind)
    if kind == "free":
        net = Free(agents, 3, (5,))
        psi = net.init(rng)
    q, state = rng.standard_normal((4, agents)), rng.standard_normal((4, 3))
    check_backward(
        lambda psi, q: net.forward(psi, q, state)[0],
        lambda psi, q, dy: net.backward(psi, net.forward(psi, q, state)[1], dy),
        (psi, q),
        rng,
        names=("psi", "q"),
    ).require()


@pytest.mark.equation("2.8")
@pytest.mark.certifies(
    "refmarl.cooperative.decomposition:monotone_gradient", "refmarl.kernels.mixing:pull_back"
)
@pytest.mark.parametrize("kind", KINDS)
@given(SEEDS)
def test_the_gradient_of_the_mixing_itself_is_adjoint(kind, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal((3, k)) for k in (2, 10, 5, 5)]
    arrays = [a + 0.1 * np.sign(a) for a in arrays]  # |W| has a kink at 0
    v = rng.standard_normal(3)

    def backward(q, w1, b1, w2, dy):
        hidden = dec.monotone(q, w1, b1, w2, v, kind).hidden
        return dec.monotone_gradient(q, w1, w2, hidden, dy, kind)

    check_backward(
        lambda *a: dec.monotone(*a, v, kind).total, backward, arrays, rng, names="QWbw"
    ).require()


@given(SEEDS, st.booleans(), st.booleans())
def test_the_compiled_mixing_and_the_plain_one_are_the_same(seed, soft, smooth):
    rng = np.random.default_rng(seed)
    q, w1, b1, w2 = (rng.standard_normal((3, k)) for k in (2, 10, 5, 5))
    dy, results = rng.standard_normal(3), []
    for pick in (lambda f: f, lambda f: getattr(f, "py_func", f)):
        h, total = np.empty((3, 5)), np.empty(3)
        back = [np.empty_like(a) for a in (q, w1, b1, w2)]
        pick(mixing.forward)(q, w1, b1, w2, dy, soft, smooth, h, total)
        pick(mixing.pull_back)(q, w1, w2, h, dy, soft, smooth, *back)
        results.append([h, total, *back])
    for one, two in zip(*results, strict=True):
        assert_allclose(one, two, rtol=1e-12, atol=1e-14)


# -- losses -----------------------------------------------------------------------------


@pytest.mark.equation("2.7")
@pytest.mark.certifies(
    "refmarl.cooperative.decomposition:td_loss", "refmarl.cooperative.decomposition:qtran_loss"
)
@given(SEEDS, st.booleans())
def test_gradients_of_the_losses_are_difference_quotients(seed, taken):
    rng = np.random.default_rng(seed)
    q, y, joint, v = (rng.standard_normal(6) for _ in range(4))
    weight = rng.random(6) if taken else None
    check_gradient(lambda x: dec.td_loss(x, y, weight), q).require()
    for k in range(2):
        check_gradient(
            lambda x, k=k: (
                (f := dec.qtran_loss(*((x, joint, v) if k == 0 else (q, joint, x)), taken)).value,
                f.gradients[k],
            ),
            (q, v)[k],
        ).require()


@given(SEEDS)
def test_where_both_losses_of_qtran_vanish_the_greedy_joint_action_is_best(seed):
    """A certificate: Σ Q_i + V is Q_jt at û and nowhere below it."""
    rng = np.random.default_rng(seed)
    utilities, v = drawn(rng, (3, 2)), rng.standard_normal()
    sums, at = dec.additive(tuple(utilities)), best(utilities)
    joint = sums + v - rng.random(sums.shape)
    joint[at] = sums[at] + v
    flat = sums.ravel(), joint.ravel(), np.full(sums.size, v)
    assert dec.qtran_loss(*flat, taken=True).value < 1e-24
    greedy_row = tuple(x[[np.ravel_multi_index(at, sums.shape)]] for x in flat)
    assert dec.qtran_loss(*greedy_row, taken=False).value < 1e-24
    assert joint[at] == joint.max()
    above = joint + np.where(np.arange(6).reshape(3, 2) == rng.integers(6), 9.0, 0.0)
    assert dec.qtran_loss(flat[0], above.ravel(), flat[2], taken=True).value > 1.0


def test_weights_of_weighted_qmix_case_by_case():
    same = np.array([True, False, False])
    assert dec.central_weight(same, np.array([0.0, 3.0, 1.0]), np.full(3, 2.0), 0.1).tolist() == [
        1.0, 1.0, 0.1,
    ]  # fmt: skip
    weight = dec.optimistic_weight(np.array([1.0, 2.0, 3.0]), np.full(3, 2.0), 0.1)
    assert weight.tolist() == [1.0, 0.1, 0.1]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: dec.main_effects(3.0), "payoffs: need at least one axis, got a number"),
        (lambda: dec.main_effects([[1, 2]], [[1, -1]]), "weights: need numbers ≥ 0 of shape"),
        (lambda: dec.main_effects([[1, 2]], [[1], [1]]), r"of shape \(1, 2\), got \(2, 1\)"),
    ],
)
def test_what_is_no_game_is_refused(call, says):
    with pytest.raises(InputError, match=says):
        call()


@given(m=st.integers(2, 5), n=st.integers(1, 4), units=st.integers(1, 4), way=st.integers(1, 3))
def test_a_mixing_whose_shapes_do_not_fit_is_refused(m, n, units, way):
    fit = [np.ones((m, n)), np.ones((m, n * units)), *[np.ones((m, units))] * 2, np.ones(m)]
    dec.monotone(*fit)
    for k, one in enumerate(fit):
        spoilt = list(fit)
        spoilt[k] = one[1:] if way == 1 else np.concatenate([one] * way, axis=-1)
        with pytest.raises(InputError, match="mixing: need shapes"):
            dec.monotone(*spoilt)
        with pytest.raises(InputError, match="mixing: need shapes"):
            dec.monotone_gradient(*spoilt)
    with pytest.raises(InputError, match="kind: need"):
        dec.monotone(*fit, kind=("abs", "relu"))


@given(z=st.integers(-5, 5))
def test_whole_numbers_are_mixed_as_numbers(z):
    whole = [np.array(a) for a in ([[z]], [[1]], [[0]], [[1]], [0])]
    assert dec.monotone(*whole).total == [z if z >= 0 else np.expm1(z)]
    assert dec.monotone([[z]], [[1]], [[0]], [[1]], [0]).total == dec.monotone(*whole).total


def test_a_column_beside_a_row_is_refused_and_not_spread_out():
    row, column = np.ones(3), np.ones((3, 1))
    for loss in (dec.td_loss, central.critic_loss):
        with pytest.raises(InputError, match="one shape"):
            loss(row, column)
    with pytest.raises(InputError, match="one shape"):
        deterministic.critic_loss(row[None], column, row)
    for target in (dec.td_target, central.critic_target):
        for reward, over, after in ((row, row, column), (column, row, row), (row, column, row)):
            with pytest.raises(InputError, match="as many axes"):
                target(reward, over > 1, after, 0.5)
    with pytest.raises(InputError, match="as many axes"):
        deterministic.critic_target(column, row > 1, row[None], 0.5)
