"""The author's verbs: what dev new writes, that the gates hold, and that each gate can fail."""

import json

import pytest

from refmarl.check import InputError
from refmarl.cli import main
from refmarl.grading.catalogue import exercises
from refmarl.grading.verify import GATES, gates

MISTAKES = (
    "lambda x: np.asarray(x)",
    "lambda x: 3 * np.asarray(x)",
    "lambda x: -2 * np.asarray(x)",
    "lambda x: np.asarray(x) ** 2",
    "lambda x: 2 * np.abs(x)",
)


@pytest.fixture
def course(tmp_path, capsys):
    """A course with one exercise that has just been made."""
    root = tmp_path / "mine"
    assert main(["dev", "new", "double-it", "--course", str(root), "--title", 'say "twice"']) == 0
    capsys.readouterr()
    return root


def _edit(root, name, *pairs):
    path = next(root.rglob(name))
    text = path.read_text()
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text)


@pytest.fixture
def whole(course, run):
    """The same with everything filled in."""
    _edit(course, "solutions/mine/double_it.py", ("FILL IN", "twice the numbers"))
    _edit(course, "specs/mine/double_it.py", ("it is FILL IN", "it is twice x"))
    for k, text in enumerate(MISTAKES, 1):
        _edit(course, "specs/mine/double_it.py", (f'"FILL IN {k}", _fill_in', f'"bad {k}", {text}'))
    assert run("dev", "sync", "--course", course)[0] == 0
    return course


def _problems(root):
    return {g.says: g.problem for g in gates(exercises(root)["double-it"]) if g.problem}


def test_a_new_exercise_has_its_four_files_and_says_what_is_open(course, run):
    exercise = exercises(course)["double-it"]
    assert exercise.title == 'say "twice"'
    names = {p.relative_to(course).as_posix() for p in course.rglob("*.*")}
    assert names == {
        "exercises.toml",
        "solutions/mine/double_it.py",
        "specs/mine/double_it.py",
        "docs/mine/double_it.md",
    }
    status, out, _ = run("dev", "verify", "--course", course)
    assert status == 1
    for word in ("dev sync", "FILL IN", "not caught"):
        assert word in out


def test_filled_in_it_passes_all_gates_and_a_student_can_do_it(whole, tmp_path, run):
    status, out, _ = run("dev", "verify", "double-it", "--course", whole)
    assert (status, out) == (0, f"✓ double-it: {len(GATES)} of {len(GATES)}\n")
    work = tmp_path / "work"
    assert run("start", work, "--course", whole)[0] == 0
    path = work / "mine/double_it.py"
    option = ("--course", whole, "--dir", work)
    path.write_text("def double_it(x):\n    return 3 * x\n")
    out = run("check", "double-it", *option)[1]
    assert "Looks like: bad 2" in out
    path.write_text("def double_it(x):\n    return x + x\n")
    assert run("check", "double-it", *option)[0] == 0
    assert "10 of 10 points" in run("check", *option)[1]


def test_new_leaves_alone_what_is_there(course, run):
    status, _, err = run("dev", "new", "double-it", "--course", course)
    assert status == 2
    assert "is there already" in err
    before = (course / "exercises.toml").read_text()
    assert run("dev", "new", "another", "--course", course, "--file", "../x.py")[0] == 2
    assert (course / "exercises.toml").read_text() == before
    assert (
        run("dev", "new", "another", "--course", course, "--function", "f", "--file", "w/a.py")[0]
        == 0
    )
    assert exercises(course)["another"].path.as_posix() == "w/a.py"
    assert (course / "exercises.toml").read_text().startswith(before)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["dev", "new", "Double It"], "need a label of small letters"),
        (["dev", "new", "a-b", "--function", "a b"], "no name of a function"),
        (["dev", "verify", "gea"], "did you mean 'gae'"),
        (["dev", "verify", "--course", "/none"], "no course"),
    ],
)
def test_what_is_wrong_is_one_line(argv, says, run):
    status, _, err = run(*argv)
    assert status == 2
    assert says in err
    assert err.count("\n") == 1


def test_outside_a_checkout_it_says_so(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    for argv in (["dev", "sync"], ["dev", "verify"], ["dev", "new", "abc"]):
        status, _, err = run(*argv)
        assert status == 2
        assert "no checkout of refmarl" in err


SOLVES = "return 2 * np.asarray(x, dtype=float)"
FAULTS = {  # the gate that must fail: the file, what stands there, what is put there
    "the stub is what the solution gives": ("exercises/mine/double_it.py", "raise", "# raise"),
    "no line of the solution stands in the stub": (
        "solutions/mine/double_it.py",
        "    # BEGIN SOLUTION\n",
        f"    # BEGIN SOLUTION\n    {SOLVES}\n    # END SOLUTION\n    {SOLVES}\n"
        "    # BEGIN SOLUTION\n",
    ),
    "the solution gets full marks, in a fifth of the time": (
        "solutions/mine/double_it.py",
        SOLVES,
        SOLVES.replace("2", "3"),
    ),
    "the statement has an example, and it is right": (
        "solutions/mine/double_it.py",
        "array([2., 4.])",
        "array([2., 5.])",
    ),
    "right answers in other words obey every law": (
        "specs/mine/double_it.py",
        "a + a for a in x",
        "a * a for a in x",
    ),
    "some law earns points, and each says what it is": (
        "specs/mine/double_it.py",
        'hand.", weight=2',
        'hand.", weight=0',
    ),
    "five mistakes and more are caught by assertions": (
        "specs/mine/double_it.py",
        MISTAKES[0],
        "lambda x: x + x",
    ),
    "answers that took no thought earn nothing": (
        "specs/mine/double_it.py",
        '"Look at one entry.", weight=0',
        '"Look at one entry.", weight=1',
    ),
    "the page has its anchor and names the exercise": (
        "docs/mine/double_it.md",
        '<a id="double-it"></a>',
        "",
    ),
    "three hints, and a head that says how to check": (
        "exercises.toml",
        '    "Nearly the answer, in words.",\n',
        "",
    ),
}


def test_every_gate_has_a_fault_that_it_finds():
    assert FAULTS.keys() | {"the stub is not started and gets 0"} == GATES.keys()


@pytest.mark.parametrize("gate", list(FAULTS))
def test_a_gate_finds_its_fault(whole, gate):
    _edit(whole, FAULTS[gate][0], FAULTS[gate][1:])
    assert gate in _problems(whole)


def test_a_right_answer_in_other_words_is_tried(whole):
    (whole / "accept/mine").mkdir(parents=True)
    accept = whole / "accept/mine/double_it.py"
    accept.write_text("def plus(x):\n    return x + x\n\n\ndef _helper():\n    pass\n")
    assert _problems(whole) == {}
    accept.write_text("def times(x):\n    return 3 * x\n")
    (problem,) = _problems(whole).values()
    assert problem.startswith("times of double_it.py breaks")


def test_a_solution_that_is_too_slow_is_told(whole, monkeypatch):
    monkeypatch.setattr("refmarl.grading.verify.SHARE", 1e9)
    assert "it takes" in _problems(whole)["the solution gets full marks, in a fifth of the time"]


def test_markers_that_are_wrong_are_told_with_file_and_line(whole, run):
    _edit(whole, "solutions/mine/double_it.py", ("    # END SOLUTION\n", ""))
    status, _, err = run("dev", "sync", "--course", whole)
    assert status == 2
    lines = (whole / "solutions/mine/double_it.py").read_text().splitlines()
    line = lines.index("    # BEGIN SOLUTION") + 1
    assert f"solutions/mine/double_it.py:{line}: # BEGIN SOLUTION is not closed" in err
    told = json.loads(run("dev", "verify", "--course", whole, "--json")[1])
    assert "is not closed" in told[0]["gates"][0]["problem"]


def test_a_stale_stub_is_found_by_check_and_mended(whole, run):
    _edit(whole, "exercises/mine/double_it.py", ("raise", "# raise"))
    status, _, err = run("dev", "sync", "--check", "--course", whole)
    assert status == 1
    assert "exercises/mine/double_it.py is stale" in err
    run("dev", "sync", "--course", whole)
    assert run("dev", "sync", "--check", "--course", whole)[0] == 0


def test_the_gates_of_an_exercise_of_the_course():
    assert [g for g in gates(exercises()["td-error"]) if g.problem] == []


def test_a_label_of_the_course_is_not_taken_again(tmp_path):
    with pytest.raises(InputError, match="choose another label"):
        exercises(_with_row(tmp_path, "nash"))


def _with_row(root, label):
    row = f'[{label}]\nfile = "a/b.py"\ntitle = "t"\nfunction = "f"\n'
    (root / "exercises.toml").write_text(row)
    return root
