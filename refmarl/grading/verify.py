"""The gates that every exercise passes before a student sees it."""

import doctest
import re
import runpy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from ..check import InputError
from .border.corpus import draw, fresh
from .catalogue import Exercise, spec, untouched
from .judge import replay
from .runner import Limits, Result, check
from .spec import Answer, Case, Spec
from .stubs import hidden

LONG = 12  # characters of a line that would give an answer away
SHARE = 5  # of the time that an answer may take, the solution takes one part at most
FEWEST = 5  # wrong answers that a specification knows
EXAMPLES = 60


class Gate(NamedTuple):
    """What must hold, and why it does not; "" where it does."""

    says: str
    problem: str


def gates(exercise: Exercise) -> list[Gate]:
    """Hold an exercise against all gates; what cannot be tried is a problem of its own."""
    try:
        law, stub = spec(exercise), exercise.stub()
    except (InputError, OSError) as error:
        return [Gate("its files are there and well formed", str(error))]
    with TemporaryDirectory() as folder:
        trial = _Trial(exercise, law, stub, Path(folder))
        return [Gate(says, _tried(one, trial)) for says, one in GATES.items()]


def _tried(one: "Callable[[_Trial], str]", trial: "_Trial") -> str:
    try:
        return one(trial)
    except Exception as error:  # a gate that breaks is not passed
        return f"{type(error).__name__}: {error}"


@dataclass(frozen=True)
class _Trial:
    """An exercise on trial; ``folder`` is for files."""

    exercise: Exercise
    law: Spec
    stub: str
    folder: Path

    @cached_property
    def cases(self) -> list[Case]:
        """The public cases."""
        return draw(self.law.cases, 0, EXAMPLES)

    def breaks(self, answer: Answer) -> Iterator[Any]:
        """The laws that a function breaks, and how; few cases are tried of all laws first."""
        for cases in (self.cases[:8], self.cases):
            for prop in self.law.properties:
                item = replay(prop, answer, cases)
                if item:
                    yield item

    def checked(self, text: str) -> Result:
        """How a file with this text does, behind the border."""
        path = self.folder / self.exercise.path.name
        path.write_text(text, "utf-8")
        return check(self.exercise, path)


def _fresh(trial: _Trial) -> str:
    path = trial.exercise.course.exercises / trial.exercise.path
    held = path.is_file() and path.read_text("utf-8") == trial.stub
    return "" if held else f"{path} is stale or missing; refmarl dev sync"


def _stub(trial: _Trial) -> str:
    result = trial.checked(trial.stub)
    begun = not untouched(trial.exercise, trial.stub.encode())
    if begun or result.status != "not-started" or result.score:
        return f"it is {result.status} and gets {result.score:g}"
    return ""


def _leak(trial: _Trial) -> str:
    there = {line.strip() for line in trial.stub.splitlines()}
    secret = hidden(trial.exercise.solution.read_text("utf-8"))
    told = [x for x in secret if len(x) >= LONG and x in there and not x.startswith("#")]
    return f"{told[0]!r}" if told else ""


def _solution(trial: _Trial) -> str:
    begun = time.perf_counter()
    result = check(trial.exercise, trial.exercise.solution)
    seconds = time.perf_counter() - begun
    if result.status != "pass" or result.score != trial.exercise.points:
        broke = [item.property.says for item in result.failed[:1]]
        says = f"it is {result.status} and gets {result.score:g} of {trial.exercise.points}"
        return ": ".join(x for x in (says, *broke, result.message) if x)
    most = Limits().exercise_seconds / SHARE
    return f"it takes {seconds:.1f} s, may take {most:g} s" if seconds > most else ""


def _examples(trial: _Trial) -> str:
    solution = trial.exercise.solution
    space = runpy.run_path(str(solution), run_name="solution")
    function = space.get(trial.exercise.function)
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    found = doctest.DocTestFinder(recurse=False).find(function, "example", globs=dict(space))
    said: list[str] = []
    for one in found:
        runner.run(one, out=said.append)
    if not runner.tries:
        given = "NotImplementedError" not in trial.stub  # a program with a fault in it
        return "" if given else "there is none"
    return "" if not runner.failures else "".join(said).strip().splitlines()[-1].strip()


def _right(trial: _Trial) -> str:
    answers = {"the reference of the specification": trial.law.reference}
    path = trial.exercise.course.accept / trial.exercise.path
    if path.is_file():
        made = runpy.run_path(str(path), run_name="accept")
        own = {n: f for n, f in made.items() if getattr(f, "__module__", "") == "accept"}
        answers |= {f"{n} of {path.name}": f for n, f in own.items() if not n.startswith("_")}
    for name, answer in answers.items():
        for item in trial.breaks(answer):
            return f"{name} breaks: {item.property.says}: {item.error}"
    return ""


def _laws(trial: _Trial) -> str:
    law = trial.law
    if not any(p.weight > 0 and not p.gate for p in law.properties):
        return "no law earns anything"
    for said in ([p.says for p in law.properties], [m.says for m in law.mistakes]):
        twice = [x for x in said if said.count(x) > 1]
        if twice:
            return f"two are called {twice[0]!r}"
    return _unfilled([p.says for p in law.properties] + [m.says for m in law.mistakes])


def _unfilled(texts: list[str]) -> str:
    open_ones = [x.strip() for text in texts for x in text.splitlines() if "FILL IN" in x]
    return f"still to be filled in: {open_ones[0]!r}" if open_ones else ""


def _mistakes(trial: _Trial) -> str:
    missed = []
    for mistake in trial.law.mistakes:
        items = (i for i in trial.breaks(mistake.answer) if i.property.gate or i.property.weight)
        if not any(isinstance(item.error, AssertionError) for item in items):
            missed.append(repr(mistake.says))
    if missed:
        return f"not caught: {', '.join(missed)}"
    known = {m.answer for m in trial.law.mistakes}
    return "" if len(known) >= FEWEST else f"{len(known)} are known, need {FEWEST}"


def _thoughtless(trial: _Trial) -> str:
    """What took no thought: constants, numbers of the right shape, the arguments themselves."""
    law, case = trial.law, trial.cases[-1]
    constants = {"None": None, "0": 0.0, "the answer to one case": law.reference(*fresh(case))}
    answers: dict[str, Answer] = {k: lambda *_, v=v: v for k, v in constants.items()}
    answers_nothing = law.reference(*fresh(case)) is None  # a test: it says no by raising
    for number in () if answers_nothing else (0.0, 1.0, -1.0, np.nan):
        answers[f"{number} everywhere"] = lambda *given, k=number: _filled(law.reference(*given), k)
    for k, name in enumerate(getattr(case, "_fields", ())):
        answers[f"a copy of {name}"] = lambda *given, k=k: fresh(given[k])
    for name, answer in answers.items():
        broke = {item.property.says for item in trial.breaks(answer)}
        gate = any(p.says in broke for p in law.properties if p.gate)
        earned = [p.says for p in law.properties if p.weight and not p.gate and p.says not in broke]
        if earned and not gate:
            return f"{name} earns: {earned[0]}"
    return ""


def _filled(value: Any, number: float) -> Any:
    """Like ``value``, with one number in all places."""
    if isinstance(value, list | tuple):
        return type(value)(_filled(x, number) for x in value)
    old = np.asarray(value)
    return np.full(old.shape, number).astype(bool if old.dtype == bool else float)


def _page(trial: _Trial) -> str:
    exercise = trial.exercise
    if not exercise.page.is_file():
        return f"there is no {exercise.page}"
    own = not exercise.docs.endswith("/index.md")  # else a page of many exercises
    anchor = exercise.docs.partition("#")[2] or exercise.label
    text = exercise.page.read_text("utf-8")
    if own and f'<a id="{anchor}"></a>' not in text:
        return f'{exercise.page} has no <a id="{anchor}"></a>'
    said = f"`refmarl check {exercise.label}`" if own else f"`{exercise.label}`"
    return "" if said in text else f"{exercise.page} does not say {said}"


def _head(trial: _Trial) -> str:
    head = re.split(r'"""', trial.stub)[1:2] or [""]
    if f"refmarl check {trial.exercise.label}" not in head[0]:
        return f"the file's docstring does not say `refmarl check {trial.exercise.label}`"
    hints = trial.exercise.hints
    return f"{len(hints)} hints" if len(hints) < 3 else _unfilled([trial.stub, *hints])


GATES: dict[str, Callable[[_Trial], str]] = {
    "the stub is what the solution gives": _fresh,
    "the stub is not started and gets 0": _stub,
    "no line of the solution stands in the stub": _leak,
    "the solution gets full marks, in a fifth of the time": _solution,
    "the statement has an example, and it is right": _examples,
    "right answers in other words obey every law": _right,
    "some law earns points, and each says what it is": _laws,
    "five mistakes and more are caught by assertions": _mistakes,
    "answers that took no thought earn nothing": _thoughtless,
    "the page has its anchor and names the exercise": _page,
    "three hints, and a head that says how to check": _head,
}
