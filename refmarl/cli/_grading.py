"""How far the grading of a class has come: a bar on a terminal, else a line every few seconds."""

import sys
import time
from typing import TYPE_CHECKING, Any

from ._progress import EVERY, clock

if TYPE_CHECKING:
    from ..grading.classroom import Progress


class GradingBoard:
    """Shows progress on standard error."""

    def __init__(self) -> None:
        self.began = self.told = time.monotonic()
        self.bar: Any = None
        self.task: Any = None

    def __enter__(self) -> "GradingBoard":
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            says = TextColumn("{task.description}")
            self.bar = Progress(BarColumn(30), says, console=Console(stderr=True), transient=True)
            self.bar.start()
            self.task = self.bar.add_task("", total=None)
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar:
            self.bar.stop()

    def show(self, now: "Progress") -> None:
        """Tell how far it is, if it is time to."""
        if self.bar:
            self.bar.update(self.task, total=now.total, completed=now.done)
        self.say(self._line(now))

    def say(self, text: str) -> None:
        """Tell what goes on, if it is time to."""
        if self.bar:
            self.bar.update(self.task, description=text)
        elif time.monotonic() - self.told >= EVERY:
            self.told = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def _line(self, now: "Progress") -> str:
        says = [f"{now.done} of {now.total} marks"]
        if now.found:
            says.append(f"{now.found} needed no grading")
        fresh = now.done - now.found
        if fresh > 0 and now.done < now.total:
            left = (time.monotonic() - self.began) * (now.total - now.done) / fresh
            says.append(f"{clock(left)} left")
        if now.replaced:
            says.append(f"{now.replaced} grading processes replaced")
        return ", ".join([*says, now.doing])
