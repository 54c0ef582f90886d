"""``refmarl bench``: ours beside the peers that are installed."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ._output import as_json, example, table

COLUMNS = {
    "task": 21,
    "size": 6,
    "ours": 7,
    "±": 5,
    "peer": 22,
    "its time": 9,
    "± ": 5,
    "ratio": 7,
    "right": 5,
    "limit": 7,
    "share": 5,
    "note": 0,
}
LEAST_REPEAT = 7  # the same as bench.measure.REPEAT, which --help must not import


def add(verbs: Any) -> None:
    """Declare the verb."""
    bench = verbs.add_parser(
        "bench",
        help="ours beside the peers that are installed: same inputs, one run, ratios",
        description="Answers first, then times: medians of laps in which everybody runs in turn. "
        "A peer that is not right on all inputs is not in the race; one that is over the limit "
        "counts with the limit, and its ratio is a lower bound (≥). Peers come with "
        "`pip install 'refmarl[bench]'`. Exit status 1 if an answer of ours is wrong. "
        "More: docs/bench.md",
        **example("refmarl bench --quick --task equilibria --task 'process-*'"),
    )
    bench.add_argument(
        "--task", action="append", default=[], metavar="NAME", help="a name or pattern; repeatable"
    )
    bench.add_argument("--list", action="store_true", help="what there is, and stop")
    bench.add_argument("--quick", action="store_true", help="few sizes, and no cold starts")
    bench.add_argument("--json", action="store_true", help="print the rows as JSON")
    bench.add_argument(
        "--out", type=Path, metavar="FILE", help="also write machine and rows there, as JSON"
    )
    bench.add_argument(
        "--repeat",
        type=_repeat,
        default=LEAST_REPEAT,
        metavar="N",
        help=f"laps, at least {LEAST_REPEAT}, which is the default",
    )
    bench.add_argument(
        "--limit",
        type=_seconds,
        default=1.0,
        metavar="S",
        help="seconds that a peer's call may take (default: 1)",
    )
    bench.add_argument("--seed", type=_seed, default=0, metavar="S", help="default: 0")
    bench.set_defaults(run=_bench)


def _repeat(text: str) -> int:
    value = _whole(text)
    if value < LEAST_REPEAT:
        raise argparse.ArgumentTypeError(f"need at least {LEAST_REPEAT} laps, got {value}")
    return value


def _seed(text: str) -> int:
    value = _whole(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"need a whole number ≥ 0, got {value}")
    return value


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"need a whole number, got {text!r}") from None


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"need a number of seconds > 0, got {text!r}")
    return value


def _bench(args: argparse.Namespace) -> int:
    from ..bench import choose, missing

    tasks = choose(args.task)
    if args.list:
        return _list(tasks, args.json)
    if args.out:
        _writable(args.out)
    from ..bench.machine import machine

    absent = missing(tasks)
    about = machine(sorted({peer.package for task in tasks for peer in task.peers}))
    if not args.json:
        _head(about)
    rows = _measure(args, tasks)
    if args.out:
        _write(args.out, {"machine": about, "missing": absent, "rows": rows})
    if args.json:
        as_json(rows)
    else:
        print("\nratio = peer / ours: above 1 ours is faster. ± is half the quartiles' distance.")
    if absent:
        print(f"not installed: {', '.join(absent)} (pip install 'refmarl[bench]')", file=sys.stderr)
    wrong = {f"{r['task']} {r['size']}" for r in rows if r["ours_correct"] < r["of"]}
    for name in sorted(wrong):
        print(f"refmarl: our answer is wrong: {name}", file=sys.stderr)
    return 1 if wrong else 0


def _measure(args: argparse.Namespace, tasks: Any) -> list[dict[str, Any]]:
    from ..bench import Options, tournament

    options = Options(seed=args.seed, repeat=args.repeat, limit=args.limit)
    rows = []
    with _progress() as say:
        for measured in tournament(tasks, options, args.quick, say):
            rows += measured
            say("")
            for row in [] if args.json else measured:
                _line(_cells(row))
    return rows


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """How to say what is being measured, if somebody is looking."""
    if not sys.stderr.isatty():
        yield lambda line: None
        return
    try:
        yield lambda line: print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
    finally:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _list(tasks: Any, as_data: bool) -> int:
    rows = [
        {
            "name": task.name,
            "title": task.title,
            "size": task.size,
            "sizes": list(task.sizes),
            "quick": list(task.quick),
            "peers": {peer.name: peer.installed for peer in task.peers},
        }
        for task in tasks
    ]
    if as_data:
        as_json(rows)
        return 0
    table(
        ("task", "what", "sizes", "peers"),
        [
            (
                row["name"],
                row["title"],
                " ".join(map(str, row["sizes"])),
                ", ".join(p if there else f"({p})" for p, there in row["peers"].items()),
            )
            for row in rows
        ],
    )
    print("\nPeers in brackets are not installed.")
    return 0


def _head(about: dict[str, Any]) -> None:
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    print(f"{about['cpu']}, {about['cores']} cores, load {about['load']}; {about['system']}")
    print(f"{about['python']}, BLAS {about['blas']}; {versions}\n")
    _line(COLUMNS)


def _line(cells: Iterable[str]) -> None:
    """One line of the table, which is printed as it grows."""
    texts = (cell.ljust(width) for cell, width in zip(cells, COLUMNS.values(), strict=True))
    print("  ".join(texts).rstrip(), flush=True)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """A row as it is printed."""
    bound = "≥ " if row["lower_bound"] else ""
    ratio = row["ratio"]
    correct = "" if row["correct"] is None else f"{row['correct']}/{row['of']}"
    return (
        row["task"],
        str(row["size"]),
        duration(row["ours_s"]),
        _spread(row["ours_quartiles"], row["ours_s"]),
        row["peer"] or "",
        bound * (row["peer_s"] is not None) + duration(row["peer_s"]),
        _spread(row["peer_quartiles"], row["peer_s"]),
        "" if ratio is None else f"{bound}{ratio:.3g}" if ratio < 100 else f"{bound}{ratio:.0f}",
        correct,
        duration(row["limit_s"]),
        "" if row["limit_share"] is None else f"{100 * row['limit_share']:.0f} %",
        row["note"],
    )


def duration(seconds: float | None) -> str:
    """Three digits and a unit.

    Examples
    --------
    >>> duration(0.00012345), duration(2.5), duration(None)
    ('123 µs', '2.5 s', '')
    """
    if seconds is None:
        return ""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{float(f'{seconds / size:.3g}'):g} {unit}"
    return f"{float(f'{seconds * 1e9:.3g}'):g} ns"


def _spread(quartiles: Sequence[float] | None, middle: float | None) -> str:
    """Half the distance of the quartiles, in per cent of the median."""
    if quartiles is None or not middle:
        return ""
    return f"{50 * (quartiles[1] - quartiles[0]) / middle:.0f} %"


def _writable(path: Path) -> None:
    """Refuse a file that cannot be written before minutes of measuring."""
    if path.is_dir():
        raise IsADirectoryError(f"--out {path}: is a folder; need a file")
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"--out {path}: its folder does not exist")


def _write(path: Path, found: dict[str, Any]) -> None:
    from ..studies.report import write

    text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write(path.absolute().parent, {path.name: text})
