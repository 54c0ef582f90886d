"""What crosses the border, and what comes of answers that break off, hang or lie."""

import os
import random
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from refmarl.grading.border.answer import Answer
from refmarl.grading.border.errors import BadReturn, Stop, StudentError
from refmarl.grading.border.limits import Limits
from refmarl.grading.border.nursery import Nursery
from refmarl.grading.border.submission import Submission
from refmarl.grading.border.zygote import FORKS
from refmarl.grading.spec import Candidate

LIMITS = Limits(call_seconds=0.5, load_seconds=3.0, property_seconds=2.0, exercise_seconds=5.0)
PLAIN = {"copies": True, "one by one": False} if FORKS else {"one by one": False}


@pytest.fixture(scope="module")
def nursery():
    made = Nursery(0, LIMITS)
    yield made
    made.close()


@pytest.fixture
def run(nursery, tmp_path):
    """Call f of a file made of these lines; the answers are closed afterwards."""
    made = []

    def begin(body, head="", nursery=nursery, **options):
        path = tmp_path / "answer.py"
        text = f"import os, sys, time\nimport numpy as np\n{head}\ndef f(*args):\n"
        path.write_text(text + "".join(f"    {line}\n" for line in body.splitlines()))
        made.append(Answer(Submission(path, "f", **options), nursery))
        return made[-1]

    yield begin
    for answer in made:
        answer.close()


def test_layout_dtype_and_the_read_only_flag_reach_the_student(run):
    answer = run(
        "x = args[0]\n"
        "return [x.dtype.str, x.strides, x.flags.writeable, x.flags.f_contiguous, x.tolist()]"
    )
    base = np.arange(24, dtype=">i4").reshape(4, 6)
    for x in (base[::-2, 1::3], np.asfortranarray(base), base[0, 0, ...], np.zeros((0, 2))):
        x.flags.writeable = False
        want = [x.dtype.str, x.strides, False, x.flags.f_contiguous, x.tolist()]
        assert answer(x) == want


def test_what_comes_back_is_plain_and_the_graders_own(run):
    answer = run("return np.broadcast_to(args[0], (3, 2)), [np.float32(1.5)], args[0]")
    given = np.array([1.0, -0.0])
    wide, (scalar,), same = answer(given)
    assert wide.flags.writeable
    assert wide.flags.owndata
    assert type(scalar) is np.float32
    same += 1.0
    assert given.tolist() == [1.0, -0.0]


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ("args[0][0] = 9", [0]),
        ("args[1].append(1)", [1]),
        ("args[1][0] *= 2", [1]),
        ("args[0].sort(); args[1][0] -= 1", [0, 1]),
        ("x = args[0].copy(); x += 1", []),
        ("args[0][:] = args[0]", []),
        ("args[0].shape = (2, 1)", [0]),
    ],
)
def test_arguments_changed_in_place_are_told_and_ours_stay(run, body, changed):
    answer, given = run(body), (np.array([2.0, 1.0]), [np.array([3.0])])
    answer(*given)
    assert answer.changed == changed
    assert given[0].tolist() == [2.0, 1.0]
    assert given[1][0].tolist() == [3.0]


@pytest.mark.parametrize(
    ("body", "kind", "word"),
    [
        ("while True: pass", "timeout", "endless loop"),
        ("time.sleep(60)", "timeout", "no answer within 0.5 s on the clock for argument 0 of"),
        ("time.sleep(60)", "timeout", "it was waiting, not computing"),
        ("os._exit(0)", "crash", "ended its process with status 0"),
        ("os.kill(os.getpid(), 11)", "crash", "signal 11"),
        ("os.kill(os.getpid(), 19)", "timeout", "no answer"),
        ("return np.ones(10**11)", "crash", "memory"),
        ("os.closerange(0, 64)", "crash", "ended"),
        ("while True: print('x' * 10**6)", "crash", "printed more than"),
        ("[os.write(k, b'x' * 99) for k in range(3, 9) if k > 0]", "crash", "stopped"),
    ],
)
def test_an_answer_that_ends_its_process_stops_the_law_at_once(run, body, kind, word):
    head = "def each(k):\n    pass\n"
    if "os.write" in body:
        body = "for k in range(3, 9):\n    try: os.write(k, b'x' * 99)\n    except OSError: pass"
    answer, began = run(body, head), time.monotonic()
    with pytest.raises(Stop, match=word) as stopped:
        answer(np.zeros(2))
    assert stopped.value.kind == kind
    once = time.monotonic() - began
    with pytest.raises(Stop):
        answer(np.zeros(2))  # the same call is not made twice
    assert time.monotonic() - began < once + 0.2


def test_after_a_kill_other_calls_are_answered(run):
    answer = run("return 1 / 0 if args[0] == 1 else os._exit(3) if args[0] == 2 else args[0]")
    with pytest.raises(Stop):
        answer(2)
    assert answer(3) == 3
    with pytest.raises(ZeroDivisionError):
        answer(1)
    assert answer(4) == 4


def test_all_time_outs_together_cost_twice_the_limit(run):
    answer, began = run("while True: pass"), time.monotonic()
    answer.start()
    for k in range(12):
        with pytest.raises(Stop):
            answer(k)
    assert answer.spent < 2.5 * LIMITS.call_seconds * 2  # twice more where others take the time
    assert time.monotonic() - began < 10


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_processor_time_is_told_apart_from_the_clock(run, monkeypatch):
    monkeypatch.setattr(Limits, "resources", lambda self, level: {"CPU": 1})
    patient = Nursery(0, replace(LIMITS, call_seconds=20.0, property_seconds=20.0))
    answer = run("while True: pass", nursery=patient)
    with pytest.raises(Stop, match="more than 1 s of the processor's time") as stopped:
        answer(1)
    patient.close()
    assert stopped.value.kind == "timeout"


def test_many_slow_calls_use_up_the_time_of_the_law(run):
    answer = run("time.sleep(0.4)")
    answer.begin()
    with pytest.raises(Stop, match="one law alone took more than 2 s on the clock"):
        [answer(k) for k in range(20)]
    answer.begin()
    answer(99)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("np.zeros(2).view(type('V', (np.ndarray,), {}))", "V"),
        ("np.ma.array([1.0])", "MaskedArray"),
        ("(x for x in args)", "generator"),
        ("lambda: 1", "function"),
        ("np.array([None])", "object"),
        ("type('W', (float,), {})(1.0)", "W"),
        ("np.zeros(10**6)", "7 MiB, at most 256 KiB"),
        ("[0] * 10**6", "values"),
    ],
)
def test_a_bad_return_names_the_type(run, value, name):
    with pytest.raises(BadReturn, match=name):
        run(f"return {value}")(1)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("ValueError('no')", ValueError),
        ("np.linalg.LinAlgError('no')", ValueError),
        ("AssertionError('no')", AssertionError),
        ("type('Own', (KeyError,), {})('no')", KeyError),
        ("UnicodeDecodeError('a', b'', 0, 1, 'no')", ValueError),
        ("KeyboardInterrupt('no')", Exception),
        ("SystemExit()", Exception),
        ("type('Bad', (Exception,), {'__str__': lambda self: 1 / 0})()", Exception),
    ],
)
def test_an_error_comes_as_its_built_in_kind_with_the_students_lines(run, error, kind):
    answer = run(f"raise {error}")
    with pytest.raises(kind) as raised:
        answer(1)
    assert isinstance(raised.value, StudentError)
    assert "line 5, in f" in raised.value.trace
    assert str(answer.submission.path) in raised.value.trace
    assert "grading" not in raised.value.trace
    with pytest.raises(kind):
        answer(1)


def test_numpys_frames_are_left_out_and_the_students_other_files_shown(run, tmp_path):
    (tmp_path / "helper.py").write_text("def g(x):\n    return x[7]\n")
    with pytest.raises(IndexError) as raised:
        run("return g(np.arange(3.0))", "from helper import g")(1)
    assert "helper.py" in raised.value.trace
    with pytest.raises(ValueError) as raised:
        run("return np.linalg.solve(np.zeros((2, 2)), np.ones(2))")(1)
    assert "site-packages" not in raised.value.trace


def test_modules_of_the_student_are_found_in_the_folder_and_in_sections(run, tmp_path):
    section, other = tmp_path / "s1", tmp_path / "s2"
    for folder in (section, other):
        folder.mkdir()
        (folder / "part.py").write_text(f"NAME = '{folder.name}'\n")
    (tmp_path / "secret.py").write_text("NAME = 'secret'\n")
    body = "import part, s2.part\nreturn part.NAME, s2.part.NAME"
    answer = run(body)
    path = section / "answer.py"
    path.write_bytes(answer.submission.path.read_bytes())
    sections = frozenset({"s1", "s2"})
    inside = Answer(Submission(path, "f", sections=sections), answer.nursery)
    assert inside(1) == ("s1", "s2")
    inside.close()
    source = Submission(path, "f", sections=sections).source
    for name in ("secret", "..secret", "s3.part", "tests.secret", "part.part", "", 3, "numpy"):
        assert source(name) is None, name


def test_links_and_pipes_are_no_files_of_the_students(tmp_path):
    (tmp_path / "real.py").write_text("X = 1\n")
    (tmp_path / "link.py").symlink_to(tmp_path / "real.py")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "large.py").write_bytes(b"#" * 300_000)
    strict = Submission(tmp_path / "link.py", "f", strict=True)
    with pytest.raises(OSError, match="link"):
        strict.read()
    assert strict.source("link") is None
    assert strict.source("real") is not None
    assert Submission(tmp_path / "link.py", "f").source("link") is not None
    assert strict.source("pipe") is strict.source("large") is None


@pytest.mark.parametrize("forks", PLAIN.values(), ids=PLAIN)
def test_the_child_knows_nothing_of_the_grader(run, forks, monkeypatch):
    monkeypatch.setenv("REFMARL_SECRET", "hidden")
    nursery = Nursery(0, LIMITS, forks)
    body = (
        "import importlib, json\n"
        "found = []\n"
        "for name in ('refmarl', 'hypothesis', 'scipy', 'pytest', 'site'):\n"
        "    try: found.append(importlib.import_module(name).__name__)\n"
        "    except ImportError: pass\n"
        "open_fds = sorted(map(int, os.listdir('/proc/self/fd')))[:-1]\n"
        "return found, dict(os.environ), sys.path, hash('x'), open_fds, sys.argv, input"
    ).replace(", input", "")
    answer = run(body, nursery=nursery)
    found, env, path, number, fds, argv = answer(1)
    assert found == ["site"]  # a part of the standard library
    assert "hidden" not in env.values()
    assert {k: env[k] for k in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")} == dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"
    )
    assert not any("site-packages" in p or "refmarl" in p for p in path)
    again = run("return hash('x'), np.random.default_rng().random()", nursery=nursery)
    number_again, noise = again(1)
    assert number_again == number
    third = run("return hash('x'), np.random.default_rng().random()", nursery=nursery)
    assert third(1) == (number, noise)  # what should be random is the same for everybody
    assert third(2) != (number, noise)
    assert len(fds) <= 5
    assert not any("refmarl" in word for word in argv)
    for made in (answer, again, third):
        made.close()
    nursery.close()


def test_input_finds_nothing_and_prints_are_kept_but_not_all(run):
    with pytest.raises(Exception, match="EOF"):
        run("return input()")(1)
    answer = run("print('é', args[0]); print('x' * 1000, file=sys.stderr)")
    for k in range(300):
        answer(k)
    answer.close()
    text = answer.printed.decode()
    assert text.startswith("é 0\nxxx")
    assert len(answer.printed) == LIMITS.output_bytes


def test_functions_of_ours_are_called_back_and_may_call_the_answer(run):
    answer = run("return args[1] if args[1] <= 1 else args[1] * args[0](args[1] - 1, extra=1)")

    def again(n, *, extra):
        assert extra == 1
        return answer(again, n)

    assert answer(again, 5) == 120


def test_errors_of_our_functions_come_as_their_kind(run):
    def refuse(x):
        raise KeyError("not this")

    with pytest.raises(KeyError, match="not this"):
        run("return args[0](1)")(refuse)
    body = "try: args[0](1)\nexcept KeyError: return 'caught'"
    assert run(body)(refuse) == "caught"


@pytest.mark.parametrize(
    "body",
    [
        "return [args[0](k) for k in range(20_000)]",
        "return args[0](np.zeros(10**5))",
        "return args[0](k=print)",
        "args[0](1)\nwhile True: pass",
    ],
)
def test_calls_of_our_functions_are_counted_and_bounded(run, body):
    with pytest.raises((Stop, BadReturn)):
        run(body)(lambda x=0, k=0: x)


def test_time_of_our_own_functions_is_not_the_students(run):
    def slow(x):
        time.sleep(0.7)
        return x

    assert run("return args[0](7)")(slow) == 7


STEPS = "np.ones((2, 1)), np.zeros((2, 1)), np.ones((2, 1)), no, no, 0.5, 1.0"


def test_a_candidate_is_the_same_on_both_sides_of_the_border(run):
    answer = run(f"no = np.zeros((2, 1), bool)\nreturn args[0]({STEPS})")
    no = np.zeros((2, 1), bool)
    steps = np.ones((2, 1)), np.zeros((2, 1)), np.ones((2, 1)), no, no, 0.5, 1.0
    for candidate in (Candidate("gae"), Candidate("gae", 4)):
        np.testing.assert_array_equal(answer(candidate), candidate(*steps))


@pytest.mark.parametrize(
    ("call", "kind", "word"),
    [
        ("np.eye(2), np.eye(2), (0, 0), 10**12", Stop, "took too long"),
        ("np.eye(2), np.eye(2), (0, 0), 10**12, extra=3", ValueError, "no answer to these"),
        ("1, 2, 3, 4", StudentError, "."),
    ],
)
def test_a_candidate_called_to_hurt_costs_the_students_time_only(run, call, kind, word):
    answer = run(f"return args[0]({call})")
    with pytest.raises(kind, match=word):
        answer(Candidate("fictitious-play", 1))
    body = "return args[0](np.eye(2), np.eye(2), (0, 0), 2)"
    assert len(run(body)(Candidate("fictitious-play", 1))) == 2


FORGE = """
import gc
def forge(kind, body):
    runtime = next(o for o in gc.get_objects() if type(o).__name__ == "Runtime")
    runtime.channel.send(kind, runtime.nonces[-1], body)
    time.sleep(60)
from grading.border import wire, child
"""


@pytest.mark.parametrize(
    "message",
    [
        "child.VALUE, wire.encode((1, np.zeros(3)))",
        "child.VALUE, wire.encode((1, 0.5))",
        "child.VALUE, wire.encode((1, [[], -1, 'x', 10**300]))",
        "child.VALUE, wire.encode(3)",
        "child.VALUE, b'garbage'",
        "child.RAISED, wire.encode((1, 2, 3, 4))",
        "child.RAISED, wire.encode(([1, 'ValueError'], None, 'x' * 500_000, []))",
        "child.RAISED, wire.encode('x')",
        "child.REFUSED, wire.encode([1])",
        "child.LOADED, wire.encode((True, ['x' * 1000] * 1000))",
        "child.FAULT, wire.encode('x')",
        "child.READY, wire.encode({})",
        "child.BACK, wire.encode((0, (), {1: 2}))",
        "child.BACK, wire.encode((99, (), {}))",
        "child.BACK, wire.encode(7)",
        "77, wire.encode(None)",
        "child.VALUE, bytes(2_000_000)",
    ],
)
def test_no_forged_message_is_more_than_a_wrong_answer(run, message):
    answer = run(f"forge({message})", FORGE)
    try:
        value = answer(1)
    except (Stop, BadReturn, StudentError) as error:
        value = len(str(error)) < 2500
    assert value == 1
    assert all(type(k) is int and k >= 0 for k in answer.changed)


def test_forged_names_are_cut_before_they_are_compared(tmp_path, nursery):
    path = tmp_path / "answer.py"
    path.write_text(
        "import time, numpy as np\n" + FORGE + "forge(child.LOADED, wire.encode("
        "(False, ['g' * 9] * 5_000)))\n"
    )
    answer, began = Answer(Submission(path, "f"), nursery), time.monotonic()
    with pytest.raises(Stop, match="defines no function f"):
        answer.start()
    assert time.monotonic() - began < 2.5


def test_a_reply_in_advance_is_no_answer(run):
    body = (
        "import gc\n"
        "r = next(o for o in gc.get_objects() if type(o).__name__ == 'Runtime')\n"
        "r.channel.send(17, 12345, b'')\nreturn 1"
    )
    answer = run(body)
    with pytest.raises(Stop, match="something else"):
        answer(1)


def _ask_for_ever(answer):
    for n in range(10**6):
        assert answer(n) == sum(range(n))


def test_a_child_killed_at_a_random_moment_is_a_crash_and_nothing_else(run, nursery):
    answer, rng = run("return sum(range(args[0]))"), random.Random(5)
    for _ in range(12):
        child = answer.child or answer.start()
        pid, after = child.life.pid, rng.random() * 0.02
        if os.fork() == 0:
            time.sleep(after)
            os.kill(pid, 9)
            os._exit(0)
        with pytest.raises(Stop) as stopped:
            _ask_for_ever(answer)
        assert stopped.value.kind == "crash"
        os.wait()
        answer.fatal.clear()
    assert answer(10) == 45


def test_an_argument_that_cannot_be_sent_is_our_fault(run):
    with pytest.raises(Stop) as stopped:
        run("return 1")({1, 2})
    assert stopped.value.kind == "harness-error"


def test_a_misspelt_function_is_guessed(tmp_path, nursery):
    path = tmp_path / "answer.py"
    path.write_text("def expcted(): pass\n")
    with pytest.raises(Stop, match="did you mean expected where it says expcted"):
        Answer(Submission(path, "expected"), nursery).start()


def test_equal_calls_are_made_once_unless_asked_again(run):
    answer = run("print(args[0]); args[1][0] += 1; return [args[0]] if args[0] else 1 / 0")
    x = np.zeros(1)
    for _ in range(3):
        assert answer(1, x) == [1]
        assert answer.changed == [1]
        with pytest.raises(ZeroDivisionError):
            answer(0, x)
    assert answer.again(1, x) == [1]
    answer.close()
    assert answer.printed == b"1\n0\n1\n"


def test_calls_with_functions_of_ours_are_always_made(run):
    answer, made = run("return args[0](args[1])"), []
    for _ in range(2):
        assert answer(lambda x: made.append(x) or x, 3) == 3
    assert made == [3, 3]
