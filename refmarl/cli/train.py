"""``refmarl train``: runs in folders, one or many, that can be stopped and continued."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._output import as_json, example, table

if TYPE_CHECKING:
    from ..training.pool import Job, Standing
    from ..training.run import Run

INTERVALS = ("log_every", "save_every", "eval_every", "eval_episodes")
OPTIONS = ("seed", "seeds", "out", "workers", *INTERVALS)
EXAMPLE = """refmarl train a2c cartpole --eval-every 100 --seeds 3 --out runs
         refmarl train a2c cartpole --vary lr 3e-3 1e-2 --seeds 3 --workers 2
         refmarl train --resume runs"""


def add(verbs: Any) -> None:
    """Declare the verb."""
    train = verbs.add_parser(
        "train",
        help="train agents; stopped or killed runs continue with the same command",
        description="Each run gets a folder of its own below --out, named after algorithm, "
        "environment, settings and seed. Ctrl-C saves and ends; the same command continues, and "
        "ends in the same bits as a run that was never stopped. `refmarl list algorithms` and "
        "`refmarl list envs` say what there is, `refmarl show a2c` what can be set; your own are "
        "module:name.",
        **example(EXAMPLE),
    )
    train.add_argument("algorithm", nargs="?", metavar="ALGO")
    train.add_argument("env", nargs="?", metavar="ENV")
    train.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="of the algorithm"
    )
    train.add_argument(
        "--env", dest="options", action="append", default=[], metavar="NAME=VALUE",
        help="of the environment",
    )  # fmt: skip
    train.add_argument(
        "--vary", action="append", nargs="+", default=[], metavar=("NAME", "VALUE"),
        help="several values of one setting: a run of each, times every other --vary",
    )  # fmt: skip
    seeds = train.add_mutually_exclusive_group()
    seeds.add_argument("--seed", type=int, metavar="N", help="default: 0")
    seeds.add_argument("--seeds", type=int, metavar="K", help="seeds 0 … K-1: a run of each")
    train.add_argument("--out", type=Path, metavar="DIR", help="default: runs")
    train.add_argument("--resume", type=Path, metavar="DIR", help="continue every run below DIR")
    for name, default, what in (
        ("log-every", 10, "iterations between two lines of metrics"),
        ("save-every", 100, "iterations between two checkpoints"),
        ("eval-every", 0, "iterations between two evaluations; 0: none"),
        ("eval-episodes", 20, "episodes of each"),
    ):
        train.add_argument(f"--{name}", type=int, metavar="N", help=f"{what} (default: {default})")
    train.add_argument("--workers", type=int, metavar="N", help="processes (default: one a core)")
    train.add_argument("--json", action="store_true", help="print where the runs stand as JSON")
    train.set_defaults(run=_train)


def _train(args: argparse.Namespace) -> int:
    from ..check import positive
    from ..training.pool import train_all
    from ._progress import Board, Stopper
    from ._runs import complain, own_modules

    own_modules()
    if args.workers is not None:
        positive(args.workers, "workers")
    jobs, faults = _resumed(args) if args.resume else (_asked(args), [])
    workers = args.workers or min(len(jobs), os.cpu_count() or 1) or 1
    with Board(args.json) as board, Stopper() as stop:
        found = train_all(jobs, workers, board.show, stop)
    if args.json:
        as_json([_data(s) for s in found])
    else:
        _print(found)
    faults += [s.error for s in found if s.error]
    complain(faults)
    if stop.signal and not all(s.done for s in found):
        above = args.resume or _above(found)
        print(f"stopped; to continue: refmarl train --resume {above}", file=sys.stderr)
        return 128 + stop.signal
    return 1 if faults else 0


# -- what is asked ----------------------------------------------------------------------


def _asked(args: argparse.Namespace) -> "list[Job]":
    """A job for each seed and each combination of what varies; refused before any folder is made.

    Raises
    ------
    InputError
        If something of it cannot be done.
    """
    from dataclasses import replace

    from ..check import InputError, positive
    from ..training.pool import Job
    from ..training.run import Run, fits
    from . import _settings

    if not args.env:
        raise InputError("need ALGO and ENV, as in: refmarl train a2c cartpole (or --resume DIR)")
    if args.seeds is not None:
        positive(args.seeds, "seeds")
    seeds = range(args.seeds or 0) or [args.seed or 0]
    given = {key: value for key in INTERVALS if (value := getattr(args, key)) is not None}
    options = _settings.env_options(args.env, args.options)
    jobs = []
    for config in _settings.configs(args.algorithm, args.env, args.set, args.vary):
        run = Run(
            algorithm=args.algorithm, env=args.env, config=config, env_options=options,
            seed=seeds[0], **_intervals(given),
        )  # fmt: skip
        _settings.try_out(run)
        runs = [replace(run, seed=seed) for seed in seeds]
        jobs += [Job(run, (args.out or Path("runs")) / run.name) for run in runs]
    for job in jobs:
        fits(job.run, job.folder)
    return jobs


def _intervals(given: dict[str, int]) -> dict[str, int]:
    """The intervals; those that were not given fit those that were."""
    log = given.get("log_every", 10)
    save = given.get("save_every", -(-100 // log) * log if log > 0 else 100)
    return {"log_every": log, "save_every": save, **given}


def _resumed(args: argparse.Namespace) -> "tuple[list[Job], list[str]]":
    """(a job for every run below a folder, what is wrong with those that cannot be read).

    Raises
    ------
    InputError
        If there is none, or anything else was asked besides.
    """
    from ..check import InputError
    from ..training.pool import Job
    from ._runs import find, sound

    others = {
        "ALGO": args.algorithm, "--set": args.set, "--env": args.options, "--vary": args.vary,
        "--out": args.out, "--seed": args.seed, "--seeds": args.seeds,
        "--log-every": args.log_every, "--save-every": args.save_every,
        "--eval-every": args.eval_every, "--eval-episodes": args.eval_episodes,
    }  # fmt: skip
    for name, value in others.items():
        if value not in (None, []):
            raise InputError(f"--resume continues runs as they were begun; leave {name} out")
    found, faults = sound(find([args.resume]))
    return [Job(run, folder) for folder, run in found], faults


# -- what came --------------------------------------------------------------------------


def _data(s: "Standing") -> dict[str, Any]:
    """A run's end as JSON; other programs lean on its keys."""
    run: Run = s.job.run
    return {
        "folder": str(s.job.folder),
        "algorithm": run.algorithm,
        "env": run.env,
        "seed": run.seed,
        "iteration": s.iteration,
        "iterations": s.job.iterations,
        "done": s.done,
        "metrics": s.row,
        "error": s.error,
    }


def _print(found: "list[Standing]") -> None:
    from ._runs import shown

    rows = [
        (
            s.job.folder,
            f"{s.iteration}/{s.job.iterations}",
            int(s.row.get("steps", 0)),
            *(shown(value) if value is not None else "–" for value in _latest(s.job.folder)),
        )
        for s in found
    ]
    table(("run", "iteration", "steps", "return", "eval return"), rows)


def _latest(folder: Path) -> list[float | None]:
    """The last return and evaluation that were measured; not every line has them."""
    from ..check import InputError
    from ..training.run import metrics

    try:
        rows = metrics(folder)
    except InputError:  # told already
        rows = []
    keys = ("return", "eval_return")
    return [next((row[key] for row in reversed(rows) if key in row), None) for key in keys]


def _above(found: "list[Standing]") -> Path:
    """The folder of the only run, or the one above all."""
    folders = [s.job.folder for s in found]
    return folders[0] if len(folders) == 1 else Path(os.path.commonpath(folders))
