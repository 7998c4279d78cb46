"""The rule for what has no other: one example after the other, as so many nodes."""

from __future__ import annotations

from typing import Any

from dopegraph.batching.call import Call, example, reshaped
from dopegraph.ops import concat


def loop(call: Call) -> Any:
    """Every example by itself, put together along axis 0."""
    found = []
    for number in range(call.size):
        operands = [example(value, number) if mapped else value for value, mapped in zip(call.operands, call.mapped)]
        results = call.emit(*operands)
        found.append(results if isinstance(results, tuple) else (results,))
    stacked = tuple(concat(*[reshaped(one, (1, *one.shape)) for one in results], axis=0) for results in zip(*found))
    return stacked if len(stacked) > 1 else stacked[0]
