"""How many threads share a large kernel: OMP_NUM_THREADS, otherwise one for each processor of this process."""

from __future__ import annotations

import os


def _number() -> int:
    chosen = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if chosen.isdigit() and int(chosen) > 0:
        return int(chosen)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _only_one() -> None:
    """A forked process has none of its parent's threads; GNU's OpenMP would wait for them forever."""
    global number
    number = 1


number = _number()
"""Threads of the next kernel."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_only_one)
