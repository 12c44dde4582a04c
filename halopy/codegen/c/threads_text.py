"""The C text that starts a thread for a task and lets tasks wait for each other.

Each task has a thread of its own for as long as it runs, so one that waits keeps no other from going on. A counter
that is `INT64_MAX` has been left: its task has failed. No header is needed to declare this, only to define it; where
there are no threads, no task starts.
"""

from __future__ import annotations

# Kernels that are linked into other programs have the definitions elsewhere.
DECLARATIONS = """\
#ifndef HALOPY_TASK
#define HALOPY_TASK
/* `room` is the system's: what tells threads from each other, and what they sleep on. */
struct halopy_task {
    int (*run)(void *user_context, int task, uint8_t *closure);
    void *user_context;
    uint8_t *closure;
    int64_t most_threads, room[4];
};
struct halopy_counter {
    int64_t value, room[24];
};
#endif
"""

SIGNATURES = """\
extern int halopy_start_task(struct halopy_task *task);
extern void halopy_join_task(struct halopy_task *task);
extern void halopy_begin_counter(struct halopy_counter *counter, int64_t value);
extern void halopy_end_counter(struct halopy_counter *counter);
extern void halopy_publish(struct halopy_counter *counter, int64_t value);
extern int halopy_await(struct halopy_counter *counter, int64_t value);
"""

THREADS = """\
#if defined(__has_include) && !defined(_WIN32) && !defined(THREADS)
#if __has_include(<pthread.h>) && __has_include(<unistd.h>) && __STDC_HOSTED__
#define THREADS
#include <pthread.h>
#include <unistd.h>
extern char *getenv(const char *name);
extern int atoi(const char *text);
#endif
#endif
"""

DEFINITIONS = """\
#ifdef THREADS
struct sleep {
    pthread_mutex_t lock;
    pthread_cond_t more;
};
_Static_assert(sizeof(struct sleep) <= sizeof ((struct halopy_counter *)0)->room, "a counter has room for its lock");
_Static_assert(sizeof(pthread_t) <= sizeof ((struct halopy_task *)0)->room, "a task has room for its thread");
#ifdef _OPENMP
extern int omp_get_max_threads(void);
extern void omp_set_num_threads(int count);
#endif

static void *run_task(void *given) {
    struct halopy_task *const task = given;
#ifdef _OPENMP
    omp_set_num_threads((int)task->most_threads);
#endif
    task->run(task->user_context, 0, task->closure);
    return 0;
}
#endif

/* Runs the task in a thread of its own. Answers other than 0 where there is none to be had. */
WEAK int halopy_start_task(struct halopy_task *task) {
#ifdef THREADS
#ifdef _OPENMP
    task->most_threads = omp_get_max_threads();
#endif
    return pthread_create((pthread_t *)task->room, 0, run_task, task);
#else
    (void)task;
    return 1;
#endif
}
/* Waits for the end of a task that has started. */
WEAK void halopy_join_task(struct halopy_task *task) {
#ifdef THREADS
    pthread_join(*(pthread_t *)task->room, 0);
#else
    (void)task;
#endif
}
WEAK void halopy_begin_counter(struct halopy_counter *counter, int64_t value) {
    counter->value = value;
#ifdef THREADS
    struct sleep *const sleep = (struct sleep *)counter->room;
    pthread_mutex_init(&sleep->lock, 0);
    pthread_cond_init(&sleep->more, 0);
#endif
}
WEAK void halopy_end_counter(struct halopy_counter *counter) {
#ifdef THREADS
    struct sleep *const sleep = (struct sleep *)counter->room;
    pthread_cond_destroy(&sleep->more);
    pthread_mutex_destroy(&sleep->lock);
#else
    (void)counter;
#endif
}
/* The counter becomes `value` where that is more, and all that it was before stands in memory for who sees it. */
WEAK void halopy_publish(struct halopy_counter *counter, int64_t value) {
    if (__atomic_load_n(&counter->value, __ATOMIC_RELAXED) >= value) return;
#ifdef THREADS
    struct sleep *const sleep = (struct sleep *)counter->room;
    pthread_mutex_lock(&sleep->lock);
    __atomic_store_n(&counter->value, value, __ATOMIC_RELEASE);
    pthread_cond_broadcast(&sleep->more);
    pthread_mutex_unlock(&sleep->lock);
#else
    counter->value = value;
#endif
}
/* Waits until the counter is at least `value`. Answers 0 where it was left. */
WEAK int halopy_await(struct halopy_counter *counter, int64_t value) {
    int64_t now = __atomic_load_n(&counter->value, __ATOMIC_ACQUIRE);
#ifdef THREADS
    if (now < value) {
        struct sleep *const sleep = (struct sleep *)counter->room;
        pthread_mutex_lock(&sleep->lock);
        while ((now = __atomic_load_n(&counter->value, __ATOMIC_ACQUIRE)) < value)
            pthread_cond_wait(&sleep->more, &sleep->lock);
        pthread_mutex_unlock(&sleep->lock);
    }
#endif
    return now >= value && now != INT64_MAX;
}
"""

# For a kernel that stands alone, all of it.
OWN = "#define WEAK static __attribute__((unused))\n" + THREADS + DECLARATIONS + DEFINITIONS
LINKED = DECLARATIONS + SIGNATURES
