"""The student's function as the laws see it: a callable whose every call crosses the border."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import child as far
from . import wire
from .errors import BadReturn, Stop, StudentError, student_error
from .limits import Limits, describe
from .nursery import Nursery
from .pipes import Garbled, Gone, Late
from .process import Child

_SOURCE_BYTES = 256 * 1024
_LAST_WORDS = 0.2  # seconds in which a child that closed its pipes should have ended


@dataclass(frozen=True)
class Submission:
    """A student's file: where it is, the function asked of it, the packages that it may import."""

    path: Path
    function: str
    packages: tuple[str, ...] = ("numpy",)
    name: str = ""  # under which tracebacks show the file, if not its path
    folder: str = ""  # of the section: its neighbours are importable as folder.module

    def read(self) -> bytes:
        """The bytes of the file. Raises ValueError if they are too many."""
        return read_source(self.path)

    def source(self, name: str) -> tuple[str, bytes] | None:
        """(file name, text) of a module beside it, ("", b"") for its folder, None for others."""
        parts = name.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        if parts == [self.folder]:
            return "", b""
        if len(parts) > 2 or (len(parts) == 2 and parts[0] != self.folder):
            return None
        path = self.path.parent / f"{parts[-1]}.py"
        return (str(path), read_source(path)) if path.is_file() else None


def read_source(path: Path) -> bytes:
    """The bytes of a source file, which must be of a size that a person may have written."""
    with path.open("rb") as file:
        data = file.read(_SOURCE_BYTES + 1)
    if len(data) > _SOURCE_BYTES:
        raise ValueError(f"{path.name}: more than {_SOURCE_BYTES >> 10} KiB")
    return data


class _Clock:
    """A deadline that moves on while our own functions run."""

    def __init__(self, deadline: float) -> None:
        self.deadline, self.ours, self.since = deadline, 0.0, 0.0

    def __enter__(self) -> None:
        self.since = time.monotonic()

    def __exit__(self, *_: object) -> None:
        took = time.monotonic() - self.since
        self.deadline, self.ours = self.deadline + took, self.ours + took


@dataclass
class Answer:
    """Calls of one student's function. Raises what the function raises, or Stop."""

    submission: Submission
    nursery: Nursery
    names: tuple[str, ...] = ()  # of the arguments, for messages
    isolation: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.limits = self.nursery.limits.for_packages(self.submission.packages)
        self.child: Child | None = None
        self.printed = bytearray()
        self.calls: list[bytes] = []
        self.changed: list[int] = []
        self.spent = self.spent_before = 0.0
        self.fatal: dict[bytes, Stop] = {}  # calls that end the child are not made twice
        self.patience = 1.0  # halved by a time-out: all of them together take twice the limit
        self.given: list[Callable[..., Any]] = []  # callables of ours, by number

    def begin(self) -> None:
        """A new property: its time starts, its calls are recorded."""
        self.spent_before = self.spent
        self.given = []
        self.forget()

    def forget(self) -> None:
        """A new case: the calls recorded are those made from now on."""
        self.calls = []

    def __call__(self, *args: Any) -> Any:
        """What the function returns for these arguments."""
        body = self._encode(args)
        self.calls = [*self.calls[:1], body] if self.calls else [body]
        if body in self.fatal:
            raise self.fatal[body]
        left = self.limits.property_seconds - (self.spent - self.spent_before)
        left = min(left, self.limits.exercise_seconds - self.spent)
        if left <= 0:
            raise Stop("timeout", f"more than {self.limits.property_seconds:g} s for one law")
        child = self.child or self.start()
        limit = min(self.limits.call_seconds * self.patience, left)
        try:
            return self._exchange(child, far.CALL, body, limit)
        except Stop as stop:
            if not str(stop):
                stop = Stop(stop.kind, self._too_slow(args, limit))
            self.fatal[body] = stop
            self.patience /= 2.0 if stop.kind == "timeout" else 1.0
            raise stop from None

    def arguments(self) -> list[tuple[Any, ...]]:
        """Of the first and the last call since forget(), one if they are the same."""
        calls = self.calls[:1] if self.calls[:1] == self.calls[1:] else self.calls
        return [wire.decode(body, layout=True, resolve=self._function) for body in calls]

    def _encode(self, args: tuple[Any, ...]) -> bytes:
        try:
            return wire.encode(args, handle=self._number)
        except wire.WireError as error:  # the law's own arguments
            raise Stop("harness-error", f"an argument cannot be sent: {error}") from None

    def _number(self, function: Callable[..., Any]) -> int:
        for number, known in enumerate(self.given):
            if known is function:
                return number
        self.given.append(function)
        return len(self.given) - 1

    def start(self) -> Child:
        """Start a child and run the student's file in it.

        Raises
        ------
        Stop
            If the file does not run, or holds no such function.
        """
        given, limit = self.submission, self.limits.load_seconds
        source = given.read()
        try:
            self.child, plan = self.nursery.child(given.packages)
        except (Gone, OSError) as error:
            raise Stop("harness-error", f"no process could be started: {error}") from None
        child = self.child
        setup = {"plan": plan, "packages": list(given.packages), "scratch": child.scratch}
        done = self._exchange(child, far.SETUP, wire.encode(setup), 10.0 + limit, "no sandbox")
        if done["level"] != self.nursery.isolation:
            self.close()
            raise Stop("harness-error", f"isolation level {done['level']} was reached")
        self.isolation = done
        file = {"name": given.name or str(given.path), "source": source, "function": given.function}
        late = f"{given.path.name} was not run to its end within {limit:g} s"
        try:
            found, names = self._exchange(child, far.LOAD, wire.encode(file), limit, late)
        except StudentError as error:
            self.close()
            raise Stop("error", error.trace) from None
        if found is not True:
            self.close()
            raise Stop("error", missing(given, names))
        return child

    def _too_slow(self, args: tuple[Any, ...], limit: float) -> str:
        known = len(self.names) == len(args)
        names = self.names if known else tuple(f"argument {k}" for k in range(len(args)))
        sizes = ", ".join(f"{n} {describe(x)}" for n, x in zip(names, args, strict=True))
        return f"no answer within {limit:g} s for {sizes}; is there an endless loop?"

    def _exchange(self, child: Child, kind: int, body: bytes, limit: float, late: str = "") -> Any:
        """Send a request, serve what is asked for meanwhile, return the reply's value."""
        began, before = time.monotonic(), self.spent
        clock = _Clock(began + limit)
        try:
            nonce = child.ask(kind, body, clock.deadline)
            for _ in range(self.limits.callbacks + 1):
                reply, came, data = child.receive(clock.deadline)
                if came != nonce:
                    raise Garbled("an answer to something else")
                if reply != far.BACK:
                    value = self._value(reply, data)
                    break
                with clock:
                    self._serve(child, nonce, data, clock.deadline)
            else:
                most = self.limits.callbacks
                raise Garbled(f"our functions were called more than {most} times")
        except Late:
            self.close()
            raise Stop("timeout", late) from None
        except Gone:
            raise Stop("crash", how(self.close(_LAST_WORDS), self.limits)) from None
        except (Garbled, wire.WireError) as error:
            self.close()
            raise Stop("crash", f"stopped: {error}") from None
        except BaseException:
            self.close()
            raise
        finally:
            self.spent = before + time.monotonic() - began - clock.ours
        if isinstance(value, Exception):
            raise value
        return value

    def _value(self, kind: int, data: bytes) -> Any:
        """The value of a reply; the error that it tells of is returned too."""
        value = wire.decode(data, resolve=self._function)
        if kind == far.REFUSED:
            return BadReturn(f"the function returned {_str(value)}")
        if kind == far.FAULT:
            raise Stop("harness-error", f"the child could not be fenced in: {value}")
        if kind == far.READY:
            return value
        if type(value) is not tuple:
            raise Garbled("no such reply")
        if kind == far.RAISED and len(value) == 4 and type(value[0]) is list:
            kinds = [_str(k) for k in value[0]]
            if "MemoryError" in kinds:
                raise Stop("crash", f"more memory was asked for than {_size(self.limits)}")
            return student_error(kinds, *map(_str, value[1:]))
        if kind not in (far.VALUE, far.LOADED) or len(value) != 2:
            raise Garbled("no such reply")
        if kind == far.VALUE:
            self.changed = [k for k in value[1] if type(k) is int] if value[1] else []
            return value[0]
        return value

    def _serve(self, child: Child, nonce: int, data: bytes, deadline: float) -> None:
        """Call one of our own callables for the answer."""
        if len(data) > self.limits.callback_bytes:
            raise Garbled(f"one of our functions was called with {len(data) >> 10} KiB")
        asked = wire.decode(data, resolve=self._function)
        if type(asked) is not tuple or len(asked) != 2 or type(asked[1]) is not tuple:
            raise Garbled("no such request")
        try:
            body = wire.encode(self._function(asked[0])(*asked[1]), handle=self._number)
        except Exception as error:
            told = wire.encode((type(error).__name__, str(error)[:500]))
            child.reply(far.RAISE, nonce, told, deadline)
        else:
            child.reply(far.RETURN, nonce, body, deadline)

    def _function(self, number: Any) -> Callable[..., Any]:
        """The callable of ours with this number."""
        if number == far.SOURCE:
            return self.submission.source
        if type(number) is not int or not 0 <= number < len(self.given):
            raise wire.WireError("no such function")
        return self.given[number]

    def close(self, patience: float = 0.0) -> int | None:
        """End the child; what it printed is kept."""
        if self.child is None:
            return None
        child, self.child = self.child, None
        status = child.end(patience)
        self.nursery.ended()
        room = self.limits.output_bytes - len(self.printed)
        self.printed += child.pipes.output[: max(0, room)]
        return status


def _str(value: Any) -> str:
    return value if type(value) is str else ""


def _size(limits: Limits) -> str:
    return f"{limits.memory_bytes / 2**30:g} GiB"


def how(status: int | None, limits: Limits) -> str:
    """Why a child is gone, in words."""
    if status is None:
        return "the process that ran the answer ended"
    if status < 0:
        return f"ended by signal {-status} (memory is limited to {_size(limits)})"
    return f"the answer ended its process with status {status}"


def missing(given: Submission, names: Any) -> str:
    """No such function: what there is of a similar name."""
    from difflib import get_close_matches

    known = [n for n in names if type(n) is str] if type(names) is list else []
    close = get_close_matches(given.function, known, 1)
    also = f"; did you mean {given.function} where it says {close[0]}?" if close else ""
    return f"{given.path.name} defines no function {given.function}{also}"
