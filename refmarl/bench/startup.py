"""What a user waits for first: imports, compilation, a whole process that solves one small game.

Each run is a Python process of its own. *Cold* means that nothing compiled is kept from before:
numba's caches are in a fresh empty folder; *warm*, that the process has run before.
"""

import os
import subprocess
import sys
import tempfile
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

from .task import Peer, Task

MATRIX = "[[0, -1, 1], [1, 0, -1], [-1, 1, 0]]"  # rock-paper-scissors: one equilibrium
ARRAY = f"import numpy as np\nA = np.array({MATRIX}, float)\n"
IMPORTS = {
    "refmarl": "from refmarl.games.vertex import vertex_enumeration",
    "nashpy": "import nashpy",
    "quantecon": "import quantecon.game_theory",
    "pygambit": "import pygambit",
}
SETUPS = {
    "refmarl": "from refmarl.games import NormalForm\n"
    "from refmarl.games.vertex import vertex_enumeration\n"
    f"game = NormalForm.zero_sum({MATRIX})",
    "nashpy": f"import nashpy\n{ARRAY}game = nashpy.Game(A)",
    "quantecon": f"import quantecon.game_theory as theory\n{ARRAY}"
    "game = theory.NormalFormGame((theory.Player(A), theory.Player(-A.T.copy())))",
    "pygambit": f"import pygambit\n{ARRAY}game = pygambit.Game.from_arrays(A, -A)",
}
CALLS = {
    "refmarl": "vertex_enumeration(game).profiles",
    "nashpy": "list(game.vertex_enumeration())",
    "quantecon": "theory.vertex_enumeration(game)",
    "pygambit": "pygambit.nash.enummixed_solve(game, rational=False).equilibria",
}
PATIENCE = 60.0  # seconds: a cold start may compile a package's kernels


class Run(NamedTuple):
    """A process that has ended."""

    whole: float  # seconds
    number: int  # of equilibria it says it found
    call: float  # seconds of the solver's call in it


def _inputs(seed: int, size: int) -> tuple[int, ...]:
    return (size,)


def _prepare(code: str, given: int) -> str:
    return code


def process(cold: bool, code: str) -> Run:
    """Run ``code``, which prints two numbers, in a Python of its own."""
    with tempfile.TemporaryDirectory() as folder:
        caches = {"NUMBA_CACHE_DIR": folder, "XDG_CACHE_HOME": folder} if cold else {}
        start = perf_counter()
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            capture_output=True,
            text=True,
            env=os.environ | caches,
        )
        whole = perf_counter() - start
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no message"])[-1])
    number, call = done.stdout.split()[-2:]
    return Run(whole, int(number), float(call))


def _whole(run: Run) -> float:
    return run.whole


def _call(run: Run) -> float:
    return run.call


def _number(given: int, run: Run) -> int:
    return run.number


def _equal(truth: int, got: int) -> bool:
    return truth == got


def _one(given: Any, answers: Any) -> int:
    return 1


def _zero(given: Any, answers: Any) -> int:
    return 0


def _importing(statement: str) -> str:
    return f"{statement}\nprint(0, 0.0)"


def _solving(package: str) -> str:
    return (
        f"{SETUPS[package]}\nfrom time import perf_counter\nstart = perf_counter()\n"
        f"number = len({CALLS[package]})\nprint(number, perf_counter() - start)"
    )


def _peer(name: str, code: str, cold: bool = False, seconds: Any = _whole) -> Peer:
    return Peer(
        name=name,
        package=name if name in IMPORTS else "refmarl",
        prepare=partial(_prepare, code),
        run=partial(process, cold),
        answer=_number,
        seconds=seconds,
    )


def _task(name: str, title: str, cold: bool, seconds: Any, quick: bool) -> Task:
    """A solver's process; the limit is a Python that imports NumPy and does nothing."""
    ours, *peers = (_peer(p, _solving(p), cold, seconds) for p in IMPORTS)
    limit = _peer("limit", _importing("import numpy")) if seconds is _whole else None
    return Task(
        name=name,
        title=title,
        size="actions",
        sizes=(3,),
        quick=(3,) if quick else (),
        inputs=_inputs,
        ours=ours,
        peers=tuple(peers),
        same=_equal,
        truth=_one,
        limit=limit,
        patience=PATIENCE,
    )


IMPORT_OURS, *IMPORT_PEERS = (_peer(p, _importing(line)) for p, line in IMPORTS.items())

TASKS = (
    Task(
        name="import",
        title="a process that imports the package",
        size="none",
        sizes=(0,),
        quick=(0,),
        inputs=_inputs,
        ours=IMPORT_OURS,
        peers=tuple(IMPORT_PEERS),
        same=_equal,
        truth=_zero,
        limit=_peer("limit", _importing("import numpy")),
        patience=PATIENCE,
    ),
    _task("process-warm", "a process that solves a 3 × 3 game, warm caches", False, _whole, True),
    _task("process-cold", "the same, nothing compiled before", True, _whole, False),
    _task("first-call", "the solver's call in a cold process", True, _call, False),
)
