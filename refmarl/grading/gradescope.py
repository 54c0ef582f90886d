"""An autograder for Gradescope as one zip: our sources, what the container runs, the settings.

The platform unpacks it to /autograder/source, runs setup.sh once for the image and run_autograder
for each submission (gradescope-autograders.readthedocs.io/en/latest/specs). Nothing of refmarl is
installed: third-party packages stand in /autograder/venv, which the students' children may read;
the library, the solutions and the seed stay below source/, which only the grader may.
"""

import io
import json
import platform
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from ..check import InputError
from .assignment import Assignment
from .course import TABLE, folder
from .results import versions

MIN_PYTHON = (3, 11)
NEEDED = ("numpy", "scipy", "numba", "hypothesis")
LEFT_OUT = {"__pycache__", "_exercises", "_solutions", "_docs", "bench", "studies"}
KINDS = {".py", ".json", ".toml", ".md"}
DATE = (1980, 1, 1, 0, 0, 0)  # of every member: equal settings are equal bytes

SETUP = """#!/usr/bin/env bash
# Run once, when the image is built: Python, the packages, and a trial of the grader.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
new_enough='import sys, venv, ensurepip; sys.exit(sys.version_info < ({major}, {minor}))'
find_python() {{
    for name in {ours} python3.14 python3.13 python3.12 python3.11 python3; do
        if command -v "$name" > /dev/null && "$name" -c "$new_enough" 2> /dev/null; then
            command -v "$name"
            return
        fi
    done
}}
python=$(find_python)
if [ -z "$python" ]; then
    apt-get update
    apt-get install -y python3.12 python3.12-venv || apt-get install -y python3.11 python3.11-venv
    python=$(find_python)
fi
if [ -z "$python" ]; then
    echo "refmarl: error: need Python {major}.{minor} or newer with venv" >&2
    exit 1
fi
"$python" -m venv "$root/venv"
"$root/venv/bin/python" -m pip install --quiet --disable-pip-version-check \\
    -r "$root/source/requirements.txt"
chmod -R go-rwx "$root/source"
chmod +x "$root/source/run_autograder"
"$root/source/run_autograder" "$root" --self-test
"""

RUN = """#!/usr/bin/env bash
# Run for each submission, as root.
umask 077
root=${1:-$(cd "$(dirname "$0")" && pwd)}
mkdir -p "$root/results"
chmod go-rwx "$root/source" "$root/results"
if [ "${2:-}" != --self-test ]; then
    chmod go-rwx "$root/submission"
    echo '{"score": 0, "output": "The grader did not begin. That is not your fault."}' \\
        > "$root/results/results.json"
fi
exec env -i PATH="$PATH" HOME="$root/source" LANG=C.UTF-8 OPENBLAS_NUM_THREADS=1 \\
    XDG_CACHE_HOME="$root/source/cache" PYTHONPATH="$root/source/lib" \\
    "$root/venv/bin/python" -s -B -m refmarl.grading.autograder "$root" ${2:+"$2"}
"""


def archive(
    assignment: Assignment,
    file: bytes | None,
    secret: bytes | None,
    isolation: str,
    minutes: float,
) -> bytes:
    """The zip. ``file`` is the assignment's TOML, None for all exercises of the course.

    Raises
    ------
    InputError
        If the exercises come from more than one course of your own.
    """
    row = {"title": assignment.title, "isolation": isolation, "minutes": minutes}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        _add(made, "setup.sh", _setup().encode(), run=True)
        _add(made, "run_autograder", RUN.encode(), run=True)
        _add(made, "requirements.txt", _requirements().encode())
        _add(made, "settings.json", json.dumps(row, indent=1).encode())
        if file is not None:
            _add(made, "assignment.toml", file)
        if secret is not None:
            _add(made, "seed", secret)
        for name, path in _sources(assignment):
            _add(made, name, path.read_bytes())
    return out.getvalue()


def _setup() -> str:
    major, minor = MIN_PYTHON
    ours = "python" + ".".join(platform.python_version_tuple()[:2])
    return SETUP.format(major=major, minor=minor, ours=ours)


def _requirements() -> str:
    """The versions that are installed here: the same marks there."""
    return "".join(f"{name}=={versions()[name]}\n" for name in NEEDED)


def _add(made: zipfile.ZipFile, name: str, data: bytes, run: bool = False) -> None:
    info = zipfile.ZipInfo(name, DATE)
    info.create_system = 3  # so that unzip sets the mode
    info.external_attr = (0o100700 if run else 0o100600) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    made.writestr(info, data)


def _sources(assignment: Assignment) -> Iterator[tuple[str, Path]]:
    """(name in the archive, file) of the library, of refmarl's course, and of your own."""
    package = Path(str(files("refmarl")))
    yield from _tree(package, "lib/refmarl")
    for kind in ("exercises", "solutions", "docs"):
        yield from _tree(folder(kind), f"lib/refmarl/_{kind}")
    own = {e.course for e in assignment.exercises.values() if not e.course.package}
    if len(own) > 1:
        names = ", ".join(sorted(course.name for course in own))
        raise InputError(f"need exercises of one course of your own at most, got {names}")
    for course in own:
        yield f"course/{TABLE}", course.table
        for name in ("exercises", "solutions", "specs"):
            yield from _tree(getattr(course, name), f"course/{name}")


def _tree(root: Path, name: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if path.is_file() and not LEFT_OUT.intersection(parts) and path.suffix in KINDS:
            yield f"{name}/{path.relative_to(root).as_posix()}", path
