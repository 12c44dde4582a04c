"""The C text that kernels need to call services: the table of functions they are given, and how lines are made.

This is the only place that says how services are called. A caller that has functions of its own (`halide_print`,
`halide_error`, `halide_trace`) fills the table with them.
"""

from __future__ import annotations

from .memo_text import MEMO

EVENT = """\
#ifndef HALIDE_TRACE_EVENT
#define HALIDE_TRACE_EVENT
typedef struct halide_trace_event_t {
    const char *func;
    const void *value;
    const int32_t *coordinates;
    const char *trace_tag;
    struct { uint8_t code, bits; uint16_t lanes; } type;
    int32_t event, parent_id, value_index, dimensions;
} halide_trace_event_t;
#endif
"""

TABLE = (
    EVENT
    + "\n"
    + MEMO
    + """
/* What the kernel may have a device do; what fails is not 0, or a number below 0. */
typedef struct halopy_device {
    int32_t (*launch)(void *user_context, int32_t kernel, const int64_t *shape, const int64_t *memory,
                      const uint64_t *values);
    int64_t (*mirror)(void *user_context, int64_t bytes, void *host);
    void (*release)(void *user_context, int64_t memory);
    int32_t (*to_host)(void *user_context, int64_t memory, int32_t writes);
} halopy_device;

/* What the kernel may call; each function gets `user_context`. */
typedef struct halopy_services {
    void *user_context;
    void (*print)(void *user_context, const char *text);
    void (*error)(void *user_context, const char *text);
    int32_t (*trace)(void *user_context, const halide_trace_event_t *event);
    int32_t (*recall)(void *user_context, const halopy_memo *memo);
    int32_t (*keep)(void *user_context, const halopy_memo *memo);
    const halopy_device *device;
} halopy_services;"""
)

# A number takes at most this much of a line: the greatest float32 has 39 digits before the point and 6 after it.
LONGEST_NUMBER = 64

LINES = """\
extern int snprintf(char *text, __SIZE_TYPE__ size, const char *format, ...);

/* Each writes at the end of a line, and answers the new end. */
OUTLINE char *line_i8(char *end, const char *text) {
    while (*text) *end++ = *text++;
    *end = 0;
    return end;
}
OUTLINE char *line_i64(char *end, int64_t value) { return end + snprintf(end, 64, "%lld", (long long)value); }
OUTLINE char *line_u64(char *end, uint64_t value) { return end + snprintf(end, 64, "%llu", (unsigned long long)value); }
OUTLINE char *line_bool_u8(char *end, int value) { return line_i8(end, value ? "true" : "false"); }
/* The point is a point in every language. */
OUTLINE char *line_float_f64(char *end, double value, const char *format) {
    const char *from = end;
    snprintf(end, 64, format, value);
    for (; *from; from++) {
        const char c = *from;
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '+' || c == '-') *end++ = c;
        else if ((c & 0xC0) != 0x80) *end++ = '.';
    }
    *end = 0;
    return end;
}
OUTLINE char *line_f32(char *end, double value) { return line_float_f64(end, value, "%f"); }
OUTLINE char *line_f64(char *end, double value) { return line_float_f64(end, value, "%e"); }"""


# In a kernel that is part of another program, the functions are those of Halide's runtime.
_LINKED = {
    "print": "void halide_print(void *user_context, const char *text);",
    "error": "void halide_error(void *user_context, const char *text);",
    "trace": "int32_t halide_trace(void *user_context, const halide_trace_event_t *event);",
}


def linked_services(lines: str) -> list[str]:
    """Lines at the beginning of a kernel that make the table of what other lines call."""
    used = [name for name in _LINKED if f"services->{name}(" in lines]
    table = ", ".join(["user_context", *(f"halide_{name}" if name in used else "0" for name in _LINKED), "0, 0, 0"])
    return [
        *(f"    extern {_LINKED[name]}" for name in used),
        f"    const halopy_services all_services = {{{table}}};",
        "    const halopy_services *const services = &all_services;",
    ]
