"""The C that takes scratch memory from the heap and gives it back: from `malloc`, or from the program linked to."""

from __future__ import annotations

PRODUCT = """\
/* a * b, or the greatest number where that is less: more than there is memory. */
INLINE int64_t product(int64_t a, int64_t b) {
    int64_t exact;
    return __builtin_mul_overflow(a, b, &exact) ? INT64_MAX : exact;
}"""

SCRATCH = (
    """\
extern void *aligned_alloc(__SIZE_TYPE__ alignment, __SIZE_TYPE__ size);
extern void free(void *memory);
#ifdef __linux__
extern int madvise(void *memory, __SIZE_TYPE__ size, int advice);
#define HUGE_PAGE (INT64_C(1) << 21)
#define WANT_HUGE_PAGES(memory, size) (void)madvise(memory, size, 14)
#else
#define HUGE_PAGE INT64_MAX
#define WANT_HUGE_PAGES(memory, size) (void)0
#endif

INLINE void *new_scratch(int64_t size) {
    const int64_t page = size < 2 * HUGE_PAGE ? 64 : HUGE_PAGE;
    void *const memory = aligned_alloc((__SIZE_TYPE__)page, (__SIZE_TYPE__)((size + page - 1) / page * page));
    if (memory && page > 64) WANT_HUGE_PAGES(memory, (__SIZE_TYPE__)size);
    return memory;
}

#ifdef __linux__
extern __SIZE_TYPE__ malloc_usable_size(void *memory);

/* What large memory was given back last, for the next call: touching memory for the first time takes longer than most
   that is done with it. A quarter of a gigabyte stays at most. */
enum { KEPT = 16, LEAST_KEPT = 1 << 17, MOST_KEPT = 1 << 28 };
static struct { void *memory[KEPT]; int64_t size[KEPT], total; unsigned next; char busy; } kept;

/* Whether this thread has `kept` to itself; if another one is at it for long, things go on without. */
OUTLINE int enter_kept(void) {
    for (int tries = 0; tries < 1000; tries++)
        if (!__atomic_test_and_set(&kept.busy, __ATOMIC_ACQUIRE)) return 1;
    return 0;
}

INLINE void leave_kept(void) { __atomic_clear(&kept.busy, __ATOMIC_RELEASE); }

OUTLINE void *take_kept(int k) {
    void *const memory = kept.memory[k];
    kept.memory[k] = 0;
    if (memory) kept.total -= kept.size[k];
    return memory;
}

OUTLINE void *kept_scratch(int64_t size) {
    void *found = 0;
    if (size < LEAST_KEPT || !enter_kept()) return 0;
    for (int k = 0; k < KEPT && !found; k++)
        if (kept.memory[k] && kept.size[k] >= size && kept.size[k] / 2 <= size) found = take_kept(k);
    leave_kept();
    return found;
}

OUTLINE void keep_scratch(void *memory) {
    const int64_t size = memory ? (int64_t)malloc_usable_size(memory) : 0;
    if (size >= LEAST_KEPT && size <= MOST_KEPT && enter_kept()) {
        int k = 0;
        while (k < KEPT && kept.memory[k]) k++;
        while (k == KEPT || kept.total + size > MOST_KEPT) free(take_kept(k = (int)(kept.next++ % KEPT)));
        kept.memory[k] = memory;
        kept.size[k] = size;
        kept.total += size;
        leave_kept();
        memory = 0;
    }
    free(memory);
}
#else
#define kept_scratch(size) ((void *)0)
#define keep_scratch free
#endif

"""
    + PRODUCT
    + """

/* Scratch memory for `count` elements, aligned to 64 bytes; null where there is none. */
INLINE void *scratch(int64_t count, int64_t bytes_each) {
    if (count > (INT64_C(1) << 48) / bytes_each) return 0;
    const int64_t size = count > 0 ? count * bytes_each : 1;
    void *const memory = kept_scratch(size);
    return memory ? memory : new_scratch(size);
}

/* Runs where the variable goes out of scope, by whatever way. */
INLINE void release(const void *variable) { keep_scratch(*(void *const *)variable); }
#define SCOPED __attribute__((cleanup(release)))"""
)

LINKED_SCRATCH = (
    """\
extern void *halide_malloc(void *user_context, __SIZE_TYPE__ bytes);
extern void halide_free(void *user_context, void *memory);

struct scratch {
    void *start, *user_context;
};

"""
    + PRODUCT
    + """

/* Scratch memory for `count` elements; null where there is none. */
INLINE struct scratch scratch(void *user_context, int64_t count, int64_t bytes_each) {
    struct scratch taken = {0, user_context};
    if (count <= (INT64_C(1) << 48) / bytes_each)
        taken.start = halide_malloc(user_context, count > 0 ? (__SIZE_TYPE__)(count * bytes_each) : 1);
    return taken;
}

/* Runs where the variable goes out of scope, by whatever way. */
INLINE void release(const struct scratch *taken) {
    if (taken->start) halide_free(taken->user_context, taken->start);
}
#define SCOPED __attribute__((cleanup(release)))"""
)
