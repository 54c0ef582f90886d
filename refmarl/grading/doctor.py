"""Whether exercises can be checked here: versions, isolation, and a test of the checker itself."""

import platform
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .. import __version__
from . import sandbox
from .catalogue import table
from .course import own
from .runner import check

PACKAGES = ("numpy", "scipy", "numba", "hypothesis", "matplotlib", "rich")
EXERCISE = "td-error"
WRONG = """def td_error(reward, value, next_value, terminated, gamma):
    return reward + gamma * next_value - value
"""


@dataclass(frozen=True)
class Trial:
    """One thing that was tried: in words, whether it went as it must, seconds."""

    says: str
    ok: bool
    got: str
    seconds: float


def versions() -> dict[str, str]:
    """What runs here, by name; a package that is not installed is "missing"."""
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    found = {"refmarl": __version__, "python": platform.python_version(), "system": system}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def isolation() -> list[sandbox.Report]:
    """What a canary could do at each level."""
    return [sandbox.probe(level) for level in (0, 1, 2)]


def self_test() -> list[Trial]:
    """A right answer must pass, a wrong one be found out, a stub be seen as one."""
    exercise = table(own())[EXERCISE]
    trials = []
    right = exercise.solution.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / exercise.path.name
        for says, text, wanted in (
            ("a right answer passes", right, "pass"),
            ("a wrong answer is found out", WRONG, "fail"),
            ("an exercise that was not begun is seen", exercise.stub(), "not-started"),
        ):
            path.write_text(text, "utf-8")
            begun = time.perf_counter()
            status = check(exercise, path).status
            trials.append(Trial(says, status == wanted, status, time.perf_counter() - begun))
    return trials
