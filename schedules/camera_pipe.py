"""Schedules for developing raw photographs, on a processor with vectors and a few cores, and on OpenCL devices."""

from __future__ import annotations

import halopy as hl
from schedules.on_devices import in_blocks

_GUARD, _ROUND_UP = hl.TailStrategy.GuardWithIf, hl.TailStrategy.RoundUp
_SHIFT = hl.TailStrategy.ShiftInwards
_LANES = 32  # of 16 bits


def camera_pipe(
    matrix: hl.Func,
    curve: hl.Func,
    strength: hl.Func,
    denoised: hl.Func,
    deinterleaved: hl.Func,
    g_r: hl.Func,
    g_b: hl.Func,
    demosaiced: hl.Func,
    corrected: hl.Func,
    curved: hl.Func,
    blurred: hl.Func,  # noqa: ARG001
    processed: hl.Func,
) -> None:
    """Strips of 64 rows in parallel, two rows at a time, in which everything slides down; for at least 64 columns.

    As Halide's, but for the tails, which are shifted inwards, so that no size is refused; and what is computed of tones
    begins at even coordinates, so that no lane is in doubt about its colour.
    """
    x, y, c = processed.args()
    xi, yi, yo, yii = (hl.Var(name) for name in ("xi", "yi", "yo", "yii"))
    for table in (matrix, curve, strength):
        table.compute_root()

    width, height = processed.output_buffer().width(), processed.output_buffer().height()
    processed.bound(c, 0, 3).bound(x, 0, width).bound(y, 0, height)
    processed.reorder(c, x, y).split(y, yi, yii, 2, _GUARD).split(yi, yo, yi, 32, _GUARD)
    processed.vectorize(x, 2 * _LANES).unroll(c).parallel(yo)

    denoised.compute_at(processed, yi).store_at(processed, yo)
    denoised.tile(x, y, x, y, xi, yi, 2 * _LANES, 2, _SHIFT).vectorize(xi).unroll(yi)
    deinterleaved.compute_at(processed, yi).store_at(processed, yo)
    deinterleaved.reorder(c, x, y).vectorize(x, _LANES, _SHIFT).unroll(c)
    for green in (g_r, g_b):
        green.compute_at(processed, yi).store_at(processed, yo).vectorize(x, _LANES, _SHIFT)
    curved.compute_at(processed, yi).store_at(processed, yo).align_bounds(x, 2).align_bounds(y, 2)
    curved.reorder(c, x, y).tile(x, y, x, y, xi, yi, 2 * _LANES, 2, _SHIFT).vectorize(xi).unroll(yi).unroll(c)
    demosaiced.compute_at(curved, x).reorder(c, x, y).vectorize(x).unroll(y).unroll(c)
    corrected.compute_at(curved, x).reorder(c, x, y).vectorize(x).unroll(y).unroll(c)


def camera_pipe_halide(**stages: hl.Func) -> None:
    """The fastest found for Halide 21: its app's, with strips of 64 rows and tones of 128 columns at a time.

    For pictures of a multiple of 64 columns and 64 rows. Tried: strips of 16 to 240 rows, half as long vectors,
    half as wide tiles, `blurred` in rows of its own, no folding, no fused stages, fetching ahead.
    """
    _sliding(**stages, strip=64, tones=128)


def camera_pipe_tiny(**stages: hl.Func) -> None:
    """Row by row, for pictures of any size."""
    for stage in stages.values():
        stage.compute_root()


def camera_pipe_app(**stages: hl.Func) -> None:
    """Halide's own for this app: strips of 32 rows. For pictures of a multiple of 64 columns and 32 rows."""
    _sliding(**stages)


def _sliding(
    matrix: hl.Func,
    curve: hl.Func,
    strength: hl.Func,
    denoised: hl.Func,
    deinterleaved: hl.Func,
    g_r: hl.Func,
    g_b: hl.Func,
    demosaiced: hl.Func,
    corrected: hl.Func,
    curved: hl.Func,
    blurred: hl.Func,  # noqa: ARG001
    processed: hl.Func,
    strip: int = 32,
    tones: int = 2 * _LANES,
) -> None:
    """Strips of rows in parallel, two rows at a time, in which everything slides down."""
    x, y, c = processed.args()
    xi, yi, yo, yii = (hl.Var(name) for name in ("xi", "yi", "yo", "yii"))
    for table in (matrix, curve, strength):
        table.compute_root()

    processed.compute_root().reorder(c, x, y).split(y, yi, yii, 2, _ROUND_UP).split(yi, yo, yi, strip // 2)
    processed.vectorize(x, 2 * _LANES, _ROUND_UP).unroll(c).parallel(yo)

    denoised.compute_at(processed, yi).store_at(processed, yo).fold_storage(y, 4)
    denoised.tile(x, y, x, y, xi, yi, 2 * _LANES, 2).vectorize(xi).unroll(yi)
    deinterleaved.compute_at(processed, yi).store_at(processed, yo).fold_storage(y, 4)
    deinterleaved.reorder(c, x, y).vectorize(x, 2 * _LANES, _ROUND_UP).unroll(c)
    curved.compute_at(processed, yi).store_at(processed, yo).reorder(c, x, y)
    curved.tile(x, y, x, y, xi, yi, tones, 2, _ROUND_UP).vectorize(xi).unroll(yi).unroll(c)
    corrected.compute_at(curved, x).reorder(c, x, y).vectorize(x).unroll(c)
    for green in (g_r, g_b):
        green.compute_at(processed, yi).store_at(processed, yo)
        green.vectorize(x, 2 * _LANES, _ROUND_UP).fold_storage(y, 4)
    g_b.compute_with(g_r, x, [(x, hl.LoopAlignStrategy.AlignStart), (y, hl.LoopAlignStrategy.AlignStart)])
    demosaiced.compute_at(curved, x).vectorize(x).unroll(y).reorder(c, x, y).unroll(c)

    width, height = processed.output_buffer().width(), processed.output_buffer().height()
    processed.bound(c, 0, 3).bound(x, 0, width // (2 * _LANES) * (2 * _LANES)).bound(y, 0, height // strip * strip)


def camera_pipe_opencl(**stages: hl.Func) -> None:
    """Sites, greens, tones and the result are a kernel each. Threads compute vectors of eight columns by two rows; of
    tones, where each site has a formula of its own, from even coordinates on, so that no lane is in doubt."""
    tx, ty, xi, yi = (hl.Var(name) for name in ("tx", "ty", "xi", "yi"))
    stages["curve"].compute_root().gpu_tile(stages["curve"].args()[0], tx, 64, _GUARD)
    for table in ("matrix", "strength"):
        stages[table].compute_root().gpu_single_thread()
    for name in ("g_r", "g_b"):
        in_blocks(stages[name].compute_root(), lanes=8)
    for name in ("deinterleaved", "curved", "processed"):
        stage = stages[name]
        x, y, c = stage.args()
        if name == "processed":
            stage.bound(c, 0, 3)
        else:
            stage.compute_root()
        if name == "curved":
            stage.align_bounds(x, 2).align_bounds(y, 2)
        stage.split(x, x, xi, 8).split(y, y, yi, 2, _GUARD).gpu_tile(x, y, tx, ty, 8, 8, _GUARD)
        stage.reorder(xi, c, yi, tx, ty, x, y).vectorize(xi).unroll(c).unroll(yi)
