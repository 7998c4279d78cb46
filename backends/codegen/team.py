"""Loops that threads share: how they begin in C, and how the threads come to run on different processors.

Linux wakes a thread where it ran before. Once that is the processor of the thread that wakes it, nothing but a tick of
the scheduler separates them, and loops that are shorter than a tick give it no occasion: a hundred of them in a row,
each of a fifth of a millisecond, were seen to take as long with two threads as with one.
"""

from __future__ import annotations

# Before a loop over the sections of some work, one for each thread.
SECTIONS = "#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)"

# Around a loop whose passes threads share; the braces have to be closed.
OPEN = (
    "const int here = PROCESSOR();",
    "#pragma omp parallel num_threads(threads) if (threads > 1)",
    "{ apart(here);",
    "#pragma omp for",
)
CLOSE = "}"

# `apart` leaves the processor of the thread that began the loop, if there is another; later it may run anywhere again.
HELPER = """
#if defined(_OPENMP) && defined(__linux__)
extern int sched_getcpu(void);
extern int sched_getaffinity(int, size_t, void *);
extern int sched_setaffinity(int, size_t, const void *);
extern int omp_get_thread_num(void);
#define PROCESSOR() (threads > 1 ? sched_getcpu() : -1)
UNUSED static void apart(int processor) {
  enum { BITS = 8 * sizeof(long), WORDS = 1024 / BITS };
  unsigned long all[WORDS] = {0}, others[WORDS], any = 0;
  if (processor < 0 || processor >= 1024 || omp_get_thread_num() == 0 || sched_getcpu() != processor) return;
  if (sched_getaffinity(0, sizeof(all), all) < 0) return;
  memcpy(others, all, sizeof(all));
  others[processor / BITS] &= ~(1ul << processor % BITS);
  for (int i = 0; i < WORDS; i++) any |= others[i];
  if (any && sched_setaffinity(0, sizeof(others), others) == 0) sched_setaffinity(0, sizeof(all), all);
}
#else
#define PROCESSOR() (-1)
#define apart(processor) (void)(processor)
#endif
"""
