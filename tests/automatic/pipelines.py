"""Pipelines of many kinds, made anew each time, with the inputs that they read: for tests of automatic schedules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import halopy as hl

X, Y, C, Z = hl.Var("x"), hl.Var("y"), hl.Var("c"), hl.Var("z")


@dataclass
class Case:
    """`inputs` with the sizes expected of them, `estimate` of the outputs, `sizes` to run over."""

    outputs: list[hl.Func]
    inputs: dict[hl.ImageParam, tuple[int, ...]]
    estimate: tuple[int, ...]
    sizes: list[tuple[int, ...]]
    pipeline: hl.Pipeline = field(init=False)

    def __post_init__(self) -> None:
        for output in self.outputs:
            output.set_estimates([(0, size) for size in self.estimate])
        for image, sizes in self.inputs.items():
            image.set_estimates([(0, size) for size in sizes])
        self.pipeline = hl.Pipeline(self.outputs)

    def fill(self, sizes: tuple[int, ...]) -> None:
        """Pictures are as much smaller than expected as the output is; tables are whole."""
        random = np.random.default_rng(sum(sizes))
        cuts = [e - s for e, s in zip(self.estimate, sizes, strict=True)]
        for image, expected in self.inputs.items():
            cut = cuts[: len(expected)] if len(expected) > 1 or len(cuts) == 1 else [0]
            shape = [e - c for e, c in zip(expected, cut, strict=True)]
            image.set(hl.Buffer(random.integers(0, 200, shape[::-1]).astype(_NUMPY[repr(image.type())])))


_NUMPY = {repr(t): n for t, n in ((hl.UInt(8), np.uint8), (hl.UInt(16), np.uint16), (hl.Int(32), np.int32))}
_NUMPY[repr(hl.Float(32))] = np.float32


def image(dtype: hl.Type, rank: int, name: str = "image") -> hl.ImageParam:
    return hl.ImageParam(dtype, rank, name)


def funcs(names: str) -> list[hl.Func]:
    return [hl.Func(name) for name in names.split()]


def rgb_blur() -> Case:
    rgb = image(hl.UInt(8), 3)
    wide, blur_x, blur_y = funcs("wide blur_x blur_y")
    wide[X, Y, C] = hl.u16(hl.BoundaryConditions.repeat_edge(rgb)[X, Y, C])
    blur_x[X, Y, C] = (wide[X - 1, Y, C] + wide[X, Y, C] + wide[X + 1, Y, C]) / 3
    blur_y[X, Y, C] = hl.u8((blur_x[X, Y - 1, C] + blur_x[X, Y, C] + blur_x[X, Y + 1, C]) / 3)
    return Case([blur_y], {rgb: (640, 480, 3)}, (640, 480, 3), [(1, 1, 3), (67, 45, 3)])


def unsharp() -> Case:
    rgb = image(hl.Float(32), 3)
    near = hl.BoundaryConditions.mirror_interior(rgb)
    gray, blur_y, blur_x, ratio, out = funcs("gray blur_y blur_x ratio out")
    third, half = hl.f32(0.25), hl.f32(0.5)
    gray[X, Y] = half * near[X, Y, 0] + third * near[X, Y, 1] + third * near[X, Y, 2]
    blur_y[X, Y] = third * gray[X, Y - 1] + half * gray[X, Y] + third * gray[X, Y + 1]
    blur_x[X, Y] = third * blur_y[X - 1, Y] + half * blur_y[X, Y] + third * blur_y[X + 1, Y]
    ratio[X, Y] = (2 * gray[X, Y] - blur_x[X, Y]) / (gray[X, Y] + 1)
    out[X, Y, C] = ratio[X, Y] * near[X, Y, C]
    return Case([out], {rgb: (640, 480, 3)}, (640, 480, 3), [(9, 3, 3), (70, 50, 3)])


def stencil_chain(stages: int = 30) -> Case:
    source = image(hl.UInt(16), 2)
    last: hl.Func = hl.BoundaryConditions.repeat_edge(source)
    for number in range(stages):
        stage = hl.Func(f"stage_{number}")
        stage[X, Y] = last[X - 1, Y] + 3 * last[X, Y - 1] + last[X, Y] / 2 + last[X + 1, Y + 1]
        last = stage
    return Case([last], {source: (1000, 800)}, (1000, 800), [(5, 2), (47, 61)])


def valid_convolution() -> Case:
    """No boundary condition: the input is exactly as large as is read."""
    source, kernel = image(hl.Float(32), 2), image(hl.Float(32), 1, "kernel")
    rows, both, r = hl.Func("rows"), hl.Func("both"), hl.RDom([(0, 5)])
    rows[X, Y] = hl.f32(0)
    rows[X, Y] += kernel[r] * source[X + r, Y]
    both[X, Y] = hl.f32(0)
    both[X, Y] += kernel[r] * rows[X, Y + r]
    return Case([both], {source: (644, 484), kernel: (5,)}, (640, 480), [(33, 17), (1, 1)])


def histogram_equalisation() -> Case:
    source, r, b = image(hl.UInt(8), 2), hl.RDom([(0, 61), (0, 37)]), hl.RDom([(1, 255)])
    histogram, cumulative, out = funcs("histogram cumulative out")
    near = hl.BoundaryConditions.repeat_edge(source)
    histogram[X] = 0
    histogram[hl.i32(near[r.x, r.y])] += 1
    cumulative[X] = 0
    cumulative[0] = histogram[0]
    cumulative[b.x] = cumulative[b.x - 1] + histogram[b.x]
    out[X, Y] = hl.u8(hl.clamp(cumulative[hl.i32(near[X, Y])] / 9, 0, 255))
    return Case([out], {source: (640, 480)}, (640, 480), [(3, 1), (61, 37)])


def bilateral_grid() -> Case:
    source, r = image(hl.Float(32), 2), hl.RDom([(0, 8), (0, 8)])
    near = hl.BoundaryConditions.repeat_edge(source)
    histogram, blur_z, blur_x, blur_y, out = funcs("histogram blur_z blur_x blur_y out")
    value = near[X * 8 + r.x - 4, Y * 8 + r.y - 4] / 200
    histogram[X, Y, Z, C] = hl.f32(0)
    histogram[X, Y, hl.clamp(hl.i32(value * 10 + hl.f32(0.5)), 0, 10), C] += hl.select(C == 0, value, hl.f32(1))
    blur_z[X, Y, Z, C] = histogram[X, Y, Z - 1, C] + 2 * histogram[X, Y, Z, C] + histogram[X, Y, Z + 1, C]
    blur_x[X, Y, Z, C] = blur_z[X - 1, Y, Z, C] + 2 * blur_z[X, Y, Z, C] + blur_z[X + 1, Y, Z, C]
    blur_y[X, Y, Z, C] = blur_x[X, Y - 1, Z, C] + 2 * blur_x[X, Y, Z, C] + blur_x[X, Y + 1, Z, C]
    level = hl.clamp(hl.i32(near[X, Y] / 20), 0, 10)
    out[X, Y] = blur_y[X / 8, Y / 8 + 1, level, 0] / (blur_y[X / 8 + 1, Y / 8, level, 1] + 1)
    return Case([out], {source: (640, 480)}, (640, 480), [(5, 3), (70, 41)])


def pyramid(levels: int = 4) -> Case:
    source = image(hl.Float(32), 2)
    near = hl.BoundaryConditions.repeat_edge(source)
    levels_of = [hl.Func("level_0")]
    levels_of[0][X, Y, Z] = near[X, Y] * hl.f32(Z + 1)
    for number in range(1, levels):
        fine, across, coarse = levels_of[-1], hl.Func(f"across_{number}"), hl.Func(f"level_{number}")
        across[X, Y, Z] = (
            fine[2 * X - 1, Y, Z] + 3 * (fine[2 * X, Y, Z] + fine[2 * X + 1, Y, Z]) + fine[2 * X + 2, Y, Z]
        )
        coarse[X, Y, Z] = across[X, 2 * Y - 1, Z] + 3 * across[X, 2 * Y, Z] + across[X, 2 * Y + 2, Z]
        levels_of.append(coarse)
    result = levels_of[-1]
    for number in range(levels - 2, -1, -1):
        up_x, up = hl.Func(f"up_x_{number}"), hl.Func(f"up_{number}")
        up_x[X, Y, Z] = hl.f32(0.25) * result[X / 2 - 1 + 2 * (X % 2), Y, Z] + result[X / 2, Y, Z]
        up[X, Y, Z] = up_x[X, Y / 2 - 1 + 2 * (Y % 2), Z] + 3 * up_x[X, Y / 2, Z] - levels_of[number][X, Y, Z]
        result = up
    out = hl.Func("out")
    index = hl.clamp(hl.i32(near[X, Y] / 50), 0, 2)
    out[X, Y] = result[X, Y, index] + result[X, Y, index + 1]
    return Case([out], {source: (640, 480)}, (640, 480), [(3, 5), (41, 37)])


def matrix_product() -> Case:
    a, b, k = image(hl.Float(32), 2, "a"), image(hl.Float(32), 2, "b"), hl.RDom([(0, 24)])
    product, out = funcs("product out")
    product[X, Y] = hl.f32(0)
    product[X, Y] += a[k, Y] * b[X, k]
    out[X, Y] = product[X, Y] / 2
    return Case([out], {a: (400, 200), b: (300, 300)}, (300, 200), [(31, 17), (1, 1)])


def several_values() -> Case:
    source = image(hl.Int(32), 2)
    near = hl.BoundaryConditions.constant_exterior(source, 7)
    pair, best, out, r = hl.Func("pair"), hl.Func("best"), hl.Func("out"), hl.RDom([(-1, 3)])
    pair[X, Y] = (near[X, Y - 1] * 3, hl.sqrt(hl.f32(near[X + 1, Y])))
    best[X, Y] = (0, hl.f32(0))
    best[X, Y] = (best[X, Y][0] + pair[X, Y + r][0], hl.max(best[X, Y][1], pair[X + r, Y][1]))
    out[X, Y] = hl.f32(best[X, Y][0]) + best[X, Y][1] + pair[X, Y][1]
    return Case([out], {source: (640, 480)}, (640, 480), [(4, 9), (50, 33)])


def two_outputs() -> Case:
    source = image(hl.UInt(16), 2)
    near = hl.BoundaryConditions.repeat_image(source)
    edges, sum_, difference = funcs("edges sum difference")
    edges[X, Y] = hl.absd(near[X - 1, Y], near[X + 1, Y]) + hl.absd(near[X, Y - 1], near[X, Y + 1])
    sum_[X, Y] = edges[X, Y] + edges[X + 1, Y + 1]
    difference[X, Y] = sum_[X, Y] - edges[X - 1, Y]
    return Case([sum_, difference], {source: (640, 480)}, (640, 480), [(2, 2), (45, 36)])


def transposed() -> Case:
    source = image(hl.UInt(16), 2)
    near = hl.BoundaryConditions.mirror_image(source)
    rows, columns, out = funcs("rows columns out")
    rows[X, Y] = hl.u16(hl.sqrt(hl.f32(near[X - 1, Y] + near[X + 1, Y])))
    columns[X, Y] = rows[Y, X - 1] + rows[Y, X + 1]
    out[X, Y] = columns[Y, X] + columns[Y + 1, X]
    return Case([out], {source: (640, 480)}, (640, 480), [(2, 3), (45, 36)])


def scan() -> Case:
    """Updates that read what the one before wrote, along the rows and along the columns."""
    source = image(hl.Int(32), 2)
    near, r = hl.BoundaryConditions.repeat_edge(source), hl.RDom([(1, 40)])
    summed, out = hl.Func("summed"), hl.Func("out")
    summed[X, Y] = near[X, Y]
    summed[X, r] += summed[X, r - 1]
    summed[r, Y] += summed[r - 1, Y]
    out[X, Y] = summed[X, Y] + summed[X / 2, Y / 2]
    return Case([out], {source: (640, 480)}, (640, 480), [(7, 5), (41, 41)])


def looked_up() -> Case:
    """A table, and a function of a value that nothing bounds, which can only be evaluated where it is read."""
    source = image(hl.Int(32), 2)
    near = hl.BoundaryConditions.repeat_edge(source)
    table, unbounded, out = funcs("table unbounded out")
    table[X] = hl.exp(hl.f32(X) / 100)
    unbounded[X] = hl.sqrt(hl.f32(X)) + hl.sin(hl.f32(X))
    value = near[X, Y]
    out[X, Y] = table[hl.clamp(value, 0, 255)] + unbounded[value] + unbounded[value + near[X + 1, Y]]
    return Case([out], {source: (640, 480)}, (640, 480), [(4, 3), (44, 35)])


def one_dimension() -> Case:
    source = image(hl.Float(32), 1)
    near = hl.BoundaryConditions.constant_exterior(source, 1)
    smooth, again = hl.Func("smooth"), hl.Func("again")
    smooth[X] = hl.sqrt(near[X - 2] + near[X] + near[X + 2])
    again[X] = smooth[X - 1] + smooth[X] * smooth[X + 1]
    return Case([again], {source: (100_000,)}, (100_000,), [(1,), (1031,)])


CASES: list[Callable[[], Case]] = [
    rgb_blur, unsharp, stencil_chain, valid_convolution, histogram_equalisation, bilateral_grid, pyramid,
    matrix_product, several_values, two_outputs, transposed, scan, looked_up, one_dimension,
]  # fmt: skip
