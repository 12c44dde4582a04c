"""Random small programs: a value does not depend on the region asked for."""

from __future__ import annotations

from hypothesis import given, settings

from halopy.dtypes import INT32
from halopy.reference import evaluate

from .random_programs import programs, regions


@given(programs(), regions)
@settings(max_examples=60, deadline=None)
def test_a_value_does_not_depend_on_the_region_asked_for(p, region):
    (name,) = p.outputs
    wide = [(low - 3, extent + 5) for low, extent in region]
    small, large = (evaluate(p, {}, {}, {name: e})[name][0] for e in (region, wide))
    inside = tuple(slice(3, 3 + extent) for _, extent in reversed(region))
    assert (small == large[inside]).all()
    assert small.dtype == INT32.to_numpy()
