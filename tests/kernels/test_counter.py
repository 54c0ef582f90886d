"""Counter-based random numbers: functions of (key, t, k), and statistically random."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from refmarl.kernels import counter

WORDS = st.integers(0, 2**64 - 1).map(np.uint64)
SMALL = st.integers(0, 2**31)


@given(WORDS, SMALL, SMALL)
def test_the_compiled_and_the_plain_word_are_the_same(key, t, k):
    with np.errstate(over="ignore"):
        assert counter.word(key, t, k) == counter.word.py_func(key, t, k)
    assert counter.uniform(key, t, k) == counter.uniform.py_func(key, t, k)


@given(WORDS)
def test_mix_is_splitmix64(z):
    mask, x = 2**64 - 1, int(z)
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    assert int(counter.mix(z)) == x ^ (x >> 31)


@given(WORDS, SMALL, SMALL, st.integers(1, 1000))
def test_numbers_lie_where_they_should(key, t, k, n):
    assert 0.0 <= counter.uniform(key, t, k) < 1.0
    assert 0 <= counter.below(key, t, k, n) < n
    assert np.isfinite(counter.normal(key, t, k))


def grid(f, keys, steps, draws):
    return np.array(
        [f(np.uint64(i), t, k) for i in range(keys) for t in range(steps) for k in range(draws)]
    )


def test_neighbouring_counters_look_independent_and_uniform():
    u = grid(counter.uniform, 30, 30, 30)
    assert stats.kstest(u, "uniform").pvalue > 1e-4
    for lag in (1, 30, 900):  # the next k, t and key
        assert abs(np.corrcoef(u[:-lag], u[lag:])[0, 1]) < 5 / np.sqrt(len(u))
    bins = np.histogram2d(u[:-1:2], u[1::2], bins=10)[0]
    assert stats.chisquare(bins.ravel()).pvalue > 1e-4


def test_normals_are_normal():
    z = grid(counter.normal, 20, 20, 20)
    assert stats.kstest(z, "norm").pvalue > 1e-4


def test_every_key_has_another_next_key():
    keys = np.arange(100_000, dtype=np.uint64)
    after = np.empty_like(keys)
    counter.next_keys(keys, after)
    assert len(np.unique(after)) == len(keys)
    assert not np.isin(after, keys).any()
