"""What an eager operation on a small array costs over NumPy's own call, beside HIPS autograd plain and tracing.

python -m benchmarks.eager
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy

from benchmarks.alternate import machine

CALLS = 2000
ROUNDS = 25

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "a + b": lambda np, x: x + x,
    "a * 2.0": lambda np, x: x * 2.0,
    "np.exp(a)": lambda np, x: np.exp(x),
    "a.sum()": lambda np, x: x.sum(),
    "np.mean(a)": lambda np, x: np.mean(x),
    "a @ b": lambda np, x: x @ x,
    "a[0]": lambda np, x: x[0],
    "a.T": lambda np, x: x.T,
    "a.reshape(1)": lambda np, x: x.reshape(1),
    "np.maximum(a, 0.0)": lambda np, x: np.maximum(x, 0.0),
    "a[0] = 1.0": lambda np, x: x.__setitem__(0, 1.0),
    "a.astype(float64)": lambda np, x: x.astype("float64"),
    "np.zeros((2, 2))": lambda np, x: np.zeros((2, 2)),
    "np.array([1.0, 2.0])": lambda np, x: np.array([1.0, 2.0]),
    "np.arange(4)": lambda np, x: np.arange(4),
    "np.where(a > 0, a, 0.0)": lambda np, x: np.where(x > 0, x, 0.0),
    "np.concatenate([a, a])": lambda np, x: np.concatenate([x, x]),
    "np.argmax(a)": lambda np, x: np.argmax(x),
    "np.linalg.norm(a)": lambda np, x: np.linalg.norm(x),
    "np.random.normal(size=4)": lambda np, x: np.random.normal(size=4),
}


def contestants() -> dict[str, tuple[Any, Any]]:
    """For each a namespace and the 1x1 array it works on."""
    import dopegraph.numpy as np

    one = numpy.ones((1, 1), numpy.float32)
    found: dict[str, tuple[Any, Any]] = {"NumPy": (numpy, one), "dopegraph": (np, np.array(one))}
    try:
        import autograd.numpy
        from autograd.tracer import new_box
    except ImportError:
        return found
    found["autograd"] = (autograd.numpy, one)
    found["autograd, tracing"] = (autograd.numpy, new_box(one, 0, _root_node()))
    return found


def _root_node() -> Any:
    from autograd.core import VJPNode

    return VJPNode.new_root()


def is_able(operation: Callable[[Any, Any], Any], namespace: Any, x: Any) -> bool:
    """Whether a contestant has the operation; autograd cannot trace a write into an array."""
    try:
        operation(namespace, x)
    except (TypeError, AttributeError):
        return False
    return True


def microseconds(operation: Callable[[Any, Any], Any], namespace: Any, x: Any) -> float:
    start = time.perf_counter()
    for _ in range(CALLS):
        operation(namespace, x)
    return (time.perf_counter() - start) / CALLS * 1e6


def main() -> None:
    entered = contestants()
    others = [name for name in entered if name != "NumPy"]
    print(f"Eager operations on 1x1 arrays, microseconds a call, medians of {ROUNDS} turns; {machine()}\n")
    print("| | NumPy | " + " | ".join(f"{name}: over NumPy" for name in others) + " |")
    print("|---|---:|" + "---:|" * len(others))
    for label, operation in OPERATIONS.items():
        able = {name: given for name, given in entered.items() if is_able(operation, *given)}
        times: dict[str, list[float]] = {name: [] for name in able}
        for _ in range(ROUNDS):
            for name, (namespace, x) in able.items():
                times[name].append(microseconds(operation, namespace, x))
        middle = {name: median(values) for name, values in times.items()}
        over = " | ".join(f"{middle[name] - middle['NumPy']:.2f}" if name in able else "-" for name in others)
        print(f"| `{label}` | {middle['NumPy']:.2f} | {over} |")


if __name__ == "__main__":
    main()
