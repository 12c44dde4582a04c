"""`halopy verify`: prints the proof that a schedule keeps the answer; its status is 0 only where there is one."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import IllegalSchedule
from ..lang.targets.target import Target
from ..markup import block, page
from ..proof import PROVED, REFUTED, Obligation, Proof
from ..witness import Instance, Witness
from .pipelines import SCHEDULES, Wanted, wanted_pipelines
from .sizes import check_rank, sizes

PURPOSE = "Prove that a schedule keeps the algorithm's answer, or show two iterations for which it does not."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="APP|module:function", help="an app, or a function that makes a pipeline")
    parser.add_argument("--schedule", choices=SCHEDULES, help="that written by hand (of apps, unless told), or another")
    parser.add_argument("--sizes", type=sizes, default=(), metavar="WxH", help="of the output; for all sizes if absent")
    parser.add_argument("--target", dest="machine", metavar="TARGET", help="such as host-opencl; else that of runs")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the proof, with pictures, to this file")
    parser.add_argument("--json", action="store_true", help="print the proof as JSON")


def run(options: argparse.Namespace) -> int:
    """0 where all is proved, 1 where it is not."""
    wanted = wanted_pipelines(options.target, options.schedule, options.sizes)
    machine = None if options.machine is None else Target(options.machine)
    proofs = {each.name: _proof(each, options.sizes, machine) for each in wanted}
    if options.html is not None:
        body = "".join(block(name, proof.to_html()) for name, proof in proofs.items())
        options.html.write_text(page(options.target, body), encoding="utf-8")
    if options.json:
        json.dump({name: _as_data(proof) for name, proof in proofs.items()}, sys.stdout, indent=1)
        sys.stdout.write("\n")
    else:
        sys.stdout.writelines(f"{name}: {proof}\n" for name, proof in proofs.items())
    return 0 if proofs and all(proof.status == PROVED for proof in proofs.values()) else 1


def _proof(wanted: Wanted, known: Sequence[int], machine: Target | None) -> Proof:
    """A directive that is refused already when it is given is what the proof is about."""
    try:
        pipeline = wanted.make()
    except IllegalSchedule as refusal:
        stages = (refusal.witness.source.stage,) if refusal.witness else (wanted.name,)
        return Proof((Obligation("schedule", stages, REFUTED, str(refusal), refusal.witness),))
    check_rank(pipeline, known)
    return pipeline.verify(known or None, target=machine)


def _as_data(proof: Proof) -> Mapping[str, object]:
    return {
        "status": proof.status,
        "seconds": proof.seconds,
        "obligations": [
            {
                "kind": o.kind,
                "stages": list(o.stages),
                "status": o.status,
                "reason": o.reason,
                "seconds": o.seconds,
                "witness": None if o.witness is None else _witness_as_data(o.witness),
            }
            for o in proof.obligations
        ],
    }


def _witness_as_data(witness: Witness) -> Mapping[str, object]:
    return {
        "source": _instance_as_data(witness.source),
        "sink": _instance_as_data(witness.sink),
        "cell": {"func": witness.cell.func, "coordinates": list(witness.cell.coordinates)},
        "parameters": dict(witness.parameters),
    }


def _instance_as_data(instance: Instance) -> Mapping[str, object]:
    return {"stage": instance.stage, "variables": dict(instance.variables)}
