"""What derivatives without `compile` cost besides their arithmetic: recording, looking up, placing; and HIPS autograd.

python -m benchmarks.recording
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy

from benchmarks.alternate import machine

CALLS = 20
ROUNDS = 60


def perceptron(np: Any) -> Callable[..., Any]:
    """A multilayer perceptron with a softmax and its cross-entropy."""

    def loss(layers: Any, x: Any, y: Any) -> Any:
        for w, b in layers[:-1]:
            x = np.tanh(x @ w + b)
        w, b = layers[-1]
        z = x @ w + b
        z = z - np.max(z, axis=1, keepdims=True)
        chances = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
        return -np.sum(chances * y)

    return loss


def recurrent(np: Any) -> Callable[..., Any]:
    """Twelve steps of a recurrent cell: many operations, few parameters."""

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        w, u, b = parameters
        h = y
        for _ in range(12):
            h = np.tanh(x @ w + h @ u + b)
        return np.sum(h * y)

    return loss


def smallest(np: Any) -> Callable[..., Any]:
    """Two operations."""
    return lambda w, x, y: np.sum(np.tanh(w))


def parameters(convert: Callable[[Any], Any]) -> dict[str, Any]:
    draw = numpy.random.default_rng(0)

    def made(*shape: int) -> Any:
        return convert(draw.normal(size=shape).astype("float32") / 4)

    return {
        "MLP of 10 layers, 20 parameters": [(made(4, 4), made(4)) for _ in range(10)],
        "RNN of 12 steps, 3 parameters": [made(4, 4), made(4, 4), made(4)],
        "sum(tanh(w))": made(4, 4),
    }


LOSSES: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "MLP of 10 layers, 20 parameters": perceptron,
    "RNN of 12 steps, 3 parameters": recurrent,
    "sum(tanh(w))": smallest,
}
X = numpy.full((4, 4), 0.25, "float32")


def dopegraph_steps(name: str) -> dict[str, Callable[[], Any]]:
    """Both ways to derivatives, and the program that they run."""
    import dopegraph
    import dopegraph.numpy as np
    from dopegraph.runtime.buffer import Buffer
    from dopegraph.trace.tree import flatten

    loss, given = LOSSES[name](np), parameters(np.array)[name]
    x, y = np.array(X), np.array(X)
    functional = dopegraph.value_and_grad(loss)
    functional(given, x, y)
    program = dopegraph.programs.programs()[-1]
    buffers = [Buffer(numpy.zeros(one.shape, one.type.dtype)) for one in program.graph.arguments]
    attached = parameters(np.array)[name]
    for _, leaf in flatten(attached)[0]:
        leaf.attach_grad()

    def book() -> None:
        with dopegraph.record():
            result = loss(attached, x, y)
        result.backward()

    return {
        "value_and_grad": lambda: functional(given, x, y),
        "record, backward": book,
        "the program alone": lambda: program.run(buffers),
    }


def autograd_steps(name: str) -> dict[str, Callable[[], Any]]:
    import autograd
    import autograd.numpy

    functional = autograd.value_and_grad(LOSSES[name](autograd.numpy))
    given = parameters(lambda array: array)[name]
    return {"HIPS autograd": lambda: functional(given, X, X)}


def operations(name: str) -> int:
    """How many operations the loss does, each a call of a primitive."""
    import dopegraph
    import dopegraph.numpy as np

    with dopegraph.op_stats() as stats:
        LOSSES[name](np)(parameters(np.array)[name], np.array(X), np.array(X))
    return stats.total


def microseconds(step: Callable[[], Any]) -> float:
    """Of this thread: others' work on the machine counts less."""
    start = time.thread_time()
    for _ in range(CALLS):
        step()
    return (time.thread_time() - start) / CALLS * 1e6


def main() -> None:
    import dopegraph

    dopegraph.set_policy("only_numpy")
    print(f"Derivatives without compile, 4x4 arrays, microseconds, medians of {ROUNDS} turns; {machine()}\n")
    print("| | operations | the way | a step | an operation, over the program |")
    print("|---|---:|---|---:|---:|")
    for name in LOSSES:
        steps = dopegraph_steps(name)
        try:
            steps.update(autograd_steps(name))
        except ImportError:
            print("HIPS autograd did not take part: it is not installed")
        count = operations(name)
        times: dict[str, list[float]] = {way: [] for way in steps}
        gc.collect()
        for _ in range(ROUNDS):
            for way, step in steps.items():
                times[way].append(microseconds(step))
        alone = median(times["the program alone"])
        for way, taken in times.items():
            print(f"| {name} | {count} | {way} | {median(taken):.1f} | {(median(taken) - alone) / count:.2f} |")


if __name__ == "__main__":
    main()
