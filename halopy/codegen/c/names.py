"""C names for what the user named, and texts that are safe inside C comments."""

from __future__ import annotations

import re

_KEYWORDS = frozenset({
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
    "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed",
    "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "asm",
    "typeof", "_Alignas", "_Alignof", "_Atomic", "_Bool", "_Complex", "_Float16", "_Generic", "_Imaginary",
    "_Noreturn", "_Static_assert", "_Thread_local", "bool", "true", "false", "nullptr", "constexpr", "thread_local",
    "static_assert", "alignas", "alignof", "linux", "unix", "i386", "main", "environ",
})  # fmt: skip
_OURS = frozenset({
    "buffers", "scalars", "error_args", "status", "failed", "halide_buffer_t", "halide_dimension_t", "PARALLEL_LOOP",
    "services", "all_services", "halopy_services", "halide_trace_event_t",
    "user_context", "task", "tasks", "closure", "data", "none", "scratch", "release", "product",
    "leave_processor", "omp_get_thread_num",
    "SCOPED", "OMP", "INLINE", "OUTLINE",
})  # fmt: skip
# A name that ends like a type is one of ours (`u16x32`, `load_u16x32`, `div_i64`), or could be one tomorrow.
_LIKE_A_TYPE = re.compile(r"(?:^|_)(?:[iuf]|bf)(?:8|16|32|64)(?:x\d+)?$")
_LIKE_STDINT = re.compile(r"^u?int\w*_t$|^U?INT\w*_(?:MIN|MAX|C)$")
# What gcc and libc know: naming a kernel or a variable so would clash or mislead.
_LIBRARY = frozenset({
    "abs", "acos", "acosh", "aligned_alloc", "alloca", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil",
    "cos", "cosh", "erf", "exit", "exp", "exp2", "expm1", "fabs", "floor", "fma", "fmax", "fmin", "fmod", "free",
    "frexp", "gamma", "hypot", "index", "j0", "j1", "jn", "labs", "ldexp", "log", "log10", "log1p", "log2", "malloc",
    "calloc", "realloc", "memcmp", "memcpy", "memmove", "memset", "modf", "nan", "pow", "printf", "putchar", "puts",
    "remainder", "rindex", "rint", "round", "signbit", "sin", "sinh", "snprintf", "sqrt", "stderr", "stdin", "stdout",
    "strlen", "tan", "tanh", "tgamma", "time", "trunc", "y0", "y1", "yn", "abort", "errno", "NULL",
})  # fmt: skip


class Names:
    """Hands out C identifiers, each once."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def fresh(self, wanted: str) -> str:
        """`wanted` as a C identifier that nobody has yet."""
        base = identifier(wanted)
        number = self._next.get(base, 0)
        name = base if not number else f"{base}_{number}"
        while number and name in self._next:
            number += 1
            name = f"{base}_{number}"
        self._next[base] = number + 1
        self._next.setdefault(name, 1)
        return name


def identifier(name: str) -> str:
    """Letters, digits and underscores only; neither a reserved word nor a name that we or libc use."""
    clean = re.sub(r"[^A-Za-z0-9_]+", "_", name)
    clash = clean in _KEYWORDS or clean in _OURS or clean in _LIBRARY or clean.startswith("halide_")
    if not clean or clean[0].isdigit() or clean[0] == "_" or clash or is_reserved_form(clean):
        return f"v_{clean.strip('_')}_" if is_reserved_form(clean) else f"v_{clean.strip('_')}"
    return clean


def is_taken_in_c(name: str) -> bool:
    """Whether no function may have the name: a word of C, or a name of the C library or its types."""
    return name in _KEYWORDS or name in _LIBRARY or bool(_LIKE_STDINT.match(name)) or name.startswith("halide_")


def is_reserved_form(name: str) -> bool:
    """Whether the name looks like a type or one of the helper functions."""
    return bool(_LIKE_A_TYPE.search(name) or _LIKE_STDINT.match(name))


def comment(text: str) -> str:
    """The text as one C comment: on one line, unable to end it, splice lines or spell a trigraph."""
    printable = "".join(c if " " <= c <= "~" else " " if c.isspace() else "?" for c in text)
    safe = printable.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?").rstrip("\\")
    return f"/* {safe} */"
