"""An object that lives in a process of its own, where a call can be stopped.

Peers are other people's code: some never return, some end their process. A time limit is the only
remedy for the first, a process border for both.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class OverLimit(Exception):
    """A call took longer than it may; its process is gone."""


class Failed(Exception):
    """A call raised, or its process ended; the message is one line."""


def _serve(pipe: Connection, factory: Callable[[], Any]) -> None:
    """The child: make the object, then answer calls until the pipe closes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # peers that print do not spoil our output
    warnings.simplefilter("ignore")
    thing: Any = None
    while True:
        try:
            method, args = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            thing = factory() if thing is None else thing
            reply = (True, getattr(thing, method)(*args))
        except KeyboardInterrupt:
            return
        except Exception as error:
            reply = (False, " ".join(f"{type(error).__name__}: {error}".split())[:200])
        pipe.send(reply)


class Worker:
    """``factory()`` in a child process, started at the first call and after a loss."""

    def __init__(self, factory: Callable[[], Any]) -> None:
        self._factory = factory
        self._process: Any = None
        self._pipe: Any = None

    def call(self, limit: float, method: str, *args: Any) -> Any:
        """``thing.method(*args)``, in at most ``limit`` seconds.

        Raises
        ------
        OverLimit
            The child was killed; the next call starts a new one.
        Failed
            The method raised, or the child ended.
        """
        if self._process is None:
            self._start()
        try:
            self._pipe.send((method, args))
            if not self._pipe.poll(limit):
                self.close()
                raise OverLimit(f"{method}: no answer within {limit:g} s")
            good, value = self._pipe.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self.close()
            raise Failed("its process ended") from None
        if not good:
            raise Failed(value)
        return value

    def _start(self) -> None:
        context = get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, self._factory), daemon=True)
        with one_thread():
            self._process.start()
        other.close()

    @property
    def alive(self) -> bool:
        """Whether a child holds what earlier calls left there."""
        return self._process is not None

    def close(self) -> None:
        """End the child."""
        if self._process is not None:
            self._pipe.close()
            self._process.kill()
            self._process.join()
            self._process = None


@contextmanager
def one_thread() -> Iterator[None]:
    """Processes started within use one thread for linear algebra."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
