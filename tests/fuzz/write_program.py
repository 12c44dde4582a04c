"""The Python program that a case stands for, which needs nothing of the tests."""

from __future__ import annotations

from typing import Any

from .build import LIMITS, OPERATORS, Build
from .case import DTYPES, Case, Image

_SYMBOLS = {function: symbol for symbol, function in OPERATORS.items()}


def write_program(case: Case) -> str:
    """Runs the pipeline with its schedule, compares it with the oracle, and says where they differ first."""
    writer = _Writer()
    writer.algorithm(case)
    writer.schedule(case)
    output, target = case.output.name, f', hl.Target("{case.target}")' if case.target else ""
    unlike = "~((got == want) | ((got != got) & (want != want)))"
    if not case.is_exact:
        unlike = "~np.isclose(got.astype(float), want.astype(float), rtol=1e-3, atol=1e-3, equal_nan=True)"
    return "\n".join(
        [
            "import numpy as np",
            "import halopy as hl",
            "",
            *writer.lines,
            "",
            f"outs = [hl.Buffer(t, {list(case.sizes)}) for t in {output}.types()]",
            "for out in outs:",
            f"    out.set_min({list(case.mins)})",
            *_filled(case),
            f"{output}.realize(outs if len(outs) > 1 else outs[0]{target})",
            f"wanted = {output}.reference(outs if len(outs) > 1 else outs[0])",
            "for k, (out, want) in enumerate(zip(outs, wanted if len(outs) > 1 else [wanted])):",
            "    got, want = np.asarray(out), np.asarray(want)",
            f"    unlike = {unlike}",
            "    for place in np.argwhere(unlike)[:1]:",
            "        at = [int(i) + out.dim(d).min() for d, i in enumerate(place[::-1])]",
            f'        print("{output}", k, at, "is", got[tuple(place)], "and should be", want[tuple(place)])',
        ]
    )


def _filled(case: Case) -> list[str]:
    if not case.unbounded:
        return []
    lines = [f"{case.output.name}.infer_input_bounds(outs if len(outs) > 1 else outs[0])"]
    for image in case.unbounded:
        array = f"np.asarray({image.name}.get())"
        lines.append(f"{array}[...] = {_random(image, f'{array}.shape')}")
    return lines


def _random(image: Image, shape: object) -> str:
    """The text for `contents`."""
    rng = f"np.random.default_rng({image.seed})"
    if image.type == "bool":
        return f"{rng}.integers(0, 2, {shape}).astype(bool)"
    if image.type.startswith("f"):
        return f'({rng}.integers(-400, 400, {shape}) / 16).astype("{DTYPES[image.type]}")'
    low, high = LIMITS.get(image.type, (0, 1 << 62))
    return f'{rng}.integers({low}, {high}, {shape}, np.int64).astype("{DTYPES[image.type]}")'


class _Writer(Build):
    """Calls are written into `lines`."""

    def __init__(self) -> None:
        super().__init__(Written("hl"), self._array)
        self.lines: list[str] = []
        self.module.lines = self.lines

    def let(self, name: str, value: Any) -> Any:
        self.lines.append(f"{name} = {value.text}")
        return super().let(name, Written(name, self.lines))

    def do(self, value: Any) -> None:
        self.lines.append(value.text)

    def _array(self, image: Image) -> Written:
        return Written(_random(image, image.sizes[::-1]))


class Written:
    """A value of which only the text is known; what is done with it makes longer texts."""

    def __init__(self, text: str, lines: list[str] | None = None) -> None:
        self.text = text
        self.lines = [] if lines is None else lines

    def __repr__(self) -> str:
        return self.text

    def __getattr__(self, name: str) -> Written:
        return Written(f"{self.text}.{name}", self.lines)

    def __call__(self, *args: object) -> Written:
        return Written(f"{self.text}({', '.join(map(repr, args))})", self.lines)

    def __getitem__(self, index: object) -> Written:
        return Written(f"{self.text}[{index!r}]", self.lines)

    def __setitem__(self, index: object, value: object) -> None:
        self.lines.append(f"{self.text}[{index!r}] = {value!r}")


def _binary(symbol: str) -> Any:
    def written(self: Written, other: object) -> Written:
        return Written(f"({self!r} {symbol} {other!r})")

    return written


for _function, _symbol in _SYMBOLS.items():
    setattr(Written, f"__{_function.__name__.strip('_')}__", _binary(_symbol))
