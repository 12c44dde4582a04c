"""A function that calls the one of several for the machine it finds itself on.

int f(...) { switch (fitting()) { case 0: return f_avx2(...); default: return f_sse41(...); } }
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ...target import Target
from ...target_features import TargetArch
from ..interface import Interface
from .linked_text import parameter_names, signature

# What gcc and clang call the features that they can ask a processor for.
_ASKED = {
    "sse41": ("sse4.1",), "avx": ("avx",), "avx2": ("avx2",), "fma": ("fma",), "f16c": ("f16c",), "fma4": ("fma4",),
    "avx512": ("avx512f", "avx512cd"), "avx512_skylake": ("avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw"),
    "avx512_cannonlake": ("avx512ifma", "avx512vbmi"), "avx512_zen4": ("avx512vnni", "avx512bf16"),
    "avx512_sapphirerapids": ("avx512vnni", "avx512bf16"),
}  # fmt: skip
_NO_MATTER = frozenset({"no_runtime", "no_asserts", "no_bounds_query", "user_context", "c_plus_plus_name_mangling"})


def unasked_features(target: Target) -> list[str]:
    """Features that a program cannot ask its processor for."""
    names = {f.text for f in target.features} - _NO_MATTER
    return sorted(names if target.arch is not TargetArch.X86 else names - _ASKED.keys())


def dispatch_text(interface: Interface, names: Sequence[str], targets: Sequence[Target]) -> str:
    """The C file. `names` are the functions, one per target; the last is called where no other fits."""
    plain = replace(interface, mangled=False)
    arguments = re.sub(r"\bbool ", "_Bool ", signature(plain))
    passed = ["__user_context"] if interface.user_context else []
    values = ", ".join([*passed, *parameter_names(interface)])
    described = "const struct halide_filter_metadata_t *"
    lines = ["#include <stdint.h>", "", "struct halide_buffer_t;", "struct halide_filter_metadata_t;", ""]
    for name in (*names, interface.name):
        lines += [f"int {name}({arguments});", f"int {name}_argv(void **args);", f"{described}{name}_metadata(void);"]
    lines += ["", "/* The number of the first function that this processor can run. */", "static int fitting(void) {"]
    for k, target in enumerate(targets[:-1]):
        asked = [f for feature in sorted(target.features, key=str) for f in _ASKED.get(feature.text, ())]
        condition = " && ".join(f'__builtin_cpu_supports("{f}")' for f in dict.fromkeys(asked))
        lines.append(f"    if ({condition or '1'}) return {k};")
    lines += [f"    return {len(targets) - 1};", "}", ""]
    for kind, suffix, taken, given in (
        ("int ", "", arguments, values),
        ("int ", "_argv", "void **args", "args"),
        (described, "_metadata", "void", ""),
    ):
        lines += [f"{kind}{interface.name}{suffix}({taken}) {{", "    switch (fitting()) {"]
        lines += [f"    case {k}: return {name}{suffix}({given});" for k, name in enumerate(names[:-1])]
        lines += [f"    default: return {names[-1]}{suffix}({given});", "    }", "}", ""]
    return "\n".join(lines)
