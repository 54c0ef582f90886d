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
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..check import InputError, positive
from ..config import Settings, digest, from_dict, to_dict
from ..learner import Progress, learn
from ..rng import streams
from . import checkpoint, registry
from .evaluate import evaluate
from .folder import LINES, SCHEMA, Log, alone, clear, cut, is_part, last, lines, machine


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is run; equal runs give equal bits.

    Raises
    ------
    InputError
        If the seed or an interval is not what it must be.
    """

    algorithm: str
    env: str
    seed: int = 0
    config: Settings
    env_options: dict[str, Any] = field(default_factory=dict)
    log_every: int = 10  # iterations
    save_every: int = 100  # iterations, a multiple of log_every
    eval_every: int = 0  # iterations, a multiple of log_every; 0: never
    eval_episodes: int = 20

    def __post_init__(self) -> None:
        streams(self.seed, "learn")
        log, save, judge = self.log_every, self.save_every, self.eval_every
        for name in ("log_every", "save_every", "eval_episodes"):
            positive(getattr(self, name), name)
        if isinstance(judge, bool) or not isinstance(judge, int) or judge < 0:
            raise InputError(f"eval_every: need a whole number ≥ 0, got {judge!r}")
        if save % log or judge % log:
            need = f"need multiples of log_every = {log}"
            raise InputError(f"save_every, eval_every: {need}, got {save}, {judge}")

    @property
    def iterations(self) -> int:
        """How many there are in all."""
        return int(getattr(self.config, "iterations"))  # noqa: B009

    @property
    def name(self) -> str:
        """Of its folder: algorithm, environment, digest of their names and settings, seed."""
        plain = [part.replace(":", ".").rpartition(".")[2] for part in (self.algorithm, self.env)]
        made_of = [self.algorithm, self.env, digest(self.config), self.env_options]
        text = json.dumps(made_of, sort_keys=True)
        short = hashlib.sha256(text.encode()).hexdigest()[:8]
        return f"{plain[0]}-{plain[1]}-{short}-s{self.seed}"


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
    algorithm, env, first = begin(run)
    (rng,) = streams(run.seed, "learn")
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        current = _open(run, folder, first)
        if current.iteration >= run.iterations:
            return current
        start, window = time.perf_counter(), dict[str, list[float]]()
        with Log(folder / LINES[0]) as log, Log(folder / LINES[1]) as clock:
            for progress, metrics in learn(algorithm, env, run.config, rng, current):
                current, done = progress, progress.iteration
                for key, value in metrics.items():
                    window.setdefault(key, []).append(_finite(key, value, progress))
                if done % run.log_every and done < run.iterations:
                    continue
                row = {"iteration": done, "steps": progress.steps} | _means(window)
                window = {}
                if run.eval_every and (done % run.eval_every == 0 or done == run.iterations):
                    row |= _evaluated(run, algorithm, env, progress)
                log.add(row)
                seconds = time.perf_counter() - start
                clock.add({"iteration": done, "seconds": seconds})
                stopping = stop()
                if done % run.save_every == 0 or done == run.iterations or stopping:
                    log.keep()
                    checkpoint.save(folder / "checkpoint.npz", progress)
                if watch:
                    watch(Report(progress, row, seconds, run.iterations))
                if stopping:
                    break
    return current


def begin(run: Run) -> tuple[Any, Any, Progress]:
    """(algorithm, environment, the progress at the beginning) of a run.

    Raises
    ------
    InputError
        If there is no such algorithm or environment, they do not fit, or the progress holds what
        a checkpoint cannot.
    """
    algorithm = registry.algorithm(run.algorithm)
    env = registry.environment(run.env, run.env_options)
    (rng,) = streams(run.seed, "learn")
    first = algorithm.start(env, run.config, rng)
    if held := checkpoint.unsavable(first):
        raise InputError(f"{run.env}: {run.algorithm} cannot be saved with it: {held}")
    return algorithm, env, first


def fits(run: Run, folder: Path) -> None:
    """Whether a folder is there for this run, or free for it; nothing is changed.

    Raises
    ------
    InputError
        If it holds another run (with what differs), something else, or is a file.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise InputError(f"{there}: a file; need a folder, or none")
    if (folder / "run.json").exists():
        if apart := differences(describe(read(folder)), describe(run)):
            says = "; ".join(f"{key} is {old} there, {new} asked" for key, old, new in apart)
            raise InputError(f"{folder}: holds another run: {says}; give another --out")
    elif folder.exists() and any(path for path in folder.iterdir() if not is_part(path)):
        raise InputError(f"{folder}: not empty, and no run; give another --out")


def differences(one: dict[str, Any], two: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(name, value in one, value in two) of what differs between two described runs."""
    flat = [_flat(run) for run in (one, two)]
    names = [*flat[0], *(name for name in flat[1] if name not in flat[0])]
    pairs = [(name, *(json.dumps(part.get(name, "not given")) for part in flat)) for name in names]
    return [(name, old, new) for name, old, new in pairs if old != new]


def described(run: Run) -> dict[str, Any]:
    """All that makes a run, one level deep; the environment's options as ``--env NAME``."""
    return _flat(describe(run))


def _flat(run: dict[str, Any]) -> dict[str, Any]:
    nested = {**run["config"], **{f"--env {k}": v for k, v in run["env_options"].items()}}
    apart = ("digest", "config", "env_options")
    return {k: v for k, v in run.items() if k not in apart} | nested


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
    if (told := stored.pop("digest", None)) not in (None, _digest(stored)):
        raise InputError(
            f"{path}: changed after the run began (its digest is {told}, now {_digest(stored)}); "
            "put it back, or begin another run; without the line 'digest' it is taken as it is"
        )
    try:
        kind = registry.config(stored["algorithm"])
        options = {key: _untyped(value) for key, value in stored["env_options"].items()}
        settings = from_dict(kind, stored["config"])
        return Run(**(stored | {"config": settings, "env_options": options}))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
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
    if not (folder / "checkpoint.npz").exists():
        raise InputError(f"{folder}: nothing saved yet (no checkpoint.npz)")
    _, env, first = begin(run)
    return run, env, checkpoint.load(folder / "checkpoint.npz", first)


def metrics(folder: Path) -> list[dict[str, float]]:
    """The lines of ``metrics.jsonl``; a torn last line is left out.

    Raises
    ------
    InputError
        If another line is damaged.
    """
    return lines(folder / LINES[0])


def describe(run: Run) -> dict[str, Any]:
    """The run as ``run.json`` has it."""
    found = {
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
    return {"schema": SCHEMA, "digest": _digest(found), **found}


def _digest(described: dict[str, Any]) -> str:
    """Of all that stands in ``run.json`` beside itself and the schema."""
    text = json.dumps(described, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _untyped(value: Any) -> Any:
    """A value as environments take it: JSON's lists are tuples."""
    return tuple(map(_untyped, value)) if isinstance(value, list) else value


def _open(run: Run, folder: Path, first: Progress) -> Progress:
    """Begin in an empty folder, or check that it holds this run; the progress to go on from."""
    fits(run, folder)
    clear(folder)
    if not (folder / "run.json").exists():
        asked = json.dumps(describe(run), indent=1, ensure_ascii=False) + "\n"
        checkpoint.write(folder / "run.json", lambda file: file.write(asked.encode()))
    saved = folder / "checkpoint.npz"
    progress = checkpoint.load(saved, first) if saved.exists() else first
    if (told := last(folder / LINES[0], progress.iteration)) != progress.iteration:
        raise InputError(
            f"{folder / LINES[0]}: ends or is damaged after iteration {told}, and the checkpoint "
            f"is of iteration {progress.iteration}; put the lines back, or delete the folder"
        )
    if progress.iteration < run.iterations:
        text = json.dumps(machine(), indent=1) + "\n"
        checkpoint.write(folder / "machine.json", lambda file: file.write(text.encode()))
        for name in LINES:
            cut(folder / name, progress.iteration)
    return progress


# -- numbers ----------------------------------------------------------------------------


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
