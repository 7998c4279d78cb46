"""Rules of random primitives: every example has numbers of its own, drawn with one key.

Where a primitive cannot draw them at once, the key is taken as the seed of as many keys as there are examples.
"""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.batching.call import Call, Rule, reshaped
from dopegraph.batching.loop import loop
from dopegraph.ir.graph import Value
from dopegraph.ops import concat, full, mod, random_integers, random_permuted

_UINT64 = numpy.dtype("uint64")


def _keys(key: Value, size: int) -> Value:
    """A key for every example."""
    seeds = random_integers(key, low=0, high=2**64, shape=(size, 1), dtype=_UINT64)
    result: Value = concat(seeds, full(value=0, shape=(size, 1), dtype=_UINT64), axis=1)
    return result


def _one_by_one(call: Call) -> Any:
    """Each example draws by itself, with a key of its own."""
    if call.mapped[0]:
        return loop(call)
    keys = _keys(call.operands[0], call.size)
    return loop(Call(call.node, call.size, (keys, *call.operands[1:]), (True, *call.mapped[1:])))


def _together(call: Call) -> Any:
    """Parameters broadcast to the shape that is drawn."""
    if call.mapped[0]:
        return loop(call)
    shape = call.attr("shape")
    parameters = [call.aligned(position, len(shape)) for position in range(1, len(call.operands))]
    return call.emit(call.operands[0], *parameters, shape=(call.size, *shape))


def _vectors(call: Call) -> Any:
    """The last parameter has one axis more than what is drawn."""
    if call.mapped[0]:
        return loop(call)
    shape, last = call.attr("shape"), len(call.operands) - 1
    parameters = [call.aligned(position, len(shape) + (position == last)) for position in range(1, len(call.operands))]
    return call.emit(call.operands[0], *parameters, shape=(call.size, *shape))


def _same_parameters(call: Call) -> Any:
    """Independent draws, if those of one example are, and have the same parameters as those of another."""
    independent = call.node.attrs.get("replace", True)
    if any(call.mapped) or not independent:
        return _one_by_one(call)
    return call.emit(*call.operands, shape=(call.size, *call.attr("shape")))


def _permuted(call: Call) -> Any:
    """Positions count on from one example to the next."""
    if call.mapped[0]:
        return loop(call)
    found = call.node.outputs[0]
    axis = call.node.attrs.get("axis")
    if not found.type.size or (axis is None and not found.ndim):
        return full(value=0, shape=(call.size, *found.shape), dtype=found.type.dtype)
    shape = (call.size, found.type.size) if axis is None else (call.size, *found.shape)
    places = random_permuted(call.operands[0], shape=shape, axis=1 if axis is None else axis + 1)
    return reshaped(mod(places, found.type.size), (call.size, *found.shape))


RULES: dict[str, Rule] = {
    **dict.fromkeys(
        ["random_uniform", "random_normal", "random_integers", "random_gamma", "random_wald", "random_vonmises",
         "random_poisson", "random_binomial", "random_negative_binomial", "random_geometric", "random_logseries",
         "random_zipf", "random_hypergeometric", "random_between"],
        _together,
    ),
    **dict.fromkeys(["random_multinomial", "random_categorical"], _vectors),
    **dict.fromkeys(["random_choice", "random_multivariate_hypergeometric"], _same_parameters),
    **dict.fromkeys(["random_permutation", "random_permuted"], _permuted),
}  # fmt: skip
