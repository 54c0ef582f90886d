"""A training run in a folder: what was asked, what was measured, where it stands.

    run.json          algorithm, environment, settings, seed; what makes the run what it is
    machine.json      versions and machine of the last start
    metrics.jsonl     one line for each iteration that is logged: the same bits in every rerun
    times.jsonl       wall-clock seconds beside them
    checkpoint.npz    the progress, replaced atomically

A run that was killed at any moment continues from its checkpoint; lines that were measured after
it are measured again, so that in the end the files are those of a run that was never killed.
"""

import hashlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import __version__
from ..check import InputError, positive
from ..config import Settings, digest, from_dict, to_dict
from ..learner import Progress, learn
from ..rng import streams
from . import checkpoint, registry
from .evaluate import evaluate

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is run; equal runs give equal bits."""

    algorithm: str
    env: str
    seed: int = 0
    config: Settings
    env_options: dict[str, Any] = field(default_factory=dict)
    log_every: int = 10  # iterations
    save_every: int = 100  # iterations, a multiple of log_every
    eval_every: int = 0  # iterations, a multiple of log_every; 0: never
    eval_episodes: int = 20

    @property
    def name(self) -> str:
        """Of its folder: algorithm, environment, digest of both's settings, seed."""
        plain = [part.replace(":", ".").rpartition(".")[2] for part in (self.algorithm, self.env)]
        settings = digest(self.config)
        if self.env_options:
            text = json.dumps([settings, self.env_options], sort_keys=True)
            settings = hashlib.sha256(text.encode()).hexdigest()[:8]
        return f"{plain[0]}-{plain[1]}-{settings}-s{self.seed}"


class Report(NamedTuple):
    """What a watcher is told after each logged iteration."""

    progress: Progress
    metrics: dict[str, float]
    seconds: float  # since this start
    iterations: int  # in all


class Diverged(InputError):
    """A quantity of the run is not finite any more."""


def train(
    run: Run,
    folder: Path,
    watch: Callable[[Report], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Progress:
    """Start the run in ``folder``, or continue what stands there; its last progress.

    Parameters
    ----------
    run : what to do
    folder : made if it is not there
    watch : told after each logged iteration
    stop : asked at the same moments; True saves and returns

    Raises
    ------
    InputError
        If ``folder`` holds another run, its checkpoint is damaged, or another process is there.
    Diverged
        If a metric is not finite; the last checkpoint stands.
    OSError
        If nothing can be written there; the last checkpoint stands.
    """
    algorithm = registry.algorithm(run.algorithm)
    env = registry.environment(run.env, run.env_options)
    (rng,) = streams(run.seed, "learn")
    total = _iterations(run)
    first = algorithm.start(env, run.config, rng)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        current = _open(run, folder, first)
        begin, window = time.perf_counter(), dict[str, list[float]]()
        with _Log(folder / "metrics.jsonl") as log, _Log(folder / "times.jsonl") as clock:
            for progress, metrics in learn(algorithm, env, run.config, rng, current):
                current, done = progress, progress.iteration
                for key, value in metrics.items():
                    window.setdefault(key, []).append(_finite(key, value, progress))
                if done % run.log_every and done < total:
                    continue
                row = {"iteration": done, "steps": progress.steps} | _means(window)
                window = {}
                if run.eval_every and (done % run.eval_every == 0 or done == total):
                    row |= _evaluated(run, algorithm, env, progress)
                log.add(row)
                seconds = time.perf_counter() - begin
                clock.add({"iteration": done, "seconds": seconds})
                stopping = stop()
                if done % run.save_every == 0 or done == total or stopping:
                    log.keep()
                    checkpoint.save(folder / "checkpoint.npz", progress)
                if watch:
                    watch(Report(progress, row, seconds, total))
                if stopping:
                    break
    return current


def read(folder: Path) -> Run:
    """The run that stands in a folder.

    Raises
    ------
    InputError
        If there is none, or its file is not one of this version.
    """
    path = folder / "run.json"
    try:
        stored = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{folder}: no run here (run.json is missing)") from None
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    if not isinstance(stored, dict) or stored.pop("schema", None) != SCHEMA:
        raise InputError(f"{path}: not a run of schema {SCHEMA}")
    try:
        kind = registry.config(stored["algorithm"])
        options = {key: _untyped(value) for key, value in stored["env_options"].items()}
        settings = from_dict(kind, stored["config"])
        return Run(**(stored | {"config": settings, "env_options": options}))
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: not a run ({error})") from None


def resume(folder: Path) -> tuple[Run, Any, Progress]:
    """(run, environment, progress) of a folder: the trained agent is ``progress.agent``.

    Raises
    ------
    InputError
        If there is no checkpoint, or it is damaged.
    """
    run = read(folder)
    env = registry.environment(run.env, run.env_options)
    (rng,) = streams(run.seed, "learn")
    if not (folder / "checkpoint.npz").exists():
        raise InputError(f"{folder}: nothing saved yet (no checkpoint.npz)")
    template = registry.algorithm(run.algorithm).start(env, run.config, rng)
    return run, env, checkpoint.load(folder / "checkpoint.npz", template)


def metrics(folder: Path) -> list[dict[str, float]]:
    """The lines of ``metrics.jsonl``; a torn last line is left out."""
    rows = []
    for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


def describe(run: Run) -> dict[str, Any]:
    """The run as ``run.json`` has it."""
    return {
        "schema": SCHEMA,
        "algorithm": run.algorithm,
        "env": run.env,
        "seed": run.seed,
        "config": to_dict(run.config),
        "env_options": json.loads(json.dumps(run.env_options)),
        "log_every": run.log_every,
        "save_every": run.save_every,
        "eval_every": run.eval_every,
        "eval_episodes": run.eval_episodes,
    }


def _untyped(value: Any) -> Any:
    """A value as environments take it: JSON's lists are tuples."""
    return tuple(map(_untyped, value)) if isinstance(value, list) else value


# -- the folder -------------------------------------------------------------------------


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second process out, where the system can; a killed one leaves nothing behind.

    Raises
    ------
    InputError
        If another process is training in ``folder``.
    """
    try:
        import fcntl
    except ImportError:  # not a POSIX system
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{folder}: another process is training here") from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(handle)


def _open(run: Run, folder: Path, first: Progress) -> Progress:
    """Begin in an empty folder, or check that it holds this run; the progress to go on from."""
    asked = json.dumps(describe(run), indent=1, ensure_ascii=False) + "\n"
    path = folder / "run.json"
    if path.exists():
        if describe(read(folder)) != describe(run):
            raise InputError(f"{folder}: holds another run; give another --out, or its settings")
    else:
        if any(folder.iterdir()):
            raise InputError(f"{folder}: not empty, and no run; give another --out")
        checkpoint.write(path, lambda file: file.write(asked.encode()))
    machine = json.dumps(_machine(), indent=1) + "\n"
    checkpoint.write(folder / "machine.json", lambda file: file.write(machine.encode()))
    saved = folder / "checkpoint.npz"
    progress = checkpoint.load(saved, first) if saved.exists() else first
    for name in ("metrics.jsonl", "times.jsonl"):
        _cut(folder / name, progress.iteration)
    return progress


def _cut(path: Path, iteration: int) -> None:
    """Drop the lines that were written after ``iteration``, and a torn one."""
    if not path.exists():
        return
    kept = []
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            if not line.endswith(b"\n") or json.loads(line)["iteration"] > iteration:
                break
        except (ValueError, KeyError, TypeError):
            break
        kept.append(line)
    text = b"".join(kept)
    if len(text) != path.stat().st_size:
        checkpoint.write(path, lambda file: file.write(text))


def _machine() -> dict[str, Any]:
    """Versions and machine: what the bits depend on beside the run itself."""
    import numba
    import scipy

    return {
        "schema": SCHEMA,
        "refmarl": __version__,
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "numba": numba.__version__,
        "system": platform.platform(),
        "processor": platform.machine(),
        "blas_threads": os.environ.get("OPENBLAS_NUM_THREADS", "not set"),
    }


class _Log:
    """A file of JSON lines, each whole or absent."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("ab")

    def __enter__(self) -> "_Log":
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def add(self, row: dict[str, float]) -> None:
        """Append a line."""
        self.file.write(json.dumps(row).encode() + b"\n")
        self.file.flush()

    def keep(self) -> None:
        """Make what was written durable."""
        os.fsync(self.file.fileno())


# -- numbers ----------------------------------------------------------------------------


def _iterations(run: Run) -> int:
    """How many the settings ask for.

    Raises
    ------
    InputError
        If the intervals cannot be kept.
    """
    for name in ("log_every", "save_every"):
        positive(getattr(run, name), name)
    if run.save_every % run.log_every or run.eval_every % run.log_every:
        raise InputError(
            f"save_every, eval_every: need multiples of log_every = {run.log_every}, got "
            f"{run.save_every}, {run.eval_every}"
        )
    return int(getattr(run.config, "iterations"))  # noqa: B009


def _finite(key: str, value: float, progress: Progress) -> float:
    """The value, if it is a number.

    Raises
    ------
    Diverged
        If it is not finite.
    """
    if not np.isfinite(value):
        raise Diverged(f"{key} is {value} at iteration {progress.iteration}; the run stops")
    return float(value)


def _means(window: dict[str, list[float]]) -> dict[str, float]:
    return {key: float(np.mean(values)) for key, values in window.items()}


def _evaluated(run: Run, algorithm: Any, env: Any, progress: Progress) -> dict[str, float]:
    """The greedy policy's returns, on a stream that depends on the iteration alone."""
    act_rng, env_rng = streams(
        run.seed, f"act at {progress.iteration}", f"evaluate at {progress.iteration}"
    )
    policy = algorithm.policy(env, run.config, progress.agent, act_rng, greedy=True)
    team = evaluate(env, policy, env_rng, run.eval_episodes).team
    error = float(team.std(ddof=1) / len(team) ** 0.5) if len(team) > 1 else 0.0
    return {"eval_return": float(team.mean()), "eval_error": error}
