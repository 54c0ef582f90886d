"""Trust regions: the surrogate and its divergence, Fisher products, and the step's laws."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.nn import MLP, check_gradient, check_hvp
from refmarl.nn.conjugate_gradient import conjugate_gradient
from refmarl.nn.policy import HEADS, Policy
from refmarl.policy_gradient.a2c import policy_gain
from refmarl.policy_gradient.actor_critic import rows, unrows
from refmarl.policy_gradient.trust_region import (
    divergence,
    fisher_product,
    full_step,
    line_search,
    per_system,
    shares,
    surrogate,
)

SEEDS = st.integers(0, 2**32)
KINDS = pytest.mark.parametrize("kind", HEADS)
OWN = pytest.mark.parametrize("own", [False, True], ids=["shared", "separate"])


def of(kind, net):
    """A policy of this kind; its sets, if it has them, have one and K - 1 actions."""
    outputs = net.sizes[-1]
    return Policy(net, kind, (1, outputs - 1) if kind == "multi-discrete" else ())


class Setting:
    """A policy that saw (T, B, N) rows, with actions that it drew and any advantages."""

    def __init__(self, kind, seed, own=False, agents=2):
        self.rng = np.random.default_rng(seed)
        self.actor = of(kind, MLP((3, 3, 4)))
        lead = (agents,) if own else ()
        self.theta = self.actor.init(self.rng, lead, out_scale=1.0)
        self.theta += 0.3 * self.rng.standard_normal(self.theta.shape)
        self.obs = self.rng.standard_normal((2, 2, agents, 3))
        acts = self.rng.random(self.obs.shape[:-1]) < 0.8
        self.share = shares(self.theta, self.obs.shape[:-1], acts)
        self.params, self.tape = self.forward(self.theta)
        self.action = self.actor.head.sample(self.rng, self.params)
        self.advantage = self.rng.standard_normal(self.obs.shape[:-1])

    def forward(self, theta):
        params, tape = self.actor.forward(theta, rows(theta, self.obs))
        return unrows(theta, params), tape

    def pulled(self, theta, tape, d_params):
        return self.actor.gradient(theta, tape, rows(theta, d_params))

    def gain(self, theta):
        params, tape = self.forward(theta)
        given = (self.params, self.action, self.advantage, self.share)
        value, slope = surrogate(self.actor.head, params, *given)
        return per_system(theta, value), self.pulled(theta, tape, slope)

    def kl(self, theta):
        params, tape = self.forward(theta)
        value, slope = divergence(self.actor.head, params, self.params, self.share)
        return per_system(theta, value), self.pulled(theta, tape, slope)

    def product(self, v):
        return fisher_product(self.actor, self.theta, self.tape, self.params, self.share, v)

    def matrix(self):
        """H, column by column; of shared parameters."""
        return np.stack([self.product(e) for e in np.eye(self.theta.size)], axis=1)


# -- (3.9) ---------------------------------------------------------------------------


@pytest.mark.certifies("refmarl.policy_gradient.trust_region:surrogate")
@KINDS
@given(SEEDS)
def test_the_surrogate_has_the_gradient_that_it_says(kind, seed):
    s = Setting(kind, seed)
    near = s.params + 0.1 * s.rng.standard_normal(s.params.shape)
    given = (s.params, s.action, s.advantage, s.share)
    check_gradient(lambda p: surrogate(s.actor.head, p, *given), near).require()


@pytest.mark.certifies("refmarl.policy_gradient.trust_region:divergence")
@KINDS
@given(SEEDS)
def test_the_divergence_has_the_gradient_that_it_says(kind, seed):
    s = Setting(kind, seed)
    near = s.params + 0.1 * s.rng.standard_normal(s.params.shape)
    check_gradient(lambda p: divergence(s.actor.head, p, s.params, s.share), near).require()


@pytest.mark.equation("3.9")
@KINDS
@OWN
@given(SEEDS)
def test_at_the_old_policy_the_surrogate_has_the_policy_gradient(kind, own, seed):
    s = Setting(kind, seed, own)
    gain, gradient = s.gain(s.theta)
    assert_allclose(gain, per_system(s.theta, s.share * s.advantage), atol=1e-12)
    if own:
        return
    plain = policy_gain(s.actor.head, s.params, s.action, s.advantage, 0.0, s.share > 0)
    assert_allclose(gradient, s.pulled(s.theta, s.tape, plain.gradient), atol=1e-10)


@pytest.mark.equation("3.9")
@KINDS
@OWN
@given(SEEDS)
def test_the_divergence_is_never_negative_and_is_flat_and_zero_at_the_old_policy(kind, own, seed):
    s = Setting(kind, seed, own)
    value, gradient = s.kl(s.theta)
    assert_allclose(value, 0.0, atol=1e-12)
    assert_allclose(gradient, 0.0, atol=1e-10)
    for size in (1e-3, 0.1, 1.0):
        moved = s.kl(s.theta + size * s.rng.standard_normal(s.theta.shape))[0]
        assert (moved >= -1e-12).all()


@pytest.mark.equation("3.9")
@given(SEEDS)
def test_over_all_actions_the_surrogate_is_the_expected_advantage_of_the_new_policy(seed):
    """Σ_a π_old(a) r(a) A(a) = Σ_a π(a) A(a): importance sampling has no bias."""
    rng = np.random.default_rng(seed)
    head, k = HEADS["categorical"], 4
    old, new, advantage = rng.standard_normal((3, k))
    each = np.arange(k)
    p = np.exp(head.log_prob(np.tile(old, (k, 1)), each))
    found = surrogate(head, np.tile(new, (k, 1)), np.tile(old, (k, 1)), each, advantage, p)
    q = np.exp(head.log_prob(np.tile(new, (k, 1)), each))
    assert_allclose(found.value.sum(), q @ advantage, atol=1e-12)


@given(SEEDS)
def test_who_does_not_act_moves_nothing_and_nobody_acting_is_no_error(seed):
    s = Setting("categorical", seed)
    idle = s.share == 0.0
    given = (s.params, s.params, s.action, s.advantage, s.share)
    assert (surrogate(s.actor.head, *given).gradient[idle] == 0.0).all()
    nobody = shares(s.theta, s.share.shape, np.zeros(s.share.shape, bool))
    assert_array_equal(nobody, 0.0)
    for theta, total in ((s.theta, ()), (np.zeros((2, 5)), (2,))):
        share = shares(theta, (3, 4, 2))
        assert_allclose(per_system(theta, share), np.ones(total))


# -- (3.10) --------------------------------------------------------------------------


@pytest.mark.certifies("refmarl.policy_gradient.trust_region:fisher_product")
@pytest.mark.equation("3.10")
@KINDS
@OWN
@settings(max_examples=20)
@given(SEEDS)
def test_fisher_products_are_differences_of_the_gradient_of_the_divergence(kind, own, seed):
    s = Setting(kind, seed, own)
    check_hvp(
        lambda theta: s.kl(theta)[1],
        lambda theta, v: s.product(v),
        s.theta,
        s.rng,
    ).require()


@pytest.mark.equation("3.10")
@KINDS
@settings(max_examples=10)
@given(SEEDS)
def test_the_fisher_matrix_is_symmetric_and_positive_semidefinite(kind, seed):
    s = Setting(kind, seed)
    h = s.matrix()
    assert_allclose(h, h.T, atol=1e-10 * max(1.0, abs(h).max()))
    assert np.linalg.eigvalsh((h + h.T) / 2).min() >= -1e-10 * max(1.0, abs(h).max())


@pytest.mark.equation("3.10")
@settings(max_examples=10)
@given(SEEDS)
def test_it_is_the_mean_of_the_outer_products_of_scores(seed):
    """E_{a∼π}[∇log π ∇log πᵀ], summed exactly over the actions: the other form of Fisher's."""
    s = Setting("categorical", seed)
    wanted, head = np.zeros((s.theta.size, s.theta.size)), s.actor.head
    for a in range(4):
        action = np.full(s.share.shape, a)
        each = s.actor.per_sample(s.theta, s.tape, head.d_log_prob(s.params, action))
        weight = s.share * np.exp(head.log_prob(s.params, action))
        wanted += np.einsum("tbn,tbnp,tbnq->pq", weight, each, each)
    assert_allclose(s.matrix(), wanted, atol=1e-10)


@pytest.mark.equation("3.10")
@OWN
@given(SEEDS)
def test_products_are_linear_and_separate_parameters_do_not_meet(own, seed):
    s = Setting("categorical", seed, own)
    u, v = s.rng.standard_normal((2, *s.theta.shape))
    assert_allclose(s.product(2.0 * u - v), 2.0 * s.product(u) - s.product(v), atol=1e-10)
    if own:
        v[0] = 0.0
        assert_array_equal(s.product(v)[0], 0.0)


@pytest.mark.equation("3.10")
def test_away_from_the_old_policy_the_hessian_of_the_divergence_may_be_indefinite():
    """Two layers bend the divergence downwards where the policies differ; (3.10) holds at θ_old.

    π(a = 1) = σ(w₁ w₂ x): with w = 0 the Hessian of the mean KL is (π − π_old) x off the diagonal
    and 0 on it, which has the eigenvalues ±(π − π_old) x.
    """
    actor = Policy(MLP((1, 1, 2), "identity"), "categorical")
    theta, x = np.zeros(actor.size), np.ones((1, 1, 1, 1))
    old = np.array([[[[0.0, 2.0]]]])
    share = np.ones((1, 1, 1))
    params, tape = actor.forward(theta, x)
    slope = divergence(actor.head, params, old, share).gradient

    def product(v):
        return actor.hvp(theta, tape, slope, lambda r: actor.head.fisher(params, r), v)[0]

    hessian = np.stack([product(e) for e in np.eye(actor.size)], axis=1)
    assert np.linalg.eigvalsh(hessian).min() < -0.1
    fisher = [fisher_product(actor, theta, tape, params, share, e) for e in np.eye(actor.size)]
    assert np.linalg.eigvalsh(np.stack(fisher)).min() >= -1e-12


@settings(max_examples=20)
@given(SEEDS, st.sampled_from(["categorical", "gaussian"]))
def test_the_direction_of_conjugate_gradients_is_that_of_a_dense_solve(seed, kind):
    s, damping = Setting(kind, seed), 0.1
    h, g = s.matrix() + damping * np.eye(s.theta.size), s.gain(s.theta)[1]
    found = conjugate_gradient(
        lambda v: s.product(v) + damping * v, g, iterations=3 * g.size, tolerance=1e-13
    )
    exact = np.linalg.solve(h, g)
    assert_allclose(found.x, exact, atol=1e-9 * max(1.0, abs(exact).max()))


# -- (3.12) --------------------------------------------------------------------------


@pytest.mark.equation("3.12")
@given(SEEDS, st.sampled_from([(), (3,)]), st.floats(1e-6, 10.0), st.floats(-6, 6))
def test_the_full_step_is_on_the_border_of_the_quadratic_model(seed, lead, delta, exponent):
    """½ΔᵀHΔ = δ for every x that is not 0, and Δ does not depend on the length of x."""
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((4, 4))
    h, x = root @ root.T + 0.1 * np.eye(4), rng.standard_normal((*lead, 4))
    step = full_step(x, x @ h, delta)
    assert_allclose(0.5 * (step * (step @ h)).sum(axis=-1), delta, rtol=1e-9)
    longer = 10.0**exponent * x
    assert_allclose(full_step(longer, longer @ h, delta), step, rtol=1e-9)


@pytest.mark.equation("3.12")
def test_no_direction_is_no_step():
    x = np.array([[0.0, 0.0], [1.0, 0.0]])
    assert_array_equal(full_step(x, x, 0.5), x)
    theta = np.array([1.0, 2.0])
    found = line_search(theta, 0 * theta, lambda at: (at.sum(), at.sum() * 0), 0.1, 0.5, 5)
    assert_array_equal(found.theta, theta)
    assert found.backtracks == -1


@pytest.mark.equation("3.12")
@OWN
@settings(max_examples=40)
@given(SEEDS, st.floats(1e-3, 5.0), st.floats(0.2, 0.9), st.floats(0.01, 100.0))
def test_an_accepted_step_is_within_delta_improves_and_is_the_first_that_does(
    own, seed, delta, shrink, size
):
    s = Setting("categorical", seed, own)
    step = size * s.gain(s.theta)[1]
    at = s.theta

    def judge(theta):
        return s.gain(theta)[0], s.kl(theta)[0]

    found = line_search(at, step, judge, delta, shrink, 6)
    before, gains, kls = judge(at)[0], [], []
    for j in range(6):
        gain, kl = judge(at + shrink**j * step)
        gains.append(gain)
        kls.append(kl)
    good = (np.stack(kls) <= delta) & (np.stack(gains) > before)
    first = np.where(good.any(axis=0), good.argmax(axis=0), -1)
    assert_array_equal(found.backtracks, first)
    for n in np.ndindex(first.shape):
        j = int(first[n])
        wanted = at[n] + shrink**j * step[n] if j >= 0 else at[n]
        assert_array_equal(found.theta[n], wanted)
        if j >= 0:
            assert found.kl[n] <= delta
            assert found.gain[n] > before[n]
            assert_array_equal((found.gain[n], found.kl[n]), (gains[j][n], kls[j][n]))


@pytest.mark.equation("3.12")
@pytest.mark.parametrize("gain", [np.nan, -1.0, 0.0])
def test_where_nothing_improves_theta_stays(gain):
    theta = np.zeros(2)
    found = line_search(
        theta, np.ones(2), lambda at: (np.array(gain if at.any() else 0.0), at.sum() * 0),
        0.1, 0.5, 4,
    )  # fmt: skip
    assert_array_equal(found.theta, theta)
    assert found.backtracks == -1


@pytest.mark.equation("3.12")
@settings(max_examples=20)
@given(SEEDS)
def test_the_divergence_of_a_small_step_is_delta_to_second_order(seed):
    s = Setting("categorical", seed)
    x, kls = s.gain(s.theta)[1], []
    deltas = np.array([1e-6, 1e-8])
    for delta in deltas:
        kls.append(s.kl(s.theta + full_step(x, s.product(x), delta))[0])
    off = abs(np.array(kls) / deltas - 1.0)
    assert off[0] < 0.1
    assert off[1] < 0.2 * off[0] + 1e-4  # falls as the step: tenfold


def test_what_cannot_be_is_refused():
    ones = np.ones(2)
    with pytest.raises(InputError, match="delta: need a number > 0, got 0"):
        full_step(ones, ones, 0)
    with pytest.raises(InputError, match=r"hx: need the shape of x \(2,\), got \(3,\)"):
        full_step(ones, np.ones(3), 0.1)
    for hx in (-ones, np.full(2, np.nan), 0 * ones):
        with pytest.raises(InputError, match="not positive definite along x"):
            full_step(ones, hx, 0.1)


def test_float32_stays():
    s = Setting("gaussian", 0)
    theta = s.theta.astype(np.float32)
    params, tape = s.forward(theta)
    product = partial(fisher_product, s.actor, theta, tape, params, s.share)
    assert product(theta).dtype == np.float32
    assert full_step(theta, product(theta), 0.1).dtype == np.float32
