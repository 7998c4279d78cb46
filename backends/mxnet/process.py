"""What loading MXNet asks of the process: its number of threads, one log line less, and forks that do not hang.

Used by `native` and `library`; knows nothing of MXNet itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def without_engine_line() -> Iterator[None]:
    """Hold back the line `MXNet start using engine`, which MXNet cannot be told to omit; the rest is late."""
    try:
        stderr = os.dup(2)
    except OSError:  # a daemon may have closed it
        yield
        return
    with contextlib.suppress(Exception):
        sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            for line in held:
                if b"MXNet start using engine" not in line:
                    os.write(2, line)


def quiet_at_exit(*types: type) -> None:
    """Let objects of MXNet's types end silently when Python has already taken MXNet's modules apart.

    Their ``__del__`` calls into those modules; the process is about to end, and its memory with it.
    """
    for one in types:
        free = one.__del__  # type: ignore[attr-defined]

        def __del__(self: object, free: Callable[[object], None] = free, ending: Any = sys.is_finalizing) -> None:
            if not ending():
                free(self)

        one.__del__ = __del__  # type: ignore[attr-defined]


def make_forks_safe() -> None:
    """Let GNU OpenMP give up its threads before each fork.

    A child has the forking thread only, and libgomp would wait there for ever for the others. MXNet stops the threads
    of its own engine at a fork; with the naive engine and with generated kernels it is the user's thread that has them.
    """
    with contextlib.suppress(OSError, AttributeError):
        openmp = ctypes.CDLL("libgomp.so.1", mode=os.RTLD_NOLOAD | os.RTLD_NOW)
        pause, hard = openmp.omp_pause_resource_all, 2
        os.register_at_fork(before=lambda: pause(hard))
