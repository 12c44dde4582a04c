"""Values in which texts are compared."""

from __future__ import annotations

from halopy.dtypes import INT32
from halopy.ir import build
from halopy.ir.expr import Call, Var
from halopy.polyhedral.translation.samples import Sample


def test_a_sample_tells_that_it_has_guessed_what_an_operation_gives():
    x, sample = Var("x"), Sample({"x": 3}, {})
    assert sample(build.add(x, 1)) == 4 and not sample.has_guessed
    one = Call("abs", (x,), INT32)
    assert sample(one) == sample(one) and sample.has_guessed
