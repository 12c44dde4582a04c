"""Writing a Func's values to a file, from inside a kernel: `.npy` as NumPy reads it, anything else as Halide's `.tmp`.

A `.tmp` file has four extents, 1 where the Func has fewer dimensions, and the number of the element type, all int32;
then the values, dimension 0 fastest. An `.npy` file has the same order, with the axes reversed as NumPy lists them.
"""

from __future__ import annotations

from ...dtypes import Code, DType
from ...ir.services import Dump
from .strings import c_string

FILES = """\
extern void *fopen(const char *name, const char *mode);
extern __SIZE_TYPE__ fwrite(const void *from, __SIZE_TYPE__ size, __SIZE_TYPE__ count, void *file);
extern int fclose(void *file);
extern int rename(const char *from, const char *to);
extern int remove(const char *name);

/* Values of one dimension after the other; shape has (extent, stride) of each. Answers whether all were written. */
OUTLINE int write_dimensions(void *file, const char *from, int rank, const int64_t *shape, int64_t bytes) {
    if (rank == 0 || (rank == 1 && shape[1] == 1)) {
        const int64_t count = rank == 0 ? 1 : shape[0];
        return count <= 0 || fwrite(from, bytes, count, file) == (__SIZE_TYPE__)count;
    }
    for (int64_t i = 0; i < shape[2 * rank - 2]; i++) {
        if (!write_dimensions(file, from + i * shape[2 * rank - 1] * bytes, rank - 1, shape, bytes)) return 0;
    }
    return 1;
}
/* The file appears when it is complete: threads that write one name at once do not mix. */
OUTLINE int write_values(const char *name, char *own_name, const void *head, int64_t head_bytes, const void *from,
                         int rank, const int64_t *shape, int64_t bytes) {
    extern int snprintf(char *text, __SIZE_TYPE__ size, const char *format, ...);
    snprintf(own_name, __builtin_strlen(name) + 32, "%s.%llx", name, (unsigned long long)(__SIZE_TYPE__)own_name);
    void *const file = fopen(own_name, "wb");
    if (!file) return 0;
    int is_written = fwrite(head, 1, head_bytes, file) == (__SIZE_TYPE__)head_bytes;
    is_written = is_written && write_dimensions(file, from, rank, shape, bytes);
    is_written = !fclose(file) && is_written && !rename(own_name, name);
    if (!is_written) remove(own_name);
    return is_written;
}"""

_LARGEST_RANK = 16
_SPACE = 128 + 24 * _LARGEST_RANK  # of an .npy header
_TMP_NUMBERS = {(Code.FLOAT, 32): 0, (Code.FLOAT, 64): 1} | {
    (code, bits): 2 + 2 * place + (code is Code.INT)
    for place, bits in enumerate((8, 16, 32, 64))
    for code in (Code.UINT, Code.INT)
}
_NPY_KINDS = {Code.UINT: "u", Code.INT: "i", Code.FLOAT: "f"}


def is_dumpable(dtype: DType, rank: int, filename: str) -> bool:
    """Whether a file of this kind can hold such values."""
    if filename.endswith(".npy"):
        return dtype.code in _NPY_KINDS and rank <= _LARGEST_RANK
    return rank <= 4 and (dtype.is_bool or (dtype.code, dtype.bits) in _TMP_NUMBERS)


def dump_lines(service: Dump, name: str, pointer: str, ends: list[str]) -> list[str]:
    """Lines that declare `name`: whether the values were written. `ends` are the service's arguments."""
    start, extents, strides = ends[0], [f"(int64_t)({e})" for e in ends[2::3]], ends[3::3]
    shape = ", ".join(f"{extent}, {stride}" for extent, stride in zip(extents, strides, strict=True))
    head = _npy_head(service, name, extents) if service.filename.endswith(".npy") else _tmp_head(service, name, extents)
    return [
        *head,
        f"const int64_t {name}_shape[] = {{{shape or '0'}}};",
        f"char {name}_name[{len(service.filename.encode()) + 32}];",
        f"const int {name} = write_values({c_string(service.filename)}, {name}_name, {name}_head, {name}_bytes,"
        f" (const char *)({pointer} + ({start})), {len(extents)}, {name}_shape, {service.dtype.bytes});",
    ]


def _tmp_head(service: Dump, name: str, extents: list[str]) -> list[str]:
    number = _TMP_NUMBERS[Code.UINT if service.dtype.is_bool else service.dtype.code, max(8, service.dtype.bits)]
    numbers = ", ".join(f"(int32_t)({e})" for e in [*extents, *["1"] * (4 - len(extents))])
    return [
        f"const int32_t {name}_head[5] = {{{numbers}, {number}}};",
        f"const int64_t {name}_bytes = sizeof {name}_head;",
    ]


def _npy_head(service: Dump, name: str, extents: list[str]) -> list[str]:
    """Magic, version, the length of what follows, and a Python dict, filled up with spaces to 64 bytes."""
    dtype = service.dtype
    kind = "|b1" if dtype.is_bool else f"<{_NPY_KINDS[dtype.code]}{dtype.bytes}"
    sizes = "".join("%lld, " for _ in extents)
    given = "".join(f", (long long)({e})" for e in reversed(extents))
    text = c_string(f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sizes}), }}")
    return [
        f'char {name}_head[{_SPACE}] = "\\223NUMPY\\001";',
        f"int64_t {name}_bytes = 10 + snprintf({name}_head + 10, {_SPACE - 80}, {text}{given});",
        f"while ({name}_bytes % 64 != 63) {name}_head[{name}_bytes++] = ' ';",
        f"{name}_head[{name}_bytes++] = '\\n';",
        f"{name}_head[8] = (char)(({name}_bytes - 10) & 255);",
        f"{name}_head[9] = (char)(({name}_bytes - 10) >> 8);",
    ]
