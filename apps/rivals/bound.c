/* What the machine can do at best: bytes copied, vector additions, and vector multiply-adds per second. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

typedef uint16_t lanes __attribute__((vector_size(64)));
typedef float floats __attribute__((vector_size(64)));

static void copy_past_the_cache(char *to, const char *from, size_t bytes) {
    size_t done = 0;
#if defined(__AVX512F__)
    for (; done + 64 <= bytes; done += 64) {
        _mm512_stream_si512((void *)(to + done), _mm512_loadu_si512((const void *)(from + done)));
    }
    _mm_sfence();
#elif defined(__SSE2__)
    for (; done + 16 <= bytes; done += 16) {
        _mm_stream_si128((__m128i *)(void *)(to + done), _mm_loadu_si128((const __m128i *)(const void *)(from + done)));
    }
    _mm_sfence();
#endif
    memcpy(to + done, from + done, bytes - done);
}

/* `to` and `from` are aligned to 64 bytes. */
void copy(char *to, const char *from, size_t bytes, int threads, int past_the_cache) {
    const size_t share = (bytes / (size_t)threads + 63) / 64 * 64;
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (int thread = 0; thread < threads; thread++) {
        const size_t start = share * (size_t)thread;
        const size_t end = start + share < bytes ? start + share : bytes;
        if (start >= end) continue;
        if (past_the_cache) {
            copy_past_the_cache(to + start, from + start, end - start);
        } else {
            memcpy(to + start, from + start, end - start);
        }
    }
}

#if defined(__AVX512F__)
#define KEEP(value) __asm__ volatile("" : "+v"(value))
#else
#define KEEP(value) __asm__ volatile("" : "+m"(value))
#endif

/* rounds * 8 additions of 64 bytes in each thread, in 8 chains that do not wait for each other. */
void add(long rounds, int threads) {
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (int thread = 0; thread < threads; thread++) {
        lanes a = {0}, b = {0}, c = {0}, d = {0}, e = {0}, f = {0}, g = {0}, h = {0};
        const lanes one = a + 1;
        for (long round = 0; round < rounds; round++) {
            a += one, b += one, c += one, d += one, e += one, f += one, g += one, h += one;
            KEEP(a); KEEP(b); KEEP(c); KEEP(d); KEEP(e); KEEP(f); KEEP(g); KEEP(h);
        }
    }
}

/* rounds * 8 multiply-adds of 64 bytes in each thread, in 8 chains that do not wait for each other. */
void multiply_add(long rounds, int threads) {
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (int thread = 0; thread < threads; thread++) {
        floats a = {0}, b = {0}, c = {0}, d = {0}, e = {0}, f = {0}, g = {0}, h = {0};
        const floats half = a + 0.5f;
        for (long round = 0; round < rounds; round++) {
            a = a * half + half, b = b * half + half, c = c * half + half, d = d * half + half;
            e = e * half + half, f = f * half + half, g = g * half + half, h = h * half + half;
            KEEP(a); KEEP(b); KEEP(c); KEEP(d); KEEP(e); KEEP(f); KEEP(g); KEEP(h);
        }
    }
}
