"""The gates that every exercise passes before a student sees it."""

import runpy

import pytest

from refmarl.check import InputError
from refmarl.grading.catalogue import exercises, folder, spec, stub, stubs, untouched
from refmarl.grading.runner import check
from refmarl.grading.spec import broken, failures

LABELS = list(exercises())


@pytest.mark.parametrize("label", LABELS)
def test_the_solution_breaks_no_property(label):
    exercise = exercises()[label]
    result = check(exercise, folder("solutions") / exercise.path)
    assert result.status == "pass", result
    assert result.score == exercise.points


@pytest.mark.parametrize("label", LABELS)
def test_the_library_breaks_no_property(label):
    law = spec(label)
    assert failures(law, law.reference, examples=30) == []


@pytest.mark.parametrize("label", LABELS)
def test_the_stub_breaks_every_property_by_not_being_implemented(label):
    exercise, law = exercises()[label], spec(label)
    answer = runpy.run_path(str(folder("exercises") / exercise.path))[exercise.function]
    items = failures(law, answer, examples=5)
    assert len(items) == len(law.properties)
    assert all(isinstance(item.error, NotImplementedError) for item in items)


@pytest.mark.parametrize(
    ("label", "mistake"),
    [(label, mistake) for label in LABELS for mistake in spec(label).mistakes],
    ids=lambda value: value if isinstance(value, str) else value.says.replace(" ", "-")[:40],
)
def test_every_mistake_is_caught_by_an_assertion(label, mistake):
    law = spec(label)
    tries = ((prop, examples) for examples in (8, 60) for prop in law.properties)  # few first
    found = (broken(prop, mistake.answer, law, n, shrink=False) for prop, n in tries)
    assert any(item and isinstance(item.error, AssertionError) for item in found), mistake.says


@pytest.mark.parametrize("label", LABELS)
def test_a_spec_knows_five_mistakes_and_names_its_exercise(label):
    law = spec(label)
    assert len({m.says for m in law.mistakes}) >= 5
    assert (law.exercise, law.function) == (label, exercises()[label].function)


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
