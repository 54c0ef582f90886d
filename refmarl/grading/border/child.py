"""What runs in the child: load a student's file, call its function, say what came of it.

Sent over the pipe as text; nothing of ours can be imported here. It holds the student's files and
the arguments of one call, nothing else.
"""

import builtins
import importlib.machinery
import importlib.util
import linecache
import os
import struct
import sys
import traceback
import warnings
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from types import CodeType, ModuleType
from typing import Any, NoReturn

from . import wire

HEAD = struct.Struct("<IBQ")  # bytes after the head, kind of message, nonce
SETUP, CALL, RETURN, RAISE = range(4)  # from the grader
LOADED, VALUE, RAISED, REFUSED, BACK = range(16, 21)  # to the grader
SOURCE = 0xFFFFFFFF  # the number under which the grader is asked for a file of the student's
_TEXT = 2000  # letters of an error that are passed on
_NEST = 8


class Channel:
    """Frames in and out of two file descriptors."""

    def __init__(self, read: int, write: int) -> None:
        self.read, self.write = read, write

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = os.read(self.read, min(size - len(data), 1 << 20))
            if not piece:
                os._exit(0)  # the grader has gone
            data += piece
        return bytes(data)

    def receive(self) -> tuple[int, int, bytes]:
        """(kind, nonce, body) of the next message."""
        size, kind, nonce = HEAD.unpack(self._exactly(HEAD.size))
        return kind, nonce, self._exactly(size)

    def send(self, kind: int, nonce: int, body: bytes) -> None:
        """Write one message."""
        view = memoryview(HEAD.pack(len(body), kind, nonce) + body)
        while view:
            view = view[os.write(self.write, view) :]


class Finder(MetaPathFinder, Loader):
    """The packages allowed, each from its own folder, and the student's own modules."""

    def __init__(self, packages: dict[str, str], ask: Callable[[str], Any]) -> None:
        self.packages, self.ask = packages, ask
        self.sources: dict[str, tuple[str, bytes]] = {}

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        """As importlib asks: None for what is not known."""
        if path is None and fullname in self.packages:
            folder = self.packages[fullname]
            return importlib.machinery.PathFinder.find_spec(fullname, [folder])
        if path:  # inside a package that was found on disk
            return None
        found = self.ask(fullname)
        if found is None:
            return None
        name, source = found
        self.sources[fullname] = name, source
        spec = importlib.util.spec_from_loader(fullname, self, origin=name, is_package=not name)
        if spec is not None:
            spec.has_location = bool(name)
        return spec

    def create_module(self, spec: Any) -> None:
        """None: a module as any other."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a file of the student's."""
        name, source = self.sources[module.__name__]
        exec(compiled(name, source), module.__dict__)


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
            reply, said = self.load(body) if kind == SETUP else self.call(body)
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

    def load(self, body: bytes) -> tuple[int, bytes]:
        """Run the student's file and find the function."""
        setup = wire.decode(body)
        restrict(setup)
        finder = Finder(setup["packages"], self.ask_source)
        sys.meta_path.append(finder)
        module = ModuleType("student")
        module.__file__ = setup["name"]
        sys.modules["student"] = module  # dataclasses look their module up
        exec(compiled(setup["name"], setup["source"]), module.__dict__)
        self.function = getattr(module, setup["function"], None)
        names = [n for n, v in vars(module).items() if callable(v) and type(n) is str]
        found = callable(self.function)
        return LOADED, wire.encode((found, [n[:100] for n in names[:1000]]))

    def call(self, body: bytes) -> tuple[int, bytes]:
        """Call the function; say which arguments it changed."""
        args = wire.decode(body, layout=True, resolve=self.resolve)
        assert self.function is not None
        value = self.function(*args)
        changed = [] if self.bytes(args) == body else self.changed(args, body)
        return VALUE, wire.encode((value, changed), layout=False, handle=self.number)

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

            def call(*args: Any) -> Any:
                return self.ask(number, args)

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
        return self.ask(SOURCE, (name,))

    def ask(self, number: int, args: tuple[Any, ...]) -> Any:
        """Call one of the grader's callables, which may call the answer in turn."""
        if not 0 < len(self.nonces) <= _NEST:
            raise RuntimeError(f"calls nested more than {_NEST} deep, or after the answer's end")
        body = wire.encode((number, args), layout=False, handle=self.number)
        self.channel.send(BACK, self.nonces[-1], body)
        while True:
            kind, came, body = self.channel.receive()
            if kind == CALL:
                self.answer(kind, came, body)
            elif kind == RETURN:
                return wire.decode(body, layout=True, resolve=self.resolve)
            else:
                name, text = wire.decode(body)
                raise _builtin(name)(text)


def _builtin(name: str) -> type[Exception]:
    found = getattr(builtins, name, RuntimeError)
    return found if found in (ValueError, TypeError, IndexError, KeyError) else RuntimeError


def restrict(setup: dict[str, Any]) -> None:
    """Put the limits on this process; what the system does not have is left out."""
    warnings.simplefilter("ignore")  # a division by zero shows in the answer
    try:
        import resource
    except ImportError:
        return
    for name, value in setup["resources"].items():
        try:
            resource.setrlimit(getattr(resource, name), (value, value))
        except (AttributeError, ValueError, OSError):
            continue


def private() -> Channel:
    """Keep the grader's pipes to ourselves: prints go to standard error, reads find nothing."""
    channel = Channel(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    sys.stdin, sys.stdout, sys.stderr = (_stream(k, mode) for k, mode in enumerate("rww"))
    return channel


def _stream(number: int, mode: str) -> Any:
    return open(number, mode, 1, encoding="utf-8", errors="replace", closefd=False)


def main() -> NoReturn:
    """Run a child whose standard input and output are the grader's pipes."""
    vars(builtins).update(exit=sys.exit, quit=sys.exit)  # made by site, which is not run
    Runtime(private()).serve()
