"""`halopy tune`: search for a schedule that is fast on this machine, and write it to a file.

halopy tune blur16 --trials 100        0: a schedule was written    1: nothing could be measured
halopy tune my.module:make --time 600  2: what is typed cannot be done, said in one line
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import halopy as hl
from autotuner import trial
from autotuner.display import Display, as_data
from autotuner.machine import algorithm, compiler, machine
from autotuner.records import Records, StudyKey, Trial
from autotuner.report import report
from autotuner.search import Search
from autotuner.space import Space
from autotuner.subject import Size, Subject, Unusable, check_size, subjects
from autotuner.tune import Limits, Progress, Tuning
from autotuner.tuned import default_path, write_tuned
from autotuner.workers import Failed, Workers

PURPOSE = "Search for a schedule that is fast on this machine, by measuring many, and write it to a file."
UNMEASURED, UNUSABLE, INTERRUPTED = 1, 2, 130
_TRIALS = 100
_ELSEWHERE = 4  # candidates that were best elsewhere, to begin with
_PREPARING = 900.0  # seconds that the oracle may take


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `halopy tune` understands."""
    parser.add_argument("target", metavar="APP|module:function", help="an app, or a function that makes a pipeline")
    parser.add_argument("--target", dest="device", choices=("host",), default="host", help="what it is tuned for")
    parser.add_argument("--trials", type=_count, metavar="N", help=f"to do in all, earlier runs included ({_TRIALS})")
    parser.add_argument("--time", type=_seconds, metavar="S", help="seconds to search for, at most")
    parser.add_argument("--jobs", type=_count, default=os.cpu_count() or 1, metavar="N", help="compile so many at once")
    parser.add_argument("--sizes", type=_sizes, metavar="WxH,...", help="of the output; one schedule for all of them")
    parser.add_argument("--limit", type=_seconds, default=60.0, metavar="S", help="seconds for a trial (%(default)g)")
    parser.add_argument("--memory", type=_seconds, default=0.0, metavar="GB", help="for a trial; most of what there is")
    parser.add_argument("--db", type=Path, metavar="FILE", help="where trials are recorded")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the schedule is written")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--resume", action="store_true", help="go on with what is recorded (so it is without this, too)")
    how.add_argument("--fresh", action="store_true", help="begin anew; earlier records are kept, and not looked at")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another one searches another way")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write what is recorded as a page; nothing is tried"
    )
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")


def run(options: argparse.Namespace) -> int:
    """The status of the program."""
    try:
        found = subjects(options.target)
        if (options.out is not None or options.report is not None) and len(found) > 1:
            names = ", ".join(each.name for each in found)
            raise Unusable(f"--out and --report are for one of {names}; name that one instead of {options.target}")
        return max(_tuned(options, each) for each in found)
    except (Unusable, hl.HalideError, OSError) as mistake:
        sys.stderr.write(f"halopy tune: {' '.join(str(mistake).split())}\n")
        return UNUSABLE
    except KeyboardInterrupt:
        return INTERRUPTED


def _tuned(options: argparse.Namespace, subject: Subject) -> int:
    sizes = list(options.sizes or subject.sizes)
    out = options.out or default_path(subject.name)
    _check_writable(out)
    key = StudyKey(
        subject.name,
        options.device,
        ",".join("x".join(map(str, size)) for size in sizes),
        algorithm(lambda: subject.build(sizes[0]).pipeline),
        machine(),
        compiler(),
    )
    records = Records(options.db or _default_records())
    try:
        number = records.study(key, fresh=options.fresh)
        if options.report is not None:
            return _reported(options.report, subject, sizes, key, records.finished(number))
        with tempfile.TemporaryDirectory(prefix="halopy-tune-") as folder:
            return _searched(options, subject, sizes, key, records, number, Path(folder), out)
    finally:
        records.close()


def _searched(
    options: argparse.Namespace,
    subject: Subject,
    sizes: Sequence[Size],
    key: StudyKey,
    records: Records,
    number: int,
    folder: Path,
    out: Path,
) -> int:
    display = Display(subject.name, quiet=options.json)
    study: dict[str, Any] = {"subject": subject.name, "sizes": [list(s) for s in sizes], "folder": str(folder)}
    study["lock"] = str(_lock_path())
    memory = int(options.memory * 1e9) or _most_memory()
    display.say("preparing inputs, and what the result must be")
    try:
        with Workers(1, seconds=_PREPARING) as preparing:
            study |= preparing.submit(trial.prepare, study).result()
    except Failed as failure:
        raise Unusable(f"{subject.name} cannot be prepared: {failure}") from None
    space = Space(subject.build, check_size(subject, sizes[0]), widens=study["widens"])
    known = [{"given": name} for name in subject.build(sizes[0]).given]
    elsewhere = [] if options.fresh else records.elsewhere(number, key, _ELSEWHERE)
    search = Search(space, [*known, *(c for c in elsewhere if c not in known)], options.seed)
    limits = Limits(options.trials or (None if options.time else _TRIALS), options.time, options.jobs)
    workers = {"seconds": options.limit, "memory": memory, "initializer": trial.open_study, "initargs": [study]}
    compiling, measuring = Workers(options.jobs, **workers), Workers(1, **workers)
    tuning = Tuning(study, number, records, search, compiling, measuring, limits, display.show)
    interrupted = False
    try:
        tuning.run()
    except KeyboardInterrupt:
        interrupted = True
    finally:
        for pool in (compiling, measuring):
            pool.shutdown(wait=False, cancel_futures=True)
    progress = tuning.progress
    progress.update(records.finished(number))
    return _concluded(options, key, progress, display, out) if not interrupted else _kept(key, progress, display, out)


def _reported(path: Path, subject: Subject, sizes: Sequence[Size], key: StudyKey, finished: Sequence[Trial]) -> int:
    progress = Progress(Limits(), 0.0)
    progress.update(finished)
    shown = [t.number for t in (progress.best, progress.baseline) if t is not None]
    path.write_text(report(key, progress, {number: subject.build(sizes[0]) for number in shown}), encoding="utf-8")
    print(f"{subject.name}: wrote {path}")
    return 0 if shown else UNMEASURED


def _concluded(options: argparse.Namespace, key: StudyKey, progress: Progress, display: Display, out: Path) -> int:
    written = _write(key, progress, out)
    if options.json:
        display.print_data(as_data(key, progress, written))
    else:
        display.conclude(progress, written)
    return 0 if written else UNMEASURED


def _kept(key: StudyKey, progress: Progress, display: Display, out: Path) -> int:
    """After Ctrl-C."""
    display.conclude(progress, _write(key, progress, out))
    return INTERRUPTED


def _write(key: StudyKey, progress: Progress, out: Path) -> Path | None:
    """The file with the best schedule, where one was measured."""
    if progress.best is None or progress.best.schedule is None:
        return None
    write_tuned(out, key, progress)
    return out


# -- what is typed -----------------------------------------------------------------------------------------------------


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of at least 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return value


def _sizes(text: str) -> list[Size]:
    found = []
    for each in text.split(","):
        parts = each.split("x")
        if not all(part.isascii() and part.isdecimal() and len(part) < 8 and int(part) > 0 for part in parts):
            raise argparse.ArgumentTypeError(f"{each!r} is no WIDTHxHEIGHT")
        found.append(tuple(map(int, parts)))
    return found


def _check_writable(path: Path) -> None:
    if path.is_dir() or not os.access(path.parent if path.parent.exists() else Path(), os.W_OK):
        raise Unusable(f"{path} cannot be written")


def _default_records() -> Path:
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "halopy" / "tuning.sqlite"


def _lock_path() -> Path:
    """Whoever measures on this machine holds it."""
    return Path(tempfile.gettempdir()) / f"halopy-tune-{os.getuid()}.lock"


def _most_memory() -> int:
    """Three quarters of the machine's."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4
