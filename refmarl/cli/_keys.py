"""Single keys from a terminal, without Enter; where there is no terminal, none."""

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

SIGNLESS = re.compile("\x1b(\\[[0-9;]*.?|O.|.)?")  # what an arrow or a function key sends


class Keys:
    """While it is entered the terminal gives keys at once and does not show them.

    It gives the terminal back as it was, also after an interrupt or a SIGTERM, and takes it again
    when the process goes on after having been stopped. ``on`` says whether there are keys.
    """

    def __init__(self) -> None:
        self.on = sys.stdin is not None and sys.stdin.isatty()
        self.undo: list[Callable[[], Any]] = []
        self.typed = ""  # and not given out yet

    def __enter__(self) -> "Keys":
        if self.on and sys.platform != "win32":
            import termios

            fd = sys.stdin.fileno()
            before = termios.tcgetattr(fd)
            self.undo.append(lambda: termios.tcsetattr(fd, termios.TCSADRAIN, before))
            self._take(signal.SIGCONT, lambda *_: self._at_once())
            self._take(signal.SIGTERM, _terminated)
            self._at_once()
        return self

    def __exit__(self, *error: object) -> None:
        for back in reversed(self.undo):
            back()

    def _take(self, number: int, handler: Callable[[int, FrameType | None], Any]) -> None:
        before = signal.signal(number, handler)
        self.undo.append(lambda: signal.signal(number, before))

    def _at_once(self) -> None:
        import tty

        tty.setcbreak(sys.stdin.fileno())

    def read(self, seconds: float) -> str:
        """A key, as soon as there is one; "" after so many seconds, or for a key without a sign."""
        if self.typed:
            key, self.typed = self.typed[0], self.typed[1:]
            return key
        if not self.on:
            time.sleep(seconds)
            return ""
        if sys.platform == "win32":
            return _windows(seconds)
        import select

        if not select.select([sys.stdin], [], [], seconds)[0]:
            return ""
        data = os.read(sys.stdin.fileno(), 64)
        self.on = bool(data)  # nothing: the terminal is gone
        self.typed = SIGNLESS.sub("", data.decode("ascii", "replace"))
        return self.read(0.0) if self.typed else ""


def _terminated(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _windows(seconds: float) -> str:
    import msvcrt

    wait: Any = msvcrt
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if wait.kbhit():
            return str(wait.getwch())
        time.sleep(0.02)
    return ""
