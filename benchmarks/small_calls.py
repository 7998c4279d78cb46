"""What a compiled call costs besides its arithmetic: a function of eight small arrays and a float.

python -m benchmarks.small_calls
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy

from benchmarks.alternate import Contestant, race, table

REPEAT = 200
ARRAYS = [numpy.full((4, 4), number, numpy.float32) for number in range(8)]


def repeated(call: Callable[[], Any]) -> Callable[[], float]:
    """One step is many calls: a single one is too short for the clock."""

    def step() -> float:
        for _ in range(REPEAT):
            call()
        return 0.0

    return step


def combination(arrays: Any, factor: Any) -> Any:
    """A sum of products: 15 operations on 4x4 matrices."""
    total = arrays[0] * factor
    for array in arrays[1:]:
        total = total + array * factor
    return total


def compiled(policy: str) -> Callable[[], float]:
    import dopegraph
    import dopegraph.numpy as np

    function = dopegraph.compile(combination)
    arrays = [np.array(array) for array in ARRAYS]
    return dopegraph.policy(policy)(repeated(lambda: function(arrays, 0.5)))


def program_alone() -> Callable[[], float]:
    """The same without guards, arguments and results: what is left is the generated NumPy code."""
    import dopegraph
    import dopegraph.numpy as np
    from dopegraph.backends import compile_graph
    from dopegraph.runtime.buffer import Buffer

    graph = dopegraph.trace(combination)([np.array(array) for array in ARRAYS], 0.5)
    program = compile_graph(graph, "only_numpy")
    inputs = [*map(Buffer, ARRAYS), Buffer(numpy.asarray(0.5, numpy.float32))]
    return repeated(lambda: program.run(inputs))


def with_jax() -> Callable[[], float]:
    import jax

    function = jax.jit(combination)
    arrays = [jax.numpy.asarray(array) for array in ARRAYS]
    return repeated(lambda: function(arrays, 0.5))


def with_torch() -> Callable[[], float]:
    import torch

    function = torch.compile(combination)
    arrays = [torch.tensor(array) for array in ARRAYS]
    return repeated(lambda: function(arrays, 0.5))


def show(title: str, makers: dict[str, Callable[[], Callable[[], float]]]) -> None:
    entered = [Contestant(name, make) for name, make in makers.items()]
    rows = race([one for one in entered if not one.absent], rounds=20, steps=5)
    for row in rows:
        row.median, row.low, row.high = row.median / REPEAT, row.low / REPEAT, row.high / REPEAT
    print(table(title, rows, [one for one in entered if one.absent], digits=2), end="\n\n")
    for one in entered:
        one.close()


def main() -> None:
    calls = {
        "dopegraph (NumPy backend)": functools.partial(compiled, "only_numpy"),
        "the program alone": program_alone,
        "dopegraph (MXNet symbol)": functools.partial(compiled, "prefer_mxnet"),
        "JAX jit": with_jax,
        "PyTorch compile": with_torch,
    }
    show("A compiled call with eight 4x4 arrays and a float", calls)


if __name__ == "__main__":
    main()
