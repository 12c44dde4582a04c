"""How fast the apps are, beside other systems, in one run.

    python -m apps.bench [APP...] --against halide,opencv,numpy,numba --json bench.json

Each system runs in a worker process of its own. Workers are driven in turn, one call each, round after round, so that
whatever else the machine does meets all of them alike. A result that differs from NumPy's is not timed.
`halide` stands for the strongest schedule known for Halide; `halide/hand` has halopy's schedule, `halide/app` that of
Halide's own app, `halide/Adams2019` (Li2018, Mullapudi2016) what its autoscheduler finds,
`halopy/auto` what halopy's does.

With --target opencl, `halopy` and `halide` have the schedule for OpenCL devices, both on one device (PoCL, if there
is no other), and `kernels` are such as one writes by hand, run by pyopencl. Inputs and outputs stay on the device.

Columns: `scratch` is how far the resident size rises during a call, `peak` the most that was resident in a worker, with
inputs, output, libraries and compiler. The bound is what moving the bytes of inputs and output takes, or arithmetic.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import ExitStack
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any

from apps import compile_time, growth, proof_cost, report, summary
from apps.cases import APPS, CACHED, Case, Size, cases_of
from apps.report import Cold, Measured
from apps.rivals.compiled import AUTOMATIC, AUTOSCHEDULERS, is_for_device
from apps.rivals.driver import Driver, Failed, driving

WARM_UPS, ROUNDS, STARTS = 3, 15, 3
LEAST_SECONDS = 0.004  # a shorter call is repeated within its turn
PAUSE = 0.01  # between turns, until the threads of the last system sleep
TINY, TINY_CALLS = Size(16, 16), 2000
AGAINST = "halide,halide/hand,halide/app,halide/Adams2019,halide/Mullapudi2016,halide/Li2018,opencv,numpy,numba"
AGAINST += ",scipy,skimage,halopy/auto"
AGAINST += ",steps,halide-steps"  # one pipeline per step in time
AGAINST_ON_DEVICE = "halide,halide/opencl_app,kernels"
FULL_NAMES = {
    "host": {"halopy": "halopy/hand", "halide": "halide/halide"},
    "opencl": {"halopy": "halopy/opencl", "halide": "halide/opencl"},
}
GROWTH_AGAINST, GROWTH_ROUNDS = ["halide"], 5


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    found: dict[str, Any] = {"machine": report.machine(), "command": report.command(arguments)}
    print(f"{found['machine']}\n`{found['command']}`\n")
    if options.proof:
        found["proof"] = proof_cost.measure(proof_cost.names())
        print(proof_cost.table(found["proof"]))
    elif options.compile_time:
        found["compile"] = compile_time.measure()
        print(compile_time.table(found["compile"]))
        found["passes"] = compile_time.passes(compile_time.STAGES[-1])
        print(found["passes"])
    elif options.growth:
        measure_growth(options, found)
    else:
        measure_apps(options, found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m apps.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument(
        "apps", nargs="*", default=list(APPS), metavar="APP", help=f"of: {', '.join(APPS)}; all unless told"
    )
    made.add_argument("--target", choices=tuple(FULL_NAMES), default="host", help="what runs the apps (%(default)s)")
    made.add_argument("--against", help=f"systems, separated by commas ({AGAINST}; for opencl {AGAINST_ON_DEVICE})")
    made.add_argument("--subject", default="halopy", help=argparse.SUPPRESS)
    made.add_argument("--rounds", type=int, default=ROUNDS, help="timed turns of each system (%(default)s)")
    made.add_argument(
        "--threads", type=int, default=2, help="for every system (%(default)s); the largest size also with 1"
    )
    made.add_argument("--size", action="append", type=_size, help="WIDTHxHEIGHT instead of the usual ones; repeatable")
    made.add_argument(
        "--summary", action="store_true", help="each at one size, and first calls of the two that are compared"
    )
    made.add_argument("--no-cold", action="store_true", help="leave out first calls and the overhead of a call")
    made.add_argument("--compile-time", action="store_true", help="measure compiling long chains of stencils instead")
    made.add_argument("--proof", action="store_true", help="measure proving each app's schedule, beside lowering it")
    made.add_argument(
        "--growth", action="store_true", help="measure 1 to 64 megapixels, 1 thread and all, and channels instead"
    )
    made.add_argument("--json", type=Path, help="write every number to this file")
    return made


def _size(text: str) -> Size:
    width, height = text.split("x")
    return Size(int(width), int(height))


def measure_apps(options: argparse.Namespace, found: dict[str, Any]) -> None:
    found["steady"], found["cold"] = [], []
    for_summary: list[list[Measured]] = []
    all_starts: list[list[Cold]] = []
    against = options.against or (AGAINST if options.target == "host" else AGAINST_ON_DEVICE)
    for case in (case for app in options.apps for case in cases_of(app)):
        names = systems(case, [options.subject, *against.split(",")], options.target)
        if not names:
            continue
        for number, (size, threads) in enumerate(configurations(case, options)):
            measured = steady(case, size, threads, names, options.rounds)
            if number == 0:
                for_summary.append(measured)
            found["steady"] += [entry.as_json() for entry in measured]
            print(report.steady_table(case, measured), flush=True)
        if not options.no_cold:
            compared = summary.compared(for_summary[-1]) if options.summary else names
            starts = [cold(case, name, options.threads) for name in compared]
            found["cold"] += [entry.as_json() for entry in starts]
            all_starts.append(starts)
            print(report.cold_table(case, starts), flush=True)
    print(summary.table(for_summary, all_starts), flush=True)


def measure_growth(options: argparse.Namespace, found: dict[str, Any]) -> None:
    found["growth"] = []
    for case in (case for app in options.apps for case in cases_of(app)):
        names = systems(case, [options.subject, *GROWTH_AGAINST])
        measured = [
            steady(case, size, threads, names, GROWTH_ROUNDS)
            for size in case.growing
            for threads in sorted({1, options.threads})
        ]
        found["growth"] += [entry.as_json() for entries in measured for entry in entries]
        if measured:
            print(growth.table(case, measured), flush=True)


def systems(case: Case, names: Sequence[str], target: str = "host") -> list[str]:
    """The systems by their full names, of which the case has a way; `halopy` has its hand-written schedule."""
    full = FULL_NAMES[target]
    named = dict.fromkeys(full.get(name, name) for name in names)
    automatic = [f"halopy/{AUTOMATIC}"] if "halide" in case.engines else []  # it is compared with Halide's
    ways = {
        *case.rivals,
        *(f"{engine}/{schedule}" for engine in case.engines for schedule in (*case.schedules, *AUTOSCHEDULERS)),
        *automatic,
    }
    return [name for name in named if name in ways]


def configurations(case: Case, options: argparse.Namespace) -> list[tuple[Size, int]]:
    largest = case.sizes[0]
    if options.summary:
        return [(largest, options.threads)]
    sizes = options.size or case.sizes
    also_alone = [(largest, 1)] if largest in sizes and options.threads > 1 else []
    return [*((size, options.threads) for size in sizes), *also_alone]


def steady(case: Case, size: Size, threads: int, names: Sequence[str], rounds: int) -> list[Measured]:
    """Every system once per round, in turn."""
    with ExitStack() as stack:
        drivers: list[Driver] = []
        measured: list[Measured] = []
        for name in ["bound", *names]:
            entry = Measured(case.name, str(size), threads, name)
            measured.append(entry)
            driver = stack.enter_context(driving(name, threads))
            try:
                entry.facts = driver.prepare(case, size, threads) | driver.ask("check")
                if not entry.facts["difference"] <= entry.facts["allowed"]:
                    raise Failed(f"{name}: wrong by {entry.facts['difference']}")
                drivers.append(driver)
            except Failed as failed:
                if name == "bound":
                    raise
                entry.failure = str(failed)
        running = [entry for entry in measured if not entry.failure]
        calls = [_calls_per_turn(driver) for driver in drivers]
        for _ in range(rounds):
            for driver, entry, count in zip(drivers, running, calls, strict=True):
                entry.seconds.append(driver.ask("run", calls=count)["seconds"])
                sleep(PAUSE)
    return measured


def _calls_per_turn(driver: Driver) -> int:
    seconds = min(driver.ask("run", calls=1)["seconds"] for _ in range(WARM_UPS))
    return max(1, ceil(LEAST_SECONDS / seconds))


def cold(case: Case, name: str, threads: int) -> Cold:
    """First calls in new processes, with an empty cache and then with what the first one left there; a tiny call."""
    entry = Cold(case.name, name)
    try:
        for _ in range(STARTS):
            with TemporaryDirectory(prefix="halopy-bench-") as folder:
                settings = {"HALOPY_CACHE_DIR": folder, "NUMBA_CACHE_DIR": folder}
                for starts in (entry.first, entry.cached):
                    with driving(name, threads, settings) as driver:
                        facts = driver.prepare(case, CACHED, threads)
                        starts.append((facts["import"], facts["first"]))
        engine, _, schedule = name.partition("/")
        has_tiny = schedule in case.schedules and not is_for_device(schedule)
        tiny = f"{engine}/{case.tiny_schedule}" if has_tiny else name
        with driving(tiny, threads) as driver:
            driver.prepare(case, TINY, threads)
            for _ in range(WARM_UPS + ROUNDS):
                entry.tiny.append(driver.ask("run", calls=TINY_CALLS)["seconds"])
            del entry.tiny[:WARM_UPS]
    except Failed as failed:
        entry.failure = str(failed)
    return entry


if __name__ == "__main__":
    main()
