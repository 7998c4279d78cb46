"""A contestant: a process of its own that makes a step and does blocks of steps when told, or says why it cannot."""

from __future__ import annotations

import functools
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

# Steps of a block that are not counted: caches and thread pools come back to what they do.
SETTLE = 2
CHECKED = 3


class Failure(Exception):
    """Why a contestant cannot take part."""


class Contestant:
    """Thread pools and caches of libraries do not disturb each other when each has a process.

    Attributes
    ----------
    failed : str
        Why it takes no part; empty while it does.
    made, first : float
        Seconds to prepare (imports and copies of parameters apart), and of the first step, where libraries compile.
    results : list
        What the first steps gave, for a comparison.
    peak : int
        Bytes of resident memory that the process had at most so far.
    """

    def __init__(
        self, name: str, make: Callable[[], Callable[[], Any]], patience: float = 300.0, threads: int = 0
    ) -> None:
        self.name, self.failed = name, ""
        self.made = self.first = float("nan")
        self.results: list[list[float]] = []
        self.peak = 0
        self._patience = patience
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(make, other, threads), daemon=True)
        self._process.start()
        other.close()
        answer = self._answer()
        if answer is not None:
            self.made, self.first, self.results, self.peak = answer

    def block(self, steps: int) -> list[float]:
        """Times of some steps, in microseconds; none when it has failed."""
        if self.failed:
            return []
        self._pipe.send(steps)
        answer = self._answer()
        if answer is None:
            return []
        times, self.peak = answer
        return list(times)

    def close(self) -> None:
        """End the process."""
        if self._process.is_alive() and not self.failed:
            self._pipe.send(0)
            self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()

    def fail(self, reason: str) -> None:
        """Take no part any more."""
        self.failed = reason
        self._process.kill()

    def _answer(self) -> Any:
        try:
            if not self._pipe.poll(self._patience):
                self.fail(f"nothing after {self._patience:.0f} s")
                return None
            answer = self._pipe.recv()
        except (EOFError, ConnectionResetError):
            self._process.join()
            self.failed = f"its process ended with {self._process.exitcode}"
            return None
        if isinstance(answer, Failure):
            self.failed = str(answer)
            return None
        return answer


def _serve(make: Callable[[], Callable[[], Any]], pipe: Connection, threads: int) -> None:
    try:
        _restrict(threads)
        start = time.perf_counter()
        step = make()
        made = time.perf_counter() - start
        start = time.perf_counter()
        found = [fingerprint(step())]
        first = time.perf_counter() - start
        found += [fingerprint(step()) for _ in range(CHECKED - 1)]
        pipe.send((made, first, found, peak_bytes()))
        while steps := pipe.recv():
            pipe.send((_times(step, steps), peak_bytes()))
    except Exception as reason:
        lines = str(reason).splitlines() or [""]
        pipe.send(Failure(f"{type(reason).__name__}: {lines[0][:200]}"))


def _times(step: Callable[[], Any], steps: int) -> list[float]:
    clock = time.perf_counter
    times = []
    for _ in range(steps + SETTLE):
        start = clock()
        step()
        times.append((clock() - start) * 1e6)
    return times[SETTLE:]


def _restrict(threads: int) -> None:
    """Libraries that do not look at OMP_NUM_THREADS count the processors they may use."""
    if threads:
        os.environ["OMP_NUM_THREADS"] = str(threads)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def fingerprint(result: Any) -> list[float]:
    """A few numbers that tell results apart: a number itself, of an array the mean and the mean square."""
    import numpy

    if isinstance(result, (float, int)):
        return [float(result)]
    if isinstance(result, (tuple, list)):
        return [number for one in result for number in fingerprint(one)]
    array = numpy.asarray(result, dtype=numpy.float64)
    return [float(array.mean()), float((array * array).mean())]


def peak_bytes() -> int:
    """The largest resident memory this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def for_problem(name: str, contestant: str) -> Callable[[], Callable[[], Any]]:
    """A function that a process started anew can be given."""
    return functools.partial(_make, name, contestant)


def _make(name: str, contestant: str) -> Callable[[], Any]:
    from benchmarks.problem import problem

    return problem(name).contestants[contestant]()
