"""``refmarl evaluate``, ``compare`` and ``plot``: what runs have learnt, with honest intervals."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._certificates import certificate, certified
from ._output import as_json, example, table
from ._runs import Group, complain, different, find, groups, own_modules, shown, sound

if TYPE_CHECKING:
    from ..analysis.curves import Curve

STATISTIC = {"mean": "mean", "iqm": "interquartile mean"}
FEW = 5  # runs: with fewer a bootstrap interval is known to be too narrow


def add(verbs: Any) -> None:
    """Declare the verbs."""
    evaluate = verbs.add_parser(
        "evaluate",
        help="play episodes with what a run has learnt",
        description="Undiscounted return of whole episodes, mean over the agents, with Student's "
        "95 %% interval over the episodes. It says how well this policy does; how well the "
        "algorithm does, several seeds say (refmarl compare). Where the environment's states or "
        "histories can be listed, the policy's exact return, what each agent's best response "
        "would gain, and the best that any joint policy earns stand below.",
        **example("refmarl evaluate runs/a2c-cartpole-27e179b1-s0 --episodes 200"),
    )
    evaluate.add_argument("dir", type=Path, metavar="DIR", help="a run, or a folder of runs")
    evaluate.add_argument("--episodes", type=int, default=100, metavar="N", help="default: 100")
    evaluate.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    how = evaluate.add_mutually_exclusive_group()
    how.add_argument("--greedy", action="store_true", help="the likeliest action (default)")
    how.add_argument("--sample", action="store_true", help="actions as drawn in training")
    evaluate.add_argument("--json", action="store_true", help="print JSON")
    evaluate.set_defaults(run=_evaluate)
    compare = verbs.add_parser(
        "compare",
        help="algorithms or settings against each other, over seeds",
        description="Runs that differ in seed only are one group. A run's score is the mean of "
        "the metric over the last tenth of its iterations. Intervals are 95 %% percentile "
        "bootstrap; P is the probability that a run of the group scores above one of the first.",
        **example("refmarl compare runs --metric return"),
    )
    compare.add_argument("--json", action="store_true", help="print JSON")
    plot = verbs.add_parser(
        "plot",
        help="learning curves with intervals over seeds",
        description="One panel an environment, one curve a group of runs that differ in seed "
        "only; thin lines are the runs, the band is a 95 %% interval at each point by itself.",
        **example("refmarl plot runs --out curves.svg --metric return --statistic iqm"),
    )
    for verb in (compare, plot):
        verb.add_argument("dirs", type=Path, nargs="+", metavar="DIR")
        verb.add_argument("--metric", default="return", metavar="NAME", help="default: return")
    plot.add_argument("--out", type=Path, default=Path("curves.svg"), metavar="FILE.svg|.png")
    plot.add_argument("--interval", choices=["bootstrap", "t"], default="bootstrap")
    plot.add_argument("--statistic", choices=list(STATISTIC), default="mean")
    plot.add_argument("--smooth", type=int, default=1, metavar="K", help="mean of K points")
    compare.set_defaults(run=_compare)
    plot.set_defaults(run=_plot)


# -- evaluate ---------------------------------------------------------------------------


def _evaluate(args: argparse.Namespace) -> int:
    from ..check import InputError, positive
    from ..rng import streams

    own_modules()
    positive(args.episodes, "episodes")
    streams(args.seed, "act")
    rows, faults = [], []
    for folder in find([args.dir]):
        try:
            rows.append(_evaluated(folder, args))
        except InputError as error:
            faults.append(str(error) if str(folder) in str(error) else f"{folder}: {error}")
    if args.json:
        as_json(rows)
    elif rows:
        lines = [
            (
                row["folder"],
                shown(row["mean"]) + (f" ± {shown(row['half'])}" if row["n"] > 1 else ""),
                row["n"],
                shown(row["length"]),
                f"{row['iteration']}/{row['iterations']}",
            )
            for row in rows
        ]
        table(("run", "return", "episodes", "mean length", "iteration"), lines)
        certified(rows)
    complain(faults)
    return 1 if faults else 0


def _evaluated(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    from ..analysis.statistics import t_interval
    from ..rng import streams
    from ..training import registry
    from ..training.evaluate import evaluate
    from ..training.run import resume

    run, env, progress = resume(folder)
    act_rng, env_rng = streams(args.seed, "act", "evaluate")
    policy = registry.algorithm(run.algorithm).policy(
        env, run.config, progress.agent, act_rng, greedy=not args.sample
    )
    found = evaluate(env, policy, env_rng, args.episodes)
    half = None
    if args.episodes > 1:
        interval = t_interval(found.team)
        half = float(interval.high - interval.estimate)
    return {
        "folder": str(folder),
        "mean": float(found.team.mean()),
        "half": half,
        "level": 0.95,
        "n": args.episodes,
        "length": float(found.lengths.mean()),
        "agents": dict(zip(env.agents, found.returns.mean(axis=0).tolist(), strict=True)),
        "greedy": not args.sample,
        "seed": args.seed,
        "iteration": progress.iteration,
        "iterations": run.iterations,
        **certificate(run, env, progress, args),
    }


# -- compare ----------------------------------------------------------------------------


def _compare(args: argparse.Namespace) -> int:
    own_modules()
    rows = []
    found, faults = _by_env(args.dirs, args.metric)
    for env, members in found.items():
        rows += _scores(env, members, args.metric)
    if args.json:
        as_json(rows)
    else:
        head = ("environment", "runs", "n", f"mean {args.metric}", "IQM", "P(better than first)")
        lines = [
            (
                row["env"],
                row["label"],
                row["n"],
                *(_with_interval(row[key]) for key in ("mean", "iqm", "improvement")),
            )
            for row in rows
        ]
        table(head, lines)
        _notes(rows)
    complain(faults)
    return 1 if faults else 0


def _scores(env: str, members: Sequence[Group], metric: str) -> list[dict[str, Any]]:
    """A row for each group of one environment."""
    import numpy as np

    from ..analysis.curves import final
    from ..analysis.statistics import STATISTICS, bootstrap, improvement, improvement_interval
    from ..training.run import metrics

    rows: list[dict[str, Any]] = []
    first: Any = None
    for group in members:
        found = [metrics(folder) for folder in group.folders]
        scores = np.array([final(lines, metric) for lines in found])
        rng = np.random.default_rng(0)
        row: dict[str, Any] = {"env": env, "label": group.label, "n": len(scores)}
        for name, statistic in STATISTICS.items():
            row[name] = {"estimate": float(statistic(scores))}
            if len(scores) > 1:
                row[name] |= _ends(bootstrap(rng, [scores], statistic))
        row["improvement"] = None
        if first is not None:
            row["improvement"] = {"estimate": improvement(scores, first)}
            if min(len(scores), len(first)) > 1:
                row["improvement"] |= _ends(improvement_interval(rng, [scores], [first]))
        first = scores if first is None else first
        row["scores"] = scores.tolist()
        row["finished"] = sum(
            lines[-1]["iteration"] == run.iterations
            for lines, run in zip(found, group.runs, strict=True)
        )
        rows.append(row)
    return rows


def _ends(interval: Any) -> dict[str, float]:
    return {"low": float(interval.low), "high": float(interval.high)}


def _with_interval(found: dict[str, float] | None) -> str:
    if found is None:
        return "–"
    ends = f" [{shown(found['low'])}, {shown(found['high'])}]" if "low" in found else ""
    return shown(found["estimate"]) + ends


def _notes(rows: Sequence[dict[str, Any]]) -> None:
    """What a reader of the table must know."""
    if any(row["finished"] < row["n"] for row in rows):
        short = sum(row["n"] - row["finished"] for row in rows)
        print(f"\n{short} of these runs are not finished: refmarl train --resume DIR")
    if any(row["n"] < FEW for row in rows):
        print(f"\nWith fewer than {FEW} runs intervals are too narrow or absent; train more seeds.")


def _by_env(dirs: Sequence[Path], metric: str) -> tuple[dict[str, list[Group]], list[str]]:
    """(the groups of each environment, what is wrong with the runs that are in none).

    Raises
    ------
    InputError
        If no run measured the metric.
    """
    from ..check import InputError, nearest
    from ..training.run import metrics

    readable, faults = sound(find(dirs))
    measured, lacking, names = [], dict[str, list[Path]](), set[str]()
    for folder, run in readable:
        try:
            keys = {key for row in metrics(folder) for key in row}
        except InputError as error:
            faults.append(str(error))
            continue
        names |= keys - {"iteration", "steps"}
        if metric in keys:
            measured.append((folder, run))
        else:
            why = f"no {metric!r} was measured" + ("" if keys else " yet")
            lacking.setdefault(f"{why} by {run.algorithm} on {run.env}", []).append(folder)
    for why, those in lacking.items():
        more = f" and {len(those) - 1} more" if len(those) > 1 else ""
        faults.append(f"{those[0]}{more}: {why}; left out")
    if names and not measured:
        raise InputError(f"no {metric!r} was measured; {nearest(metric, sorted(names))}")
    if not measured:
        raise InputError("; ".join(faults))
    found: dict[str, list[Group]] = {}
    for group in groups(different(measured), dirs):
        found.setdefault(group.env, []).append(group)
    return found, faults


# -- plot -------------------------------------------------------------------------------


def _plot(args: argparse.Namespace) -> int:
    from ..analysis.curves import panel
    from ..analysis.plots import picture
    from ..check import InputError, positive
    from ..training import checkpoint

    own_modules()
    kind = args.out.suffix.removeprefix(".").lower()
    if kind not in ("svg", "png"):
        raise InputError(f"--out: need a name that ends in .svg or .png, got {args.out}")
    positive(args.smooth, "smooth")
    panels, told = [], []
    found, faults = _by_env(args.dirs, args.metric)
    for env, members in found.items():
        curves = {group.label: _curve(group, args) for group in members}
        name = args.metric.replace("_", " ")
        panels.append(panel(env, curves, f"{STATISTIC[args.statistic]} of {name}"))
        told += [f"{env}: {label}, n = {len(drawn.runs)}" for label, drawn in curves.items()]
    data = picture(panels, kind, columns=1, dpi=200)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.write(args.out, lambda file: file.write(data))
    print("\n".join([*told, f"written to {args.out}"]))
    _unfinished(group for members in found.values() for group in members)
    complain(faults)
    return 1 if faults else 0


def _unfinished(shown: Iterable[Group]) -> None:
    """Say that there are some: a group's curve ends where its shortest run does."""
    from ..training.pool import last_row

    pairs = [pair for group in shown for pair in zip(group.folders, group.runs, strict=True)]
    short = sum(last_row(folder).get("iteration", 0) < run.iterations for folder, run in pairs)
    if short:
        print(f"\n{short} of these runs are not finished; a curve ends where its shortest run does")


def _curve(group: Group, args: argparse.Namespace) -> "Curve":
    from ..analysis.curves import curve, series, smooth
    from ..training.run import metrics

    runs = [smooth(series(metrics(f), args.metric), args.smooth) for f in group.folders]
    return curve(runs, args.statistic, args.interval)
