"""Threads of a parallel loop that keep away from each other's processors.

Linux may wake a thread on the processor of the one that wakes it, and leave it there, though another one is idle: then
two threads take turns, and the loop takes twice its time. A thread that finds itself there moves, and may no longer
be put there. The thread that called the kernel is left alone.
"""

from __future__ import annotations

APART = """\
#if defined(_OPENMP) && defined(__linux__)
extern int omp_get_thread_num(void), omp_get_num_threads(void), sched_getcpu(void), getpid(void);
extern int sched_getaffinity(int thread, __SIZE_TYPE__ size, void *processors);
extern int sched_setaffinity(int thread, __SIZE_TYPE__ size, const void *processors);
/* Leaves the processor of the thread that called, if there are others for all threads. */
OUTLINE void leave_processor(int of_caller) {
    unsigned long processors[16] = {0};
    int others = 0;
    if (of_caller < 0 || sched_getaffinity(getpid(), sizeof processors, processors) < 0) return;
    processors[of_caller / 64 % 16] &= ~(1ul << of_caller % 64);
    for (int k = 0; k < 16; k++) others += __builtin_popcountl(processors[k]);
    if (others > 0 && others + 1 >= omp_get_num_threads()) sched_setaffinity(0, sizeof processors, processors);
}
#define PROCESSOR() sched_getcpu()
#define KEEP_APART(caller) \\
    do { if (sched_getcpu() == (caller) && omp_get_thread_num()) leave_processor(caller); } while (0)
#else
#define PROCESSOR() 0
#define KEEP_APART(caller) ((void)(caller))
#endif"""
