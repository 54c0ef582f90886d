"""Where exercises come from: refmarl's own, a folder's; what a table may not say."""

import pickle
import sys

import pytest

from refmarl.check import InputError
from refmarl.grading import course
from refmarl.grading.catalogue import exercises, spec, stubs, table
from refmarl.grading.course import at, own

SOLUTION = '''"""Double."""


def double(x):
    """Return 2 x."""
    # BEGIN SOLUTION
    return 2 * x
    # END SOLUTION
'''
SPEC = """from typing import NamedTuple
from hypothesis import strategies as st
from refmarl.grading.spec import Property, Spec
from ._parts import twice

class Case(NamedTuple):
    x: int

SPEC = Spec(
    exercise="double",
    function="double",
    cases=st.builds(Case, st.integers(0, 9)),
    properties=(Property("it is twice x", twice, "Add x to itself."),),
    mistakes=(),
    reference=lambda x: 2 * x,
)
"""
PARTS = "def twice(answer, case):\n    assert answer(*case) == 2 * case.x\n"
ROW = '[double]\nfile = "week1/x01_double.py"\ntitle = "twice"\nfunction = "double"\n'


@pytest.fixture
def private(tmp_path):
    """A folder with one exercise, whose specification imports a file beside it."""
    root = tmp_path / "private"
    for kind in ("solutions", "specs", "exercises"):
        (root / kind / "week1").mkdir(parents=True)
    (root / "exercises.toml").write_text(ROW)
    (root / "solutions/week1/x01_double.py").write_text(SOLUTION)
    (root / "specs/week1/x01_double.py").write_text(SPEC)
    (root / "specs/week1/_parts.py").write_text(PARTS)
    return root


def test_a_folder_of_exercises_is_taken_instead_of_the_courses_own(private):
    (exercise,) = exercises(private).values()
    assert (exercise.label, exercise.points, exercise.docs) == (
        "double",
        10,
        "docs/week1/x01_double.md",
    )
    assert 'raise NotImplementedError("double: double")' in exercise.stub()
    assert spec(exercise).properties[0].says == "it is twice x"


def test_the_variable_says_the_same_as_the_folder(private, monkeypatch):
    monkeypatch.setenv("REFMARL_COURSE", str(private))
    assert list(exercises()) == ["double"]


def test_an_exercise_travels_to_another_process_with_its_specification(private):
    exercise = pickle.loads(pickle.dumps(exercises(private)["double"]))
    for name in [n for n in sys.modules if n.startswith("_refmarl_course_")]:
        del sys.modules[name]
    assert spec(exercise).reference(4) == 8


@pytest.fixture
def installed(private, tmp_path, monkeypatch):
    """The same folder as an installed package with an entry point."""
    info = tmp_path / "private-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: private\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[refmarl.exercises]\nmine = private\n")
    (private / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield private
    sys.modules.pop("private", None)


def test_an_installed_package_adds_its_exercises(installed):
    everything = exercises()
    assert {"double", "nash"} <= everything.keys()
    assert everything["double"].course.name == "private"


def test_a_package_that_cannot_be_loaded_is_named(installed):
    (installed / "__init__.py").write_text("1 / 0\n")
    with pytest.raises(InputError, match=r"mine \(private\): division"):
        exercises()


def test_one_label_is_not_used_by_two_courses(private, monkeypatch):
    monkeypatch.setattr(course, "_installed", lambda point: at(private))
    monkeypatch.setattr(course, "entry_points", lambda group: [_Point("a"), _Point("b")])
    with pytest.raises(InputError, match="both have an exercise double"):
        exercises()


class _Point:
    def __init__(self, name):
        self.name = name


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('title = "twice"\n', "", "no `title`"),
        ('file = "week1/x01_double.py"\n', "", "no equation is labelled so"),
        ("[double]", "[nash]", "choose another label"),
        ('"week1/x01_double.py"', '"../x01.py"', "need names such as"),
        ('"week1/x01_double.py"', '"week 1/x01.txt"', "need names such as"),
        ("function", "funktion", "unknown field 'funktion'"),
        ('function = "double"\n', "", "no `function`"),
        ('"twice"', "3", "title: need a text, got 3"),
        ('"twice"\n', '"twice"\npoints = 0\n', "need a whole number above 0, got 0"),
        ('"twice"\n', '"twice"\npoints = true\n', "need a whole number above 0, got True"),
        ('"twice"\n', '"twice"\nhints = [1]\n', "need a list of texts"),
        ('"twice"\n', '"twice"\nrequires = ["tripel"]\n', "requires 'tripel'"),
        ('"twice"\n', '"twice"\nrequires = ["double"]\n', "goes round"),
        ("[double]", "double", "exercises.toml: "),
        (ROW, "double = 3\n", "need a table"),
    ],
)
def test_what_is_wrong_in_a_table_is_one_line(private, old, new, says):
    (private / "exercises.toml").write_text(ROW.replace(old, new))
    with pytest.raises(InputError) as error:
        table(at(private))
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_private_exercise_may_require_one_of_the_courses(private):
    (private / "exercises.toml").write_text(ROW + 'requires = ["nash"]\n')
    assert exercises(private)["double"].requires == ("nash",)


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("specs/week1/x01_double.py", None, "no specification; need "),
        ("specs/week1/x01_double.py", "SPEC = 3\n", "need SPEC, a Spec, got 3"),
        (
            "specs/week1/x01_double.py",
            SPEC.replace('function="double"', 'function="f"'),
            "the SPEC of double: f, need that of double: double",
        ),
    ],
)
def test_a_missing_or_a_foreign_specification_is_told(private, path, text, says):
    (private / path).unlink()
    if text:
        (private / path).write_text(text)
    with pytest.raises(InputError) as error:
        spec(exercises(private)["double"])
    assert says in str(error.value)


def test_a_specification_that_lacks_a_module_shows_which(private):
    (private / "specs/week1/x01_double.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(ModuleNotFoundError, match="nothing_of_this_name"):
        spec(exercises(private)["double"])


def test_a_folder_without_a_table_is_no_course(tmp_path):
    with pytest.raises(InputError, match=r"there is no exercises\.toml"):
        exercises(tmp_path)


def test_a_course_without_solutions_still_has_its_stubs(private):
    stub = stubs(at(private))[exercises(private)["double"].path]
    (private / "exercises/week1/x01_double.py").write_text(stub)
    (private / "solutions/week1/x01_double.py").unlink()
    assert exercises(private)["double"].stub() == stub


def test_every_exercise_of_the_course_has_a_page():
    assert [e.label for e in table(own()).values() if not e.page.is_file()] == []
