"""Calls into another process: values, errors, hangs, crashes."""

import os
import threading
from collections import Counter
from functools import partial

import pytest

from refmarl.bench.worker import THREADS, Failed, OverLimit, Worker, one_thread


@pytest.fixture
def worker():
    made = []

    def make(factory):
        made.append(Worker(factory))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_call_returns_its_value_and_the_object_stays(worker):
    counter = worker(partial(Counter, "aab"))
    assert counter.call(60, "total") == 3
    counter.call(60, "update", "bbb")
    assert counter.call(60, "most_common", 1) == [("b", 4)]


def test_an_error_is_one_line_and_the_object_stays(worker):
    counter = worker(partial(Counter, "aab"))
    with pytest.raises(Failed, match=r"AttributeError: .*no_such"):
        counter.call(60, "no_such")
    assert counter.call(60, "total") == 3


def test_what_cannot_even_be_made_is_told(worker):
    with pytest.raises(Failed, match=r"ValueError: .*'x'"):
        worker(partial(int, "x")).call(60, "bit_length")


def test_a_hanging_call_is_stopped_and_the_next_one_starts_afresh(worker):
    event = worker(threading.Event)
    assert event.call(60, "is_set") is False
    process = event._process
    with pytest.raises(OverLimit, match=r"no answer within 0\.2 s"):
        event.call(0.2, "wait", 3600)
    assert not process.is_alive()
    event.call(60, "set")
    assert event.call(60, "is_set") is True


def test_a_process_that_ends_is_told(worker):
    with pytest.raises(Failed, match="its process ended"):
        worker(partial(os._exit, 3)).call(60, "anything")


def test_children_use_one_thread_and_we_keep_ours(worker, monkeypatch):
    monkeypatch.setenv(THREADS[0], "5")
    monkeypatch.delenv(THREADS[1], raising=False)
    with one_thread():
        assert all(os.environ[name] == "1" for name in THREADS)
    assert os.environ[THREADS[0]] == "5"
    assert THREADS[1] not in os.environ


def test_what_a_child_prints_goes_nowhere(worker, capfd):
    worker(partial(os.popen, "echo noise >&1")).call(60, "read")
    worker(partial(os.write, 1, b"more noise\n")).call(60, "bit_length")
    assert capfd.readouterr().out == ""
