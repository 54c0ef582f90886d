"""Status, marks and report of an answer: what they are called, and that nothing else moves them."""

import json
import signal
from dataclasses import replace

import numpy as np
import pytest

from refmarl.check import InputError
from refmarl.grading.catalogue import exercises, folder, spec
from refmarl.grading.runner import STATUSES, Grader, Limits
from refmarl.grading.spec import Property

GAE = exercises()["gae"]

GAE_DEF = "def gae(reward, value, next_value, terminated, truncated, gamma, lam):\n"
QUICK = Limits(call_seconds=0.5, load_seconds=3.0)


@pytest.fixture(scope="module")
def grader():
    with Grader(0, QUICK) as made:
        yield made


def _solution(change=lambda text: text):
    return change((folder("solutions") / GAE.path).read_text("utf-8"))


@pytest.fixture
def graded(grader, tmp_path):
    def run(text, **options):
        path = tmp_path / "answer.py"
        path.write_text(text)
        return grader.check(GAE, path, 30, **options)

    return run


SWAPS = {
    "pass": ("", ""),
    "fail": ("delta[t] + gamma * lam", "delta[t] + gamma"),
    "error": ("tail = delta[t]", "tail = undefined[t]"),
    "bad-return": ("return advantage\n", "return (x for x in advantage)\n"),
    "timeout": ("    delta = reward", "    while len(reward) > 2: pass\n    delta = reward"),
    "crash": ("    delta = reward", "    if len(reward) > 2: os._exit(0)\n    delta = reward"),
    "blocked": (
        "    delta = reward",
        "    raise NotImplementedError('td-error: td_error')\n    d =",
    ),
    "not-started": ("    delta =", "    raise NotImplementedError('gae: gae')\n    d ="),
}


@pytest.mark.parametrize("status", SWAPS)
def test_each_status_has_its_cause(graded, status):
    before, after = SWAPS[status]
    text = "import os\n" + _solution().replace(before, after, 1) if before else _solution()
    result = graded(text)
    assert result.status == status, result.message
    told = result.as_json()
    assert (told["status"], told["id"], told["max_score"]) == (status, "gae", 10)
    assert told["score"] == result.score
    assert (result.score == 10) == (status == "pass")
    assert all(row["passed"] == (row["counterexample"] is None) for row in told["properties"])


def test_the_gravest_of_what_happened_is_the_status(graded):
    text = "import os\n" + _solution().replace(
        "    delta = reward",
        "    if len(reward) == 2: return None\n    if len(reward) == 3: return 1 / 0\n"
        "    if len(reward) == 4: os._exit(1)\n    delta = reward",
    )
    result = graded(text, shrink=False)
    kinds = [item.kind for item in result.failed]
    assert result.status == kinds[0] == min(kinds, key=STATUSES.index)


def test_a_hang_in_one_case_stops_its_laws_only(graded):
    text = _solution().replace("    delta =", "    while lam == 1.0: pass\n    delta =")
    result = graded(text)
    assert result.status == "timeout"
    assert result.passed
    assert result.seconds < 20


def test_the_arguments_shown_are_those_of_the_call(graded):
    result = graded(_solution().replace("gamma * lam * tail", "gamma * lam * tail + (lam == 0.0)"))
    item = next(i for i in result.failed if i.property.says.startswith("lam = 0"))
    assert item.case.lam == 0.0
    assert type(item.case).__name__ == type(item.drawn).__name__


def test_the_report_of_an_answer_does_not_depend_on_what_was_graded_before(
    graded, grader, tmp_path
):
    texts = [_solution().replace(*SWAPS[s], 1) for s in ("fail", "bad-return", "error")]
    texts.append(
        "import numpy as np\n" + GAE_DEF + "    return np.random.default_rng().random(3)\n"
    )
    texts = ["import os\n" + text for text in texts]
    one = [json.dumps(graded(text).as_json(), sort_keys=True) for text in texts]
    two = [json.dumps(graded(text).as_json(), sort_keys=True) for text in reversed(texts)]
    with Grader(0, QUICK) as other:
        path = tmp_path / "answer.py"
        three = []
        for text in texts:
            path.write_text(text)
            three.append(json.dumps(other.check(GAE, path, 30).as_json(), sort_keys=True))
    assert one == two[::-1] == three


def test_a_law_that_our_own_answer_breaks_is_our_fault(graded, monkeypatch):
    law = spec("gae")

    def broken(*given):
        return 2.0 * law.reference(*given)

    monkeypatch.setattr("refmarl.grading.runner.spec", lambda e: replace(law, reference=broken))
    result = graded("import os\n" + _solution().replace(*SWAPS["fail"], 1))
    assert (result.status, result.score) == ("harness-error", 0.0)
    assert "our own answer breaks this law too" in str(result.failed[0].error)


def test_a_law_that_trips_over_what_came_back_is_a_bad_return(graded, monkeypatch):
    law = spec("gae")
    odd = Property("odd", lambda answer, case: answer(*case)["key"], "hint")
    own = replace(law, properties=(odd,), reference=lambda *_: {"key": 1})
    monkeypatch.setattr("refmarl.grading.runner.spec", lambda e: own)
    result = graded(_solution())
    assert result.status == "bad-return"
    assert "cannot be used" in str(result.failed[0].error)


def test_without_shrinking_it_is_the_smallest_of_the_cases(graded, grader):
    text = "import os\n" + _solution().replace(*SWAPS["fail"], 1)
    plain, shrunk = graded(text, shrink=False), graded(text)
    assert plain.score == shrunk.score
    cases = grader.cases(spec("gae"), 30)
    assert any(plain.failed[0].drawn is case for case in cases)
    assert shrunk.failed[0].drawn.reward.size <= plain.failed[0].drawn.reward.size


def test_a_secret_draws_other_cases_and_tells_none(tmp_path):
    path = tmp_path / "answer.py"
    path.write_text(GAE_DEF + "    raise ValueError(repr(reward))\n")
    with Grader(0, QUICK, secret=b"sesame") as hidden:
        result = hidden.check(GAE, path, 10, shrink=False)
    told = json.dumps(result.as_json())
    assert result.hidden
    assert "array([" not in told
    assert "array([" in json.dumps(result.as_json(reveal=True))
    assert "sesame" not in repr(result)


def test_what_is_printed_moves_no_cursor(graded):
    head = "print('\\x1b[2J\\x07 PASS \\u202e100')\n"
    result = graded(head + _solution())
    assert result.status == "pass"
    assert not set("\x1b\x07\u202e") & set(result.printed)
    assert "PASS" in result.printed


def test_a_level_that_is_not_to_be_had_is_one_line():
    with pytest.raises(InputError, match="isolation level"):
        Grader(7)


def test_limits_must_be_positive():
    with pytest.raises(ValueError, match="call_seconds = 0"):
        Limits(call_seconds=0)


def test_a_law_that_what_came_back_keeps_busy_is_stopped(graded, monkeypatch):
    monkeypatch.setattr("refmarl.grading.judge.LAW_SECONDS", 0.2)
    law = spec("gae")

    def count(answer, case):
        k, answered = 0, answer(*case)
        while not np.isfinite(answered).all():
            k += 1

    odd = replace(law, properties=(Property("odd", count, "hint"),))
    monkeypatch.setattr("refmarl.grading.runner.spec", lambda e: odd)
    before = signal.getsignal(signal.SIGPROF)
    result = graded(GAE_DEF + "    return [[float('nan')]]\n")
    assert result.status == "bad-return"
    assert "to judge" in str(result.failed[0].error)
    assert signal.getsignal(signal.SIGPROF) == before
    assert signal.getitimer(signal.ITIMER_PROF)[0] == 0.0
    assert graded(_solution()).status == "pass"
