"""How much of everything an answer may use."""

from dataclasses import dataclass, replace
from typing import Any

_MIB = 1 << 20
_LARGE = {"scipy", "numba"}  # packages that map much memory before they do anything


@dataclass(frozen=True)
class Limits:
    """Seconds are those of a clock on the wall, less what our own callables take."""

    call_seconds: float = 2.0
    load_seconds: float = 5.0  # running the file, imports included
    property_seconds: float = 20.0
    exercise_seconds: float = 60.0
    memory_bytes: int = 1024 * _MIB
    output_bytes: int = 64 * 1024  # kept of what is printed
    drained_bytes: int = 64 * _MIB  # printed in all, then the child is stopped
    file_bytes: int = _MIB  # of a file that is written
    open_files: int = 64
    reply_bytes: int = 256 * 1024  # of what one call returns: laws must come to an end
    reply_items: int = 5_000  # values in lists that it returns
    callbacks: int = 10_000  # calls of our callables during one call of the answer
    callback_bytes: int = 64 * 1024  # arguments of one of them

    def __post_init__(self) -> None:
        low = [name for name, value in vars(self).items() if value <= 0]
        if low:
            raise ValueError(f"limits must be positive; got {low[0]} = {getattr(self, low[0])}")

    def for_packages(self, packages: tuple[str, ...]) -> "Limits":
        """These limits, with four times the memory where a large package is allowed."""
        if _LARGE.isdisjoint(packages):
            return self
        return replace(self, memory_bytes=4 * self.memory_bytes)

    def resources(self, isolation: int) -> dict[str, int]:
        """What the system is asked to enforce, beside what no child may do anyway."""
        limits = {"AS": self.memory_bytes, "CPU": int(2 * self.exercise_seconds) + 10}
        limits["NOFILE"] = self.open_files
        return limits if isolation else limits | {"FSIZE": self.file_bytes}


def describe(value: Any) -> str:
    """The size of an argument in a few letters, such as (12, 3)."""
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"of shape {tuple(shape)}" if shape else f"= {value:.6g}"
    if isinstance(value, list | tuple):
        return f"of length {len(value)}"
    return f"= {value!r:.20}"
