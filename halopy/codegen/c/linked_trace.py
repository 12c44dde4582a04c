"""`halide_trace` for programs that bring none: a line per event, as Halide prints them."""

from __future__ import annotations

from .services_text import EVENT

TRACE = (
    EVENT
    + r"""
extern int snprintf(char *text, __SIZE_TYPE__ size, const char *format, ...);
typedef int32_t (*halide_trace_t)(void *user_context, const halide_trace_event_t *event);

static double traced_float(const halide_trace_event_t *e, int lane) {
    if (e->type.bits == 64) return ((const double *)e->value)[lane];
    if (e->type.bits == 32) return ((const float *)e->value)[lane];
    const uint32_t bits = ((const uint16_t *)e->value)[lane];
    if (e->type.code == 4) {
        const uint32_t wide = bits << 16;
        float value;
        __builtin_memcpy(&value, &wide, sizeof value);
        return value;
    }
    const int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
    double value = __builtin_ldexp(fraction + (exponent ? 1024 : 0), (exponent ? exponent : 1) - 25);
    if (exponent == 31) value = fraction ? __builtin_nan("") : __builtin_inf();
    return bits >> 15 ? -value : value;
}

static long long traced_integer(const halide_trace_event_t *e, int lane) {
    const int is_signed = e->type.code == 0;
    switch (e->type.bits) {
    case 64: return (long long)((const int64_t *)e->value)[lane];
    case 32: return is_signed ? ((const int32_t *)e->value)[lane] : (long long)((const uint32_t *)e->value)[lane];
    case 16: return is_signed ? ((const int16_t *)e->value)[lane] : ((const uint16_t *)e->value)[lane];
    default: return is_signed ? ((const int8_t *)e->value)[lane] : ((const uint8_t *)e->value)[lane];
    }
}

#define ADD(...)                                                                                         \
    do {                                                                                                 \
        if (length < (int)sizeof text - 2)                                                               \
            length += snprintf(text + length, sizeof text - (__SIZE_TYPE__)length, __VA_ARGS__);         \
    } while (0)

/* Prints a line, and numbers the event. */
WEAK int32_t halide_default_trace(void *user_context, const halide_trace_event_t *e) {
    static const char *const kinds[] = {
        "Load", "Store", "Begin realization", "End realization", "Produce", "End produce", "Consume",
        "End consume", "Begin pipeline", "End pipeline", "Tag", "Allocate", "Free"};
    static int32_t last;
    char text[4096];
    int length = 0;
    const int lanes = e->type.lanes > 1 ? e->type.lanes : 1;
    ADD("%s %s.%d(%s", kinds[e->event], e->func, (int)e->value_index, lanes > 1 ? "<" : "");
    for (int k = 0; k < e->dimensions; k++)
        ADD("%s%d", !k ? "" : lanes > 1 && k % lanes == 0 ? ">, <" : ", ", (int)e->coordinates[k]);
    ADD("%s", lanes > 1 ? ">)" : ")");
    if (e->value) ADD("%s", lanes > 1 ? " = <" : " = ");
    for (int k = 0; e->value && k < lanes; k++) {
        if (k) ADD(", ");
        if (e->type.code == 2 || e->type.code == 4)
            ADD(e->type.code == 2 && e->type.bits == 32 ? "%f" : "%e", traced_float(e, k));
        else
            ADD(e->type.code == 0 ? "%lld" : "%llu", traced_integer(e, k));
    }
    if (e->value && lanes > 1) ADD(">");
    if (e->trace_tag && *e->trace_tag) ADD(" tag = \"%s\"", e->trace_tag);
    if (length > (int)sizeof text - 2) length = (int)sizeof text - 2;
    text[length] = '\n';
    text[length + 1] = 0;
    halide_print(user_context, text);
    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}
#undef ADD
static halide_trace_t custom_trace;
WEAK halide_trace_t halide_set_custom_trace(halide_trace_t trace) {
    halide_trace_t before = custom_trace ? custom_trace : halide_default_trace;
    custom_trace = trace;
    return before;
}
WEAK int32_t halide_trace(void *user_context, const halide_trace_event_t *event) {
    return (custom_trace ? custom_trace : halide_default_trace)(user_context, event);
}
"""
)
