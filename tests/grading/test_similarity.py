"""Likeness does not see names, comments and order, and sees every long enough shared passage."""

import ast
import io
import itertools
import json
import keyword
import subprocess
import tokenize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmarl.check import InputError
from refmarl.grading import similarity
from refmarl.grading.catalogue import exercises
from refmarl.grading.fingerprints import K, W, fingerprints, winnow
from refmarl.grading.sandbox import plan

SOLUTIONS = {k: e.solution.read_bytes() for k, e in exercises().items()}
LABELS = sorted(SOLUTIONS)
LONGEST = max(LABELS, key=lambda label: len(SOLUTIONS[label]))


def renamed(source, stem):
    """The same program with each own name replaced by another."""
    tree = ast.parse(source)
    own = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    own |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    new = {name: f"{stem}{k}" for k, name in enumerate(sorted(own))}
    out = []
    for item in tokenize.tokenize(io.BytesIO(source).readline):
        dotted = bool(out) and out[-1][1] == "."
        known = item.type == tokenize.NAME and not dotted
        out.append((item.type, new.get(item.string, item.string) if known else item.string))
    return tokenize.untokenize(out)


@pytest.mark.parametrize("label", LABELS)
def test_new_names_change_nothing(label):
    source = SOLUTIONS[label]
    assert fingerprints(renamed(source, "quux")) == fingerprints(source)


@pytest.mark.parametrize("label", LABELS)
def test_comments_docstrings_blank_lines_and_numbers_change_nothing(label):
    source = SOLUTIONS[label].decode()
    other = "# mine\n" + source.replace("\n    return", "\n\n    # well\n    return")
    other = other.replace('"""', '"""I wrote this myself. ', 1).replace("1e-9", "1e-8")
    assert fingerprints(other.encode()) == fingerprints(source.encode())


@given(st.permutations(range(4)))
def test_the_order_of_functions_changes_nothing(order):
    texts = [
        "def f(a, b):\n    return [a * k + b for k in range(len(a))]\n\n",
        "def g(x):\n    while x > 1:\n        x = x / 2 if x % 2 else 3 * x\n    return x\n\n",
        "class P:\n    def go(self):\n        return self.x.sum() + np.zeros(3).max()\n\n",
        "@cache\ndef h(n):\n    if n < 2:\n        return n\n    return h(n - 1) + h(n - 2)\n\n",
    ]
    head = "import numpy as np\n\n"
    plain, mixed = (head + "".join(texts[k] for k in ks) for ks in (range(4), order))
    assert fingerprints(plain.encode()) == fingerprints(mixed.encode())


WORDS = st.sampled_from(["if", "for", "+", "-", "*", "len", "sum", "(", ")", "[", "]", "return"])


@given(
    st.lists(WORDS, max_size=30),
    st.lists(WORDS, max_size=30),
    st.lists(WORDS, max_size=30),
    st.lists(WORDS, min_size=K + W - 1, max_size=40),
)
def test_whoever_shares_k_plus_w_minus_1_tokens_shares_a_fingerprint(a, b, c, shared):
    (one, every), (two, _) = winnow(a + shared + b), winnow(c + shared)
    assert one & two
    assert one <= every


def test_a_broken_file_counts_up_to_where_it_breaks():
    whole = SOLUTIONS["gae"] + b"\n\n"
    kept = set(fingerprints(whole)[0])
    assert kept <= set(fingerprints(whole + b"def f(:\n  x = (\n 'never closed")[0])
    for junk in (b"", b"\xff\xfe", b"'''", b"(" * 3000, b"\x00", b"if x:\nreturn"):
        fingerprints(junk)


# -- in the child -------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0, 1])
def test_the_child_reads_what_we_would_read(level):
    try:
        plan(level)
        found = similarity.read({"gae": SOLUTIONS["gae"], "empty": b""}, level)
    except InputError as error:
        pytest.skip(str(error))
    assert found["gae"] == fingerprints(SOLUTIONS["gae"])
    assert found["empty"] == ([], [])


def test_a_child_that_dies_hangs_or_lies_is_no_comparison(monkeypatch):
    for answer in (b"", b"[" * 100_000, b'{"gae": 1}', b"[1]", b'{"gae": [["x"], []]}'):
        done = subprocess.CompletedProcess([], -9, stdout=answer)
        monkeypatch.setattr(similarity.subprocess, "run", lambda *a, done=done, **k: done)
        assert similarity.read({"gae": b"x"}, 0) == {}

    def late(*args, **kwargs):
        raise subprocess.TimeoutExpired("child", 1)

    monkeypatch.setattr(similarity.subprocess, "run", late)
    assert similarity.read({"gae": b"x"}, 0) == {}


# -- pairs --------------------------------------------------------------------------------------


def prints(*numbers):
    return {"gae": frozenset(numbers)}


def test_likeness_is_symmetric_within_bounds_and_one_for_equals():
    everyone = [prints(*range(k, k + 20)) for k in range(0, 50, 7)]
    found = similarity.pairs([*everyone, everyone[0]])
    assert all(0.0 < pair.likeness <= 1.0 and pair.one < pair.two for pair in found)
    assert (found[0].one, found[0].two, found[0].likeness) == (0, len(everyone), 1.0)
    back = similarity.pairs([everyone[0], *everyone[::-1]])
    assert [(p.likeness, p.shared) for p in back] == [(p.likeness, p.shared) for p in found]


def test_what_many_wrote_is_no_likeness():
    everyone = [prints(*range(100), 1000 + k) for k in range(20)]
    assert similarity.pairs(everyone) == []


def test_a_pair_that_copied_is_found_among_others_and_the_report_names_it():
    own = [prints(*range(100 * k, 100 * k + 30)) for k in range(10)]
    own[3] = prints(*range(700, 728), 1, 2)
    (pair, *rest) = similarity.pairs(own)
    assert (pair.one, pair.two, pair.shared) == (3, 7, 28)
    assert similarity.flagged(pair)
    assert not any(map(similarity.flagged, rest))
    text = similarity.report([f"s*{k}" for k in range(10)], [pair], [0.5] * 10)
    assert "| **93%** | 28 | s\\*3 | 50% | s\\*7 | 50% | `gae` |" in text


def test_the_stub_is_no_likeness_and_the_solution_is_published():
    some = dict(itertools.islice(exercises().items(), 4)) | {LONGEST: exercises()[LONGEST]}
    stencil = similarity.Stencil.of(some, 0)
    stubs = stencil.prints({k: e.stub().encode() for k, e in some.items()}, 0)
    assert stubs == {k: frozenset() for k in some}
    own = stencil.prints({LONGEST: renamed(SOLUTIONS[LONGEST], "my")}, 0)
    assert stencil.published(own) == 1.0
    assert stencil.published(stubs) == 0.0
    assert len(own[LONGEST]) >= similarity.ENOUGH


def test_no_word_of_a_program_is_a_students_own_name():
    assert all(keyword.iskeyword(w) for w in ("if", "return"))
    assert json.dumps(fingerprints(b"x = y + z(1)")) == json.dumps(fingerprints(b"a = b + c(2)"))
    assert fingerprints(b"x = np.sum(a)") != fingerprints(b"x = np.prod(a)")
