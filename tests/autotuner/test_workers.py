"""Workers: calls in processes that can be killed."""

from __future__ import annotations

from concurrent.futures import Executor

import pytest

from autotuner.workers import Crashed, TimedOut, Workers
from tests.autotuner import jobs


@pytest.fixture(scope="module")
def workers():
    with Workers(1, seconds=60, memory=4 << 30) as made:
        yield made


def test_workers_are_an_executor(workers):
    assert isinstance(workers, Executor)
    assert workers.submit(jobs.add, 1, 2).result() == 3
    assert list(workers.map(jobs.add, (1, 2), (3, 4))) == [4, 6]


@pytest.mark.parametrize(
    ("job", "reason"), [(jobs.crash, "SIGSEGV"), (jobs.eat, "more memory"), (jobs.refuse, "KeyError")]
)
def test_a_call_that_ends_badly_ends_alone(workers, job, reason):
    with pytest.raises(Crashed, match=reason):
        workers.submit(job).result()
    assert workers.submit(jobs.add, 1, 2).result() == 3


def test_a_call_that_does_not_end_is_ended():
    with Workers(1, seconds=0.5) as workers, pytest.raises(TimedOut):
        workers.submit(jobs.hang).result()


def test_calls_find_what_was_prepared_and_nothing_of_each_other():
    with Workers(1, seconds=60, initializer=jobs.keep, initargs=["first"]) as workers:
        assert workers.submit(jobs.keep, "one").result() == ["first", "one"]
        assert workers.submit(jobs.keep, "other").result() == ["first", "other"]


def test_a_preparation_that_fails_fails_the_call():
    failing = Workers(1, seconds=60, initializer=jobs.fail_to_begin)
    with failing as workers, pytest.raises(Crashed, match="no beginning"):
        workers.submit(jobs.add, 1, 2).result()


def test_what_json_does_not_know_is_no_argument(workers):
    with pytest.raises(TypeError):
        workers.submit(jobs.add, object(), 1).result()
    with pytest.raises(TypeError):
        workers.submit(jobs.add, a=1, b=2)
