"""What a compiled call costs besides its arithmetic: two functions of eight small arrays and a float.

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


def smallest(arrays: Any, factor: Any) -> Any:
    """Hardly anything: 2 operations."""
    return arrays[0] + arrays[7] * factor


def compiled(body: Callable[..., Any], policy: str) -> Callable[[], float]:
    import dopegraph
    import dopegraph.numpy as np

    function = dopegraph.compile(body)
    arrays = [np.array(array) for array in ARRAYS]
    return dopegraph.policy(policy)(repeated(lambda: function(arrays, 0.5)))


def as_symbol(body: Callable[..., Any]) -> Callable[[], float]:
    """On MXNet, which does not get graphs as small as these unasked."""
    from dopegraph.backends import placement

    placement.SMALL = 0
    return compiled(body, "prefer_mxnet")


def as_kernels(body: Callable[..., Any]) -> Callable[[], float]:
    """As generated code, which graphs as small as these are not unasked."""
    import dopegraph

    dopegraph.codegen("always").__enter__()
    return compiled(body, "prefer_mxnet")


def program_alone(body: Callable[..., Any]) -> Callable[[], float]:
    """The same without guards, arguments and results: what is left is the generated NumPy code."""
    import dopegraph
    import dopegraph.numpy as np
    from dopegraph.backends import compile_graph
    from dopegraph.runtime.buffer import Buffer

    graph = dopegraph.trace(body)([np.array(array) for array in ARRAYS], 0.5)
    program = compile_graph(graph, "only_numpy")
    given = {f"arrays[{number}]": array for number, array in enumerate(ARRAYS)}
    inputs = [Buffer(given.get(one.name, numpy.asarray(0.5, numpy.float32))) for one in graph.arguments]
    return repeated(lambda: program.run(inputs))


def with_jax(body: Callable[..., Any]) -> Callable[[], float]:
    import jax

    function = jax.jit(body)
    arrays = [jax.numpy.asarray(array) for array in ARRAYS]
    return repeated(lambda: function(arrays, 0.5))


def with_torch(body: Callable[..., Any]) -> Callable[[], float]:
    import torch

    function = torch.compile(body)
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
    for body, number in ((smallest, 2), (combination, 15)):
        calls = {
            "dopegraph (NumPy backend)": functools.partial(compiled, body, "only_numpy"),
            "the program alone": functools.partial(program_alone, body),
            "dopegraph (MXNet preferred)": functools.partial(compiled, body, "prefer_mxnet"),
            "dopegraph (MXNet symbol)": functools.partial(as_symbol, body),
            "dopegraph (C kernels)": functools.partial(as_kernels, body),
            "JAX jit": functools.partial(with_jax, body),
            "PyTorch compile": functools.partial(with_torch, body),
        }
        show(f"A compiled call with eight 4x4 arrays and a float, {number} operations", calls)


if __name__ == "__main__":
    main()
