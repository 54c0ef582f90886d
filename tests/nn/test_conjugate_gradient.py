"""Conjugate gradients: the laws of the iterates, and systems side by side."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.nn.conjugate_gradient import conjugate_gradient

SEEDS, SIZES = st.integers(0, 2**32), st.integers(1, 8)


def system(seed, size, condition=100.0):
    """A symmetric positive definite H of eigenvalues 1 … condition, and g."""
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.standard_normal((size, size)))
    eigenvalues = np.exp(rng.uniform(0, np.log(condition), size))
    return (q * eigenvalues) @ q.T, rng.standard_normal(size), eigenvalues


def solve(h, g, **options):
    return conjugate_gradient(lambda v: v @ h, g, **options)


@pytest.mark.equation("3.11")
@given(SEEDS, SIZES)
def test_the_error_in_the_norm_of_h_falls_monotonically(seed, size):
    h, g, _ = system(seed, size)
    exact = np.linalg.solve(h, g)
    errors = []
    for k in range(size + 1):
        e = solve(h, g, iterations=k).x - exact
        errors.append(np.sqrt(e @ h @ e))
    for before, after in pairwise(errors):
        assert after <= before * (1 + 1e-9) + 1e-12


@pytest.mark.equation("3.11")
@given(SEEDS, SIZES)
def test_as_many_iterations_as_unknowns_solve(seed, size):
    h, g, _ = system(seed, size)
    found = solve(h, g, iterations=size, tolerance=0.0)
    assert_allclose(h @ found.x, g, atol=1e-6)
    assert found.iterations <= size


@pytest.mark.equation("3.11")
@given(SEEDS, SIZES, st.sampled_from([np.float32, np.float64]))
def test_many_more_products_than_unknowns_do_no_harm(seed, size, dtype):
    h, g, _ = system(seed, size, 10.0)
    h, g = h.astype(dtype), g.astype(dtype)
    found = solve(h, g, iterations=100 * size, tolerance=0.0)
    exact = np.linalg.solve(h.astype(float), g.astype(float))
    assert_allclose(found.x, exact, atol=100 * size * np.finfo(dtype).eps * abs(exact).max())


@pytest.mark.equation("3.11")
@given(SEEDS, st.integers(2, 8))
def test_as_many_iterations_as_different_eigenvalues_solve(seed, size):
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.standard_normal((size, size)))
    h = (q * rng.choice([1.0, 5.0], size)) @ q.T
    g = rng.standard_normal(size)
    assert_allclose(h @ solve(h, g, iterations=2).x, g, atol=1e-9)


@pytest.mark.equation("3.11")
@given(SEEDS, st.integers(2, 6), st.integers(1, 3))
def test_an_iterate_is_the_best_of_its_krylov_space(seed, size, k):
    h, g, _ = system(seed, size)
    exact, rng = np.linalg.solve(h, g), np.random.default_rng(seed)
    x = solve(h, g, iterations=min(k, size)).x
    span = np.stack([np.linalg.matrix_power(h, j) @ g for j in range(min(k, size))])

    def distance(at):
        return (at - exact) @ h @ (at - exact)

    for _ in range(5):
        move = rng.standard_normal(len(span)) @ span
        move = move / np.sqrt(move @ h @ move)
        assert distance(x + 1e-2 * move) >= distance(x) - 1e-12


@pytest.mark.equation("3.11")
@given(SEEDS, SIZES)
def test_of_zero_it_is_zero_without_any_product(seed, size):
    h, g, _ = system(seed, size)

    def never(v):
        raise AssertionError

    found = conjugate_gradient(never, np.zeros(size))
    assert_array_equal(found.x, 0.0)
    assert found.iterations == 0
    assert solve(h, g, iterations=0).iterations == 0


@given(SEEDS, SIZES, st.sampled_from([(1,), (3,), (2, 2)]), st.floats(0.01, 0.9))
def test_systems_side_by_side_are_solved_as_if_alone(seed, size, lead, tolerance):
    count = int(np.prod(lead))
    parts = [system(seed + k, size) for k in range(count)]
    h = np.stack([p[0] for p in parts]).reshape(*lead, size, size)
    g = np.stack([p[1] for p in parts])
    g[-1] = 0.0  # solved from the beginning, while the others go on
    g = g.reshape(*lead, size)
    options = {"iterations": 5, "tolerance": tolerance}  # some are solved before others
    each = h.reshape(-1, size, size)

    def product(v):  # of each system by itself, so that only the search is side by side
        moved = [a @ b for a, b in zip(each, v.reshape(-1, size), strict=True)]
        return np.stack(moved).reshape(v.shape)

    found = conjugate_gradient(product, g, **options)
    alone = [conjugate_gradient(lambda v, a=a: a @ v, b, **options)
             for a, b in zip(each, g.reshape(-1, size), strict=True)]  # fmt: skip
    assert_array_equal(found.x.reshape(-1, size), [s.x for s in alone])
    assert_array_equal(found.residual.ravel(), [s.residual for s in alone])
    assert found.iterations == max(s.iterations for s in alone)


def rounding(eigenvalues, g, iterations):
    """How far the recurrence's residual may be from g − H x, in exact words.

    Every iteration adds a rounding of at most a few ε ‖H‖ ‖x_k‖ (Greenbaum 1997, "Estimating the
    attainable accuracy of recursively computed residual methods"), and ‖x_k‖ rises to
    ‖x*‖ ≤ ‖g‖ / λ_min: so ε κ ‖g‖ for each, times what a product of that size rounds.
    """
    size, condition = len(g), eigenvalues.max() / eigenvalues.min()
    eps = np.finfo(np.float64).eps
    return 8 * size * (iterations + 1) * eps * condition * np.linalg.norm(g)


@pytest.mark.equation("3.11")
@given(SEEDS, SIZES, st.floats(1e-8, 0.5), st.floats(1.0, 1e8))
def test_it_stops_at_its_tolerance(seed, size, tolerance, condition):
    h, g, eigenvalues = system(seed, size, condition)
    found = solve(h, g, iterations=5 * size, tolerance=tolerance)
    room = rounding(eigenvalues, g, found.iterations)
    true = np.linalg.norm(g - h @ found.x)
    assert abs(found.residual - true) <= room
    if found.iterations < 5 * size:
        assert true <= tolerance * np.linalg.norm(g) + room
    if found.iterations > 0:
        before = solve(h, g, iterations=found.iterations - 1, tolerance=0.0)
        assert before.residual > tolerance * np.linalg.norm(g)  # not later than needed


@pytest.mark.equation("3.11")
@given(SEEDS, st.integers(2, 8), st.floats(2.0, 1e4))
def test_the_error_is_within_the_bound_of_the_condition_number(seed, size, condition):
    """‖x_k − x*‖_H ≤ 2 ((√κ − 1) / (√κ + 1))^k ‖x*‖_H."""
    h, g, eigenvalues = system(seed, size, condition)
    exact, root = np.linalg.solve(h, g), np.sqrt(eigenvalues.max() / eigenvalues.min())
    rate, whole = (root - 1) / (root + 1), np.sqrt(exact @ h @ exact)
    for k in range(size):
        e = solve(h, g, iterations=k).x - exact
        assert np.sqrt(e @ h @ e) <= 2 * rate**k * whole * (1 + 1e-9) + 1e-12 * root * whole


@given(SEEDS, SIZES, st.floats(-18, 3))
def test_float32_stays_and_is_not_disturbed_by_size(seed, size, exponent):
    h, g, _ = system(seed, size, 10.0)
    h32, g32 = h.astype(np.float32), (10.0**exponent * g).astype(np.float32)
    found = solve(h32, g32, iterations=30)
    assert found.x.dtype == np.float32
    exact = np.linalg.solve(h, g) * 10.0**exponent
    assert_allclose(found.x, exact, atol=1e-4 * abs(exact).max())


def test_what_is_not_positive_definite_is_refused():
    with pytest.raises(InputError, match="not positive definite"):
        solve(np.diag([1.0, -1.0]), np.array([0.1, 1.0]))
    with pytest.raises(InputError, match="not positive definite"):
        solve(np.diag([1.0, np.nan]), np.array([0.1, 1.0]))
    with pytest.raises(InputError, match="finite"):
        solve(np.eye(2), np.array([np.nan, 1.0]))
