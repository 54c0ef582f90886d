"""The cases of an exercise: drawn once, the same ones wherever and whenever they are drawn."""

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.strategies import SearchStrategy

from . import wire

Case = tuple[Any, ...]
BLOCK = 10  # cases that are drawn from one seed


def seed_of(label: str, secret: bytes | None) -> int:
    """The seed of an exercise's cases: 0 in public, with a secret a number nobody can guess."""
    if secret is None:
        return 0
    return int.from_bytes(hmac.digest(secret, f"refmarl|{label}".encode(), sha256)[:8], "big")


def run(
    body: Callable[[Any], None],
    cases: SearchStrategy[Any],
    number: int,
    examples: int,
    shrink: bool = False,
) -> None:
    """Hand drawn cases to ``body``, which may raise; nothing of the user's settings enters."""
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=False,
        backend="hypothesis",
        verbosity=Verbosity.normal,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(cases)
    def drawn(case: Any) -> None:
        body(case)

    with _nothing_mined():
        drawn()


@contextmanager
def _nothing_mined() -> Iterator[None]:
    """Keep hypothesis from drawing constants that it finds in the code around it.

    It reads them out of every module that is not in site-packages: the cases would be others in
    a checkout than in an installed wheel, and others again where more is imported.
    """
    name = "_maybe_draw_constant"
    mined = HypothesisProvider.__dict__.get(name)
    if mined is None:  # a version that does not mine, or does it elsewhere: test_border_corpus
        yield
        return
    setattr(HypothesisProvider, name, lambda *_, **__: None)
    try:
        yield
    finally:
        setattr(HypothesisProvider, name, mined)


class Cases(list[Case]):
    """Cases in the order drawn; ``origins`` says of each (seed, how many came before it)."""

    def __init__(self) -> None:
        super().__init__()
        self.origins: list[tuple[int, int]] = []


def draw(cases: SearchStrategy[Any], number: int, examples: int) -> Cases:
    """``examples`` different cases of a seed; fewer where there are no more.

    In blocks with seeds of their own: after its first ten cases hypothesis mostly changes a
    little in those that it has.
    """
    found, seen = Cases(), set[bytes]()
    for block in range(1 + 2 * examples // BLOCK):
        drawn: list[Case] = []
        seed = number + (block << 64)
        run(drawn.append, cases, seed, min(BLOCK, examples))
        for k, case in enumerate(drawn):
            key = _key(case)
            if key not in seen and len(found) < examples:
                seen.add(key)
                found.append(case)
                found.origins.append((seed, k))
        if len(drawn) < BLOCK or len(found) == examples:
            break
    return found


def _key(case: Case) -> bytes:
    """Equal for equal cases only."""
    functions: list[Any] = []

    def handle(function: Any) -> int:
        functions.append(function)
        return len(functions)

    return wire.encode(tuple(case), handle=handle) + repr(functions).encode()


def fresh(value: Any) -> Any:
    """A copy that shares no memory: arrays keep dtype, strides and the read-only flag."""
    if type(value) is np.ndarray:
        return _array(value)
    if isinstance(value, tuple):
        parts = [fresh(x) for x in value]
        return type(value)._make(parts) if hasattr(value, "_make") else tuple(parts)
    if isinstance(value, list):
        return [fresh(x) for x in value]
    if isinstance(value, dict):
        return {key: fresh(x) for key, x in value.items()}
    return value


def _array(x: Any) -> Any:
    copy = x.copy("K")
    if copy.strides != x.strides and x.size:
        reach = [(n - 1) * s for n, s in zip(x.shape, x.strides, strict=True)]
        low = sum(min(r, 0) for r in reach)
        extent = sum(max(r, 0) for r in reach) - low + x.dtype.itemsize
        copy = np.ndarray(x.shape, x.dtype, bytearray(extent), -low, x.strides)
        copy[...] = x
    copy.flags.writeable = x.flags.writeable
    return copy
