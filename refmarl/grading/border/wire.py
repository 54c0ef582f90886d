"""Plain values as bytes and back. Reading runs nothing, whatever the bytes are.

None, bool, int, float, complex, str, bytes, list, tuple, dict, NumPy's arrays and scalars of truth
values and numbers, bit for bit, of exactly these types; and callables, as a number that the other
side knows. The child runs this file as well: it imports nothing of ours.
"""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

FRAME = 64 << 20  # bytes of one message
DEPTH = 16  # lists in lists
ITEMS = 100_000  # values of one message
KEYS = 4096  # of all dictionaries of one message: keys may be chosen to collide
DIGITS = 1024  # bytes of an int: Python writes no more than 4300 digits
AXES = 8

_KINDS = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
_BIG = 0x80  # the other byte order
_DTYPES = {k: np.dtype(kind).newbyteorder("<") for k, kind in enumerate(_KINDS)}
_DTYPES |= {k | _BIG: d.newbyteorder(">") for k, d in _DTYPES.items() if d.itemsize > 1}
_CODES = {d.str: k for k, d in _DTYPES.items()}
_FORTRAN, _READ_ONLY, _STRIDED = 1, 2, 4

_U32, _I64, _F64 = struct.Struct("<I"), struct.Struct("<q"), struct.Struct("<d")
_COMPLEX, _HEAD = struct.Struct("<dd"), struct.Struct("<BBB")
_COUNT = {n: struct.Struct(f"<{n}q") for n in range(AXES + 1)}


class WireError(Exception):
    """A value that may not pass, or bytes that are no value."""


def encode(
    value: Any,
    layout: bool = True,
    handle: Callable[[Any], int] | None = None,
    most: int = FRAME,
    items: int = ITEMS,
) -> bytes:
    """``value`` as bytes, ``most`` of them and ``items`` values.

    With ``layout`` an array comes out with the same strides and the same read-only flag; without,
    in C order and writable. ``handle`` gives the number of a callable, or raises WireError.

    Raises
    ------
    WireError
        If it holds anything else than the types above, or is larger than the limits above.
    """
    return bytes(_Writer(layout, handle, most, items).put(value, 0).out)


def decode(
    data: bytes,
    layout: bool = False,
    resolve: Callable[[int], Any] | None = None,
    items: int = ITEMS,
) -> Any:
    """The value that ``data`` stands for; ``resolve`` gives the callable of a number.

    Strides other than C's and Fortran's are read only with ``layout``: they spread an array over
    more memory than it came in.

    Raises
    ------
    WireError
        If the bytes are not exactly one value within the limits; nothing else, ever.
    """
    reader = _Reader(data, layout, resolve, items)
    try:
        value = reader.take(0)
    except (ValueError, OverflowError, MemoryError, TypeError, struct.error) as error:
        raise WireError(f"broken: {type(error).__name__}") from None
    if reader.at != len(data):
        raise WireError("bytes left over")
    return value


class _Writer:
    def __init__(
        self, layout: bool, handle: Callable[[Any], int] | None, most: int, items: int
    ) -> None:
        self.out, self.most, self.left = bytearray(), most, items
        self.layout, self.handle, self.items, self.keys = layout, handle, items, 0

    def put(self, value: Any, depth: int) -> "_Writer":
        self.left -= 1
        if self.left < 0:
            raise WireError(f"more than {self.items} values")
        if len(self.out) > self.most:
            raise WireError(f"more than {_size(self.most)}")
        kind = type(value)
        writer = _WRITERS.get(kind)
        if writer is not None:
            writer(self, value)
        elif kind is list or kind is tuple or kind is dict:
            if depth == DEPTH:
                raise WireError(f"lists nested more than {DEPTH} deep")
            self._many(value, kind, depth)
        elif kind in _SCALARS:
            self.out += b"g" + bytes([_CODES[value.dtype.str]]) + value.tobytes()
        elif self.handle is not None and callable(value):
            self.out += b"h" + _U32.pack(self.handle(value))
        else:
            raise WireError(f"a value of type {type_name(kind)}")
        return self

    def _many(self, value: Any, kind: type, depth: int) -> None:
        if len(value) > self.left:
            raise WireError(f"more than {self.items} values")
        self.out += _TAGS[kind] + _U32.pack(len(value))
        if kind is dict:
            self.keys += len(value)
            if self.keys > KEYS:
                raise WireError(f"more than {KEYS} keys")
        for item in value:
            if kind is dict:
                _plain_key(item)
            self.put(item, depth + 1)
            if kind is dict:
                self.put(value[item], depth + 1)

    def none(self, value: None) -> None:
        self.out += b"N"

    def truth(self, value: bool) -> None:
        self.out += b"T" if value else b"F"

    def whole(self, value: int) -> None:
        if -(2**63) <= value < 2**63:
            self.out += b"i" + _I64.pack(value)
            return
        size = value.bit_length() // 8 + 1
        if size > DIGITS:
            raise WireError(f"an int of {size} bytes, at most {DIGITS} pass")
        self.out += b"I" + _U32.pack(size) + value.to_bytes(size, "little", signed=True)

    def real(self, value: float) -> None:
        self.out += b"f" + _F64.pack(value)

    def pair(self, value: complex) -> None:
        self.out += b"c" + _COMPLEX.pack(value.real, value.imag)

    def text(self, value: str) -> None:
        self._blob(b"s", value.encode("utf-8", "surrogatepass"))

    def blob(self, value: bytes) -> None:
        self._blob(b"b", value)

    def _blob(self, tag: bytes, data: bytes) -> None:
        if len(data) > self.most:
            raise WireError(f"more than {_size(self.most)}")
        self.out += tag + _U32.pack(len(data)) + data

    def array(self, x: Any) -> None:
        code = _CODES.get(x.dtype.str)
        if code is None:
            raise WireError(f"an array of dtype {x.dtype}"[:200])
        if x.ndim > AXES:
            raise WireError(f"an array of {x.ndim} axes, at most {AXES} pass")
        if x.nbytes > self.most:
            raise WireError(f"an array of {_size(x.nbytes)}, at most {_size(self.most)} pass")
        flags, order = 0, x.flags
        if not order.c_contiguous:
            flags |= _FORTRAN if order.f_contiguous else _STRIDED * self.layout
        if self.layout and not order.writeable:
            flags |= _READ_ONLY
        self.out += b"a" + _HEAD.pack(code, flags, x.ndim) + _COUNT[x.ndim].pack(*x.shape)
        if flags & _STRIDED:
            self.out += _COUNT[x.ndim].pack(*x.strides)
        self.out += x.tobytes("F" if flags & _FORTRAN else "C")


_WRITERS: dict[type, Callable[[_Writer, Any], None]] = {
    type(None): _Writer.none,
    bool: _Writer.truth,
    int: _Writer.whole,
    float: _Writer.real,
    complex: _Writer.pair,
    str: _Writer.text,
    bytes: _Writer.blob,
    np.ndarray: _Writer.array,
}
_TAGS: dict[type, bytes] = {list: b"l", tuple: b"t", dict: b"d"}
_SCALARS = {d.type for d in _DTYPES.values()} | {np.longlong, np.ulonglong}


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count >> 10} KiB"


def type_name(kind: type) -> str:
    """The name of a type, which its owner may have tampered with."""
    module, name = (type.__dict__[key].__get__(kind) for key in ("__module__", "__name__"))
    known = type(module) is str and module != "builtins"
    return f"{module}.{name}"[:100] if known else str(name)[:100]


def _plain_key(key: Any) -> None:
    """Refuse keys whose hash is not their own value's."""
    if type(key) is tuple:
        for item in key:
            _plain_key(item)
    elif type(key) not in (str, bytes, int, float, bool, type(None)):
        raise WireError(f"a dictionary's key of type {type_name(type(key))}")


class _Reader:
    def __init__(
        self, data: bytes, layout: bool, resolve: Callable[[int], Any] | None, items: int
    ) -> None:
        self.data, self.resolve, self.left = data, resolve, items
        self.at = self.keys = 0
        self.room = max(1 << 20, 16 * len(data)) if layout else 0

    def take(self, depth: int) -> Any:
        self.left -= 1
        if self.left < 0:
            raise WireError("too many values")
        tag = self.data[self.at : self.at + 1]
        self.at += 1
        if tag in (b"l", b"t", b"d"):
            if depth == DEPTH:
                raise WireError(f"lists nested more than {DEPTH} deep")
            return self._many(tag, depth)
        reader = _READERS.get(tag)
        if reader is None:
            raise WireError("no value begins so")
        return reader(self)

    def _many(self, tag: bytes, depth: int) -> Any:
        count = self._number(_U32)
        if count > self.left:
            raise WireError("too many values")
        if tag != b"d":
            found = [self.take(depth + 1) for _ in range(count)]
            return found if tag == b"l" else tuple(found)
        self.keys += count
        if self.keys > KEYS:
            raise WireError(f"more than {KEYS} keys")
        table: dict[Any, Any] = {}
        for _ in range(count):
            key = self.take(depth + 1)
            _plain_key(key)
            if key in table:
                raise WireError("a key twice")
            table[key] = self.take(depth + 1)
        return table

    def _number(self, form: struct.Struct) -> Any:
        (value,) = form.unpack_from(self.data, self.at)
        self.at += form.size
        return value

    def _bytes(self, size: int) -> bytes:
        data = self.data[self.at : self.at + size]
        if len(data) != size:
            raise WireError("cut off")
        self.at += size
        return data

    def whole(self) -> int:
        return int(self._number(_I64))

    def large(self) -> int:
        size = self._number(_U32)
        if size > DIGITS:
            raise WireError(f"an int of {size} bytes")
        return int.from_bytes(self._bytes(size), "little", signed=True)

    def real(self) -> float:
        return float(self._number(_F64))

    def pair(self) -> complex:
        return complex(self._number(_F64), self._number(_F64))

    def text(self) -> str:
        return self.blob().decode("utf-8", "surrogatepass")

    def blob(self) -> bytes:
        return self._bytes(self._number(_U32))

    def known(self) -> Any:
        number = self._number(_U32)
        if self.resolve is None:
            raise WireError("a callable where none is known")
        return self.resolve(number)

    def scalar(self) -> Any:
        dtype = self._dtype(self._bytes(1)[0])
        return np.frombuffer(self._bytes(dtype.itemsize), dtype)[0]

    def _dtype(self, code: int) -> Any:
        dtype = _DTYPES.get(code)
        if dtype is None:
            raise WireError("no such dtype")
        return dtype

    def array(self) -> Any:
        code, flags, axes = _HEAD.unpack_from(self.data, self.at)
        self.at += _HEAD.size
        if axes > AXES or flags > 7:
            raise WireError("no such array")
        dtype, shape = self._dtype(code), self._counts(axes)
        size = dtype.itemsize
        for n in shape:
            if not 0 <= n <= FRAME:
                raise WireError("no such shape")
            size *= n
        strides = self._counts(axes) if flags & _STRIDED else None
        if size > len(self.data) - self.at:
            raise WireError("cut off")
        order: Any = "F" if flags & _FORTRAN else "C"
        raw: Any = np.ndarray(shape, dtype, self.data, self.at, order=order)
        self.at += size
        x = raw.copy(order) if strides is None else self._spread(raw, strides)
        if flags & _READ_ONLY:
            x.flags.writeable = False
        return x

    def _spread(self, raw: Any, strides: tuple[int, ...]) -> Any:
        """A copy of ``raw`` with these strides, in memory of its own."""
        reach = [(n - 1) * s for n, s in zip(raw.shape, strides, strict=True)]
        low = sum(min(r, 0) for r in reach)
        extent = sum(max(r, 0) for r in reach) - low + raw.dtype.itemsize
        self.room -= extent
        if self.room < 0 or raw.size == 0:
            raise WireError("strides too far apart")
        x: Any = np.ndarray(raw.shape, raw.dtype, bytearray(extent), -low, strides)
        x[...] = raw
        return x

    def _counts(self, axes: int) -> tuple[int, ...]:
        form = _COUNT[axes]
        counts = form.unpack_from(self.data, self.at)
        self.at += form.size
        return counts


_READERS: dict[bytes, Callable[[_Reader], Any]] = {
    b"N": lambda reader: None,
    b"T": lambda reader: True,
    b"F": lambda reader: False,
    b"i": _Reader.whole,
    b"I": _Reader.large,
    b"f": _Reader.real,
    b"c": _Reader.pair,
    b"s": _Reader.text,
    b"b": _Reader.blob,
    b"h": _Reader.known,
    b"g": _Reader.scalar,
    b"a": _Reader.array,
}
