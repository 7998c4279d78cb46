"""Calls without end and programs without end: whether memory stays flat, and caches within their bounds.

    python -m benchmarks.soak [--calls 1000000] [--programs 1000]

The calls are those of small compiled functions: elementwise, a training step that updates its parameters in place,
random numbers, a branch that is decided by data, an undecorated gradient. The programs are different ones, each of them
compiled to C, called, and dropped. Exit status 1 if memory grew by more than it may, or a cache by more than its bound.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Before dopegraph is imported: a folder of its own, with a bound that a thousand programs exceed.
FOLDER = tempfile.TemporaryDirectory(prefix="dopegraph-soak-")
DISK = 4 << 20
os.environ["XDG_CACHE_HOME"] = FOLDER.name
os.environ["DOPEGRAPH_CACHE_BYTES"] = str(DISK)

import dopegraph  # noqa: E402
import dopegraph.numpy as np  # noqa: E402
from dopegraph.backends.codegen.executable import kernel_cache  # noqa: E402

# What the calls may add to the memory that a tenth of them takes; and the programs to that of six tenths, as 512 of
# them are kept for functions that come again.
GROWTH_OF_CALLS, GROWTH_OF_PROGRAMS = 4 << 20, 16 << 20


def resident() -> int:
    """Bytes of this process in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def functions() -> list[Callable[[int], Any]]:
    """Functions of the number of the call."""
    x, weight = np.ones((8, 16)), np.zeros((16, 4))
    state = {"steps": np.array(0)}

    @dopegraph.compile
    def elementwise(x: Any) -> Any:
        return np.exp(-x) * 2 + np.sum(x, axis=0)

    def loss(weight: Any, x: Any) -> Any:
        return np.mean((x @ weight - 1) ** 2)

    @dopegraph.compile
    def step(x: Any, rate: float) -> Any:
        nonlocal weight
        value, gradient = dopegraph.value_and_grad(loss)(weight, x)
        weight -= rate * gradient
        state["steps"] += 1
        return value

    @dopegraph.compile
    def noise(x: Any) -> Any:
        return np.where(np.random.uniform(size=x.shape) < 0.5, x, 0)

    @dopegraph.compile
    def branch(x: Any) -> Any:
        return x * 2 if x[0, 0] > 0 else x - 1

    undecorated = dopegraph.grad(loss)
    return [
        lambda number: elementwise(x),
        lambda number: step(x, 1e-3 / (1 + number)),
        lambda number: noise(x),
        lambda number: branch(x if number % 3 else -x),
        lambda number: undecorated(weight, x) if number % 8 == 0 else elementwise(x),
    ]


def call_often(count: int) -> int:
    """How many bytes memory grew by, from a tenth of the calls on."""
    called = functions()
    with dopegraph.codegen("always"):
        elementwise = called[0]
        elementwise(0)
    first, began = 0, time.perf_counter()
    for tenth in range(10):
        for number in range(tenth * count // 10, (tenth + 1) * count // 10):
            called[number % len(called)](number)
        now = resident()
        first = first or now
        each = (time.perf_counter() - began) / max((tenth + 1) * count // 10, 1) * 1e6
        print(f"{(tenth + 1) * count // 10:>9} calls: {now / 2**20:.1f} MiB, {each:.1f} us each", flush=True)
    return resident() - first


def program(number: int) -> Callable[[Any], Any]:
    """A function that no other number has."""
    bits = [number >> bit & 1 for bit in range(12)]

    def function(x: Any) -> Any:
        for position, bit in enumerate(bits):
            x = np.exp(x) * (position + 2) if bit else x - np.tanh(x) / (position + 2)
        return np.sum(x, axis=1)

    return dopegraph.compile(function)


def compile_many(count: int) -> tuple[int, int]:
    """How many bytes memory grew by from six tenths of the programs on, and the bytes of the cache on the disk."""
    first, x = 0, np.ones((4, 32)) * 0.01
    with dopegraph.codegen("always"):
        for tenth in range(10):
            for number in range(tenth * count // 10, (tenth + 1) * count // 10):
                program(number)(x)
            now = resident()
            if tenth == 5:
                first = now
            shown = f"{now / 2**20:.1f} MiB in memory, {on_disk() / 2**20:.1f} MiB on the disk"
            print(
                f"{(tenth + 1) * count // 10:>9} programs: {shown}, {kernel_cache().compiled} compilations", flush=True
            )
    return resident() - first, on_disk()


def on_disk() -> int:
    """Bytes of the kernels that are kept."""
    return sum(path.stat().st_size for path in kernel_cache().folder.glob("*.so"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--programs", type=int, default=1000)
    chosen = parser.parse_args()
    failures = []
    if chosen.calls:
        grown = call_often(chosen.calls)
        print(f"{chosen.calls} calls: memory grew by {grown / 2**20:.2f} MiB after the first tenth")
        if grown > GROWTH_OF_CALLS:
            failures.append("calls")
    if chosen.programs:
        grown, stored = compile_many(chosen.programs)
        print(f"{chosen.programs} programs: memory grew by {grown / 2**20:.2f} MiB after six tenths")
        if grown > GROWTH_OF_PROGRAMS:
            failures.append("programs")
        if stored > DISK:
            failures.append("the cache on the disk")
    if failures:
        print(f"too much: {', '.join(failures)}")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
