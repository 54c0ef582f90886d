"""What runs in the child: load a student's file, call its function, say what came of it.

Sent over the pipe as text; nothing of ours can be imported here. It holds the student's files and
the arguments of one call, nothing else.
"""

import builtins
import ctypes
import importlib.machinery
import importlib.util
import linecache
import os
import random
import signal
import struct
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from importlib.abc import Loader, MetaPathFinder
from types import CodeType, ModuleType
from typing import Any, NoReturn

from ..sandbox import inside
from . import wire

HEAD = struct.Struct("<IBQ")  # bytes after the head, kind of message, nonce
SETUP, LOAD, CALL, RETURN, RAISE = range(5)  # from the grader
READY, FAULT, LOADED, VALUE, RAISED, REFUSED, BACK = range(16, 23)  # to the grader
SOURCE = 0xFFFFFFFF  # the number under which the grader is asked for a file of the student's
_TEXT = 2000  # letters of an error that are passed on
_NEST = 8
_PDEATHSIG = 1
PRELOADED = {
    "numpy": ("numpy.random", "numpy.linalg", "numpy.fft"),
    "scipy": ("scipy.optimize", "scipy.linalg", "scipy.sparse", "scipy.special"),
}


class Channel:
    """Frames in and out of two file descriptors."""

    def __init__(self, read: int, write: int) -> None:
        self.read, self.write = read, write

    def receive(self) -> tuple[int, int, bytes]:
        """(kind, nonce, body) of the next message."""
        data = self.more(b"", HEAD.size)
        size, kind, nonce = HEAD.unpack_from(data)
        return kind, nonce, self.more(data, HEAD.size + size)[HEAD.size :]

    def more(self, data: bytes, size: int) -> bytes:
        """Read on until there are ``size`` bytes. The grader sends one message at a time."""
        if len(data) >= size:
            return data
        parts, left = [data], size - len(data)
        while left > 0:
            parts.append(os.read(self.read, max(left, 1 << 16)))
            left -= len(parts[-1])
            if not parts[-1]:
                os._exit(0)  # the grader has gone
        return b"".join(parts)

    def send(self, kind: int, nonce: int, body: bytes) -> None:
        """Write one message."""
        view = memoryview(HEAD.pack(len(body), kind, nonce) + body)
        while view:
            view = view[os.write(self.write, view) :]


class Own(MetaPathFinder, Loader):
    """The student's own modules, which the grader hands out one by one."""

    def __init__(self, ask: Callable[[str], Any]) -> None:
        self.ask = ask
        self.sources: dict[str, tuple[str, bytes]] = {}

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        """As importlib asks: None for what is not known."""
        found = None if path else self.ask(fullname)  # a path is that of a package on disk
        if found is None:
            return None
        self.sources[fullname] = found
        name = found[0]
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=name, is_package=not name)
        spec.has_location = bool(name)
        return spec

    def create_module(self, spec: Any) -> None:
        """None: a module as any other."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a file of the student's."""
        exec(compiled(*self.sources[module.__name__]), module.__dict__)


def compiled(name: str, source: bytes) -> CodeType:
    """The code of a file of the student's, whose lines tracebacks will show."""
    code: CodeType = compile(source, name or "<folder>", "exec", dont_inherit=True)
    own_files.add(name)
    lines = importlib.util.decode_source(source).splitlines(keepends=True)
    linecache.cache[name] = (len(source), None, lines, name)
    return code


own_files: set[str] = set()


def told(error: BaseException) -> bytes:
    """What is passed on of an error: its built-in kinds, its text, the student's own lines."""
    kinds = [k.__name__ for k in type(error).__mro__ if k.__module__ == "builtins"]
    try:
        text = "the answer called exit()" if isinstance(error, SystemExit) else str(error)
        name = str(type(error).__name__)
    except BaseException as other:
        text, name = f"its text cannot be shown: {type(other).__name__}", kinds[0]
    if isinstance(error, SyntaxError):
        trace = "".join(traceback.format_exception_only(type(error), error)).rstrip()
        return wire.encode((kinds, name[:100], text[:_TEXT], trace[-_TEXT:]))
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in own_files]
    lines = traceback.format_list(frames)
    head = ["Traceback (most recent call last):\n"] if lines else []
    last = f"{name[:100]}: {text[:_TEXT]}" if text else name[:100]
    return wire.encode((kinds, name[:100], text[:_TEXT], "".join(head + lines)[-_TEXT:] + last))


class Runtime:
    """The loop of one child."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.function: Callable[..., Any] | None = None
        self.most = wire.FRAME, wire.ITEMS  # bytes and values that the function may return
        self.nonces: list[int] = []
        self.known: dict[int, Any] = {}

    def serve(self) -> NoReturn:
        """Answer messages until the grader goes."""
        while True:
            kind, nonce, body = self.channel.receive()
            self.answer(kind, nonce, body)

    def answer(self, kind: int, nonce: int, body: bytes) -> None:
        """One message that asks for something."""
        self.nonces.append(nonce)
        try:
            reply, said = {SETUP: self.setup, LOAD: self.load}.get(kind, self.call)(body)
        except wire.WireError as error:
            reply, said = REFUSED, wire.encode(str(error))
        except BaseException as error:
            try:
                reply, said = RAISED, told(error)
            except BaseException as other:  # an error made to break whoever looks at it
                text = f"an error that cannot be shown: {type(other).__name__}"
                reply, said = RAISED, wire.encode((["Exception"], "Exception", text, text))
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:
            pass  # closed or replaced by the answer: its own loss
        self.nonces.pop()
        self.channel.send(reply, nonce, said)

    def setup(self, body: bytes) -> tuple[int, bytes]:
        """Load what answers may use, leave nothing to chance, put the limits into force."""
        given = wire.decode(body)
        self.most = given["most"]
        try:
            for name in given["packages"]:
                for module in PRELOADED.get(name, (name,)):
                    importlib.import_module(module)
            if given["scratch"]:
                os.chdir(given["scratch"])
                os.environ.update(
                    dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP"), given["scratch"])
                )
            settle()
            done = inside.apply(given["plan"], (0, 1, 2, self.channel.read, self.channel.write))
        except Exception as error:
            return FAULT, wire.encode(f"{type(error).__name__}: {error}"[:_TEXT])
        return READY, wire.encode(done)

    def load(self, body: bytes) -> tuple[int, bytes]:
        """Run the student's file and find the function."""
        given = wire.decode(body)
        sys.meta_path.append(Own(self.ask_source))
        module = ModuleType("student")
        module.__file__ = given["name"]
        sys.modules["student"] = module  # dataclasses look their module up
        exec(compiled(given["name"], given["source"]), module.__dict__)
        self.function = getattr(module, given["function"], None)
        names = [n for n, v in vars(module).items() if callable(v) and type(n) is str]
        return LOADED, wire.encode((callable(self.function), [n[:100] for n in names[:1000]]))

    def call(self, body: bytes) -> tuple[int, bytes]:
        """Call the function; say which arguments it changed."""
        args = wire.decode(body, layout=True, resolve=self.resolve)
        assert self.function is not None
        value = self.function(*args)
        changed = [] if self.bytes(args) == body else self.changed(args, body)
        return VALUE, wire.encode((value, changed), False, self.number, *self.most)

    def changed(self, args: tuple[Any, ...], body: bytes) -> list[int]:
        """The places of the arguments that are not what they were."""
        before = wire.decode(body, layout=True, resolve=self.resolve)
        pairs = enumerate(zip(args, before, strict=True))
        return [k for k, (a, b) in pairs if self.bytes(a) != self.bytes(b)]

    def bytes(self, value: Any) -> Any:
        """A value as bytes, None if it cannot be sent."""
        try:
            return wire.encode(value, handle=self.number)
        except wire.WireError:
            return None

    def resolve(self, number: int) -> Any:
        """The callable of the grader's with this number."""
        if number not in self.known:

            def call(*args: Any, **named: Any) -> Any:
                return self.ask(number, args, named)

            call.refmarl_number = number  # type: ignore[attr-defined]
            self.known[number] = call
        return self.known[number]

    def number(self, value: Any) -> int:
        """The number of a callable of the grader's; no other may pass."""
        number: int | None = getattr(value, "refmarl_number", None)
        if type(number) is int and self.known.get(number) is value:
            return number
        raise wire.WireError(f"a value of type {wire.type_name(type(value))}")

    def ask_source(self, name: str) -> Any:
        """(file name, source) of a module beside the student's file, or None."""
        return self.ask(SOURCE, (name,), {})

    def ask(self, number: int, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call one of the grader's callables, which may call the answer in turn."""
        if not 0 < len(self.nonces) <= _NEST:
            raise RuntimeError(f"calls nested more than {_NEST} deep, or after the answer's end")
        body = wire.encode((number, args, named), layout=False, handle=self.number)
        self.channel.send(BACK, self.nonces[-1], body)
        while True:
            kind, came, body = self.channel.receive()
            if kind == CALL:
                self.answer(kind, came, body)
            elif kind == RETURN:
                return wire.decode(body, layout=True, resolve=self.resolve)
            else:
                raise error_of(*wire.decode(body))


def kinds_of(error: BaseException) -> tuple[list[str], str]:
    """(names of its built-in kinds, text) of an error that crosses the border."""
    kinds = [k.__name__ for k in type(error).__mro__ if k.__module__ == "builtins"]
    return kinds, str(error)[:500]


def error_of(kinds: list[str], text: str) -> Exception:
    """The error told of on the other side, of the same built-in kind where it can be made."""
    for kind in (getattr(builtins, name, None) for name in kinds):
        if isinstance(kind, type) and issubclass(kind, Exception):
            with suppress(TypeError):  # UnicodeDecodeError and its like need more than a text
                return kind(text)
    return RuntimeError(text)


def settle() -> None:
    """The same noise in every child: an answer that draws some gets the same report each time."""
    warnings.simplefilter("ignore")  # a division by zero shows in the answer
    noise = random.Random(0).randbytes
    vars(os).update(urandom=noise)
    vars(random).update(_urandom=noise)  # what unseeded generators of NumPy's ask
    random.seed(0)
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed(0)


def begin(read: int, write: int) -> NoReturn:
    """Serve the grader at these descriptors; prints go to 1 and 2, and 0 has nothing to read."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdin, sys.stdout, sys.stderr = (_stream(k, mode) for k, mode in enumerate("rww"))
    vars(builtins).update(exit=sys.exit, quit=sys.exit)  # made by site, which is not run
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)  # not to outlive who began it
    Runtime(Channel(read, write)).serve()


def _stream(number: int, mode: str) -> Any:
    return open(number, mode, 1, encoding="utf-8", errors="replace", closefd=False)


def main() -> NoReturn:
    """Be a child whose standard input and output are the grader's pipes."""
    read, write = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    begin(read, write)
