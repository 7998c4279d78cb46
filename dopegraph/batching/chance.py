"""Rules of random primitives: every example has numbers of its own, drawn with one key.

Where a primitive cannot draw them at once, the key is taken as the seed of as many keys as there are examples.
"""

from __future__ import annotations

import math
from typing import Any

import numpy

from dopegraph.batching.call import Call, Rule, lengths, reshaped
from dopegraph.batching.loop import loop
from dopegraph.ir.graph import Value
from dopegraph.ops import (
    abs,
    all,
    argsort,
    cast,
    checked,
    concat,
    full,
    greater,
    greater_equal,
    less_equal,
    log,
    log1p,
    logical_and,
    mod,
    neg,
    random_categorical,
    random_integers,
    random_permuted,
    random_uniform,
    select,
    strided_slice,
    sum,
)

_INT64, _UINT64, _FLOAT64 = (numpy.dtype(name) for name in ("int64", "uint64", "float64"))


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
    if any(call.mapped):
        return _one_by_one(call)
    return call.emit(*call.operands, shape=(call.size, *call.attr("shape")))


def _choice(call: Call) -> Any:
    if call.mapped[0]:
        return loop(call)
    shape, size = call.attr("shape"), call.size
    if call.attr("replace") and not call.mapped[1]:
        return call.emit(*call.operands, shape=(size, *shape))
    p = _probabilities(call.each(1), 1 if call.attr("replace") else lengths(shape))
    if call.attr("replace"):
        logits = reshaped(log(p), (size, *[1] * len(shape), p.shape[1]))
        return random_categorical(call.operands[0], logits, shape=(size, *shape))
    # As for one example: the first of independent exponential times with rates p (Efraimidis and Spirakis, 2006).
    uniform = random_uniform(call.operands[0], shape=p.shape, dtype=_FLOAT64)
    times = select(greater(p, 0.0), neg(log1p(neg(uniform))) / p, math.inf)
    order = argsort(times, axis=1, kind="stable")
    first = strided_slice(order, starts=(0, 0), stops=(size, lengths(shape)), steps=(1, 1))
    return reshaped(first, (size, *shape))


def _probabilities(p: Value, count: int) -> Value:
    """The rows in double precision, if they are probabilities, of which enough are not 0."""
    wide = cast(p, dtype=_FLOAT64)
    near = less_equal(abs(sum(wide, axes=(1,)) - 1.0), 1e-3)
    fits = logical_and(all(greater_equal(wide, 0.0), axes=(1,)), near)
    message = "probabilities must not be negative and must sum to 1"
    wide = checked(wide, fits, error="ValueError", message=message)
    different = sum(cast(greater(wide, 0.0), dtype=_INT64), axes=(1,))
    message = f"{count} different ones, but fewer probabilities are not 0"
    result: Value = checked(wide, greater_equal(different, count), error="ValueError", message=message)
    return result


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
    "random_choice": _choice,
    "random_multivariate_hypergeometric": _same_parameters,
    **dict.fromkeys(["random_permutation", "random_permuted"], _permuted),
}  # fmt: skip
