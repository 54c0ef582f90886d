"""An instructor's file: chosen exercises, points, deadlines, and what late work counts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmarl.check import InputError
from refmarl.grading.assignment import Late, load
from refmarl.grading.catalogue import exercises

TEXT = """title = "Homework 1"
deadline = 2026-03-01T23:59:00+01:00

[late]
per_day = 0.25
days = 2
grace_minutes = 10

[exercises.gae]
points = 15
deadline = 2026-03-08T23:59:00+01:00

[exercises.td-error]
"""


@pytest.fixture
def read(tmp_path):
    """Load an assignment from its text."""

    def call(text):
        path = tmp_path / "homework.toml"
        path.write_text(text)
        return load(path)

    return call


def test_it_chooses_exercises_and_gives_them_points_and_deadlines(read):
    work = read(TEXT)
    assert list(work.exercises) == ["gae", "td-error"]
    assert [e.points for e in work.exercises.values()] == [15, exercises()["td-error"].points]
    assert work.deadlines["td-error"] == datetime(2026, 3, 1, 22, 59, tzinfo=UTC)
    assert work.deadlines["gae"] - work.deadlines["td-error"] == timedelta(days=7)


def test_late_work_counts_less_by_the_day_and_then_nothing(read):
    work = read(TEXT)
    due = work.deadlines["gae"]
    late = {"minutes": 10}, {"minutes": 11}, {"days": 1}, {"days": 1, "seconds": 1}, {"days": 3}
    assert [work.share("gae", due + timedelta(**x)) for x in late] == [1, 0.75, 0.75, 0.5, 0]
    assert work.share("gae", due - timedelta(days=9)) == 1
    assert work.share("gae", None) == 1


def test_without_a_policy_late_work_counts_nothing_and_without_a_deadline_nothing_is_late(read):
    work = read("deadline = 2026-03-01T00:00:00Z\n[exercises.gae]\n")
    due = work.deadlines["gae"]
    assert [work.share("gae", due + timedelta(seconds=s)) for s in (0, 1)] == [1, 0]
    free = read("[exercises.gae]\n")
    assert free.share("gae", datetime(2099, 1, 1, tzinfo=UTC)) == 1


@given(
    late=st.builds(Late, st.floats(0, 1), st.none() | st.integers(0, 9), st.floats(0, 100)),
    hours=st.lists(st.floats(-99, 999), min_size=2, max_size=2),
)
def test_to_be_later_is_never_better(late, hours):
    early, later = sorted(hours)
    shares = [late.share(timedelta(hours=h)) for h in (early, later)]
    assert 0 <= shares[1] <= shares[0] <= 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[exercises.gae]", "[exercises.gea]", "[exercises.gea]: no such exercise"),
        ("points = 15", "points = 0", "points: need at least 1"),
        ("points = 15", "points = 1.5", "points: need a whole number, got 1.5"),
        ("points = 15", "point = 15", "unknown key 'point'"),
        ("title", "titel", "unknown key 'titel'"),
        ("23:59:00+01:00", "23:59:00", "its offset from UTC is missing"),
        ("2026-03-01T23:59:00+01:00", "2026-03-01", "need a time such as"),
        ("per_day = 0.25\n", "", "[late]: need per_day"),
        ("per_day = 0.25", "per_day = 1.5", "need per_day in [0, 1]"),
        ("days = 2", "days = -1", "days and grace_minutes ≥ 0"),
        (TEXT[TEXT.index("[exercises.gae]") :], "", "no exercise is chosen"),
        ("[late]", "[late", "homework.toml: "),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_file(read, old, new, says):
    with pytest.raises(InputError) as error:
        read(TEXT.replace(old, new))
    assert "homework.toml" in str(error.value)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_course_of_ones_own_is_found_beside_the_file(tmp_path):
    root = tmp_path / "mine"
    root.mkdir()
    row = '[double]\nfile = "x01_double.py"\ntitle = "twice"\nfunction = "double"\n'
    (root / "exercises.toml").write_text(row)
    path = tmp_path / "homework.toml"
    path.write_text('course = "mine"\n[exercises.double]\n[exercises.nash]\n')
    assert [e.course.name for e in load(path).exercises.values()] == ["mine", "refmarl"]
