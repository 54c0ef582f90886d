"""The wire: what goes through comes out the same, and whatever else comes in raises WireError."""

import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refmarl.grading.border import wire
from refmarl.grading.border.corpus import fresh

KINDS = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]
DTYPES = [np.dtype(order + kind) for kind in KINDS for order in "<>"]
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@st.composite
def arrays(draw):
    """Any bits, NaNs with payloads among them, in any layout that slicing can make."""
    dtype, shape = draw(st.sampled_from(DTYPES)), draw(SHAPES)
    wide = tuple(2 * n + 1 for n in shape)
    size = int(np.prod(wide)) * dtype.itemsize
    bits = draw(st.binary(min_size=size, max_size=size)) if dtype.kind != "b" else bytes(size)
    x = np.frombuffer(bits, dtype).reshape(wide, order=draw(st.sampled_from("CF"))).copy("K")
    steps = [draw(st.sampled_from([1, 2, -1, -2])) for _ in shape]
    x = x[(..., *(slice(None, None, k) for k in steps))]
    x = x[(..., *(slice(0, n) for n in shape))]
    x = x.transpose(draw(st.permutations(range(x.ndim))))
    x.flags.writeable = draw(st.booleans())
    return x


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**900), 2**900)
    | st.floats(allow_nan=True)
    | st.complex_numbers(allow_nan=True)
    | st.text()
    | st.just("\ud800")
    | st.binary()
    | st.sampled_from([np.float64(-0.0), np.float32("nan"), np.int8(-3), np.bool_(True)])
)
KEYS = st.text(max_size=3) | st.integers() | st.tuples(st.integers(), st.text(max_size=2))
VALUES = st.recursive(
    SCALARS | arrays(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=6,
)


def alike(a, b, layout=True):
    """The same type and the same bits, in the same layout."""
    assert type(a) is type(b)
    if isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            alike(x, y, layout)
    elif isinstance(a, dict):
        assert list(a) == list(b)
        alike(list(a.values()), list(b.values()), layout)
    elif isinstance(a, np.ndarray):
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
        if layout:
            assert a.flags.writeable == b.flags.writeable
            assert a.strides == b.strides or a.size < 2 or a.flags.c_contiguous
            assert a.flags.f_contiguous == b.flags.f_contiguous
    elif isinstance(a, np.generic):
        assert a.tobytes() == b.tobytes()
    elif isinstance(a, float | complex):
        assert struct.pack("<2d", a.real, a.imag) == struct.pack("<2d", b.real, b.imag)
    else:
        assert a == b


@given(VALUES)
def test_a_value_comes_out_bit_for_bit_with_its_layout(value):
    alike(value, wire.decode(wire.encode(value), layout=True))


@given(VALUES)
def test_without_layout_an_array_is_plain_and_writable(value):
    back = wire.decode(wire.encode(value, layout=False))
    alike(value, back, layout=False)
    flat = [back]
    while flat:
        x = flat.pop()
        flat += x.values() if isinstance(x, dict) else x if isinstance(x, list | tuple) else []
        if isinstance(x, np.ndarray):
            assert x.flags.writeable
            assert x.flags.owndata
            assert x.flags.c_contiguous or x.flags.f_contiguous


@given(VALUES)
def test_a_copy_is_alike_and_shares_no_memory(value):
    copy = fresh(value)
    alike(value, copy)
    if isinstance(value, np.ndarray):
        assert not np.shares_memory(value, copy)


@pytest.mark.parametrize(
    "x",
    [
        np.broadcast_to(np.float64(3.0), (2, 3)),
        np.lib.stride_tricks.sliding_window_view(np.arange(5.0), 3),
        np.arange(24.0).reshape(2, 3, 4)[:, ::-2, 1:3],
        np.arange(12, dtype=">i2").reshape(3, 4).T,
        np.frombuffer(b"\x01\x00\x00\x00\x00\x00\xf8\x7f" * 2, "<f8"),
    ],
)
def test_layouts_that_slicing_or_broadcasting_makes(x):
    back = wire.decode(wire.encode(x), layout=True)
    alike(x, back)
    assert back.strides == x.strides


class Vector(np.ndarray):
    pass


class Whole(int):
    pass


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (np.zeros(2).view(Vector), "Vector"),
        (Whole(3), "Whole"),
        (np.ma.array([1.0]), "MaskedArray"),
        ({1, 2}, "set"),
        (object(), "object"),
        (len, "builtin_function_or_method"),
        (np.array([None]), "object"),
        (np.zeros(2, "U3"), "U3"),
        (np.zeros(2, [("a", "f8")]), "a"),
        (np.zeros(2, "M8[s]"), "datetime64"),
        ({Whole(3): 1}, "Whole"),
        ({frozenset(): 1}, "frozenset"),
        ([[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]], "16 deep"),
        ([0] * 100_001, "100000 values"),
        (np.zeros((1,) * 9), "9 axes"),
        (np.broadcast_to(0.0, (10**12,)), "MiB"),
        (1 << 100_000, "int of"),
        (dict.fromkeys(range(5000), 0), "4096 keys"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_may_not_pass_is_named(value, name):
    with pytest.raises(wire.WireError, match=name):
        wire.encode(value)


def test_a_list_in_itself_and_too_much_of_anything_stop_early():
    circle = []
    circle.append(circle)
    with pytest.raises(wire.WireError):
        wire.encode(circle)
    with pytest.raises(wire.WireError, match="1 MiB"):
        wire.encode([b"x" * 700_000] * 3, most=1 << 20)


BYTES = st.tuples(st.integers(0, 10**6), st.integers(0, 255))


def total(data):
    """Decode; only a value or WireError may come of it."""
    for layout in (False, True):
        try:
            wire.decode(data, layout)
        except wire.WireError:
            continue


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_wire_error(data):
    total(data)


@given(
    VALUES, st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4), st.data()
)
def test_damaged_messages_are_a_value_or_a_wire_error(value, changes, data):
    damaged = bytearray(wire.encode(value))
    for place, byte in changes:
        damaged[place % len(damaged)] = byte
    cut = data.draw(st.integers(0, len(damaged)))
    total(bytes(damaged))
    total(bytes(damaged[:cut]))
    total(bytes(damaged) + b"N")


@given(st.lists(st.sampled_from([b"l", b"t", b"d"]), max_size=40), st.integers(0, 2**32 - 1))
def test_promised_lengths_take_no_memory(tags, count):
    data = b"".join(tag + struct.pack("<I", count) for tag in tags)
    tracemalloc.start()
    total(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=3), st.sampled_from([0, 4, 7]))
def test_shapes_and_strides_out_of_all_bounds_take_no_memory(numbers, flags):
    n = len(numbers)
    head = b"a" + struct.pack("<BBB", 11, flags, n)
    data = head + struct.pack(f"<{n}q", *numbers) + struct.pack(f"<{n}q", *[2**39] * n)
    tracemalloc.start()
    total(data + bytes(64))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_strides_are_not_read_from_a_child():
    data = wire.encode(np.arange(6.0)[::2])
    with pytest.raises(wire.WireError, match="strides"):
        wire.decode(data)


def test_functions_pass_as_numbers_only_where_both_sides_know_them():
    data = wire.encode([len, 1], handle=lambda f: 7)
    assert wire.decode(data, resolve={7: max}.get) == [max, 1]
    with pytest.raises(wire.WireError, match="callable"):
        wire.decode(data)
