"""What this machine can do at most, measured once in a process: copying memory, multiplying matrices."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy


@dataclass(frozen=True)
class Limits:
    """What was measured.

    Attributes
    ----------
    bandwidth : float
        Bytes a second, read and written, of copying arrays that are larger than caches.
    flops : dict of str to float
        Operations a second of NumPy's product of large matrices, by dtype.
    """

    bandwidth: float
    flops: dict[str, float]


# Short runs, many of them, the best of which counts: on a machine that others use, too, long ones are interrupted.
_BYTES, _ROWS, _TIMES = 16 << 20, 320, 25


@functools.cache
def limits() -> Limits:
    """The limits of this process's threads; takes a tenth of a second."""
    source, target = numpy.ones(_BYTES // 8), numpy.zeros(_BYTES // 8)
    seconds = _best(lambda: numpy.copyto(target, source))
    return Limits(2 * _BYTES / seconds, {name: _product(name) for name in ("float32", "float64")})


def _product(dtype: str) -> float:
    x = numpy.ones((_ROWS, _ROWS), dtype)
    out = numpy.empty_like(x)
    return 2 * _ROWS**3 / _best(lambda: numpy.matmul(x, x, out=out))


def _best(function: Callable[[], object]) -> float:
    function()
    found = []
    for _ in range(_TIMES):
        start = time.perf_counter()
        function()
        found.append(time.perf_counter() - start)
    return min(found)
