"""A class as large as a class gets, graded by the real thing: time, memory, kills on the way.

    python tests/grading/class_bench.py --students 200 --exercises 20 -j 2 --kills 2

Submissions are made of the solutions in each student's own hand, of the specifications' mistakes
and of mutated solutions, of untouched stubs, of nothing, and of a few hostile files.
"""

import argparse
import ast
import csv
import inspect
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from refmarl.grading.catalogue import exercises, spec

HOSTILE = (
    "while True:\n    pass\n",
    "import os\nos._exit(0)\n",
    "raise SystemExit(0)\n",
    "x = 'a' * 10**11\n",
    "import os\nwhile True:\n    os.fork()\n",
    "print('x' * 10**8)\n",
    "import refmarl\n",
    "import ctypes\nctypes.string_at(0)\n",
    "def {function}(*args):\n    while True:\n        pass\n",
    "def {function}(*args):\n    print('y' * 10**6)\n    return args\n",
    "def {function}(*args):\n    import os\n    os.kill(os.getppid(), 9)\n",
)
SHARES = {"right": 0.62, "wrong": 0.22, "stub": 0.10, "missing": 0.05, "hostile": 0.01}


def right(exercise, rng):
    """The solution with a comment of its own, so that no two files are the same bytes."""
    return f"# {rng.getrandbits(40):x}\n" + exercise.solution.read_text("utf-8")


SWAP = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add}


class Mutate(ast.NodeTransformer):
    """Changes the k-th place of a program that can be changed."""

    def __init__(self, k):
        self.k = k

    def _now(self):
        self.k -= 1
        return self.k == -1

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if type(node.op) in SWAP and self._now():
            node.op = SWAP[type(node.op)]()
        return node

    def visit_Constant(self, node):
        if type(node.value) in (int, float) and self._now():
            return ast.Constant(node.value + 1)
        return node


def wrong(exercise, rng):
    """One of the specification's mistakes if its source stands alone, or a mutated solution."""
    mistakes = [m.answer for m in spec(exercise).mistakes if stands_alone(m.answer)]
    if mistakes and rng.random() < 0.5:
        answer = rng.choice(mistakes)
        source = inspect.getsource(answer)
        text = f"import numpy as np\n\n\n{source}\n\n{exercise.function} = {answer.__name__}\n"
    else:
        tree = ast.parse(exercise.solution.read_text("utf-8"))
        text = ast.unparse(Mutate(rng.randrange(8)).visit(tree))
    return f"# {rng.getrandbits(40):x}\n{text}"


def stands_alone(answer):
    """Whether a function's source needs nothing but NumPy."""
    code = getattr(answer, "__code__", None)
    if code is None or code.co_freevars or answer.__name__ == "<lambda>":
        return False
    used = set(code.co_names) & set(answer.__globals__)
    return used <= {"np"} and "Array" not in inspect.getsource(answer)


def make(folder, students, labels, seed=0):
    """Write the class; return what each file is, by student and label."""
    rng, known = random.Random(seed), exercises()
    kinds = {}
    for k in range(students):
        who = f"student{k:03}"
        for label in labels:
            exercise = known[label]
            kind = rng.choices(list(SHARES), SHARES.values())[0]
            kinds[who, label] = kind
            if kind == "missing":
                continue
            path = folder / who / exercise.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(
                {
                    "right": lambda: right(exercise, rng),  # noqa: B023
                    "wrong": lambda: wrong(exercise, rng),  # noqa: B023
                    "stub": exercise.stub,
                    "hostile": lambda: rng.choice(HOSTILE).format(function=exercise.function),  # noqa: B023
                }[kind]()
            )
    return kinds


def assignment(path, labels):
    path.write_text("".join(f"[exercises.{label}]\n" for label in labels))
    return path


def command(folder, out, file, jobs):
    base = [sys.executable, "-m", "refmarl", "grade-class", str(folder), "--out", str(out)]
    return [*base, "--assignment", str(file), "-j", str(jobs)]


def memory(pid):
    """{what: MiB} of resident memory: the supervisor, and the largest of its processes."""
    found = {"supervisor": rss(pid), "worker": 0.0}
    for child in children(pid):
        found["worker"] = max(found["worker"], rss(child))
    return found


def children(pid):
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def rss(pid):
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(x.split()[1]) / 1024 for x in lines if x.startswith("VmRSS")), 0.0)


def run(argv, kill_after=None):
    """Run to the end or kill; return (status or None, samples of memory)."""
    process = subprocess.Popen(argv, start_new_session=True)
    samples, began = [], time.monotonic()
    while process.poll() is None:
        samples.append(memory(process.pid))
        if kill_after and time.monotonic() - began > kill_after:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return None, samples
        time.sleep(0.5)
    return process.returncode, samples


def check(out, kinds):
    """Lines that say where marks are not what the files are."""
    problems, seen = [], {}
    for (who, label), kind in kinds.items():
        file = out / "reports" / who / "results.json"
        if who not in seen:
            rows = json.loads(file.read_text())["graded"]["exercises"] if file.is_file() else []
            seen[who] = {row["id"]: row for row in rows}
        row = seen[who].get(label, {"status": "not-started", "score": 0, "max_score": 10})
        status, full = row["status"], row["score"] == row["max_score"]
        sound = {
            "right": status == "pass" and full,
            "wrong": status != "harness-error",
            "stub": status == "not-started",
            "missing": status == "not-started",
            "hostile": row["score"] == 0 and status not in ("pass", "harness-error"),
        }[kind]
        if not sound:
            problems.append(f"{who} {label}: {kind}, but {status} {row['score']}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=200)
    parser.add_argument("--exercises", type=int, default=20)
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--every", type=float, default=60.0, help="seconds before a kill")
    parser.add_argument("--keep", type=Path, help="a folder to leave everything in")
    args = parser.parse_args()
    work = args.keep or Path(tempfile.mkdtemp(prefix="refmarl-class-"))
    labels = list(exercises())[: args.exercises]
    kinds = make(work / "in", args.students, labels)
    file = assignment(work / "homework.toml", labels)
    argv = command(work / "in", work / "out", file, args.jobs)
    began, samples = time.monotonic(), []
    for _ in range(args.kills):
        _, some = run(argv, args.every)
        samples.append(some)
    status, some = run(argv)
    samples.append(some)
    wall = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    n = args.students * args.exercises
    graded = sum(kind in ("right", "wrong", "hostile") for kind in kinds.values())
    print(f"{args.students} x {args.exercises} = {n} marks, {graded} graded, status {status}")
    print(f"wall {wall:.0f} s, CPU of what ended {used.ru_utime + used.ru_stime:.0f} s")
    for name in ("supervisor", "worker"):
        late = [[row[name] for row in some if row[name]] for some in samples]
        grown = [f"{max(x):.0f} MiB at most, {growth(x):+.0f} MiB after a tenth" for x in late if x]
        print(f"memory of {name}: {'; '.join(grown)}")
    problems = check(work / "out", kinds)
    print(f"{len(problems)} marks are not what they should be")
    print("\n".join(problems[:20]))
    with (work / "out" / "gradebook.csv").open(newline="") as book:
        print(f"{sum(1 for _ in csv.reader(book)) - 1} rows in the gradebook")
    if not args.keep:
        shutil.rmtree(work)
    return 1 if problems or status else 0


def growth(values):
    """How much more there is in the last tenth than in the second."""
    tenth = max(1, len(values) // 10)
    return max(values[-tenth:]) - max(values[tenth : 2 * tenth] or values)


if __name__ == "__main__":
    sys.exit(main())
