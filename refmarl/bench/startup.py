"""What a user waits for first: imports, compilation, a process that solves a game or takes a step.

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
DATA = """import numpy as np
rng, losses = np.random.default_rng(0), []
x, goal = rng.standard_normal((64, 18)).astype(np.float32), np.ones((64, 5), np.float32)
"""
TRAINING = {  # two steps of Adam on a regression, and the loss before each
    "refmarl": f"""{DATA}
from refmarl.nn import MLP, Adam
net, adam = MLP((18, 64, 64, 5), "relu"), Adam()
theta = net.init(rng, dtype=np.float32)
state = adam.init(theta)
for _ in range(2):
    y, tape = net.forward(theta, x)
    losses.append(float(np.square(y - goal).mean()))
    state, theta = adam.update(state, theta, net.gradient(theta, tape, y - goal), 1e-3)
""",
    "torch": f"""{DATA}
import torch
from torch import nn
torch.set_num_threads(1)
net = nn.Sequential(nn.Linear(18, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 5))
adam, x, goal = torch.optim.Adam(net.parameters(), 1e-3), torch.tensor(x), torch.tensor(goal)
for _ in range(2):
    adam.zero_grad()
    loss = nn.functional.mse_loss(net(x), goal)
    losses.append(float(loss))
    loss.backward()
    adam.step()
""",
    "jax": f"""{DATA}
import jax
import jax.numpy as jnp
sizes = (18, 64, 64, 5)
w = [jnp.asarray(rng.standard_normal((i, o)) * i**-0.5) for i, o in zip(sizes, sizes[1:])]
state = ([(a, jnp.zeros(a.shape[1])) for a in w],)
state = (*state, *(jax.tree.map(jnp.zeros_like, state[0]) for _ in range(2)))
def loss(parts):
    h = x
    for k, (w, b) in enumerate(parts):
        h = h @ w + b
        h = jax.nn.relu(h) if k < 2 else h
    return jnp.square(h - goal).mean()
@jax.jit
def step(state, t):
    value, g = jax.value_and_grad(loss)(state[0])
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state[1], g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, state[2], g)
    def move(p, m, v):
        return p - 1e-3 * m / (1 - 0.9**t) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return value, (jax.tree.map(move, state[0], m, v), m, v)
for t in (1.0, 2.0):
    value, state = step(state, t)
    losses.append(float(value))
""",
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
        package="refmarl" if name == "limit" else name,
        prepare=partial(_prepare, code),
        run=partial(process, cold),
        answer=_number,
        seconds=seconds,
    )


def _learning(package: str) -> str:
    """How many of both losses are smaller than the one before: 1, if it learns."""
    return f"{TRAINING[package]}\nprint(int(losses[1] < losses[0]), 0.0)"


SIZES = {"actions": 3, "rows": 64}


def _task(
    name: str, title: str, size: str, codes: dict[str, str], cold: bool, seconds: Any = _whole
) -> Task:
    """A process of each package; the limit is a Python that imports NumPy and does nothing."""
    ours, *peers = (_peer(p, code, cold, seconds) for p, code in codes.items())
    limit = _peer("limit", _importing("import numpy")) if seconds is _whole else None
    return Task(
        name=name,
        title=title,
        size=size,
        sizes=(SIZES[size],),
        quick=() if cold else (SIZES[size],),
        inputs=_inputs,
        ours=ours,
        peers=tuple(peers),
        same=_equal,
        truth=_one,
        limit=limit,
        patience=PATIENCE,
    )


SOLVING = {package: _solving(package) for package in IMPORTS}
LEARNING = {package: _learning(package) for package in TRAINING}
SOLVES, LEARNS = "solves a 3 × 3 game", "takes two training steps of 18-64-64-5"
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
    _task("process-warm", f"a process that {SOLVES}, warm caches", "actions", SOLVING, False),
    _task("process-cold", "the same, nothing compiled before", "actions", SOLVING, True),
    _task("first-call", "the solver's call in a cold process", "actions", SOLVING, True, _call),
    _task("training-warm", f"a process that {LEARNS}, warm caches", "rows", LEARNING, False),
    _task("training-cold", "the same, nothing compiled before", "rows", LEARNING, True),
)
