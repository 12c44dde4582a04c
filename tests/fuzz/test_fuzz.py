"""A few dozen random pipelines, and that the fuzzer finds, survives, shrinks and prints what is wrong."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

import halopy as hl

from .case import Case, Definition, Directive, Name, Term
from .outcome import AGREES, CRASHED, HUNG, WRONG, Outcome, outcome
from .random_case import random_case
from .repair import run_repaired
from .shrink import shrink
from .worker import Worker
from .write_program import write_program

X = Term("var", "i32", (), "x")


def times(a: Term, n: int) -> Term:
    return Term("*", "i32", (a, Term("const", "i32", (), n)))


def doubled(*directives: Directive) -> Case:
    """f1(x) = f0(x) * 2, of f0(x) = x * 3."""
    f0 = Definition("f0", ("x",), (times(X, 3),))
    f1 = Definition("f1", ("x",), (times(Term("read", "i32", (X,), ("f0", None)), 2),))
    return Case((), (("p", 1),), (f0, f1), directives, sizes=(7,), mins=(-2,))


@pytest.mark.usefixtures("unvalidated")
def test_random_schedules_of_random_pipelines_compute_what_the_oracle_computes() -> None:
    counts = Counter[str]()
    for seed in range(10, 26):
        case, found = run_repaired(random_case(seed), outcome, random.Random(seed))
        assert not found.is_bug, f"seed {seed}: {found.text}\n{write_program(case)}"
        counts[found.kind] += 1
    assert counts[AGREES] > 12


def test_a_seed_is_always_the_same_case() -> None:
    assert random_case(17) == random_case(17) != random_case(18)


def test_a_wrong_value_is_found_and_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    def realize(func: hl.Func, out: hl.Buffer) -> None:
        func_realize(func, out)
        if out.dim(0).extent() > 2:
            out[0] = 12345

    func_realize = hl.Func.realize
    monkeypatch.setattr(hl.Func, "realize", realize)
    case = doubled(Directive("f0", 0, "compute_root", ()), Directive("f1", 0, "parallel", (Name("var", "x"),)))
    found = outcome(case)
    assert (found.kind, found.text) == (WRONG, "element 0 of f1: at [0] is 12345, should be 0; 1 of 7 differ")
    small = shrink(case, lambda smaller: outcome(smaller).kind == WRONG)
    assert (len(small.funcs), small.directives, small.sizes) == (1, (), (3,))


def test_a_directive_that_is_refused_is_left_out_of_the_program() -> None:
    case = doubled(Directive("f0", 0, "parallel", (Name("var", "q"),)), Directive("f0", 0, "compute_root", ()))
    found = outcome(case)
    assert (found.kind, found.refused) == (AGREES, (0,))


def test_what_is_printed_runs_on_its_own() -> None:
    program = write_program(doubled(Directive("f0", 0, "compute_root", ())))
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    wrong = program.replace("f1.reference", "f0.reference")
    ran = subprocess.run([sys.executable, "-c", wrong], capture_output=True, text=True, check=False)
    assert ran.stdout == "f1 0 [-2] is -12 and should be -6\n"


def _dies(case: Case) -> Outcome:
    os.kill(os.getpid(), signal.SIGSEGV)
    return outcome(case)


def _hangs(case: Case) -> Outcome:
    signal.pause()
    return outcome(case)


def test_a_case_that_crashes_or_hangs_is_told_and_the_next_one_runs() -> None:
    case = doubled()
    with Worker(1, run=_dies) as worker:
        died = worker.run(case)
        assert died.kind == CRASHED and "_dies" in died.text
        worker.work = _hangs
        hung = worker.run(case)
        assert hung.kind == HUNG and "_hangs" in hung.text
        worker.work, worker.seconds = outcome, 600
        assert worker.run(replace(case, sizes=(3,))) == Outcome(AGREES)
