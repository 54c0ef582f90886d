"""PPO's objectives: ratio, clipping, the penalty and its weight, and their sum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.nn import categorical, check_gradient, gaussian
from refmarl.nn.gradcheck import join
from refmarl.policy_gradient import surrogate
from refmarl.policy_gradient.a2c import policy_gain
from refmarl.policy_gradient.surrogate import Weights, clip_gain, penalised_gain, ratio

SEEDS = st.integers(0, 2**32)
CLIPS = st.sampled_from([0.05, 0.2, 0.9])
HEADS = pytest.mark.parametrize("head", [categorical, gaussian], ids=["categorical", "gaussian"])


def sample(head, seed, rows=6, far=0.5):
    """(rng, old parameters, new ones, actions of the old policy, advantages)."""
    rng = np.random.default_rng(seed)
    old = rng.standard_normal((rows, 4))
    new = old + far * rng.standard_normal(old.shape)
    return rng, old, new, head.sample(rng, old), rng.standard_normal(rows)


@pytest.mark.equation("3.6")
@HEADS
@given(SEEDS)
def test_the_ratio_is_one_for_the_policy_itself(head, seed):
    _, old, _, action, _ = sample(head, seed)
    log_prob = head.log_prob(old, action)
    assert (ratio(log_prob, log_prob) == 1.0).all()


@pytest.mark.equation("3.6")
@given(SEEDS, st.integers(1, 6))
def test_the_ratio_has_mean_one_under_the_old_policy(seed, k):
    rng = np.random.default_rng(seed)
    old, new = 3 * rng.standard_normal((2, 1, k))
    every = np.arange(k)
    log_old = categorical.log_prob(np.repeat(old, k, axis=0), every)
    log_new = categorical.log_prob(np.repeat(new, k, axis=0), every)
    assert_allclose((np.exp(log_old) * ratio(log_new, log_old)).sum(), 1.0, atol=1e-12)


@pytest.mark.equation("3.7")
@given(SEEDS, CLIPS)
def test_clipping_never_raises_the_gain_and_changes_nothing_inside_the_band(seed, clip):
    rng = np.random.default_rng(seed)
    x, advantage = rng.standard_normal((2, 8))
    zero = np.zeros(8)
    free = clip_gain(x, zero, advantage, np.inf)
    assert clip_gain(x, zero, advantage, clip).value <= free.value + 1e-12
    assert_allclose(free.value, (np.exp(x) * advantage).mean())
    inside = np.log(rng.uniform(1 - clip, 1 + clip, 8))
    held, loose = (clip_gain(inside, zero, advantage, c) for c in (clip, np.inf))
    assert_allclose(held.value, loose.value, atol=1e-14)
    assert_allclose(held.gradient, loose.gradient, atol=1e-14)


@pytest.mark.equation("3.7")
@given(st.floats(-2, 2), st.floats(-3, 3), CLIPS)
def test_the_gain_stands_still_just_where_it_could_only_be_abused(x, advantage, clip):
    r = np.exp(x)
    if min(abs(r - 1 - clip), abs(r - 1 + clip)) < 1e-6:
        return  # a kink
    slope = clip_gain(np.array([x]), np.zeros(1), np.array([advantage]), clip).gradient[0]
    flat = advantage == 0 or (advantage > 0 and r > 1 + clip) or (advantage < 0 and r < 1 - clip)
    assert (slope == 0.0) == (flat or abs(r * advantage) == 0.0)


@pytest.mark.certifies("refmarl.policy_gradient.surrogate:clip_gain")
@given(SEEDS, CLIPS, st.sampled_from([np.inf, 1.5, 3.0]), st.booleans())
def test_the_clipped_gain_has_the_gradient_that_it_says(seed, clip, dual, some):
    rng = np.random.default_rng(seed)
    x, old, advantage = rng.standard_normal((3, 7))
    r = np.exp(x - old)
    kinks = np.stack([abs(r - 1 - clip), abs(r - 1 + clip), abs(r - dual)])
    x = np.where(kinks.min(axis=0) < 1e-3, old, x)
    acts = rng.random(7) < 0.7 if some else None
    check_gradient(lambda p: clip_gain(p, old, advantage, clip, dual=dual, acts=acts), x).require()


@given(SEEDS, CLIPS)
def test_a_least_gain_holds_where_advantages_are_negative_only(seed, clip):
    rng = np.random.default_rng(seed)
    x, advantage = 3 * rng.standard_normal(5), rng.standard_normal(5)
    for k in range(5):
        args = x[k : k + 1], np.zeros(1), advantage[k : k + 1], clip
        plain, dual = clip_gain(*args).value, clip_gain(*args, dual=2.0).value
        assert_allclose(dual, max(plain, 2.0 * advantage[k]) if advantage[k] < 0 else plain)


@pytest.mark.equation("3.8")
@pytest.mark.certifies("refmarl.policy_gradient.surrogate:penalised_gain")
@HEADS
@given(SEEDS, st.sampled_from([0.0, 0.3, 4.0]), st.booleans())
def test_the_penalised_gain_has_the_gradient_that_it_says(head, seed, beta, some):
    rng, old, new, action, advantage = sample(head, seed)
    acts = rng.random(len(advantage)) < 0.7 if some else None
    check_gradient(
        lambda p: penalised_gain(head, p, old, action, advantage, beta, acts), new
    ).require()


@pytest.mark.equation("3.7", "3.8")
@HEADS
@given(SEEDS, CLIPS, st.sampled_from([0.0, 1.0, 8.0]))
def test_at_the_old_policy_all_have_the_gradient_of_the_policy(head, seed, clip, beta):
    _, old, _, action, advantage = sample(head, seed)
    wanted = policy_gain(head, old, action, advantage, 0.0).gradient
    log_prob = head.log_prob(old, action)
    clipped = clip_gain(log_prob, log_prob, advantage, clip).gradient
    assert_allclose(clipped[:, None] * head.d_log_prob(old, action), wanted, atol=1e-12)
    penalised = penalised_gain(head, old, old, action, advantage, beta)
    assert_allclose(penalised.gradient, wanted, atol=1e-12)
    assert_allclose(penalised.value, advantage.mean(), atol=1e-12)


@pytest.mark.equation("3.8")
@given(st.floats(0, 100), st.floats(1e-6, 10), st.floats(1e-6, 10))
def test_beta_doubles_above_the_band_halves_below_and_keeps_inside(beta, kl, target):
    after = surrogate.next_beta(beta, kl, target)
    assert after == (2 * beta if kl > 1.5 * target else beta / 2 if kl < target / 1.5 else beta)
    assert surrogate.next_beta(beta, target, target) == beta


@pytest.mark.certifies("refmarl.policy_gradient.surrogate:value_loss")
@given(SEEDS, st.sampled_from([0.1, 0.5, np.inf]), st.booleans())
def test_the_critics_loss_has_the_gradient_that_it_says(seed, clip, some):
    rng = np.random.default_rng(seed)
    v, old, target = rng.standard_normal((3, 7))
    held = old + np.clip(v - old, -clip, clip)
    beyond = abs(v - old) > clip
    kinks = np.where(beyond, abs(abs(v - target) - abs(held - target)), 1.0)
    kinks = np.minimum(abs(abs(v - old) - clip), kinks)
    v = np.where(kinks < 1e-3, old + min(0.01, clip / 2), v)
    acts = rng.random(7) < 0.7 if some else None
    check_gradient(lambda p: surrogate.value_loss(p, old, target, clip, acts), v).require()


@given(SEEDS, st.sampled_from([0.1, 0.5]))
def test_clipping_the_critic_never_lowers_its_loss(seed, clip):
    v, old, target = np.random.default_rng(seed).standard_normal((3, 9))
    free = surrogate.value_loss(v, old, target, np.inf)
    assert surrogate.value_loss(v, old, target, clip).value >= free.value - 1e-12
    assert_allclose(free.value, ((v - target) ** 2).mean() / 2)


@given(SEEDS, st.sampled_from([1e-3, 0.5, np.inf]), st.sampled_from([np.float32, np.float64]))
def test_within_its_band_the_critic_moves_as_if_it_were_not_clipped(seed, clip, dtype):
    # V_old + (V − V_old) is not V to the last bit: rounding must not switch samples off
    v, old, target = np.random.default_rng(seed).standard_normal((3, 50)).astype(dtype)
    v = (old + np.clip(v, -0.9 * clip, 0.9 * clip)).astype(dtype)
    found = surrogate.value_loss(v, old, target, clip).gradient
    assert_allclose(found, (v - target) / 50, rtol=1e-5, atol=1e-7)


@pytest.mark.equation("3.19")
@pytest.mark.certifies("refmarl.policy_gradient.surrogate:total_gain")
@HEADS
@given(SEEDS, st.sampled_from([0.0, 0.5]), st.sampled_from([0.0, 0.1]))
def test_the_total_has_the_gradients_that_it_says(head, seed, c_1, c_2):
    rng, old, new, action, advantage = sample(head, seed, far=0.01)
    value, target = rng.standard_normal((2, len(advantage)))
    given_ = action, head.log_prob(old, action), advantage, target, Weights(0.5, c_1, c_2)
    vector, apart = join((new, value))

    def f(x):
        total, gradients = surrogate.total_gain(head, *apart(x), *given_)
        return total, join(gradients)[0]

    blocks = [("params", 0, new.size), ("value", new.size, vector.size)]
    check_gradient(f, vector, blocks=blocks).require()


@pytest.mark.equation("3.19")
@HEADS
@given(SEEDS, CLIPS)
def test_without_its_weights_the_total_is_the_clipped_gain(head, seed, clip):
    rng, old, new, action, advantage = sample(head, seed)
    value, target = rng.standard_normal((2, len(advantage)))
    log_old = head.log_prob(old, action)
    total, (d_params, d_value) = surrogate.total_gain(
        head, new, value, action, log_old, advantage, target, Weights(clip, 0.0, 0.0)
    )
    gain, slope = clip_gain(head.log_prob(new, action), log_old, advantage, clip)
    assert_allclose(total, gain, atol=1e-14)
    assert_allclose(d_params, slope[:, None] * head.d_log_prob(new, action), atol=1e-14)
    assert (d_value == 0).all()


@given(SEEDS, st.integers(2, 5))
def test_two_estimates_of_the_divergence_are_unbiased_and_two_are_never_negative(seed, k):
    rng = np.random.default_rng(seed)
    old, new = rng.standard_normal((2, k))
    p, q = (np.exp(x) / np.exp(x).sum() for x in (old, new))
    each = [surrogate.kl_estimates(np.log(q[a : a + 1]), np.log(p[a : a + 1])) for a in range(k)]
    first, _, third = p @ np.array(each)
    wanted = float((p * np.log(p / q)).sum())
    assert_allclose([first, third], wanted, atol=1e-12)
    assert min(min(row[1:]) for row in each) >= 0


@pytest.mark.parametrize(
    "call",
    [
        lambda x: clip_gain(x, x, x, 0.0),
        lambda x: clip_gain(x, x, x, 0.2, dual=1.0),
        lambda x: clip_gain(x, x, x[:1], 0.2),
        lambda x: clip_gain(x, x, x, 0.2, acts=np.ones(1, bool)),
        lambda x: surrogate.value_loss(x, x, x, -1.0),
        lambda x: surrogate.next_beta(1.0, np.nan, 0.01),
        lambda x: surrogate.next_beta(1.0, 0.1, 0.0),
    ],
)
def test_wrong_numbers_and_shapes_are_refused(call):
    with pytest.raises(InputError, match="need"):
        call(np.ones(3))
