"""Memories: what they hold, what they give, and that a checkpoint has all of it."""

import copy
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from refmarl.check import InputError
from refmarl.kernels.sum_tree import assign, descend
from refmarl.replay import episodes, prioritised, reservoir, ring
from refmarl.training import checkpoint


class Row(NamedTuple):
    obs: Any  # one array for each group
    action: Any
    reward: Any


LIKE = Row((np.zeros(2, np.float32), np.zeros((3, 1))), np.int64(0), 0.0)
CHUNKS = st.lists(st.integers(0, 9), max_size=8)
CAPACITY = st.integers(1, 12)


def rows(start, count):
    """Rows number ``start`` … in which every number says which row it is."""
    n = np.arange(start, start + count)
    first = np.broadcast_to(n[:, None], (count, 2)).astype(np.float32)
    return Row((first, np.broadcast_to(n[:, None, None], (count, 3, 1)) * 1.0), n, n * 1.0)


def numbers(given):
    """Which rows these are; all their parts agree."""
    n = given.action
    assert_array_equal(given.obs[0], np.stack([n, n], axis=-1))
    assert_array_equal(given.obs[1][..., 0], np.stack([n, n, n], axis=-1))
    assert_array_equal(given.reward, n)
    return n


def fed(empty, add, chunks):
    memory, total = empty, 0
    for count in chunks:
        memory, total = add(memory, rows(total, count)), total + count
    return memory, total


# -- ring -----------------------------------------------------------------------------


@given(CAPACITY, CHUNKS)
def test_a_ring_holds_exactly_the_newest_in_order(capacity, chunks):
    memory, total = fed(ring.empty(capacity, LIKE), ring.add, chunks)
    assert_array_equal(numbers(ring.in_order(memory)), np.arange(total)[-capacity:])
    assert memory.size == min(total, capacity)
    assert memory.at == total % capacity


@given(CAPACITY, CHUNKS)
def test_how_rows_are_cut_into_calls_does_not_matter(capacity, chunks):
    memory, total = fed(ring.empty(capacity, LIKE), ring.add, chunks)
    whole = ring.empty(capacity, LIKE)
    for k in range(total):
        whole = ring.add(whole, rows(k, 1))
    assert checkpoint.same(memory, whole)


@given(CAPACITY, CHUNKS, CHUNKS, CHUNKS)
def test_going_on_twice_from_one_ring_gives_two_or_is_refused(capacity, before, one, two):
    """Never is a ring's content another than what was added to it."""
    shared, total = fed(ring.empty(capacity, LIKE), ring.add, before)
    first, _ = fed(shared, ring.add, one)
    held = np.arange(total)[-capacity:]
    if shared.size and sum(one) + shared.size > capacity and sum(one):
        for use in (ring.in_order, ring.held, lambda m: ring.add(m, rows(0, 1))):
            with pytest.raises(InputError, match=r"of \d+ were written over"):
                use(shared)
        return
    assert_array_equal(numbers(ring.in_order(shared)), held)
    kept = ring.in_order(first)
    second = shared
    for count in two:
        second = ring.add(second, rows(1000, count))
    wanted = np.concatenate([held, *(np.arange(1000, 1000 + n) for n in two)])[-capacity:]
    assert_array_equal(numbers(ring.in_order(second)), wanted)
    if sum(one):  # the second went on in a copy
        assert_array_equal(numbers(ring.in_order(first)), numbers(kept))


def test_a_copy_of_a_ring_can_be_gone_on_from_when_its_rows_are_gone():
    full, _ = fed(ring.empty(3, LIKE), ring.add, [5])
    kept = copy.deepcopy(full)
    ring.add(full, rows(5, 2))
    assert_array_equal(numbers(ring.in_order(ring.add(kept, rows(9, 1)))), [3, 4, 9])
    with pytest.raises(InputError, match="2 of 3 were written over"):
        ring.sample(full, np.random.default_rng(0), 1)


@given(CAPACITY, st.lists(st.integers(0, 9), min_size=1, max_size=8), st.integers(1, 40))
def test_samples_are_rows_that_are_held(capacity, chunks, count):
    memory, total = fed(ring.empty(capacity, LIKE), ring.add, [1, *chunks])
    drawn = numbers(ring.sample(memory, np.random.default_rng(0), count))
    assert len(drawn) == count
    assert set(drawn) <= set(range(total)[-capacity:])


def test_samples_are_uniform():
    memory, _ = fed(ring.empty(20, LIKE), ring.add, [33])
    drawn = numbers(ring.sample(memory, np.random.default_rng(1), 40_000)) - 13
    assert stats.chisquare(np.bincount(drawn, minlength=20)).pvalue > 1e-3


def test_neither_samples_nor_what_was_added_share_memory():
    given = rows(0, 4)
    memory = ring.add(ring.empty(4, LIKE), given)
    given.reward[:] = -1.0
    drawn = ring.sample(memory, np.random.default_rng(0), 50)
    drawn.reward[:] = -2.0
    ring.in_order(memory).reward[:] = -3.0
    assert_array_equal(numbers(ring.in_order(memory)), np.arange(4))


@given(CAPACITY, CHUNKS)
def test_what_is_held_is_seen_without_copies_and_cannot_be_written(capacity, chunks):
    memory, total = fed(ring.empty(capacity, LIKE), ring.add, chunks)
    seen = ring.held(memory)
    assert sorted(numbers(seen)) == list(range(total))[-capacity:]
    assert np.shares_memory(seen.reward, memory.data.reward) or memory.size == 0
    with pytest.raises(ValueError, match="read-only"):
        seen.reward[...] = 1.0
    memory = ring.add(memory, rows(total, 1))
    assert memory.data.reward.flags.writeable
    rng = np.random.default_rng(0)
    sample, _ = fed(reservoir.empty(capacity, LIKE), lambda m, r: reservoir.add(m, rng, r), chunks)
    assert_array_equal(numbers(reservoir.held(sample)), numbers(sample.data)[: sample.size])


MAKERS = {
    "ring": (ring.empty(4, LIKE), ring.add),
    "prioritised": (prioritised.empty(4, LIKE), prioritised.add),
    "reservoir": (
        reservoir.empty(4, LIKE),
        lambda m, r: reservoir.add(m, np.random.default_rng(0), r),
    ),
}
BAD = {
    "another tree": (tuple(rows(0, 3)), "need rows.obs.0, rows.obs.1"),
    "a missing group": (rows(0, 3)._replace(obs=(np.zeros((3, 2), np.float32),)), "need rows.obs"),
    "another dtype": (
        rows(0, 3)._replace(reward=np.zeros(3, np.float32)),
        "rows.reward: need an array of float64, got float32",
    ),
    "a list": (rows(0, 3)._replace(reward=[0.0] * 3), "rows.reward: need an array"),
    "another shape": (
        rows(0, 3)._replace(reward=np.zeros((3, 1))),
        r"rows.reward: need \(3, \), got \(3, 1\)",
    ),
    "another length": (rows(0, 3)._replace(reward=np.zeros(2)), "rows.reward: need"),
    "a single row": (LIKE, "rows.obs.0: need"),
}


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("bad", BAD)
def test_rows_that_do_not_fit_are_refused_and_nothing_is_written(maker, bad):
    memory, add = MAKERS[maker]
    given, says = BAD[bad]
    with pytest.raises(InputError, match=says):
        add(memory, given)
    assert not any(leaf.any() for leaf in [memory[0][0]] if isinstance(leaf, np.ndarray))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ring.empty(0, LIKE), "capacity: need a whole number ≥ 1"),
        (lambda: ring.empty(10**12, LIKE), "the cap is"),
        (lambda: ring.empty(3, ("text",)), "row.0: need numbers"),
        (lambda: ring.sample(ring.empty(3, LIKE), np.random.default_rng(0), 1), "is empty"),
        (lambda: ring.sample(MAKERS["ring"][0], np.random.default_rng(0), 0), "is empty"),
        (lambda: prioritised.empty(3, LIKE, alpha=1.5), "alpha"),
        (lambda: ring.add(ring.empty(3, ()), ()), "at least one array"),
    ],
)
def test_what_cannot_be_is_one_clear_line(make, says):
    with pytest.raises((InputError, IndexError), match=says):
        make()


# -- sum tree and priorities ------------------------------------------------------------

LEAVES = st.integers(0, 4).map(lambda k: 2**k)
UPDATES = st.lists(st.tuples(st.integers(0, 15), st.floats(0, 1e6)), max_size=30)


def trees(leaves, updates):
    total, least = np.zeros(2 * leaves), np.full(2 * leaves, np.inf)
    index = np.array([i % leaves for i, _ in updates], dtype=np.int64)
    value = np.array([x for _, x in updates])
    assign(total, least, index, value)
    return total, least, dict(zip(index.tolist(), value.tolist(), strict=True))


@given(LEAVES, UPDATES)
def test_every_node_is_the_sum_and_the_minimum_of_its_children(leaves, updates):
    total, least, last = trees(leaves, updates)
    for i in range(leaves):
        assert total[leaves + i] == last.get(i, 0.0)
        assert least[leaves + i] == last.get(i, np.inf)
    for node in range(1, leaves):
        touched = any(total[2 * node : 2 * node + 2]) or np.isfinite(least[node])
        assert total[node] == total[2 * node] + total[2 * node + 1] or not touched
        assert least[node] == min(least[2 * node], least[2 * node + 1])


@given(LEAVES, UPDATES, st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_descending_finds_the_leaf_of_a_mass_and_never_an_empty_one(leaves, updates, shares):
    total, _, _ = trees(leaves, updates)
    if total[1] == 0.0:
        return
    mass = np.array(shares) * total[1]
    index = np.empty(len(mass), dtype=np.int64)
    descend(total, mass, index)
    value = total[leaves:]
    below = np.cumsum(value) - value
    slack = 1e-12 * total[1]
    assert (value[index] > 0.0).all()
    assert (below[index] <= mass + slack).all()
    assert (mass <= below[index] + value[index] + slack).all()


@given(LEAVES, UPDATES)
def test_compiled_and_plain_trees_are_the_same(leaves, updates):
    total, least, _ = trees(leaves, updates)
    index = np.array([i % leaves for i, _ in updates], dtype=np.int64)
    plain = np.zeros(2 * leaves), np.full(2 * leaves, np.inf)
    assign.py_func(*plain, index, np.array([x for _, x in updates]))
    assert_array_equal(plain[0], total)
    assert_array_equal(plain[1], least)
    mass = np.linspace(0.0, total[1], 7)
    one, two = np.empty((2, 7), dtype=np.int64)
    descend(total, mass, one)
    descend.py_func(total, mass, two)
    assert_array_equal(one, two)


def prioritised_memory(capacity, chunks, alpha, seed):
    """A memory whose priorities were updated after every addition, and the p_i as it should be."""
    rng, memory, total = np.random.default_rng(seed), prioritised.empty(capacity, LIKE, alpha), 0
    held, highest = {}, 1.0
    for count in chunks:
        memory = prioritised.add(memory, rows(total, count))
        held |= {k % capacity: highest for k in range(total, total + count)}
        total += count
        index = rng.integers(memory.ring.size, size=5)
        error = rng.normal(size=5) * 3.0
        memory = prioritised.update(memory, index, error, epsilon=0.01)
        for i, delta in zip(index.tolist(), error, strict=True):
            held[i] = (abs(delta) + 0.01) ** alpha
            highest = max(highest, held[i])
    return memory, np.array([held[i] for i in range(memory.ring.size)])


FED = st.lists(st.integers(1, 9), min_size=1, max_size=6)


@given(CAPACITY, FED, st.sampled_from([0.0, 0.5, 1.0]), st.integers(0, 99))
def test_probabilities_are_those_of_the_priorities_last_given(capacity, chunks, alpha, seed):
    memory, mass = prioritised_memory(capacity, chunks, alpha, seed)
    assert_allclose(prioritised.probability(memory), mass / mass.sum(), rtol=1e-12)
    assert_allclose(memory.total[1], mass.sum(), rtol=1e-12)
    if alpha == 0.0:  # reduction: uniform
        assert_allclose(prioritised.probability(memory), 1.0 / memory.ring.size, rtol=1e-12)


@given(CAPACITY, FED, st.integers(0, 99), st.integers(1, 30), st.sampled_from([0.0, 0.4, 1.0]))
def test_weights_undo_the_proportions(capacity, chunks, seed, count, beta):
    memory, _ = prioritised_memory(capacity, chunks, 0.7, seed)
    index, drawn, weight = prioritised.sample(memory, np.random.default_rng(seed), count, beta)
    share = prioritised.probability(memory)
    assert_array_equal(numbers(drawn), memory.ring.data.action[index])
    formula = (memory.ring.size * share) ** -beta
    assert_allclose(weight, formula[index] / formula.max(), rtol=1e-9)
    assert (weight <= 1.0).all()
    assert (weight > 0.0).all()


@given(CAPACITY, FED, st.integers(0, 99))
def test_one_from_each_part_so_that_counts_are_expectations_within_one(capacity, chunks, seed):
    memory, _ = prioritised_memory(capacity, chunks, 0.7, seed)
    count = 200
    index = prioritised.sample(memory, np.random.default_rng(seed), count, 0.0).place
    expected = count * prioritised.probability(memory)
    drawn = np.bincount(index, minlength=memory.ring.size)
    assert (abs(drawn - expected) < 2.0).all()  # each end of an interval moves by less than one


def test_single_draws_are_in_proportion_to_the_priorities():
    memory, _ = prioritised_memory(11, [11, 7], 0.7, 0)
    rng = np.random.default_rng(2)
    index = [int(prioritised.sample(memory, rng, 1, 0.0).place[0]) for _ in range(5_000)]
    expected = 5_000 * prioritised.probability(memory)
    assert stats.chisquare(np.bincount(index, minlength=11), expected).pvalue > 1e-3


@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=12), st.integers(0, 9))
def test_full_correction_makes_the_expectation_uniform(errors, seed):
    """E_P[f w] ∝ the plain mean of f when β = 1, exactly, by the sum over all rows."""
    k = len(errors)
    memory = prioritised.add(prioritised.empty(k, LIKE), rows(0, k))
    memory = prioritised.update(memory, np.arange(k), np.array(errors))
    share = prioritised.probability(memory)
    weight = (k * share) ** -1.0
    f = np.random.default_rng(seed).normal(size=k)
    assert_allclose((share * weight * f).sum(), f.mean(), atol=1e-9)


@pytest.mark.parametrize(
    ("index", "error", "epsilon", "says"),
    [
        ([3], [1.0], 0.1, "need 0 ≤ i < 3"),
        ([-1], [1.0], 0.1, "need 0 ≤ i < 3"),
        ([0], [np.nan], 0.1, "need ε ≥ 0"),
        ([0], [np.inf], 0.1, "need ε ≥ 0"),
        ([0], [0.0], 0.0, "need ε ≥ 0"),
        ([0], [1.0], -0.5, "need ε ≥ 0"),
        ([0, 1], [1.0], 0.1, "indices and errors"),
    ],
)
def test_a_bad_priority_is_refused_and_changes_nothing(index, error, epsilon, says):
    memory = prioritised.add(prioritised.empty(5, LIKE), rows(0, 3))
    before = memory.total.copy()
    with pytest.raises(InputError, match=says):
        prioritised.update(memory, np.array(index), np.array(error), epsilon)
    assert_array_equal(memory.total, before)


# -- episodes ---------------------------------------------------------------------------


@given(st.integers(1, 5), st.lists(st.lists(st.integers(1, 6), max_size=7), max_size=5))
def test_episodes_come_back_whole_and_the_newest_are_held(capacity, batches):
    memory, told = episodes.empty(capacity, 6, (0, np.zeros(2))), []
    for lengths in batches:
        steps = max(lengths, default=1)
        number = np.arange(len(told), len(told) + len(lengths))
        t = np.arange(steps)[:, None]
        marks = 1000 * (number + 1) + t  # junk behind the end too: it must not come back
        rows = (marks, np.broadcast_to(marks[..., None] * 1.0, (*marks.shape, 2)))
        memory = episodes.add(memory, rows, np.array(lengths, dtype=np.int64))
        told += [(n, length) for n, length in zip(number.tolist(), lengths, strict=True)]
    assert memory.size == min(len(told), capacity)
    if not told:
        return
    held = dict(told[-capacity:])
    marks, copies = (batch := episodes.sample(memory, np.random.default_rng(0), 20)).rows
    assert marks.shape == batch.mask.shape == (batch.length.max(), 20)
    for m, length in enumerate(batch.length):
        number = marks[0, m] // 1000 - 1
        assert held[number] == length
        assert_array_equal(marks[:length, m], 1000 * (number + 1) + np.arange(length))
        assert not marks[length:, m].any()
    assert_array_equal(copies, np.stack([marks, marks], axis=-1))
    assert_array_equal(batch.mask, marks > 0)


def test_an_episode_that_does_not_fit_is_refused():
    memory = episodes.empty(2, 3, (0.0,))
    for steps, lengths, says in [(4, [4], "L = 3"), (2, [3], "T = 2"), (2, [0], "1 ≤ length"),
                                 (2, [1, 1], "integers"), (2, [1.0], "integers")]:  # fmt: skip
        with pytest.raises(InputError, match=says):
            episodes.add(memory, (np.zeros((steps, 1)),), np.array(lengths))


# -- reservoir --------------------------------------------------------------------------


@given(CAPACITY, CHUNKS, st.integers(0, 99))
def test_a_reservoir_holds_as_many_as_it_can_and_none_twice(capacity, chunks, seed):
    rng = np.random.default_rng(seed)
    memory, total = fed(
        reservoir.empty(capacity, LIKE), lambda m, r: reservoir.add(m, rng, r), chunks
    )
    assert (memory.seen, memory.size) == (total, min(total, capacity))
    held = numbers(ring.take(memory.data, np.arange(memory.size)))
    assert len(set(held)) == memory.size
    assert set(held) <= set(range(total))


@given(CAPACITY, CHUNKS, st.integers(0, 99))
def test_a_reservoir_does_not_see_how_the_stream_is_cut(capacity, chunks, seed):
    one, two = np.random.default_rng(seed), np.random.default_rng(seed)
    cut, total = fed(reservoir.empty(capacity, LIKE), lambda m, r: reservoir.add(m, one, r), chunks)
    whole = reservoir.add(reservoir.empty(capacity, LIKE), two, rows(0, total))
    assert checkpoint.same(cut, whole)
    assert one.random() == two.random()


@pytest.mark.equation("6.8")
@pytest.mark.parametrize(("capacity", "stream"), [(1, 6), (4, 5), (3, 12), (7, 7)])
def test_every_row_and_every_pair_is_held_equally_often(capacity, stream):
    rng, runs = np.random.default_rng(3), 4_000
    held = np.zeros((runs, stream))
    for r in range(runs):
        memory = reservoir.add(reservoir.empty(capacity, (0,)), rng, (np.arange(stream),))
        held[r, memory.data[0]] = 1.0
    chance = capacity / stream
    error = np.sqrt(chance * (1 - chance) / runs)
    assert (abs(held.mean(axis=0) - chance) <= 4.5 * error).all()
    pairs = (held.T @ held / runs)[np.triu_indices(stream, 1)]
    both = chance * (capacity - 1) / (stream - 1)
    assert (abs(pairs - both) <= 4.5 * np.sqrt(both * (1 - both) / runs) + 1e-12).all()


# -- checkpoints ------------------------------------------------------------------------


@settings(max_examples=10)
@given(CAPACITY, FED, st.integers(0, 99))
def test_a_checkpoint_gives_every_memory_back_to_go_on_with(
    tmp_path_factory, capacity, chunks, seed
):
    path = tmp_path_factory.mktemp("memory") / "checkpoint.npz"
    rng = np.random.default_rng(seed)

    def fresh():
        longest = episodes.empty(capacity, 3, (0.0,))
        first = prioritised.empty(capacity, LIKE), reservoir.empty(capacity, LIKE), longest
        return (*first, np.random.default_rng(0))

    def go_on(progress, total):
        by_priority, by_chance, whole, rng = progress
        by_priority = prioritised.add(by_priority, rows(total, 3))
        index = prioritised.sample(by_priority, rng, 4, 0.5).place
        by_priority = prioritised.update(by_priority, index, rng.normal(size=4))
        by_chance = reservoir.add(by_chance, rng, rows(total, 3))
        whole = episodes.add(whole, (rng.normal(size=(3, 2)),), np.array([2, 3]))
        return by_priority, by_chance, whole, rng

    progress = (*fresh()[:3], rng)
    for k in range(len(chunks)):
        progress = go_on(progress, 3 * k)
    checkpoint.save(path, progress)
    again = checkpoint.load(path, fresh())
    assert checkpoint.same(progress, again)
    assert checkpoint.same(go_on(progress, 99), go_on(again, 99))
