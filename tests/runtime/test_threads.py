"""Parallel kernels: team size, fork, several callers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from halopy.runtime import RawBuffer, load

from .kernels import team

ROOT = Path(__file__).parents[2]


def team_size() -> int:
    out = np.zeros(256, np.int32)
    load(team()).call([RawBuffer(out)])
    return int(out.sum())


def in_new_process(program: str, **environment: str) -> str:
    """What a program prints on both streams; it may use `team_size`, `load` and `team`."""
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom tests.runtime.test_threads import *\n"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OMP", "HL_", "GOMP"))}
    return subprocess.run(
        [sys.executable, "-c", start + program],
        env=inherited | environment,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    ).stdout


@pytest.mark.parametrize(
    ("environment", "size"),
    [({"HL_NUM_THREADS": "3"}, 3), ({"OMP_NUM_THREADS": "4"}, 4), ({"HL_NUM_THREADS": "1", "OMP_NUM_THREADS": "4"}, 1)],
)
def test_the_environment_sets_the_team_size(environment, size):
    assert in_new_process("print(team_size())", **environment) == f"{size}\n"


@pytest.mark.parametrize("wrong", ["0", "-1", "many", "1.5"])
def test_a_senseless_team_size_counts_as_unset(wrong):
    assert in_new_process("print(team_size())", HL_NUM_THREADS=wrong, OMP_NUM_THREADS="2") == "2\n"


@pytest.mark.parametrize(
    ("environment", "spins"),
    [({}, "10000"), ({"GOMP_SPINCOUNT": "77"}, "77"), ({"OMP_WAIT_POLICY": "active"}, "30000000000")],
)
def test_idle_threads_soon_sleep_unless_the_user_decides(environment, spins):
    output = in_new_process("team_size(); print(dict(os.environ))", OMP_DISPLAY_ENV="verbose", **environment)
    assert f"GOMP_SPINCOUNT = '{spins}'" in output
    assert ("GOMP_SPINCOUNT': " in output) == ("GOMP_SPINCOUNT" in environment)


def test_every_calling_thread_has_a_team_of_that_size():
    program = """
sizes = []
callers = [threading.Thread(target=lambda: sizes.append(team_size())) for _ in range(6)]
for caller in callers: caller.start()
for caller in callers: caller.join()
print(sizes)
"""
    assert in_new_process(program, HL_NUM_THREADS="3") == f"{[3] * 6}\n"


def ends_well(child: int, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


@pytest.mark.parametrize("generations", [1, 2])
def test_a_forked_child_runs_parallel_kernels(generations):
    """OpenMP's threads do not survive a fork, and a child that waits for them would never end."""
    program = f"""
before = team_size()
for generation in range({generations}):
    child = os.fork()
    if child == 0 and generation == {generations} - 1:
        os._exit(0 if team_size() == before else 1)
    if child:
        ok = ends_well(child)
        print(ok, team_size() == before) if generation == 0 else None
        os._exit(sys.stdout.flush() or not ok)
    team_size()
"""
    assert in_new_process(program, OMP_NUM_THREADS="4") == "True True\n"


def test_a_fork_on_another_thread_is_as_good():
    program = """
team_size()
answers = []
def fork():
    child = os.fork()
    if child == 0:
        os._exit(0 if team_size() == 4 and team_size() == 4 else 1)
    answers.append(ends_well(child))
forker = threading.Thread(target=fork)
forker.start(); forker.join()
print(answers, team_size())
"""
    assert in_new_process(program, OMP_NUM_THREADS="4") == "[True] 4\n"


def test_fork_while_another_thread_computes():
    program = """
import itertools
stop = threading.Event()
def compute():
    while not stop.is_set(): team_size()
computing = threading.Thread(target=compute)
computing.start()
good = 0
for _ in range(10):
    child = os.fork()
    if child == 0:
        os._exit(0 if team_size() == 2 else 1)
    good += ends_well(child)
stop.set(); computing.join()
print(good)
"""
    assert in_new_process(program, OMP_NUM_THREADS="2") == "10\n"


def test_callers_in_several_threads_do_not_disturb_each_other():
    out = [np.zeros(256, np.int32) for _ in range(4)]
    loaded = load(team())

    def call(mine: np.ndarray) -> None:
        run = loaded.prepare([RawBuffer(mine)])
        for _ in range(200):
            run()

    callers = [threading.Thread(target=call, args=(mine,)) for mine in out]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len({int(mine.sum()) for mine in out}) == 1
