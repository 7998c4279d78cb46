"""The Python function of a NumPy executable, with a look at the clock after each line."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from dopegraph.backends.numpy.executable import NumpyExecutable
from dopegraph.ir.graph import Node


class TimedNumpy:
    """Runs what the executable runs, in its memory.

    Attributes
    ----------
    measured : list of dict of Node to float
        For each run the seconds of each node.
    """

    def __init__(self, executable: NumpyExecutable) -> None:
        self.executable = executable
        self.measured: list[dict[Node, float]] = []
        self._marks: list[int] = []
        first, *lines, last = executable.source.split("\n")
        body = [first, "    _mark(_clock())"]
        for line in lines:
            body += [line, "    _mark(_clock())"]
        namespace: dict[str, Any] = {
            **executable.function.__globals__,
            "_mark": self._marks.append,
            "_clock": time.perf_counter_ns,
        }
        exec(compile("\n".join([*body, last]), f"<dopegraph numpy {executable.graph.name}, timed>", "exec"), namespace)
        self._function: Callable[..., tuple[numpy.ndarray, ...]] = namespace[executable.function.__name__]

    def run(self, arguments: Sequence[numpy.ndarray]) -> tuple[numpy.ndarray, ...]:
        """The results; `measured` gets longer."""
        executable = self.executable
        with executable.lock:
            self._marks.clear()
            results: tuple[numpy.ndarray, ...] = executable.quietly(self._function, *arguments)
            marks = list(self._marks)
        seconds: dict[Node, float] = {}
        for node, before, after in zip(executable.owners, marks, marks[1:]):
            seconds[node] = seconds.get(node, 0.0) + (after - before) * 1e-9
        self.measured.append(seconds)
        return results
