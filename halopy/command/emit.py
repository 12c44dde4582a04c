"""`halopy emit`: what becomes of a pipeline, as text: C, OpenCL, its loops, or its schedule as Python."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from ..compile import compile_pipeline
from ..lang.display import loop_nest
from ..lang.pipeline import Pipeline
from ..target import Target, host_target, parse_target
from .pipelines import SCHEDULES, wanted_pipelines
from .unusable import Unusable

PURPOSE = "Print what becomes of a pipeline: C, OpenCL, its loops, or its schedule as Python. Nothing is compiled."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="APP|module:function", help="an app, or a function that makes a pipeline")
    parser.add_argument("what", nargs="?", choices=tuple(_TEXTS), default="c", help="what is printed (%(default)s)")
    parser.add_argument("--schedule", choices=SCHEDULES, help="that written by hand (of apps, unless told), or another")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where it is written, instead of printed")


def run(options: argparse.Namespace) -> int:
    """0 where there is such a text."""
    wanted = wanted_pipelines(options.target, options.schedule, ())
    texts = [(each.name, _TEXTS[options.what](each.make())) for each in wanted]
    mark = {"c": "//", "opencl": "//"}.get(options.what, "#")
    whole = "\n".join(text if len(texts) == 1 else f"{mark} {name}\n{text}" for name, text in texts)
    if options.out is None:
        sys.stdout.write(whole)
    else:
        options.out.write_text(whole, encoding="utf-8")
    return 0


def _c(pipeline: Pipeline) -> str:
    return _kernel_text(pipeline, host_target())


def _kernel_text(pipeline: Pipeline, target: Target) -> str:
    now = pipeline.snapshot(target)
    return compile_pipeline(now.program, now.schedules, target).text


def _opencl(pipeline: Pipeline) -> str:
    target = parse_target("host-opencl")
    now = pipeline.snapshot(target)
    kernel = compile_pipeline(now.program, now.schedules, target)
    if kernel.device is None:
        raise Unusable("the schedule gives a device nothing to do: gpu_tile, gpu_blocks and gpu_threads do")
    return kernel.device.text


def _loops(pipeline: Pipeline) -> str:
    return loop_nest(pipeline.snapshot())


def _python(pipeline: Pipeline) -> str:
    return pipeline.schedule.to_python()


_TEXTS: Mapping[str, Callable[[Pipeline], str]] = {"c": _c, "opencl": _opencl, "loops": _loops, "python": _python}
