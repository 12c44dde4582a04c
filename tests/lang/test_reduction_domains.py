"""RDoms, their variables, and how a definition binds them."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl
from halopy.ir import expr as nodes
from halopy.ir.expr import Const
from halopy.ir.function import ReductionDomain, ReductionVar
from halopy.lang.rdom import bind_reduction

x = hl.Var("x")


def test_dimensions_are_called_x_y_z_w_and_then_numbered() -> None:
    r = hl.RDom([(0, n) for n in range(1, 7)], "r")
    assert [v.name() for v in r] == ["r$x", "r$y", "r$z", "r$w", "r$4", "r$5"]
    assert [v.name() for v in (r.x, r.y, r.z, r.w, r[4])] == ["r$x", "r$y", "r$z", "r$w", "r$4"]
    assert len(r) == r.dimensions() == 6
    assert str(r[5].extent().node) == "6"


def test_an_unnamed_domain_gets_a_new_name() -> None:
    assert hl.RDom([(0, 3)]).x.name() != hl.RDom([(0, 3)]).x.name()


def test_a_domain_takes_the_region_of_a_buffer_or_an_input() -> None:
    buffer = hl.RDom(hl.Buffer(np.zeros((4, 5), np.uint8)))
    assert [str(v.extent().node) for v in buffer] == ["5", "4"]
    image = hl.ImageParam(hl.UInt(8), 2, "in")
    assert [str(v.extent().node) for v in hl.RDom(image)] == ["in.extent.0", "in.extent.1"]
    assert hl.RDom(image_param=image).dimensions() == 2


def test_a_domain_shows_its_ranges_and_predicate() -> None:
    r = hl.RDom([(0, 3), (hl.Param(hl.Int(32), "low"), 5)], "r")
    r.where(r.x < r.y)
    assert str(r) == repr(r) == "<halopy.RDom RDom(r$x(0, 3), r$y(low, 5), where (r$x < r$y))>"
    assert repr(r.x) == "<halopy.RVar r$x(0, 3)>"


def test_binding_gives_loop_variables_and_the_domain() -> None:
    r = hl.RDom([(0, 3), (1, 5)], "r")
    r.where(r.x < r.y)
    r.where(r.x > x)
    rx, ry = nodes.Var("r$x"), nodes.Var("r$y")
    exprs, domain = bind_reduction([(x + r.x).node, (r.y * 2).node])
    assert exprs == [(x.__add__(hl.Expr(rx))).node, nodes.Mul(ry, Const(2, ry.dtype))]
    zero, one, three, five = (Const(n, rx.dtype) for n in (0, 1, 3, 5))
    predicate = nodes.And(nodes.LT(rx, ry), nodes.GT(rx, nodes.Var("x")))
    assert domain == ReductionDomain((ReductionVar("r$x", zero, three), ReductionVar("r$y", one, five)), predicate)


def test_binding_without_reduction_variables_changes_nothing() -> None:
    e = (x + 1).node
    assert bind_reduction([e]) == ([e], None)


def test_a_used_domain_cannot_be_narrowed() -> None:
    r = hl.RDom([(0, 3)], "r")
    hl.sum(x + r)
    with pytest.raises(hl.HalideError, match="cannot be narrowed any more"):
        r.where(r < 2)


def test_only_one_dimension_makes_an_expression() -> None:
    assert str((hl.RDom([(0, 3)], "r") + 1).node) == "(r$x + 1)"
    with pytest.raises(hl.HalideError, match="has 2 dimensions and cannot stand for one variable"):
        hl.RDom([(0, 3), (0, 2)]) + 1


def test_a_missing_dimension_cannot_be_used() -> None:
    r = hl.RDom([(0, 3)], "r")
    with pytest.raises(hl.HalideError, match=r"the RVar r\$y has no range"):
        r.y + 1
    with pytest.raises(KeyError):
        r[1]


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ([(0, x)], r"the extent of dimension 0 of RDom r is .*, which depends on `x`"),
        ([(0, 3), (hl.f32(x) * 0, 3)], "the min of dimension 1 of RDom r"),
        ([(0, hl.f32(3.5))], "the extent of dimension 0 of RDom r is `3.500000f` of type float32"),
        ([(0, 2**31)], r"the extent of dimension 0 of RDom r is `\(int64\)2147483648` of type int64"),
        ([(0, hl.Expr())], "the extent of dimension 0 of RDom r is undefined"),
        ([3], "3 is not a range"),
        (3, "3 is not a region"),
    ],
)
def test_bounds_that_do_not_do_are_refused(bounds: object, message: str) -> None:
    with pytest.raises(hl.HalideError, match=message):
        hl.RDom(bounds, "r")


def test_a_predicate_must_be_a_boolean() -> None:
    r = hl.RDom([(0, 3)], "r")
    with pytest.raises(hl.HalideError, match=r"r.where of `r\$x` of type int32"):
        r.where(r.x)
