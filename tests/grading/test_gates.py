"""The gates that every exercise passes before a student sees it.

The cases of a specification are drawn once; laws and answers are then run over this list.
"""

import runpy
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from refmarl.check import InputError
from refmarl.grading import catalogue
from refmarl.grading.border.corpus import draw, fresh
from refmarl.grading.catalogue import folder, stub, stubs, untouched
from refmarl.grading.judge import replay
from refmarl.grading.runner import Result, check

exercises, spec = cache(catalogue.exercises), cache(catalogue.spec)  # nobody edits a table here
LABELS = list(exercises())
ACCEPT = Path(__file__).parent / "accept"
FEW = 8  # cases on which a right answer is tried here; the slow test below takes 300
BUGS = [label for label, e in exercises().items() if "# BEGIN BUG" in e.solution.read_text("utf-8")]


@cache
def _cases(label, number=0, examples=60):
    return draw(spec(label).cases, number, examples)


def _score(label, answer, cases):
    """(points, laws broken)."""
    laws = spec(label).properties
    failed = [item for item in (replay(law, answer, cases) for law in laws) if item]
    broke = [item.property for item in failed]
    passed = tuple(law for law in laws if law not in broke)
    return Result(exercises()[label], "", passed, tuple(failed)).score, failed


def _function(kind, label):
    exercise = exercises()[label]
    return runpy.run_path(str(folder(kind) / exercise.path))[exercise.function]


def _in_other_words(label):
    """The functions of the exercise's file below accept/, by name."""
    names = runpy.run_path(str(ACCEPT / exercises()[label].path), run_name="accept")
    own = {n: f for n, f in names.items() if getattr(f, "__module__", "") == "accept"}
    return {name: f for name, f in own.items() if name[0] != "_"}


def _right(label):
    return {
        "the solution": _function("solutions", label),
        "the library": spec(label).reference,
        **_in_other_words(label),
    }


@pytest.mark.parametrize("label", LABELS)
def test_right_answers_get_full_marks(label):
    answers = _right(label)
    assert len(answers) >= 4
    for name, answer in answers.items():
        score, failed = _score(label, answer, _cases(label)[:FEW])
        assert failed == [], name
        assert score == exercises()[label].points


# a student's test has one case, whatever the seed
@pytest.mark.slow
@pytest.mark.parametrize("label", [label for label in LABELS if not label.startswith("tests-")])
def test_right_answers_get_full_marks_on_cases_of_other_seeds(label):
    for number in range(1, 6):
        for name, answer in _right(label).items():
            assert _score(label, answer, _cases(label, number, 60))[1] == [], name


@pytest.mark.slow
@pytest.mark.parametrize("label", LABELS)
def test_the_solution_passes_the_runner(label):
    exercise = exercises()[label]
    result = check(exercise, folder("solutions") / exercise.path)
    assert (result.status, result.score) == ("pass", exercise.points), result


@pytest.mark.parametrize("label", BUGS)
def test_a_bug_runs_and_earns_nothing_and_is_not_started(label):
    exercise, shipped = exercises()[label], folder("exercises") / exercises()[label].path
    assert untouched(exercise, shipped.read_bytes())
    score, failed = _score(label, _function("exercises", label), _cases(label))
    assert score == 0
    assert all(isinstance(item.error, AssertionError) for item in failed)
    shown = {item.property for item in failed}
    assert shown == {law for law in spec(label).properties if not law.gate}  # else it is kept


@pytest.mark.parametrize("label", [label for label in LABELS if label not in BUGS])
def test_the_stub_breaks_every_law_by_not_being_implemented(label):
    answer = _function("exercises", label)
    items = [replay(law, answer, _cases(label)[:1]) for law in spec(label).properties]
    assert all(item and isinstance(item.error, NotImplementedError) for item in items)


@pytest.mark.parametrize("label", LABELS)
def test_a_spec_knows_five_mistakes_and_names_its_exercise(label):
    law = spec(label)
    assert len({m.says for m in law.mistakes}) >= 5
    assert (law.exercise, law.function) == (label, exercises()[label].function)


@pytest.mark.parametrize("label", LABELS)
def test_every_mistake_is_caught_by_an_assertion_and_costs_points(label):
    earning = [law for law in spec(label).properties if law.gate or law.weight]
    for mistake in spec(label).mistakes:
        items = (replay(law, mistake.answer, _cases(label)) for law in earning)
        assert any(i and isinstance(i.error, AssertionError) for i in items), mistake.says


def _tree(change, value):
    """``value`` with each array in it changed."""
    if isinstance(value, list | tuple):
        return type(value)(_tree(change, x) for x in value)
    return change(np.asarray(value))


def _filled(number):
    return lambda a: np.full(a.shape, number).astype(bool if a.dtype == bool else float)


def _first(a):
    row = np.eye(1, (a.shape or (1,))[-1])[0]
    return np.broadcast_to(row if a.ndim else row[0], a.shape).astype(a.dtype)


TRIVIAL = {
    "zeros": _filled(0.0),
    "ones": _filled(1.0),
    "minus ones": _filled(-1.0),
    "not numbers": lambda a: np.full(a.shape, np.nan),
    "even shares": lambda a: _filled(1.0 / (a.shape or (1,))[-1])(a),
    "the first": _first,
    "noise": lambda a: np.random.default_rng(1).normal(size=a.shape).astype(a.dtype),
}


def _thoughtless(label):
    """Constants, what has the right shape, the arguments themselves."""
    reference, case = spec(label).reference, _cases(label)[-1]
    for constant in (0, 1.0, None, False, True, [], (), reference(*fresh(case))):
        yield repr(constant), lambda *given, constant=constant: constant
    for name, change in TRIVIAL.items():
        if not label.startswith("tests-"):  # there the reference says no by raising
            yield name, lambda *given, change=change: _tree(change, reference(*given))
    for k in range(len(case)):
        yield f"argument {k}", lambda *given, k=k: given[k]
        yield f"a copy of argument {k}", lambda *given, k=k: fresh(given[k])


@pytest.mark.parametrize("label", LABELS)
def test_answers_that_took_no_thought_earn_nothing(label):
    laws = spec(label).properties
    earning, gates = [x for x in laws if x.weight and not x.gate], [x for x in laws if x.gate]
    for name, answer in _thoughtless(label):
        held = [law.says for law in earning if not replay(law, answer, _cases(label))]
        assert not held or any(replay(law, answer, _cases(label)) for law in gates), (name, held)


def test_the_stubs_are_what_the_solutions_give():
    for path, text in stubs().items():
        assert (folder("exercises") / path).read_text("utf-8") == text, "run: refmarl dev sync"


def test_no_exercise_or_solution_stands_outside_the_catalogue():
    paths = {exercise.path for exercise in exercises().values()}
    for kind in ("exercises", "solutions"):
        root = folder(kind)
        assert {p.relative_to(root) for p in root.rglob("*.py")} == paths


BUG = """def f(x):
    for k in x:
        # BEGIN BUG
        # - if k:
        # -     x = k - 1
        x = k + 1
        # END BUG
    return x
"""


def test_a_bug_stands_in_the_stub_and_what_mends_it_in_the_solution():
    shown = "def f(x):\n    for k in x:\n        if k:\n            x = k - 1\n    return x\n"
    assert stub(BUG, "gae", "f") == shown


@pytest.mark.parametrize(
    "source",
    [
        BUG.replace("# - ", ""),
        BUG.replace("# END BUG", ""),
        BUG.replace("# END BUG", "# END SOLUTION"),
        BUG.replace("# BEGIN BUG", "pass"),
        BUG.replace("x = k + 1", "# BEGIN SOLUTION"),
    ],
)
def test_a_bug_that_is_not_marked_well_is_an_error(source):
    with pytest.raises(InputError, match="gae"):
        stub(source, "gae", "f")


def test_a_stub_is_untouched_until_a_line_of_it_changes():
    exercise = exercises()["gae"]
    text = (folder("exercises") / exercise.path).read_bytes()
    assert untouched(exercise, b"\xef\xbb\xbf" + text.replace(b"\n", b" \r\n") + b"\n\n")
    assert not untouched(exercise, text.replace(b"raise", b"pass; raise"))
    assert not untouched(exercise, (folder("solutions") / exercise.path).read_bytes())
