"""Calls that recall and keep results of memoized Funcs."""

from __future__ import annotations

from collections.abc import Sequence

from ...dtypes import DType
from ...ir.services import Keep, Recall
from .strings import c_string

MEMO = """\
/* What decides a result, and where it lies. */
typedef struct halopy_memo {
    const char *algorithm;
    const uint64_t *key;
    int32_t key_length, image_count, buffer_count, evictable;
    uint64_t eviction;
    const void *const *images;
    void *const *buffers;
    const int64_t *bytes;
} halopy_memo;
"""

BITS = """\
static inline uint64_t bits_of(double value) {
    union { double value; uint64_t bits; } both = {value};
    return both.bits;
}"""


def memo_lines(
    service: Recall | Keep, name: str, pointers: Sequence[str], operands: Sequence[tuple[str, DType]]
) -> list[str]:
    """Lines that declare `name`, the memo of a call; `operands` are the texts of its arguments."""
    recall = service if isinstance(service, Recall) else service.recall
    eviction = "0"
    if isinstance(service, Keep):
        eviction, operands = operands[0][0], operands[1:]
    count = len(recall.buffers)
    sizes = [text for text, _ in operands[:count]]
    key = [f"bits_of({text})" if dtype.is_float else f"(uint64_t)({text})" for text, dtype in operands[count:]]
    images = [f"buffers[{at}]" for at in recall.images]
    evictable = int(isinstance(service, Keep) and service.evictable)
    return [
        f"const uint64_t {name}_key[] = {{{', '.join(key) or '0'}}};",
        f"const void *const {name}_images[] = {{{', '.join(images) or '0'}}};",
        f"void *const {name}_buffers[] = {{{', '.join(f'(void *)({p})' for p in pointers)}}};",
        f"const int64_t {name}_bytes[] = {{{', '.join(sizes)}}};",
        f"const halopy_memo {name} = {{{c_string(recall.algorithm)}, {name}_key, {len(key)}, {len(images)}, {count},"
        f" {evictable}, {eviction}, {name}_images, {name}_buffers, {name}_bytes}};",
    ]
