"""A pipeline that was written and read is the same pipeline: same document, same C text, same answers."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import halopy as hl
from halopy.ir import expr as ir
from halopy.ir.function import Function
from halopy.lang.func_contents import FuncContents
from halopy.lang.image_ref import ImageParamRef
from halopy.lang.param_ref import ParamRef
from halopy.lang.serialization.directives import OF_FUNCS, OF_STAGES
from halopy.lang.serialization.fields import codec
from halopy.lang.serialization.nodes import CLASSES, read_node, write_nodes

from ...ir.random_expressions import random_expr
from .pipelines import FAMILY, PICTURE, factored, sizes_of, text_of, x, y


def again(pipeline: hl.Pipeline, **params: hl.Parameter) -> hl.Pipeline:
    return hl.deserialize_pipeline(hl.serialize_pipeline(pipeline), params)


@pytest.mark.parametrize("name", FAMILY)
def test_reading_gives_what_was_written(name: str) -> None:
    pipeline = FAMILY[name]()
    read = again(pipeline)
    assert hl.serialize_pipeline(read) == hl.serialize_pipeline(pipeline)
    assert text_of(read) == text_of(pipeline)


@pytest.mark.parametrize("build", [*FAMILY.values(), factored], ids=lambda f: f.__name__)
def test_what_was_read_computes_the_same(build: Callable[[], hl.Pipeline]) -> None:
    pipeline = build()
    params = {"image": hl.Parameter(hl.UInt(8), True, 2, "image")}
    params["image"].set_buffer(hl.Buffer(PICTURE))
    read = hl.deserialize_pipeline(hl.serialize_pipeline(pipeline), params)
    size = sizes_of(pipeline)
    np.testing.assert_array_equal(np.asarray(read.realize(size)), np.asarray(pipeline.reference(size)))


def test_a_deep_expression_survives_and_shared_nodes_are_written_once() -> None:
    f, chain, doubled = hl.Func("f"), hl.Expr(x), hl.Expr(x)
    for number in range(10_000):
        chain = chain * 3 + number % 7
    for _ in range(60):
        doubled = doubled + doubled  # 2**60 nodes as a tree
    f[x] = chain + doubled
    data = hl.serialize_pipeline(hl.Pipeline(f))
    assert hl.serialize_pipeline(hl.deserialize_pipeline(data)) == data
    assert data.count(b'["Add"') < 10_100


@given(data=st.data())
def test_random_expressions_survive(data: st.DataObject) -> None:
    class Same:
        def __init__(self) -> None:
            self.nodes: list[ir.Expr] = []

        def at(self, table: str, place: int) -> ir.Expr:
            assert table == "node"
            return self.nodes[place]

        def place(self, table: str, value: ir.Expr) -> int:
            return write_nodes(value, known, rows, self)

    known: dict[typing.Any, int] = {}
    rows: list[typing.Any] = []
    tables = Same()
    e = random_expr(lambda n: data.draw(st.integers(0, n - 1)), ir.INT32, 6)
    root = write_nodes(e, known, rows, tables)
    for row in rows:
        tables.nodes.append(read_node(row, tables))
    assert tables.nodes[root] is e


def test_params_are_bound_by_name() -> None:
    p, image, f = hl.Param(hl.Int(32), "p", 4), hl.ImageParam(hl.Int(32), 1, "image"), hl.Func("f")
    f[x] = image[x] * p
    data, params = hl.serialize_pipeline(hl.Pipeline(f), get_params=True)
    assert sorted(params) == ["image", "p"]
    assert sorted(hl.deserialize_parameters(data)) == ["image", "p"]
    mine, mine_too = hl.Param(hl.Int(32), "p", 10), hl.ImageParam(hl.Int(32), 1, "image")
    mine_too.set(hl.Buffer(np.arange(3, dtype=np.int32)))
    read = hl.deserialize_pipeline(data, {"p": mine.parameter(), "image": mine_too.parameter()})
    assert list(read.realize([3])) == [0, 10, 20]
    mine.set(-1)
    assert list(read.realize([3])) == [0, -1, -2]
    one = hl.deserialize_pipeline(data, {"image": mine_too.parameter()})
    assert list(one.realize([3])) == [0, 4, 8]  # the value that p had


def test_a_param_of_another_type_is_refused() -> None:
    p, f = hl.Param(hl.Int(32), "p", 4), hl.Func("f")
    f[x] = x * p
    data = hl.serialize_pipeline(hl.Pipeline(f))
    with pytest.raises(hl.SerializationError, match="`p` is a scalar of type int32"):
        hl.deserialize_pipeline(data, {"p": hl.Param(hl.Float(32), "p").parameter()})


@pytest.mark.parametrize(
    "dtype", [np.bool_, np.int8, np.uint16, np.int64, np.uint64, np.float16, np.float32, np.float64]
)
@pytest.mark.parametrize("layout", ["dense", "padded", "transposed", "reversed", "broadcast"])
def test_buffers_in_expressions_keep_their_elements(dtype: type, layout: str) -> None:
    whole = (np.arange(48).reshape(6, 8) % 7).astype(dtype)
    views = {
        "dense": whole,
        "padded": whole[:, :5],
        "transposed": whole.T,
        "reversed": whole[::-1, ::-2],
        "broadcast": np.broadcast_to(whole[0], (4, 8)),
    }
    buffer = hl.Buffer(views[layout], "b", True)
    buffer.set_min([-3, 2])
    f = hl.Func("f")
    f[x, y] = hl.BoundaryConditions.constant_exterior(buffer, hl.cast(buffer.type(), 1))[x, y]
    pipeline = hl.Pipeline(f)
    out, read = hl.Buffer(buffer.type(), [12, 12]), hl.Buffer(buffer.type(), [12, 12])
    for each in (out, read):
        each.set_min([-4, 0])
    pipeline.realize(out)
    again(pipeline).realize(read)
    np.testing.assert_array_equal(np.asarray(read), np.asarray(out))


def test_special_floats_keep_their_bits() -> None:
    values = [hl.Expr(ir.Const(v, ir.DType(2, 64))) for v in (-0.0, float("inf"), -float("inf"), float("nan"), 5e-324)]
    f = hl.Func("f")
    f[x] = hl.mux(x, values)
    read = again(hl.Pipeline(f)).realize([5])
    assert np.asarray(read).tobytes() == np.array([-0.0, np.inf, -np.inf, np.nan, 5e-324]).tobytes()


def test_errors_after_reading_name_the_line_that_was_written() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x
    f[x] = g[x] + 1
    g.compute_at(f, hl.Var("nowhere"))
    with pytest.raises(hl.ScheduleError, match=r"test_pipelines.py:\d+: g.compute_at\(f, nowhere\)"):
        again(hl.Pipeline(f)).compile_jit()


def test_a_file_is_written_whole_and_a_missing_folder_is_named(tmp_path: Path) -> None:
    pipeline = FAMILY["stencil"]()
    path = tmp_path / "p.hlpipe"
    assert hl.serialize_pipeline(pipeline, path) is None
    assert hl.serialize_pipeline(hl.deserialize_pipeline(str(path))) == path.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["p.hlpipe"]
    with pytest.raises(hl.HalideError, match="there is no folder"):
        hl.serialize_pipeline(pipeline, tmp_path / "none" / "p.hlpipe")
    with pytest.raises(hl.SerializationError, match=r"none\.hlpipe` cannot be read"):
        hl.deserialize_pipeline(tmp_path / "none.hlpipe")


def test_a_wrapper_for_a_func_outside_the_pipeline_is_left_out() -> None:
    f, g, other = hl.Func("f"), hl.Func("g"), hl.Func("other")
    g[x] = x
    f[x] = g[x]
    other[x] = g[x]
    g.in_(other).compute_root()
    assert b"other" not in hl.serialize_pipeline(hl.Pipeline(f))


@pytest.mark.parametrize("cls", [*OF_STAGES, *OF_FUNCS, *CLASSES.values()], ids=lambda cls: cls.__name__)
def test_every_field_of_every_node_and_directive_can_be_written(cls: type) -> None:
    if dataclasses.is_dataclass(cls):
        codec(cls)
    else:
        hints = typing.get_type_hints(cls)
        assert all(codec(hints[name]) for name in cls._fields)


def test_every_attribute_that_a_handle_may_change_is_written_or_of_one_process() -> None:
    """A new attribute here: have it written, or say why it is not."""
    written = {"frozen", "func_directives", "nests", "output_refs", "required_dtypes", "required_rank", "wrappers"}
    of_one_process = {"handlers", "pipeline"}
    of_schedules = {"as_written", "is_intermediate"}  # a pipeline is written as rfactor() left it
    assert set(FuncContents.__slots__) == written | of_one_process | of_schedules
    written = {"any_stride", "constraints", "estimates", "host_alignment", "is_traced", "memory", "wrappers"}
    assert set(ImageParamRef.__slots__) == written | {"buffer"}
    assert set(ParamRef.__slots__) == {"default", "estimate", "max", "min", "value", "version"}
    assert [f.name for f in dataclasses.fields(Function)] == ["name", "args", "dtypes", "definitions", "location"]


def test_a_param_keeps_its_value_or_that_it_has_none():
    x, p = hl.Var("x"), hl.Param(hl.Int(32), "p")
    f = hl.Func("f")
    f[x] = p + x
    unset = hl.serialize_pipeline(hl.Pipeline(f))
    p.set(7)
    given = hl.serialize_pipeline(hl.Pipeline(f))
    assert list(hl.deserialize_pipeline(given).realize([2])) == [7, 8]
    with pytest.raises(hl.ParamError, match="was never given one"):
        hl.deserialize_pipeline(unset).realize([2])


def test_memoized_funcs_and_tags_are_read_as_they_were_written():
    x, p = hl.Var("x"), hl.Param(hl.Int(32), "p", 3)
    f, g, h = hl.funcs("f g h")
    f[x] = hl.memoize_tag(hl.print(p + x), p)
    g[x] = f[x] + 1
    h[x] = g[x]
    f.compute_root().memoize(hl.EvictionKey(5))
    g.compute_root().memoize()
    pipeline = hl.deserialize_pipeline(hl.serialize_pipeline(hl.Pipeline(h)))
    printed = []
    pipeline.set_custom_print(printed.append)
    hl.memoization_cache_evict(5)
    assert [list(pipeline.realize([3])) for _ in range(2)] == [[4, 5, 6]] * 2
    assert len(printed) == 3  # the second run used what the first had kept
    assert hl.serialize_pipeline(pipeline) == hl.serialize_pipeline(hl.Pipeline(h))
