"""How far runs have come: bars on a terminal, else a plain line every few seconds."""

import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..training.pool import Standing
    from ..training.run import Run

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
        self.names: list[str] = []  # of the jobs
        self.known: dict[Any, dict[str, float]] = {}  # the last value of each figure

    def __enter__(self) -> "Board":
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            figures = (TextColumn(f"{{task.fields[{name}]}}") for name in FIGURES)
            columns = (TextColumn("{task.description}"), BarColumn(12), *figures)
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
            self.known.setdefault(s.job.folder, {}).update(s.row)
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
            says = {"at": self._together(standings)}
            self._bar("all", f"{len(standings)} runs", done, len(standings), says)
            return
        self.names = self.names or labels([s.job.run for s in standings])
        for s, name in zip(standings, self.names, strict=True):
            self._bar(s.job.folder, name, s.iteration, s.job.iterations, self._figures(s))

    def _bar(self, key: Any, name: str, done: float, total: float, says: dict[str, str]) -> None:
        fields = dict.fromkeys(FIGURES, "") | says
        if key not in self.tasks:
            self.tasks[key] = self.bars.add_task(name, total=total, **fields)
        self.bars.update(self.tasks[key], completed=done, **fields)

    def _line(self, standings: "Sequence[Standing]") -> str:
        """One line for one run or for many."""
        if len(standings) > 1:
            return self._together(standings)
        return "  ".join([standings[0].job.folder.name, *self._figures(standings[0]).values()])

    def _together(self, standings: "Sequence[Standing]") -> str:
        """Many runs in a few words."""
        ended = sum(s.done for s in standings)
        failed = sum(bool(s.error) for s in standings)
        whole = sum(share(s) for s in standings) / len(standings)
        says = f"{ended} of {len(standings)} runs done, {whole:.0%} in all"
        returns = [s.row["return"] for s in standings if "return" in s.row]
        if returns:
            says += f", return {min(returns):.4g} to {max(returns):.4g}"
        return says + (f", {failed} FAILED" if failed else "")

    def _figures(self, s: "Standing") -> dict[str, str]:
        """Iteration, steps, returns, speed, time that is left, as far as they are known."""
        now = time.monotonic()
        iteration, steps, then = self.begin.get(s.job.folder, (s.iteration, 0.0, now))
        seconds, gone = now - then, s.iteration - iteration
        says = {"at": f"{s.iteration}/{s.job.iterations}"}
        says["steps"] = f"{short(s.row.get('steps', 0))} steps"
        known = self.known[s.job.folder]
        says |= {key: f"{name} {known[key]:.4g}" for key, name in SHOWN.items() if key in known}
        if s.error:
            says["left"] = "FAILED"
        elif gone > 0 and seconds > 0 and not s.done:
            says["speed"] = f"{short((s.row['steps'] - steps) / seconds)}/s"
            says["left"] = f"{clock((s.job.iterations - s.iteration) * seconds / gone)} left"
        return says


SHOWN = {"return": "return", "eval_return": "eval"}
FIGURES = ("at", "steps", *SHOWN, "speed", "left")


def labels(runs: "Sequence[Run]") -> list[str]:
    """What each run is called among these: what tells it from the others, at last the seed."""
    from ..training.run import described

    told = [described(run) for run in runs]
    apart = [key for key in told[0] if any(one.get(key) != told[0][key] for one in told)]
    if len(runs) == 1 or not apart:
        return [f"{run.algorithm} {run.env}" for run in runs]
    bare = ("algorithm", "env")
    return [
        " ".join(f"{one.get(k)}" if k in bare else f"{k} {one.get(k, '–')}" for k in apart)
        for one in told
    ]


def short(number: float) -> str:
    """Three digits and a sign for thousands or millions.

    Examples
    --------
    >>> short(950), short(43_520), short(999_999), short(2.5e6)
    ('950', '43.5k', '1M', '2.5M')
    """
    for size, sign in ((1e6, "M"), (1e3, "k")):
        if float(f"{number:.3g}") >= size:
            return f"{float(f'{number:.3g}') / size:g}{sign}"
    return f"{number:.3g}"


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
