"""Whatever the data is, reading it gives a pipeline or a SerializationError that says where it is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import halopy as hl

from .corruption import tampered
from .pipelines import FAMILY, x, y


def document(pipeline: hl.Pipeline) -> Any:
    return json.loads(hl.serialize_pipeline(pipeline))


def read(content: Any) -> hl.Pipeline:
    return hl.deserialize_pipeline(json.dumps(content).encode())


def refusal(content: Any) -> str:
    with pytest.raises(hl.SerializationError) as refused:
        read(content)
    return str(refused.value)


@pytest.mark.parametrize("name", FAMILY)
def test_truncated_data_is_refused(name: str) -> None:
    data = hl.serialize_pipeline(FAMILY[name]())
    for end in range(0, len(data) - 3, 97):
        with pytest.raises(hl.SerializationError, match="the data is no pipeline"):
            hl.deserialize_pipeline(data[:end])


@pytest.mark.parametrize("name", FAMILY)
def test_a_changed_value_is_refused_or_gives_another_pipeline(name: str) -> None:
    refused = 0
    for text in tampered(hl.serialize_pipeline(FAMILY[name]()), every=9):
        try:
            hl.deserialize_pipeline(text.encode())
        except hl.SerializationError:
            refused += 1
    assert refused > 50


def test_what_is_read_after_a_change_compiles_or_is_refused() -> None:
    f = hl.Func("f")
    f[x, y] = x * 3 + y
    f[x, hl.RDom([(0, 3)], "r").x] += 1
    f.split(x, hl.Var("xo"), hl.Var("xi"), 4, hl.TailStrategy.GuardWithIf).vectorize(hl.Var("xi"))
    compiled = 0
    for text in tampered(hl.serialize_pipeline(hl.Pipeline(f)), every=2):
        try:
            pipeline = hl.deserialize_pipeline(text.encode())
            compiled += bool(str(pipeline.snapshot()))
        except hl.HalideError:
            pass
    assert compiled > 10


def test_a_message_names_the_file_and_the_place(tmp_path: Path) -> None:
    content = document(FAMILY["stencil"]())
    content["functions"][0]["function"]["definitions"][0]["values"] = [-1]
    path = tmp_path / "p.hlpipe"
    path.write_text(json.dumps(content))
    with pytest.raises(hl.SerializationError) as refused:
        hl.deserialize_pipeline(path)
    assert str(refused.value) == (
        f"`{path}` is no pipeline that can be read, at functions[0].function.definitions[0].values[0]\n"
        "  there is no node -1 before this one"
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is not JSON"),
        (b"\xff\xfe", "it is not"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b'{"a":' * 100_000, "it is nested too deeply"),
        (b"9" * 10_000, "it is not JSON"),
        (b"NaN", "NaN is no number"),
        (b'{"format":"halopy pipeline","version":1,"version":1}', "one key twice"),
        (b'{"format":"other","version":1}', '"halopy pipeline"'),
        (b'{"format":"halopy pipeline","version":99}', "its version is 99, and this halopy reads version 1"),
        (b'{"format":"halopy pipeline","version":1}', "`scalars` is missing"),
    ],
)
def test_what_is_no_document_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(hl.SerializationError) as refused:
        hl.deserialize_pipeline(data)
    assert reason in str(refused.value)


def two() -> hl.Pipeline:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * 7
    g[x, y] += y
    f[x, y] = g[x, y] + g[x + 1, y]
    g.compute_root()
    return hl.Pipeline(f)


def in_place(content: Any, name: str) -> Any:
    return next(f for f in content["functions"] if f["name"] == name)


def node(content: Any, *fields: Any) -> int:
    """A further node at the end."""
    content["nodes"].append(list(fields))
    return len(content["nodes"]) - 1


def cyclic_funcs(content: Any) -> None:
    f = next(n for n, each in enumerate(content["functions"]) if each["name"] == "f")
    zero = node(content, "Const", 0, "int32")
    in_place(content, "g")["function"]["definitions"][0]["values"] = [
        node(content, "FuncAccess", f, [zero, zero], 0, "int32")
    ]


def self_in_the_first_definition(content: Any) -> None:
    g = next(n for n, each in enumerate(content["functions"]) if each["name"] == "g")
    zero = node(content, "Const", 0, "int32")
    in_place(content, "g")["function"]["definitions"][0]["values"] = [
        node(content, "FuncAccess", g, [zero, zero], 0, "int32")
    ]


def forward_node(content: Any) -> None:
    content["nodes"][0] = ["Add", 1, 1]


def lowered_read(content: Any) -> None:
    content["nodes"].append(["Read", "g", [], 0, "int32"])


def lowered_load(content: Any) -> None:
    content["nodes"].append(["Load", "g", 0, "int32", None])


def mixed_types(content: Any) -> None:
    content["nodes"].append(["Add", node(content, "Const", 0, "int32"), node(content, "Const", 0, "uint8")])


def unknown_call(content: Any) -> None:
    node(content, "Call", "system", [node(content, "Const", 0, "int32")], "int32")


def too_large_for_its_type(content: Any) -> None:
    node(content, "Const", 256, "uint8")


def trace_service(content: Any) -> None:
    node(content, "Effect", {"Trace": {"kind": "LOAD", "func": "g"}}, node(content, "Const", 0, "int32"), [], None)


def too_many_lanes(content: Any) -> None:
    node(content, "Broadcast", node(content, "Const", 0, "int32"), 1 << 40)


def wrong_rank(content: Any) -> None:
    access = next(n for n in content["nodes"] if n[0] == "FuncAccess")
    access[2] = access[2][:1]


def unknown_variable(content: Any) -> None:
    in_place(content, "f")["function"]["definitions"][0]["values"] = [node(content, "Var", "z", "int32")]


def a_race(content: Any) -> None:
    """Vectorising what the definition does not allow is refused, whatever the document says."""
    g = next(n for n, each in enumerate(content["functions"]) if each["name"] == "g")
    content["schedules"][g]["stages"][1]["is_order_free"] = True


def unknown_loop(content: Any) -> None:
    split = {"old": "q", "outer": "a", "inner": "b", "factor": node(content, "Const", 4, "int32")}
    content["schedules"][0]["stages"][0]["directives"] = [{"action": {"Split": split}, "text": "f.split(...)"}]


def zero_factor(content: Any) -> None:
    split = {"old": "x", "outer": "a", "inner": "b", "factor": node(content, "Const", 0, "int32")}
    content["schedules"][0]["stages"][0]["directives"] = [{"action": {"Split": split}, "text": "f.split(...)"}]


def factor_that_varies(content: Any) -> None:
    split = {"old": "x", "outer": "a", "inner": "b", "factor": node(content, "Var", "y", "int32")}
    content["schedules"][0]["stages"][0]["directives"] = [{"action": {"Split": split}, "text": "f.split(...)"}]


def unknown_directive(content: Any) -> None:
    content["schedules"][0]["directives"] = [{"action": {"NoChecks": {}}, "text": "f.no_checks()"}]


def bad_place(content: Any) -> None:
    content["schedules"][0]["directives"] = [
        {"action": {"ComputeAt": {"level": {"func": 0, "loop": "x"}}}, "text": "f.compute_at(f, x)"}
    ]


def wrapper_cycle(content: Any) -> None:
    content["wrappers"] = [
        {"of": {"FunctionRef": a}, "consumer": None, "wrapper": b, "text": "in_", "location": ["a.py", 1]}
        for a, b in ((0, 1), (1, 0))
    ]


def no_such_output(content: Any) -> None:
    content["outputs"] = [9]


def requirement_of_another_kind(content: Any) -> None:
    content["requirements"] = [0]


WRONG: dict[str, tuple[Callable[[Any], None], str]] = {
    change.__name__: (change, words)
    for change, words in (
        (cyclic_funcs, "needs itself"),
        (self_in_the_first_definition, "reads the Func itself"),
        (forward_node, "at nodes[0].a"),
        (lowered_read, "begins no expression"),
        (lowered_load, "begins no expression"),
        (mixed_types, "operands are int32 and uint8"),
        (unknown_call, "`system` is no intrinsic"),
        (too_large_for_its_type, "256 does not fit uint8"),
        (trace_service, "a service"),
        (too_many_lanes, "a vector of 1099511627776 times int32"),
        (wrong_rank, "is read with 1 indices"),
        (unknown_variable, "variable `z`"),
        (a_race, "a stage has"),
        (unknown_loop, "has no loop `q`"),
        (zero_factor, "the factor is 0"),
        (factor_that_varies, "changes while the pipeline runs"),
        (unknown_directive, "`NoChecks` is not known here"),
        (bad_place, "no place inside its own loops"),
        (wrapper_cycle, "needs itself"),
        (no_such_output, "there is no function 9"),
        (requirement_of_another_kind, "a requirement fails with a message"),
    )
}


@pytest.mark.parametrize("name", WRONG)
def test_what_the_language_would_not_accept_is_refused(name: str) -> None:
    change, words = WRONG[name]
    content = document(two())
    read(content)
    change(content)
    assert words in refusal(content)


def test_a_directive_that_would_race_is_refused_when_it_is_read() -> None:
    f = hl.Func("f")
    f[x] = 0
    r = hl.RDom([(0, 8)], "r")
    f[r.x / 2] = f[r.x / 2] * 2 + r.x
    content = document(hl.Pipeline(f))
    mark = {"SetKind": {"loop": "r$x", "kind": "PARALLEL"}}
    content["schedules"][0]["stages"][1]["directives"] = [{"action": mark, "text": "f.update(0).parallel(r.x)"}]
    assert "may run at the same time" in refusal(content)


def test_what_atomic_knows_of_an_update_is_found_out_again() -> None:
    f, r = hl.Func("f"), hl.RDom([(0, 8)], "r")
    f[x] = 0
    f[r.x / 2] = f[r.x / 2] * 2 + r.x
    content = document(hl.Pipeline(f))
    facts = {
        "override_associativity_test": False,
        "is_associative": True,
        "is_commutative": True,
        "reads_others": False,
    }
    rows = [{"Atomic": facts}, {"SetKind": {"loop": "r$x", "kind": "PARALLEL"}}]
    content["schedules"][0]["stages"][1]["directives"] = [{"action": row, "text": "f.update(0)..."} for row in rows]
    assert "associative" in refusal(content)


def test_names_and_texts_of_a_document_cannot_become_code() -> None:
    evil = '*/ int evil(void); /* ??/\n#include "evil.h"\n"); }'
    f = hl.Func(evil)
    v = hl.Var(evil)
    f[v] = v + 1
    content = document(hl.Pipeline(f))
    text = {"Split": {"old": evil, "outer": "a", "inner": "b", "factor": node(content, "Const", 4, "int32")}}
    content["schedules"][0]["stages"][0]["directives"] = [{"action": text, "text": evil, "location": [evil, 1]}]
    assert list(read(content).realize([8])) == list(range(1, 9))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are made by mkfifo")
def test_a_location_does_not_make_a_warning_open_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.py"
    os.mkfifo(pipe)  # whoever opens it waits for ever
    f = hl.Func("f")
    f[x] = 0
    f[x] += x
    f.unroll(x, 2)
    content = document(hl.Pipeline(f))
    content = json.loads(json.dumps(content).replace(json.dumps(__file__)[1:-1], str(pipe)))
    for function in content["functions"]:
        for definition in function["function"]["definitions"]:
            definition["location"] = [str(pipe), 1]
    (tmp_path / "p").write_text(json.dumps(content))
    program = f"import halopy as hl; hl.deserialize_pipeline({str(tmp_path / 'p')!r}).compile_jit()"
    done = subprocess.run(  # noqa: PLW1510  # the return code is looked at below
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[3]
    )
    assert done.returncode == 0, done.stderr
    assert f"<{pipe}>:1: UserWarning" in done.stderr
