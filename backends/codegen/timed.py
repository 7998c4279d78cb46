"""Generated code that takes the time of each of its steps: the same kernels, called by another function."""

from __future__ import annotations

import ctypes
import statistics
from collections.abc import Sequence

import numpy

from dopegraph.backends.codegen import threads
from dopegraph.backends.codegen.compiler import find_compiler
from dopegraph.backends.codegen.executable import CodegenExecutable, kernel_cache
from dopegraph.backends.codegen.source import ALIGNMENT, Source
from dopegraph.runtime.buffer import Buffer

_HEAD = """
#include <time.h>
static int64_t nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
"""

# Calls in one function: the compiler takes longer than in proportion for more.
_CALLS = 128


def timed_source(source: Source) -> str:
    """A C file with one function more, ``timed``, which writes the time before the first and after each step."""
    parts: list[list[str]] = [[]]
    for call, following in zip(source.calls, [*source.calls[1:], None]):
        pointers = [f"(void *)(w + {place})" if place >= 0 else f"a[{-1 - place}]" for place in call.pointers]
        parts[-1].append(f"  {call.statement.format(*pointers)}")
        if following is None or following.step != call.step:
            parts[-1].append(f"  t[{call.step + 1}] = nanoseconds();")
            if len(parts[-1]) > _CALLS:
                parts.append([])
    parameters = "void *const *a, char *w, int threads, int64_t *t"
    functions = [
        "\n".join([f"static int part{number}({parameters}) {{", *lines, "  return 0;", "}"])
        for number, lines in enumerate(parts)
    ]
    calls = [f"  if (part{number}(a, w, threads, t)) return 1;" for number in range(len(parts))]
    entry = "\n".join([f"int timed({parameters}) {{", "  t[0] = nanoseconds();", *calls, "  return 0;", "}", ""])
    return "\n".join([source.text, _HEAD, *functions, entry])


def time_steps(executable: CodegenExecutable, inputs: Sequence[Buffer], repeats: int) -> list[float]:
    """The median of the seconds that each step takes, with results in memory that nobody sees."""
    source = executable.source
    library = kernel_cache().get(timed_source(source), find_compiler())
    assert library.timed is not None
    arrays = [numpy.require(buffer.array, requirements=["C", "A"]) for buffer in inputs]
    arrays += [numpy.require(node.attrs["value"], requirements=["C", "A"]) for node in source.constants]
    arrays += [numpy.empty(value.shape, value.type.dtype) for value in executable.graph.results]
    pointers = (ctypes.c_void_p * max(len(arrays), 1))(*[array.ctypes.data for array in arrays])
    workspace = numpy.empty(source.workspace + ALIGNMENT, numpy.uint8)
    address = -(-workspace.ctypes.data // ALIGNMENT) * ALIGNMENT
    steps = len(source.fusion.steps)
    clock = numpy.zeros(steps + 1, numpy.int64)
    found: list[list[float]] = []
    for _ in range(repeats + 1):  # the first one warms up
        clock[:] = 0
        if library.timed(pointers, address, threads.number, clock.ctypes.data):
            break  # a position is outside: the run itself has raised that
        # A step without a call (what it computes is not needed) has the time of the one before it.
        numpy.maximum.accumulate(clock, out=clock)
        found.append((numpy.diff(clock) * 1e-9).tolist())
    return [statistics.median(column) for column in zip(*found[1:])] if len(found) > 1 else [0.0] * steps
