"""How far runs have come: bars on a terminal, else a plain line every few seconds."""

import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..training.pool import Standing

EVERY = 5.0  # seconds between two plain lines
BARS = 16  # on a terminal: with more runs than these there is one bar for all


class Board:
    """Shows standings on standard error; ``quiet`` shows nothing."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.seen: dict[Any, int] = {}  # iterations at first
        self.begin: dict[Any, tuple[int, float, float]] = {}  # iteration, steps, time from then
        self.told = time.monotonic()
        self.bars: Any = None
        self.tasks: dict[Any, Any] = {}

    def __enter__(self) -> "Board":
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(20),
                TextColumn("{task.fields[says]}"),
            )
            self.bars = Progress(*columns, console=Console(stderr=True), transient=True)
            self.bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.bars:
            self.bars.stop()

    def show(self, standings: "Sequence[Standing]") -> None:
        """Tell where the runs stand, if it is time to."""
        if self.quiet:
            return
        now = time.monotonic()
        for s in standings:
            self._time(s, now)
        if self.bars:
            self._draw(standings)
        elif now - self.told >= EVERY:
            self.told = now
            print(self._line(standings), file=sys.stderr, flush=True)

    def _time(self, s: "Standing", now: float) -> None:
        """Time a run from its first new line on: what comes before is starting and compiling."""
        first = self.seen.setdefault(s.job.folder, s.iteration)
        if s.iteration > first:
            self.begin.setdefault(s.job.folder, (s.iteration, s.row.get("steps", 0.0), now))

    def _draw(self, standings: "Sequence[Standing]") -> None:
        if len(standings) > BARS:
            done = sum(share(s) for s in standings)
            self._bar("all", f"{len(standings)} runs", done, len(standings), self._line(standings))
            return
        for s in standings:
            says = self._figures(s)
            self._bar(s.job.folder, s.job.folder.name, s.iteration, s.job.iterations, says)

    def _bar(self, key: Any, name: str, done: float, total: float, says: str) -> None:
        if key not in self.tasks:
            self.tasks[key] = self.bars.add_task(name, total=total, says=says)
        self.bars.update(self.tasks[key], completed=done, says=says)

    def _line(self, standings: "Sequence[Standing]") -> str:
        """One line for one run or for many."""
        if len(standings) == 1:
            return f"{standings[0].job.folder.name}  {self._figures(standings[0])}"
        ended = sum(s.done for s in standings)
        failed = sum(bool(s.error) for s in standings)
        whole = sum(share(s) for s in standings) / len(standings)
        says = f"{ended} of {len(standings)} runs done, {whole:.0%} in all"
        returns = [s.row["return"] for s in standings if "return" in s.row]
        if returns:
            says += f", return {min(returns):.4g} to {max(returns):.4g}"
        return says + (f", {failed} FAILED" if failed else "")

    def _figures(self, s: "Standing") -> str:
        """Iteration, steps, returns, speed, time that is left."""
        now = time.monotonic()
        iteration, steps, then = self.begin.get(s.job.folder, (s.iteration, 0.0, now))
        seconds, gone = now - then, s.iteration - iteration
        says = [f"{s.iteration}/{s.job.iterations}", f"{s.row.get('steps', 0):,.0f} steps"]
        says += [f"{key.replace('_', ' ')} {s.row[key]:.4g}" for key in SHOWN if key in s.row]
        if gone > 0 and seconds > 0 and not s.done:
            says.append(f"{(s.row['steps'] - steps) / seconds:,.0f} steps/s")
            says.append(f"{clock((s.job.iterations - s.iteration) * seconds / gone)} left")
        return "  ".join(says)


SHOWN = ("return", "eval_return")


def share(s: "Standing") -> float:
    """Which part of its iterations a run has done."""
    return s.iteration / s.job.iterations


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


class Stopper:
    """True once Ctrl-C (or SIGTERM) has come; at the second one everything ends at once."""

    def __init__(self) -> None:
        self.signal = 0
        self.before: dict[int, Any] = {}

    def __enter__(self) -> "Stopper":
        for number in (signal.SIGINT, signal.SIGTERM):
            self.before[number] = signal.signal(number, self._asked)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def __call__(self) -> bool:
        return bool(self.signal)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        if self.signal:
            raise KeyboardInterrupt
        self.signal = number
        print("saving after this interval (again: stop at once)", file=sys.stderr, flush=True)
