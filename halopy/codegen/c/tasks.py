"""Parallel loops of kernels that are linked into other programs: a function per loop body, called by the runtime.

    parallel for y:            struct each_data { const uint8_t *in; ... };
        body          ->       static int each(void *user_context, int task, uint8_t *closure) { body }
                               ... halide_do_par_for(user_context, each, 0, trips, &data) ...

The struct holds what the body uses of the locals around it. Loops directly inside each other are one loop over all
their iterations. The first iteration whose check fails says what the kernel returns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..kernel import MOST_ERROR_ARGS

RUNNER = """\
extern int halide_do_par_for(void *user_context, int (*task)(void *user_context, int task, uint8_t *closure),
                             int min, int size, uint8_t *closure);"""

_COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|"(?:[^"\\]|\\.)*"')
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Task:
    """One loop's body: its lines, and the C types of the locals it takes from outside. `may_fail`: it has checks."""

    name: str
    body: tuple[str, ...]
    captured: Mapping[str, str]
    may_fail: bool

    def text(self) -> str:
        """The struct and the function."""
        fields = [f"    {spaced(kind)}{name};" for name, kind in self.captured.items()]
        fields += ["    int32_t *failed;", "    int64_t *failed_args;"] if self.may_fail else []
        opening = ["    (void)user_context, (void)task;"]
        opening += [f"    const struct {self.name}_data *const data = (const void *)closure;", "    (void)data;"]
        opening += [f"    {constant(kind)} {name} = data->{name};" for name, kind in self.captured.items()]
        if self.may_fail:
            opening += ["    int32_t status = 0;", f"    int64_t error_args[{MOST_ERROR_ARGS}] = {{0}};"]
        closing = [*(_REPORT if self.may_fail else ()), f"    return {'status' if self.may_fail else '0'};"]
        return "\n".join([
            f"struct {self.name}_data {{", *(fields or ["    char none;"]), "};", "",
            f"static int {self.name}(void *user_context, int task, uint8_t *closure) {{",
            *opening, *self.body, *closing, "}", "",
        ])  # fmt: skip

    def values(self) -> str:
        """What the struct is made of, where the task is called."""
        values = [f".{name} = {name}" for name in self.captured]
        values += [".failed = &status", ".failed_args = error_args"] if self.may_fail else []
        return ", ".join(values) or "0"

    def call(self, trips: Sequence[str], condition: str, end: str | None) -> list[str]:
        """Lines that run all iterations: by threads where `condition` holds, or else one after the other.

        A failure leaves to the label `end`, if there is one, or else the function.
        """
        threads = f"failed = halide_do_par_for(user_context, {self.name}, 0, (int)tasks, (uint8_t *)&data);"
        each = f"failed = {self.name}(user_context, (int)task, (uint8_t *)&data);"
        serially = [f"else for (int64_t task = 0; task < tasks && !failed; task++) {each}"]
        return [
            "{",
            f"    struct {self.name}_data data = {{{self.values()}}};",
            f"    const int64_t tasks = {' * '.join(trips)};",
            f"    int failed = tasks > INT32_MAX ? {TOO_MANY_TASKS} : 0;",
            f"    if (!failed && {condition or '1'}) {threads}",
            *(f"    {line}" for line in serially),
            *(_leave(end) if end else [f"    if (failed) return {self._code()};"]),
            "}",
        ]

    def _code(self) -> str:
        return f"{'status ? status : ' if self.may_fail else ''}failed < 0 ? failed : -1"


TOO_MANY_TASKS = -6  # halide_error_code_buffer_extents_too_large

_REPORT = (
    "    if (status) {",
    "        int32_t none = 0;",
    "        if (__atomic_compare_exchange_n(data->failed, &none, status, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))",
    "            __builtin_memcpy(data->failed_args, error_args, sizeof error_args);",
    "    }",
)


def _leave(end: str) -> list[str]:
    return [
        "    if (failed) {",
        "        int32_t none = 0;",
        "        failed = failed < 0 ? failed : -1;",
        "        __atomic_compare_exchange_n(&status, &none, failed, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);",
        f"        goto {end};",
        "    }",
    ]


def iteration(trips: Sequence[str]) -> list[str]:
    """For loops directly inside each other, the number of the iteration of each as C, from the number of the task."""
    places = []
    for k in range(len(trips)):
        inner = " * ".join(trips[k + 1 :])
        place = f"task / ({inner})" if inner else "task"
        places.append(f"{place} % {trips[k]}" if k else place)
    return places


def captured(body: Iterable[str], around: Mapping[str, str]) -> dict[str, str]:
    """Of the locals around the lines, those that they use."""
    used = dict.fromkeys(name for line in body for name in names_in(line))
    return {name: around[name] for name in used if name in around}


def names_in(line: str) -> list[str]:
    """The names in a line of C, or in a text, that are no members, comments or parts of strings."""
    return _NAME.findall(_COMMENT_OR_TEXT.sub("", line))


def spaced(kind: str) -> str:
    """The type in front of a member's name."""
    return kind if kind.endswith("*") else f"{kind} "


def constant(kind: str) -> str:
    """The type in front of a constant's name."""
    return f"{kind}const" if kind.endswith("*") else f"const {kind}"
