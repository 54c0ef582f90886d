"""``refmarl check --watch``: an exercise is checked whenever its file is saved.

The exercise that was saved last is the current one. Nothing else changes it but the key n: it never
goes on to another by itself.
"""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import _check, _desk, _standing, expected
from ._keys import Keys

if TYPE_CHECKING:
    from ..grading.catalogue import Exercise

POLL = 0.3  # seconds between two looks at the files
STILL = 0.1  # a file must not have changed for so long before it is read
HELP = "h hint · n next · l list · c check all · x reset · q quit"

Stamp = tuple[int, int] | None


def watch(desk: _desk.Desk, named: "list[Exercise]") -> int:
    """Check again and again until q is pressed: then 0."""
    from ..grading.progress import suggestion

    with Keys() as keys:
        watcher = Watcher(desk, named or list(desk.chosen.values()), keys)
        following = suggestion(desk.chosen, desk.state)
        watcher.current = named[0] if named else following or next(iter(desk.chosen.values()))
        watcher.check()
        while watcher.turn():
            pass
    return 0


class Watcher:
    """Looks at files and keys; ``current`` is the exercise that is shown."""

    current: "Exercise"

    def __init__(self, desk: _desk.Desk, watched: "list[Exercise]", keys: Keys) -> None:
        self.desk, self.watched, self.keys = desk, watched, keys
        self.seen = {e.label: stamp(desk.path(e)) for e in watched}
        self.clears = keys.on and sys.stdout.isatty()

    def turn(self) -> bool:
        """Wait for a key or a look at the files, and act; False ends it."""
        key = self.keys.read(POLL)
        if key == "q":
            return False
        if key in ACTIONS:
            ACTIONS[key](self)
        saved = self.saved()
        if saved:
            self.current = saved
            self.check()
        return True

    def saved(self) -> "Exercise | None":
        """The exercise whose file has been written since the last look, the latest of several."""
        fresh = [e for e in self.watched if self._changed(e)]
        if not fresh:
            return None
        while True:
            before = {e.label: stamp(self.desk.path(e)) for e in fresh}
            time.sleep(STILL)
            if before == {e.label: stamp(self.desk.path(e)) for e in fresh}:
                break
        self.seen |= {label: now for label, now in before.items() if now}
        there = [e for e in fresh if before[e.label]]
        return max(there, key=lambda e: before[e.label] or (0, 0), default=None)

    def _changed(self, exercise: "Exercise") -> bool:
        """Whether its file is there and not the one seen; a save may take it away for a moment."""
        now = stamp(self.desk.path(exercise))
        return now is not None and now != self.seen[exercise.label]

    def check(self) -> None:
        """Check the current exercise and show how it went."""
        if self.clears:
            print("\x1b[2J\x1b[H", end="")
        try:
            done = _check.one(self.desk, self.current, named=True)
            print(_check.text(done, self.desk, True, _desk.colourful()))
            if done.status == "pass":
                print(_check.following(self.desk) + self.keys.on * "   (n)")
        except Exception as error:  # the next save may mend it
            if expected(error):
                print(f"refmarl: error: {error}")
            else:
                _check.fault(error)
        self.desk.save()
        self.foot()

    def foot(self) -> None:
        """What is watched, and the keys."""
        says = HELP if self.keys.on else "Ctrl-C ends"
        print(f"\nwatching {self.current.path.as_posix()}   {says}", flush=True)

    def hint(self) -> None:
        """The key h."""
        from .exercises import hint

        print(f"\n{hint(self.desk, self.current)[1]}", flush=True)

    def next(self) -> None:
        """The key n: to the next exercise that can be done, from the current one on, or round."""
        from ..grading.progress import suggestion

        following = suggestion(self.desk.chosen, self.desk.state, after=self.current.label)
        if following is None:
            print("\nAll exercises are passed.", flush=True)
            return
        self.current = following
        self.check()

    def listing(self) -> None:
        """The key l."""
        paint = _desk.colourful()
        for _, row in _standing.rows(self.desk):
            print(_standing.listed(row, paint))
        self.foot()

    def all(self) -> None:
        """The key c."""
        print()
        _check.show(self.desk, [])
        self.foot()

    def reset(self) -> None:
        """The key x: the stub again, after a second key."""
        from ..grading.workfolder import reset

        path = self.desk.path(self.current)
        print(f"\nPut {path.name} back as it was handed out? Yours is kept. (y/n)", flush=True)
        key = ""
        while self.keys.on and not key:
            key = self.keys.read(POLL)
        if key != "y":
            print("left as it is", flush=True)
            return
        kept = reset(self.current, path)
        self.seen[self.current.label] = stamp(path)
        self.check()
        if kept:
            print(f"yours is kept as {kept.name}", flush=True)


ACTIONS = {
    "h": Watcher.hint,
    "n": Watcher.next,
    "l": Watcher.listing,
    "c": Watcher.all,
    "x": Watcher.reset,
}


def stamp(path: Path) -> Stamp:
    """What changes when a file is written: time and size; None where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
