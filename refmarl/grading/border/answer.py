"""The student's function as the laws see it: a callable whose every call crosses the border."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from . import child as far
from . import wire
from .errors import BadReturn, Stop, StudentError, student_error
from .helper import Candidate
from .limits import Limits, describe
from .nursery import Nursery
from .pipes import Frame, Garbled, Gone, Late
from .process import Child
from .submission import Submission
from .text import told

_LAST_WORDS = 0.2  # seconds in which a child that closed its pipes should have ended
_KEPT = 16 << 20  # bytes of replies that are remembered
_TOO_BUSY = -getattr(signal, "SIGXCPU", 24)  # the status of who used up its processor time
CLOCK = "on the clock"  # whose time it is that ran out
_FENCING = 10.0  # seconds for what we do in a child before the student's code runs


class _Clock:
    """The time of one request. It stands still while our own functions run."""

    def __init__(self, limit: float) -> None:
        self.began, self.limit, self.ours = time.monotonic(), limit, 0.0
        self.deadline, self.since = self.began + limit, 0.0

    def __enter__(self) -> None:
        self.since = time.monotonic()

    def __exit__(self, *_: object) -> None:
        took = time.monotonic() - self.since
        self.deadline, self.ours = self.deadline + took, self.ours + took

    def extend(self, waited: float) -> bool:
        """Once, if the child was kept from running by others: twice the time."""
        late = self.deadline - self.began - self.ours > 1.5 * self.limit
        if late or waited < self.limit / 4:
            return False
        self.deadline += self.limit
        return True

    @property
    def spent(self) -> float:
        """Seconds that were not ours."""
        return time.monotonic() - self.began - self.ours


@dataclass
class Answer:
    """Calls of one student's function. They raise what the function raises, or Stop."""

    submission: Submission
    nursery: Nursery
    names: tuple[str, ...] = ()  # of the arguments, for messages
    isolation: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.limits = self.nursery.limits.for_packages(self.submission.packages)
        self.child: Child | None = None
        self.printed = bytearray()
        self.calls: list[bytes] = []
        self.changed: list[int] = []  # places of the arguments that the last call changed
        self.given: list[Callable[..., Any]] = []  # callables of ours, by number
        self.replies: dict[bytes, tuple[int, bytes]] = {}  # to calls made already
        self.kept = 0
        self.fatal: dict[Any, Stop] = {}  # calls that end the child are not made twice
        self.idle = False  # whether what was too late was waiting
        self.patience = 1.0  # halved by a time-out: all of them together take twice the limit
        self.spent = self.spent_before = 0.0
        self.began = time.monotonic()

    def begin(self) -> None:
        """A new property: its time starts, its calls are recorded."""
        self.spent_before = self.spent
        self.given = []
        self.forget()

    def forget(self) -> None:
        """A new case: the calls recorded are those made from now on."""
        self.calls = []

    def anew(self) -> None:
        """Have the next call made in a new process, which remembers nothing of those before."""
        self.close()

    def arguments(self) -> list[tuple[Any, ...]]:
        """Of the first and the last call since forget(), one if they are the same."""
        calls = self.calls[:1] if self.calls[:1] == self.calls[1:] else self.calls
        return [wire.decode(body, layout=True, resolve=self._function) for body in calls]

    def __call__(self, *args: Any) -> Any:
        """What the function returns for these arguments.

        Calls that were made already are not made again: laws share many. That a function answers
        equal calls equally is a law itself, which calls again().
        """
        return self._call_of(args, anew=False)

    def again(self, *args: Any) -> Any:
        """The same, asked of the function whether or not it was called so before."""
        return self._call_of(args, anew=True)

    def _call_of(self, args: tuple[Any, ...], anew: bool) -> Any:
        body = self._encode(args)
        self.calls = [*self.calls[:1], body]
        key = body, tuple(self.given)
        if key in self.fatal:
            raise self.fatal[key]
        if not anew and body in self.replies and not self.given:
            value = self._value(far.CALL, *self.replies[body])
            if isinstance(value, Exception):
                raise value
            return value
        child = self.child or self.start()
        limit, late = self._limit()
        try:
            return self._exchange(child, far.CALL, body, limit, late)
        except Stop as stop:
            if stop.kind == "timeout" and not late:
                self.patience /= 2.0
                stop = Stop("timeout", str(stop) or self._too_slow(args, limit))
            if not late:
                self.fatal[key] = stop
            raise stop from None

    def _limit(self) -> tuple[float, str]:
        """Seconds for the next call; what to say if the law or all of them leave less than usual.

        Raises
        ------
        Stop
            If they leave nothing.
        """
        law, all_laws = self.limits.property_seconds, self.limits.exercise_seconds
        usual = self.limits.call_seconds * self.patience
        ended = self.began + 2.0 * all_laws
        for left, text in (
            (
                law - (self.spent - self.spent_before),
                f"one law alone took more than {law:g} s {CLOCK}",
            ),
            (all_laws - self.spent, f"the laws together took more than {all_laws:g} s {CLOCK}"),
            (ended - time.monotonic(), f"it took more than {2 * all_laws:g} s {CLOCK} in all"),
        ):
            if left <= 0.0:
                raise Stop("timeout", text)
            if left < usual:
                return left, text
        return usual, ""

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

    def _function(self, number: Any) -> Callable[..., Any]:
        """The callable of ours with this number."""
        if type(number) is not int or not 0 <= number < len(self.given):
            raise wire.WireError("it asked for a function that is not there")
        return self.given[number]

    def start(self) -> Child:
        """Start a child and run the student's file in it.

        Raises
        ------
        Stop
            If the file does not run, or holds no such function.
        """
        given = self.submission
        source = given.read()
        try:
            child, plan = self.nursery.child(given.packages)
        except (Gone, OSError) as error:
            raise Stop("harness-error", f"no process could be started: {error}") from None
        self.child = child
        setup = {
            "plan": plan,
            "packages": list(given.packages),
            "scratch": child.scratch,
            "most": (self.limits.reply_bytes, self.limits.reply_items),
        }
        self.isolation = self._exchange(child, far.SETUP, wire.encode(setup), _FENCING)
        if self.isolation["level"] != self.nursery.isolation:
            self.close()
            raise Stop("harness-error", f"isolation level {self.isolation['level']} was reached")
        file = {"name": given.name or str(given.path), "source": source, "function": given.function}
        late = f"{given.path.name} was not run to its end within {self.limits.load_seconds:g} s"
        try:
            loaded = self._exchange(
                child, far.LOAD, wire.encode(file), self.limits.load_seconds, late
            )
        except StudentError as error:
            self.close()
            raise Stop("error", error.trace) from None
        if loaded[0] is not True:
            self.close()
            raise Stop("error", missing(given, loaded[1]))
        return child

    def _too_slow(self, args: tuple[Any, ...], limit: float) -> str:
        known = len(self.names) == len(args)
        names = self.names if known else tuple(f"argument {k}" for k in range(len(args)))
        sizes = ", ".join(f"{n} {describe(x)}" for n, x in zip(names, args, strict=True))
        why = "is there an endless loop?"
        if self.idle:
            why = "it was waiting, not computing: for time to pass, for input?"
        return f"no answer within {limit:g} s {CLOCK} for {sizes}; {why}"

    def _exchange(self, child: Child, kind: int, body: bytes, limit: float, late: str = "") -> Any:
        """Send a request, serve what is asked for meanwhile, return the reply's value."""
        before, clock = self.spent, _Clock(limit)
        try:
            nonce = child.ask(kind, body, clock.deadline)
            for _ in range(self.limits.callbacks + 1):
                reply, came, data = _next(child, clock)
                if came != nonce:
                    raise Garbled("it answered something else")
                if len(data) > self.limits.reply_bytes + 1024:
                    raise Garbled(f"it sent {len(data) >> 10} KiB")
                if reply != far.BACK:
                    value = self._value(kind, reply, data)
                    self._keep(kind, body, reply, data)
                    break
                self._serve(child, nonce, data, clock)
            else:
                raise Garbled(f"it called our functions more than {self.limits.callbacks} times")
        except Late:
            self.idle = child.idle()
            self.close()
            raise Stop("harness-error" if kind == far.SETUP else "timeout", late) from None
        except Gone:
            if kind == far.SETUP:
                self.close()
                raise Stop("harness-error", "the child ended before it was fenced in") from None
            status = self.close(_LAST_WORDS)
            kind_of_end = "timeout" if status == _TOO_BUSY else "crash"
            raise Stop(kind_of_end, how(status, self.limits, self.nursery.isolation)) from None
        except (Garbled, wire.WireError) as error:
            self.close()
            raise Stop("crash", f"stopped, because {error}") from None
        except BaseException:
            self.close()
            raise
        finally:
            self.spent = before + clock.spent
        if isinstance(value, Exception):
            raise value
        return value

    def _keep(self, kind: int, body: bytes, reply: int, data: bytes) -> None:
        """Remember the reply to a call that was given no function of ours."""
        if kind == far.CALL and not self.given and self.kept < _KEPT:
            self.kept += len(body) + len(data)
            self.replies[body] = reply, data

    def _value(self, request: int, kind: int, data: bytes) -> Any:
        """The value of a reply; the error that it tells of is returned too."""
        value = wire.decode(data, False, self._function, self.limits.reply_items + 1100)
        if request == far.SETUP:  # before the student's code runs: what goes wrong is ours
            if kind != far.READY:
                raise Stop("harness-error", f"the child could not be fenced in: {value!r:.300}")
            return value
        if kind == far.REFUSED:
            return BadReturn(f"the function returned {told(value, 300)}")
        if kind == far.RAISED and type(value) is tuple and len(value) == 4:
            kinds = [told(k, 100) for k in value[0][:32]] if type(value[0]) is list else []
            if "MemoryError" in kinds:
                raise Stop("crash", f"more memory was asked for than {_size(self.limits)}")
            return student_error(kinds, told(value[1], 100), told(value[2]), told(value[3], 4000))
        right = far.VALUE if request == far.CALL else far.LOADED
        if kind != right or type(value) is not tuple or len(value) != 2:
            raise Garbled("it sent no such reply")
        if request == far.LOAD:
            return value
        places = value[1] if type(value[1]) is list else []
        self.changed = [k for k in places if type(k) is int and k >= 0]
        return value[0]

    def _serve(self, child: Child, nonce: int, data: bytes, clock: _Clock) -> None:
        """Call one of our own callables for the answer, or hand it a file of the student's."""
        if len(data) > self.limits.callback_bytes:
            raise Garbled(f"it called one of our functions with {len(data) >> 10} KiB")
        number, args, named = _request(wire.decode(data, resolve=self._function))
        function = self.submission.source if number == far.SOURCE else self._function(number)
        if isinstance(function, Candidate):
            reply, body = self._try(function, args, named, clock)
        elif number == far.SOURCE:
            reply, body = self._call(function, args, named)
        else:
            with clock:
                reply, body = self._call(function, args, named)
            if clock.ours > self.limits.property_seconds:
                raise Garbled("it kept our functions busy for too long")
        child.reply(reply, nonce, body, clock.deadline)

    def _call(
        self, function: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[int, bytes]:
        """What to reply: the value of a function of ours, or its error."""
        try:
            return far.RETURN, wire.encode(function(*args, **named), handle=self._number)
        except Exception as error:
            return far.RAISE, wire.encode(far.kinds_of(error))

    def _try(
        self, candidate: Candidate, args: tuple[Any, ...], named: dict[str, Any], clock: _Clock
    ) -> tuple[int, bytes]:
        """The same for an implementation that must not run in this process."""
        with clock:
            self.nursery.helper.load(candidate)
        try:
            return self.nursery.helper.call(candidate, args, named, clock.deadline)
        except Late:
            text = "the function handed to it took too long for what it was called with"
            raise Stop("timeout", text) from None

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


def _next(child: Child, clock: _Clock) -> Frame:
    """The next message of a child that may have been kept from running."""
    try:
        return child.receive(clock.deadline)
    except Late:
        if not clock.extend(child.waited()):
            raise
        return child.receive(clock.deadline)


def _request(asked: Any) -> tuple[int, tuple[Any, ...], dict[str, Any]]:
    """(number of the function, arguments, named arguments) of what a child asks for."""
    if type(asked) is not tuple or [type(part) for part in asked] != [int, tuple, dict]:
        raise Garbled("it sent no such request")
    if any(type(name) is not str for name in asked[2]):
        raise Garbled("it sent no such request")
    return asked


def _size(limits: Limits) -> str:
    return f"{limits.memory_bytes / 2**30:g} GiB"


def how(status: int | None, limits: Limits, isolation: int = 0) -> str:
    """Why a child is gone, in words."""
    if status == _TOO_BUSY:
        return f"it took more than {limits.resources(isolation)['CPU']} s of the processor's time"
    if status is None:
        return "the process that ran the answer ended"
    if status < 0:
        return f"ended by signal {-status} (memory is limited to {_size(limits)})"
    return f"the answer ended its process with status {status}"


def missing(given: Submission, names: Any) -> str:
    """No such function: what there is of a similar name."""
    known = [told(n, 100) for n in names[:200]] if type(names) is list else []
    close = get_close_matches(given.function, known, 1)
    also = f"; did you mean {given.function} where it says {close[0]}?" if close else ""
    return f"{given.path.name} defines no function {given.function}{also}"
