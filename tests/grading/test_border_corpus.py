"""The cases: the same wherever they are drawn, others with a secret, all of them different."""

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import strategies as st

import refmarl
from refmarl.grading.border import wire
from refmarl.grading.border.corpus import draw, seed_of
from refmarl.grading.catalogue import exercises, folder, spec

LABELS = ("best-response", "gae", "social-welfare")
DIGEST = """
import sys
from hashlib import sha256
from refmarl.grading.border import wire
from refmarl.grading.border.corpus import draw, seed_of
from refmarl.grading.catalogue import spec
for label in sys.argv[1:]:
    cases = draw(spec(label).cases, seed_of(label, None), 40)
    print(sha256(b"".join(wire.encode(tuple(c)) for c in cases)).hexdigest())
"""


def digest(cases):
    return sha256(b"".join(wire.encode(tuple(case)) for case in cases)).hexdigest()


def here(label, secret=None, examples=40):
    return draw(spec(label).cases, seed_of(label, secret), examples)


def test_the_cases_are_the_same_in_a_fresh_process_and_in_an_installed_copy(tmp_path):
    installed = tmp_path / "site-packages"
    shutil.copytree(Path(refmarl.__file__).parent, installed / "refmarl")
    for kind in ("exercises", "solutions", "docs"):
        (installed / "refmarl" / f"_{kind}").symlink_to(folder(kind))
    local = tmp_path / "constants.py"
    local.write_text("X = [7, 1234567, 0.123456789, 'constant']\n")
    elsewhere = f"import sys; sys.path.insert(0, {str(installed)!r})\n"
    crowded = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import constants\n"
    wanted = [digest(here(label)) for label in LABELS]
    for head in ("", crowded, elsewhere):
        told = subprocess.run(
            [sys.executable, "-c", head + DIGEST, *LABELS],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"REFMARL_JIT": "0"},
            check=True,
        )
        assert told.stdout.split() == wanted, head
    assert not (tmp_path / ".hypothesis").exists()


@pytest.mark.parametrize("label", LABELS)
def test_a_secret_changes_the_cases_and_nothing_else_does(label):
    public = digest(here(label))
    assert digest(here(label)) == public
    first, again, second = (digest(here(label, s)) for s in (b"one", b"one", b"two"))
    assert first == again
    assert len({public, first, second}) == 3
    assert len({seed_of(e, b"one") for e in exercises()}) == len(exercises())


@pytest.mark.parametrize("label", LABELS)
def test_no_case_comes_twice_and_fewer_are_a_part_of_more(label):
    cases = here(label, examples=60)
    keys = [wire.encode(tuple(case)) for case in cases]
    assert len(set(keys)) == len(keys) == len(cases.origins) == 60
    assert [wire.encode(tuple(c)) for c in here(label, examples=20)] == keys[:20]
    assert wire.encode(tuple(here(label, examples=1)[0])) == keys[0]


def test_where_there_are_few_cases_all_are_drawn_once():
    cases = draw(st.tuples(st.integers(0, 2)), 0, 60)
    assert sorted(cases) == [(0,), (1,), (2,)]
