"""The race, with tasks and a clock of our own: nothing here depends on how fast a machine is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmarl.bench import Options, Peer, Task, measure, missing
from refmarl.bench.measure import race, tournament
from refmarl.bench.side import Run, Side
from refmarl.bench.worker import Failed, OverLimit

AT_ONCE = Options(least=1e-12)  # one run of each input in a lap
KEYS = {"task", "size", "ours_s", "peer", "peer_s", "ratio", "limit_s"}


class World:
    """A clock that stands still but for what the runs take, and a log of who ran."""

    def __init__(self, inputs=1):
        self.now, self.log, self.inputs = 0.0, [], inputs

    def clock(self):
        return self.now

    def peer(self, name, durations=(1.0,), answer=7, package="math", **more):
        """A peer whose k-th run takes the k-th duration, the last one for ever after."""
        left = list(durations)

        def run(prepared):
            self.log.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return Peer(name=name, package=package, prepare=str, run=run, answer=lambda g, r: r, **more)

    def task(self, ours, *peers, **more):
        return Task(
            **{
                "name": "fake",
                "title": "a fake",
                "size": "n",
                "sizes": (1, 2),
                "quick": (1,),
                "inputs": lambda seed, size: tuple(range(self.inputs)),
                "ours": ours,
                "peers": peers,
                "same": lambda truth, got: truth == got,
                **more,
            }
        )

    def race(self, task, size=1, options=AT_ONCE, beaten=None):
        side = Here(self, Side({task.name: task}, self.clock))
        return race(task, size, lambda package: side, options, {} if beaten is None else beaten)


class Here:
    """Calls a side in this process, by the world's clock."""

    def __init__(self, world, side):
        self.world, self.side = world, side

    def call(self, limit, method, *args):
        start = self.world.now
        try:
            value = getattr(self.side, method)(*args)
        except Exception as error:
            raise Failed(str(error)) from None
        if self.world.now - start > limit:
            raise OverLimit("too long")
        return value


durations = st.lists(st.floats(1e-6, 99.0), min_size=7, max_size=7)
BEFORE = 3  # runs before the laps: to warm up, for the answer, to see how long a lap takes


@given(durations, durations)
def test_the_ratio_is_that_of_the_medians_of_the_laps(ours, theirs):
    world = World()
    head = [0.5] * BEFORE
    (row,) = world.race(
        world.task(world.peer("refmarl", head + ours), world.peer("p", head + theirs))
    )
    assert row["ours_s"] == pytest.approx(np.median(ours), rel=1e-6, abs=1e-10)
    assert row["peer_s"] == pytest.approx(np.median(theirs), rel=1e-6, abs=1e-10)
    assert row["ratio"] == pytest.approx(np.median(theirs) / np.median(ours), rel=1e-3)
    assert row["ours_quartiles"] == pytest.approx(np.percentile(ours, [25, 75]), abs=1e-9)
    assert row["peer_quartiles"] == pytest.approx(np.percentile(theirs, [25, 75]), abs=1e-9)
    assert row["repeats"] == 7
    assert not row["lower_bound"]


def test_everybody_runs_in_turn_after_the_answers():
    world = World(inputs=2)
    world.race(world.task(world.peer("refmarl"), world.peer("p"), world.peer("q")))
    answers, laps = world.log[:9], world.log[9:]
    assert answers == ["refmarl"] * 3 + ["p"] * 3 + ["q"] * 3
    assert laps == ["refmarl", "refmarl", "p", "p", "q", "q"] * 8


def test_short_runs_are_repeated_until_the_clock_can_see_them():
    world = World(inputs=3)
    task = world.task(world.peer("refmarl", [0.25]), world.peer("p", [4.0]))
    (row,) = world.race(task, options=Options(least=1.0, repeat=9, limit=9.0))
    assert (row["ours_s"], row["peer_s"], row["ratio"]) == (0.25, 4.0, 16.0)
    assert world.log.count("refmarl") == 1 + 3 + 3 + 9 * 3 * 4
    assert world.log.count("p") == 1 + 3 + 3 + 9 * 3
    assert row["repeats"] == 9


def test_a_wrong_peer_takes_no_part():
    world = World()
    wrong, right = world.peer("p", [0.1], answer=8), world.peer("q", [2.0])
    rows = world.race(world.task(world.peer("refmarl"), wrong, right), options=Options(limit=9.0))
    assert [(r["peer"], r["correct"], r["of"], r["ratio"]) for r in rows] == [
        ("p", 0, 1, None),
        ("q", 1, 1, 2.0),
    ]
    assert rows[0]["peer_s"] is None
    assert "1 of 1 answers wrong" in rows[0]["note"]
    assert world.log.count("p") == 2


def test_who_is_right_on_some_inputs_only_takes_no_part_either():
    world = World(inputs=4)
    task = world.task(world.peer("refmarl"), world.peer("p"))
    task = replace(task, same=lambda truth, got: truth == got and next(marks))
    marks = iter([True, True, True, False, True, True, True, False])  # ours, p, ours, p, …
    (row,) = world.race(task)
    assert (row["ours_correct"], row["correct"], row["of"], row["ratio"]) == (4, 2, 4, None)


def test_the_truth_may_say_that_ours_is_wrong():
    world = World()
    task = world.task(world.peer("refmarl", answer=8), world.peer("p"), truth=lambda g, a: 7)
    (row,) = world.race(task)
    assert (row["ours_correct"], row["correct"], row["ours_s"], row["ratio"]) == (0, 1, None, None)
    assert row["peer_s"] == 1.0


def test_the_truth_hears_all_answers_ours_first():
    world, heard = World(), []
    task = world.task(
        world.peer("refmarl"),
        world.peer("p", answer=8),
        world.peer("broken", answer=ValueError("no")),
        truth=lambda one, answers: heard.append((one, answers)) or 7,
    )
    world.race(task)
    assert heard == [(0, [7, 8])]


def test_over_the_limit_is_a_lower_bound_and_larger_sizes_are_not_tried():
    world, beaten = World(inputs=2), {}
    slow = world.peer("p", [1.0, 1.0, 5.0])
    task = world.task(world.peer("refmarl", [0.5]), slow)
    (row,) = world.race(task, 1, Options(limit=3.0), beaten)
    assert (row["peer_s"], row["ratio"], row["lower_bound"]) == ((1.0 + 3.0) / 2, 4.0, True)
    assert row["correct"] is None
    assert row["note"] == "over the limit of 3 s"
    assert beaten == {"p": 1}
    (row,) = world.race(task, 2, Options(limit=3.0), beaten)
    assert (row["peer_s"], row["ratio"], row["lower_bound"]) == (None, None, False)
    assert "over the limit at size 1" in row["note"]
    assert world.log.count("p") == 3


def test_ours_over_the_limit_is_timed_once_and_the_peers_go_on():
    world = World(inputs=2)
    task = world.task(world.peer("refmarl", [1.0, 4.0, 6.0]), world.peer("p", [1.0]))
    (row,) = world.race(task, options=Options(limit=3.0))
    assert (row["ours_s"], row["peer_s"], row["ratio"], row["repeats"]) == (5.0, 1.0, 0.2, 1)
    assert row["note"] == "ours: over the limit, timed once"
    assert row["ours_quartiles"] is None
    assert world.log.count("refmarl") == 3


def test_over_the_limit_after_a_wrong_answer_is_no_bound():
    world = World(inputs=2)
    task = world.task(world.peer("refmarl"), world.peer("p", [1.0, 1.0, 5.0], answer=8))
    (row,) = world.race(task, options=Options(limit=3.0))
    assert (row["peer_s"], row["ratio"], row["lower_bound"]) == (None, None, False)


def test_a_patient_task_waits_longer():
    world = World()
    (row,) = world.race(world.task(world.peer("refmarl"), world.peer("p", [5.0]), patience=9.0))
    assert (row["ratio"], row["lower_bound"]) == (5.0, False)


def test_a_peer_that_raises_is_told_and_ours_too():
    world = World()
    (row,) = world.race(
        world.task(world.peer("refmarl"), world.peer("p", answer=ValueError("singular")))
    )
    assert (row["ratio"], row["correct"], row["note"]) == (None, None, "failed: singular")
    (row,) = world.race(
        world.task(world.peer("refmarl", answer=ValueError("ours broke")), world.peer("p"))
    )
    assert (row["ours_s"], row["ours_correct"], row["correct"]) == (None, 0, None)
    assert "ours: failed: ours broke" in row["note"]


def test_a_peer_lost_between_laps_has_no_time():
    world = World()
    left = iter([1.0] * 5)
    task = world.task(world.peer("refmarl"), world.peer("p", seconds=lambda result: next(left)))
    (row,) = world.race(task)
    assert (row["peer_s"], row["ratio"]) == (None, None)
    assert row["note"].startswith("lost after 4 laps")
    assert row["ours_s"] == 1.0


def test_the_largest_size_of_a_peer():
    world = World()
    task = world.task(world.peer("refmarl"), world.peer("p", largest=1))
    assert world.race(task, 1)[0]["ratio"] == 1.0
    (row,) = world.race(task, 2)
    assert (row["ratio"], row["note"]) == (None, "not tried beyond size 1")


def test_times_that_results_tell_replace_the_clock():
    world = World()
    ours = world.peer("refmarl", [9.0], answer=(7, 0.5), seconds=lambda r: r[1])
    (row,) = world.race(
        world.task(ours, world.peer("p", [2.0], (7, 0.5))), options=Options(limit=5)
    )
    assert (row["ours_s"], row["peer_s"], row["ratio"]) == (0.5, 2.0, 4.0)


def test_the_limit_is_measured_but_not_judged():
    world = World()
    floor = world.peer("limit", [0.25], answer=None)
    (row,) = world.race(world.task(world.peer("refmarl"), world.peer("p"), limit=floor))
    assert (row["limit_s"], row["peer"]) == (0.25, "p")
    assert row["limit_share"] == 0.25  # of 1 s, which ours takes


def test_a_part_of_ours_may_be_what_the_limit_bounds():
    world = World()
    floor, part = world.peer("limit", [0.25], answer=None), world.peer("part", [0.5], answer=None)
    ours = world.task(world.peer("refmarl"), world.peer("p"), limit=floor, part=part)
    (row,) = world.race(ours)
    assert (row["ours_s"], row["limit_s"], row["limit_share"]) == (1.0, 0.25, 0.5)
    (row,) = world.race(world.task(world.peer("refmarl"), world.peer("p")))
    assert (row["limit_s"], row["limit_share"]) == (None, None)


def test_a_missing_peer_is_skipped_and_named():
    world = World()
    gone = world.peer("gone", package="refmarl_no_such_package")
    task = world.task(world.peer("refmarl"), gone, world.peer("p"))
    assert [row["peer"] for row in world.race(task)] == ["p"]
    assert missing([task]) == ["refmarl_no_such_package"]
    (row,) = world.race(world.task(world.peer("refmarl"), gone))
    assert (row["peer"], row["ours_s"], row["ratio"]) == (None, 1.0, None)
    assert row["note"] == "no peer is installed"


def test_all_rows_have_the_same_keys():
    world = World()
    gone = world.peer("gone", package="refmarl_no_such_package")
    rows = [
        *world.race(world.task(world.peer("refmarl"), gone)),
        *world.race(world.task(world.peer("refmarl"), world.peer("p"))),
        *world.race(world.task(world.peer("refmarl"), world.peer("p", answer=8))),
    ]
    assert set(rows[0]) == set(rows[1]) == set(rows[2]) >= KEYS
    page = (Path(__file__).parents[2] / "docs" / "bench.md").read_text("utf-8")
    assert [key for key in rows[0] if f"`{key}`" not in page] == []


def test_a_side_starts_again_in_a_new_process_without_being_told():
    world = World()
    task = world.task(world.peer("refmarl", [1.0, 2.0, 3.0]))
    side = Side({"fake": task}, world.clock)
    assert side.lap(Run("fake", "refmarl", 1, 0), 1) == 2.0  # the first run was to warm up
    assert side.answer(Run("fake", "refmarl", 2, 0), 0) == (3.0, 7)  # warm already


def test_another_size_or_seed_is_another_input():
    world = World()
    echo = replace(world.peer("refmarl"), answer=lambda one, result: one)
    task = world.task(echo, inputs=lambda seed, size: (size, seed))
    side = Side({"fake": task}, world.clock)
    for size, seed in [(1, 0), (2, 0), (2, 5)]:
        run = Run("fake", "refmarl", size, seed)
        assert side.load(run) == 2
        assert [side.answer(run, k)[1] for k in range(2)] == [size, seed]


def test_the_tournament_goes_through_tasks_and_sizes(monkeypatch):
    world, said = World(), []
    first = world.task(world.peer("refmarl"), world.peer("p"))
    second = replace(first, name="other", quick=())
    tasks = {"fake": first, "other": second}

    def here(factory):
        worker = Here(world, Side(tasks, world.clock))
        worker.close = lambda: said.append("closed")
        return worker

    monkeypatch.setattr(measure, "Worker", here)
    rows = [
        row for rows in tournament([first, second], AT_ONCE, False, said.append) for row in rows
    ]
    assert [(r["task"], r["size"]) for r in rows] == [
        ("fake", 1),
        ("fake", 2),
        ("other", 1),
        ("other", 2),
    ]
    assert said == ["fake 1", "fake 2", "other 1", "other 2", "closed"]
    rows = [row for rows in tournament([first, second], AT_ONCE, quick=True) for row in rows]
    assert [(r["task"], r["size"]) for r in rows] == [("fake", 1)]
