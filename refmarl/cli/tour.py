"""``refmarl tour``, ``run`` and ``reproduce``: what is expected beside what comes out."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._output import as_json, example, table

if TYPE_CHECKING:
    from ..studies.study import Performed, Study


def add(verbs: Any) -> None:
    """Declare the verbs."""
    tour = verbs.add_parser(
        "tour",
        help="every section's studies, in one report with figures",
        description="Runs the studies and writes DIR/report.html, one page that needs nothing "
        "else, and DIR/results.json. Exit status 1 if anything differs from what is expected.",
        **example("refmarl tour --section 1 --out mytour"),
    )
    tour.add_argument("--section", type=int, choices=range(1, 8), help="one section only")
    tour.add_argument("--out", type=Path, default=Path("refmarl-tour"), metavar="DIR")
    tour.add_argument(
        "--picture", type=Path, metavar="FILE.png", help="also one picture: a panel of each study"
    )
    _shared(tour)
    tour.set_defaults(run=_tour)
    run = verbs.add_parser(
        "run",
        help="one study: its figures and its rows",
        description="Runs one study and writes its figures (SVG and PNG) and rows (JSON) to DIR.",
        **example("refmarl run s1.correlated --out figures"),
    )
    run.add_argument("study", metavar="STUDY", help="a name from `refmarl list studies`")
    run.add_argument("--out", type=Path, default=Path("refmarl-run"), metavar="DIR")
    run.add_argument("--json", action="store_true", help="print the rows as JSON")
    _shared(run)
    run.set_defaults(run=_run)
    reproduce = verbs.add_parser(
        "reproduce",
        help="published numbers beside ours",
        description="Without a name, all of them. Exit status 1 if a number is not reproduced.",
        **example("refmarl reproduce S1.11 S1.12"),
    )
    reproduce.add_argument("name", nargs="*", metavar="NAME", help="such as S1.11")
    reproduce.add_argument("--section", type=int, choices=range(1, 8), help="one section only")
    reproduce.add_argument("--json", action="store_true", help="print JSON")
    reproduce.add_argument("--full", action="store_true", help="the long versions")
    reproduce.set_defaults(run=_reproduce)


def _shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=_seed, default=0, metavar="S", help="default: 0")
    parser.add_argument("--full", action="store_true", help="more seeds and longer runs")


def _seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"need a whole number ≥ 0, got {value}")
    return value


def _tour(args: argparse.Namespace) -> int:
    from ..studies import STUDIES
    from ..studies.report import as_text, page, ready, results, write
    from ..studies.study import shown

    chosen = [s for s in STUDIES.values() if args.section in (None, s.section)]
    if not chosen:
        raise _open("studies", args.section, [s.section for s in STUDIES.values()])
    ready(args.out)
    if args.picture:
        ready(args.picture.parent)
    performed = _perform(chosen, args.seed, args.full)
    rows = results(performed)
    report = page(performed, args.seed, args.full)
    write(args.out, {"report.html": report, "results.json": as_text(rows)})
    if args.picture:
        write(args.picture.parent, {args.picture.name: _picture(performed)})
    failed = [row for row in rows if not row["ok"]]
    for row in failed:
        print(f"NOT MET  {row['name']}: expected {shown(row['expected'])}, got {shown(row['got'])}")
    print(f"{len(rows) - len(failed)} of {len(rows)} expectations met: {args.out / 'report.html'}")
    return 1 if failed else 0


def _open(what: str, section: int, have: Sequence[int]) -> Exception:
    from ..check import InputError

    closed = ", ".join(str(k) for k in sorted(set(have)))
    return InputError(f"section {section} has no {what} yet; those of section {closed} are there")


def _perform(
    studies: "Sequence[Study]", seed: int, full: bool, quiet: bool = False
) -> "list[Performed]":
    """Run the studies one by one: a line for each, and below a bar where that is a terminal."""
    from ..studies.study import perform

    done = []
    with _progress(len(studies), quiet) as (say, advance):
        for study in studies:
            advance(study.name, 0)
            p = perform(study, seed, full)
            met = sum(row.ok for row in p.outcome.rows)
            state = "ok  " if p.ok else "FAIL"
            say(f"{state} {study.name:20} {met}/{len(p.outcome.rows)} met  {p.seconds:5.1f} s")
            advance(study.name, 1)
            done.append(p)
    return done


Say = Callable[[str], None]
Advance = Callable[[str, int], None]


@contextmanager
def _progress(total: int, quiet: bool) -> Iterator[tuple[Say, Advance]]:
    """How to print a line, and how to tell what is being done and how much is finished."""
    if quiet or not sys.stdout.isatty():
        yield (lambda line: None if quiet else print(line, flush=True)), (lambda name, steps: None)
        return
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        task = bar.add_task("", total=total)
        yield (
            (lambda line: bar.console.print(line, markup=False, highlight=False)),
            (lambda name, steps: bar.update(task, description=name, advance=steps)),
        )


def _picture(performed: "Sequence[Performed]") -> bytes:
    """A panel of each study under the study's title, in one picture."""
    from ..analysis.plots import picture

    panels = []
    for p in performed:
        for figure in p.outcome.figures[:1]:
            panels.append(figure.panels[figure.lead]._replace(title=p.study.title))
    return picture(panels, "png", columns=4, dpi=110)


def _run(args: argparse.Namespace) -> int:
    from ..analysis.plots import picture
    from ..studies import find
    from ..studies.report import as_text, ready, results, write
    from ..studies.study import raised, shown

    study = find(args.study)
    ready(args.out)
    performed = _perform([study], args.seed, args.full, quiet=True)
    rows = results(performed)
    files: dict[str, str | bytes] = {f"{study.name}.json": as_text(rows)}
    for k, figure in enumerate(performed[0].outcome.figures):
        stem = f"{study.name}-{k + 1}"
        for kind in ("png", "svg"):
            files[f"{stem}.{kind}"] = picture(figure.panels, kind)
    write(args.out, files)
    if args.json:
        as_json(rows)
        return 0 if performed[0].ok else 1
    print(f"{study.title}. {study.question}\n")
    table(
        ("what", "expected", "got", "tolerance", "met"),
        [
            (
                row.name,
                shown(row.expected),
                shown(row.got),
                raised(row.tolerance),
                "yes" if row.ok else "NO",
            )
            for row in performed[0].outcome.rows
        ],
    )
    print(f"\nwritten to {args.out}: {', '.join(files)}")
    return 0 if performed[0].ok else 1


def _reproduce(args: argparse.Namespace) -> int:
    from ..studies.published import PUBLISHED, choose, reproduce

    chosen = choose(args.name, args.section)
    if not chosen:
        raise _open("published numbers", args.section, [e.section for e in PUBLISHED.values()])
    rows = []
    with _progress(len(chosen), quiet=args.json) as (_, advance):
        for entry in chosen:
            advance(entry.name, 0)
            rows += reproduce(entry, args.full)
            advance(entry.name, 1)
    if args.json:
        as_json(rows)
    else:
        _print(rows)
    return 0 if all(row["ok"] for row in rows) else 1


def _print(rows: Sequence[dict[str, Any]]) -> None:
    from ..studies.study import raised, shown

    table(
        ("name", "case", "published", "got", "tolerance", "met"),
        [
            (
                row["name"],
                row["case"],
                _cut(shown(row["published"])),
                _cut(shown(row["got"])),
                raised(row["tolerance"]),
                "yes" if row["ok"] else "NO",
            )
            for row in rows
        ],
    )
    names = {row["name"] for row in rows}
    missed = {row["name"] for row in rows if not row["ok"]}
    print(f"\n{len(names) - len(missed)} of {len(names)} published results reproduced")


def _cut(text: str, width: int = 38) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
