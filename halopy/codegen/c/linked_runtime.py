"""The functions that linked kernels call, with the names and types of Halide's runtime, for its callers to replace.

Each part is defined weakly by every object that needs it: a program may link several, or define its own. The parts
need no header that a bare cross compiler lacks; without threads, tasks run one after the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .linked_trace import TRACE
from .services_text import EVENT
from .threads_text import DECLARATIONS as DECLARATIONS_OF_TASKS
from .threads_text import DEFINITIONS, SIGNATURES, THREADS

_ERRORS = """\
typedef void (*halide_error_handler_t)(void *user_context, const char *message);
typedef void (*halide_print_t)(void *user_context, const char *message);
#ifdef _WIN32
extern int _write(int file, const void *bytes, unsigned int count);
#define WRITE(text) _write(2, text, (unsigned int)__builtin_strlen(text))
#else
extern __PTRDIFF_TYPE__ write(int file, const void *bytes, __SIZE_TYPE__ count);
#define WRITE(text) write(2, text, __builtin_strlen(text))
#endif

/* To the standard error stream. */
WEAK void halide_default_print(void *user_context, const char *message) {
    (void)user_context;
    if (WRITE(message) < 0) return;
}
static halide_print_t custom_print;
WEAK halide_print_t halide_set_custom_print(halide_print_t print) {
    halide_print_t before = custom_print ? custom_print : halide_default_print;
    custom_print = print;
    return before;
}
WEAK void halide_print(void *user_context, const char *message) {
    (custom_print ? custom_print : halide_default_print)(user_context, message);
}

/* Prints the message and returns; the function that failed then returns its error code. */
WEAK void halide_default_error(void *user_context, const char *message) {
    halide_print(user_context, "Error: ");
    halide_print(user_context, message);
    halide_print(user_context, "\\n");
}
static halide_error_handler_t custom_error;
WEAK halide_error_handler_t halide_set_error_handler(halide_error_handler_t handler) {
    halide_error_handler_t before = custom_error ? custom_error : halide_default_error;
    custom_error = handler;
    return before;
}
WEAK void halide_error(void *user_context, const char *message) {
    (custom_error ? custom_error : halide_default_error)(user_context, message);
}
"""

_MEMORY = """\
typedef void *(*halide_malloc_t)(void *user_context, __SIZE_TYPE__ bytes);
typedef void (*halide_free_t)(void *user_context, void *memory);

/* Aligned to 128 bytes; what malloc gave stands just before. */
WEAK void *halide_default_malloc(void *user_context, __SIZE_TYPE__ bytes) {
    (void)user_context;
    if (bytes > (__SIZE_TYPE__)-1 - 256) return 0;
    char *const whole = __builtin_malloc(bytes + 256);
    if (!whole) return 0;
    char *const start = whole + 256 - (__UINTPTR_TYPE__)whole % 128;
    __builtin_memcpy(start - sizeof whole, &whole, sizeof whole);
    return start;
}
WEAK void halide_default_free(void *user_context, void *memory) {
    (void)user_context;
    if (!memory) return;
    void *whole;
    __builtin_memcpy(&whole, (char *)memory - sizeof whole, sizeof whole);
    __builtin_free(whole);
}
static halide_malloc_t custom_malloc;
static halide_free_t custom_free;
WEAK halide_malloc_t halide_set_custom_malloc(halide_malloc_t take) {
    halide_malloc_t before = custom_malloc ? custom_malloc : halide_default_malloc;
    custom_malloc = take;
    return before;
}
WEAK halide_free_t halide_set_custom_free(halide_free_t give) {
    halide_free_t before = custom_free ? custom_free : halide_default_free;
    custom_free = give;
    return before;
}
WEAK void *halide_malloc(void *user_context, __SIZE_TYPE__ bytes) {
    return (custom_malloc ? custom_malloc : halide_default_malloc)(user_context, bytes);
}
WEAK void halide_free(void *user_context, void *memory) {
    (custom_free ? custom_free : halide_default_free)(user_context, memory);
}
"""

_TASKS = (
    THREADS
    + """\
typedef int (*halide_task_t)(void *user_context, int task, uint8_t *closure);
typedef int (*halide_do_task_t)(void *user_context, halide_task_t task, int number, uint8_t *closure);
typedef int (*halide_do_par_for_t)(void *user_context, halide_task_t task, int min, int size, uint8_t *closure);
#define MOST_THREADS 256

struct tasks {
    void *user_context;
    halide_task_t task;
    uint8_t *closure;
    int64_t next, end;
    int failed;
};
static halide_do_task_t custom_do_task;
static halide_do_par_for_t custom_do_par_for;
static int wanted_threads;

WEAK int halide_default_do_task(void *user_context, halide_task_t task, int number, uint8_t *closure) {
    return task(user_context, number, closure);
}
WEAK halide_do_task_t halide_set_custom_do_task(halide_do_task_t do_task) {
    halide_do_task_t before = custom_do_task ? custom_do_task : halide_default_do_task;
    custom_do_task = do_task;
    return before;
}
WEAK int halide_do_task(void *user_context, halide_task_t task, int number, uint8_t *closure) {
    return (custom_do_task ? custom_do_task : halide_default_do_task)(user_context, task, number, closure);
}

/* How many threads take tasks: what was set, HL_NUM_THREADS, or one for each processor. */
WEAK int halide_get_num_threads(void) {
    int count = wanted_threads;
#ifdef THREADS
    const char *const named = getenv("HL_NUM_THREADS");
    if (count <= 0 && named) count = atoi(named);
    if (count <= 0) count = (int)sysconf(_SC_NPROCESSORS_ONLN);
#endif
    return count < 1 ? 1 : count > MOST_THREADS ? MOST_THREADS : count;
}
WEAK int halide_set_num_threads(int count) {
    const int before = halide_get_num_threads();
    wanted_threads = count;
    return before;
}
/* No thread outlives the loop that it works for. */
WEAK void halide_shutdown_thread_pool(void) {}

/* Takes tasks until none are left or one has failed. */
static void *take_tasks(void *given) {
    struct tasks *const all = given;
    int64_t number;
    while (!__atomic_load_n(&all->failed, __ATOMIC_RELAXED)
           && (number = __atomic_fetch_add(&all->next, 1, __ATOMIC_RELAXED)) < all->end) {
        const int failed = halide_do_task(all->user_context, all->task, (int)number, all->closure);
        if (failed) __atomic_store_n(&all->failed, failed, __ATOMIC_RELAXED);
    }
    return 0;
}

WEAK int halide_default_do_par_for(void *user_context, halide_task_t task, int min, int size, uint8_t *closure) {
    struct tasks all = {user_context, task, closure, min, (int64_t)min + size, 0};
#ifdef THREADS
    pthread_t others[MOST_THREADS];
    int started = 0, wanted = halide_get_num_threads();
    if (wanted > size) wanted = size;
    while (started < wanted - 1 && !pthread_create(&others[started], 0, take_tasks, &all)) started++;
    take_tasks(&all);
    while (started > 0) pthread_join(others[--started], 0);
#else
    take_tasks(&all);
#endif
    return all.failed;
}
WEAK halide_do_par_for_t halide_set_custom_do_par_for(halide_do_par_for_t do_par_for) {
    halide_do_par_for_t before = custom_do_par_for ? custom_do_par_for : halide_default_do_par_for;
    custom_do_par_for = do_par_for;
    return before;
}
WEAK int halide_do_par_for(void *user_context, halide_task_t task, int min, int size, uint8_t *closure) {
    return (custom_do_par_for ? custom_do_par_for : halide_default_do_par_for)(user_context, task, min, size, closure);
}
"""
)

# The function by which a part is known to be needed, and the part.
PARTS: Mapping[str, str] = {
    "halide_error": _ERRORS,
    "halide_malloc": _MEMORY,
    "halide_do_par_for": _TASKS,
    "halopy_start_task": THREADS + DECLARATIONS_OF_TASKS + DEFINITIONS,
    "halide_trace": TRACE,
}

SYMBOLS: Mapping[str, tuple[str, ...]] = {
    "halide_error": (
        "halide_default_print", "halide_set_custom_print", "halide_print",
        "halide_default_error", "halide_set_error_handler", "halide_error",
    ),
    "halide_malloc": (
        "halide_default_malloc", "halide_default_free", "halide_set_custom_malloc", "halide_set_custom_free",
        "halide_malloc", "halide_free",
    ),
    "halide_do_par_for": (
        "halide_default_do_task", "halide_set_custom_do_task", "halide_do_task", "halide_get_num_threads",
        "halide_set_num_threads", "halide_shutdown_thread_pool", "halide_default_do_par_for",
        "halide_set_custom_do_par_for", "halide_do_par_for",
    ),
    "halopy_start_task": (
        "halopy_start_task", "halopy_join_task", "halopy_begin_counter", "halopy_end_counter", "halopy_publish",
        "halopy_await",
    ),
    "halide_trace": ("halide_default_trace", "halide_set_custom_trace", "halide_trace"),
}  # fmt: skip

DECLARATIONS = (
    """\
extern void halide_print(void *user_context, const char *message);
typedef void (*halide_print_t)(void *, const char *);
extern halide_print_t halide_set_custom_print(halide_print_t print);
extern void halide_error(void *user_context, const char *message);
typedef void (*halide_error_handler_t)(void *, const char *);
extern halide_error_handler_t halide_set_error_handler(halide_error_handler_t handler);
extern void *halide_malloc(void *user_context, size_t bytes);
extern void halide_free(void *user_context, void *memory);
typedef void *(*halide_malloc_t)(void *, size_t);
typedef void (*halide_free_t)(void *, void *);
extern halide_malloc_t halide_set_custom_malloc(halide_malloc_t take);
extern halide_free_t halide_set_custom_free(halide_free_t give);
typedef int (*halide_task_t)(void *user_context, int task, uint8_t *closure);
extern int halide_do_par_for(void *user_context, halide_task_t task, int min, int size, uint8_t *closure);
typedef int (*halide_do_par_for_t)(void *, halide_task_t, int, int, uint8_t *);
extern halide_do_par_for_t halide_set_custom_do_par_for(halide_do_par_for_t do_par_for);
extern int halide_set_num_threads(int count);
extern int halide_get_num_threads(void);
extern void halide_shutdown_thread_pool(void);
"""
    + DECLARATIONS_OF_TASKS
    + SIGNATURES
    + EVENT
    + """\
extern int32_t halide_trace(void *user_context, const halide_trace_event_t *event);
typedef int32_t (*halide_trace_t)(void *, const halide_trace_event_t *);
extern halide_trace_t halide_set_custom_trace(halide_trace_t trace);
"""
)


def runtime_text(parts: Collection[str]) -> str:
    """The definitions of these parts."""
    weak = "#define WEAK __attribute__((weak))\n"
    return "\n".join([weak, *(text for name, text in PARTS.items() if name in parts)])


def needed_parts(text: str) -> tuple[str, ...]:
    """The parts that a C text calls."""
    return tuple(name for name in PARTS if f"{name}(" in text)
