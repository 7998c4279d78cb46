"""Random numbers as functions of a key: the same key gives the same numbers, eagerly, compiled, on every CPU backend.

A key is two 64-bit numbers, seed and counter, that feed Philox 4x64-10 (Salmon, Moraes, Dror, Shaw: Parallel random
numbers: as easy as 1, 2, 3, SC11). `random_advance` makes the key of the next draw.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy

from dopegraph.ir.graph import Node
from dopegraph.ir.primitive import not_differentiable, primitive
from dopegraph.ir.types import DType, Shape, TensorType
from dopegraph.ops.typing import require_kind, require_lengths
from dopegraph.runtime.errors import DTypeError, ShapeError

KEY = TensorType("u64", (2,))
_DRAWN = not_differentiable("random numbers do not depend smoothly on their key")


def is_key(array: Any) -> bool:
    """Whether something with dtype and shape can be a random key; keys stay in the host's memory."""
    return array.dtype == KEY.dtype and array.shape == KEY.shape


def is_draw(node: Node) -> bool:
    """Whether a node draws random numbers; the key of the next draw is none."""
    return node.op.random and node.op.name != "random_advance"


def check_key(key: TensorType) -> None:
    if key != KEY:
        raise ShapeError(f"a random key is {KEY}, not {key}")


def _infer_advance(key: TensorType) -> TensorType:
    check_key(key)
    return key


def _infer_draw(key: TensorType, *, shape: Shape, dtype: DType) -> TensorType:
    check_key(key)
    result = TensorType(dtype, require_lengths(shape))
    require_kind(result, "f", "a floating dtype")
    return result


class _Kept(threading.local):
    """One generator for each thread: making one takes far longer than setting its state."""

    def __init__(self) -> None:
        self.bits = numpy.random.Philox(0)
        self.generator = numpy.random.Generator(self.bits)


_kept = _Kept()


def generator(key: Any) -> numpy.random.Generator:
    """NumPy's generator at the beginning of a draw; the next call of this thread begins another draw with it."""
    seed, draw = key.tolist()
    # The draw's number is the high part of the counter: the low part counts blocks inside one draw.
    _kept.bits.state = {
        "bit_generator": "Philox",
        "state": {"counter": (0, 0, draw, 0), "key": (seed, 0)},
        "buffer": (0, 0, 0, 0),
        "buffer_pos": 4,
        "has_uint32": 0,
        "uinteger": 0,
    }
    return _kept.generator


def _uniform(key: Any, *, shape: Shape, dtype: DType) -> Any:
    drawn = numpy.float64 if dtype == numpy.float64 else numpy.float32
    numbers = generator(key).random(shape, dtype=drawn)
    if dtype == numpy.float16:  # rounding must not reach 1
        numbers = numpy.minimum(numbers, numpy.float32(1 - 2.0**-11))
    return numbers.astype(dtype, copy=False)


def _normal(key: Any, *, shape: Shape, dtype: DType) -> Any:
    drawn = numpy.dtype(numpy.float64 if dtype == numpy.float64 else numpy.float32)
    return box_muller(_uniform(key, shape=(2, *half(shape)), dtype=drawn), shape).astype(dtype, copy=False)


def half(shape: Shape) -> Shape:
    """How many pairs of uniform numbers make `shape` normal ones."""
    return ((math.prod(shape) + 1) // 2,)


def box_muller(uniform: Any, shape: Shape) -> Any:
    """Two independent normal numbers from two uniform ones (Box and Muller, 1958)."""
    one = uniform.dtype.type(1)
    radius = numpy.sqrt(uniform.dtype.type(-2) * numpy.log(one - uniform[0]))  # 1 - u is never 0
    angle = uniform.dtype.type(2 * numpy.pi) * uniform[1]
    both = numpy.concatenate([radius * numpy.cos(angle), radius * numpy.sin(angle)])
    return both[: math.prod(shape)].reshape(shape)


def _infer_integers(key: TensorType, *, low: int, high: int, shape: Shape, dtype: DType) -> TensorType:
    check_key(key)
    if high <= low:
        raise ShapeError(f"no integer lies in [{low}, {high})")
    result = TensorType(dtype, require_lengths(shape))
    require_kind(result, "iu", "an integer dtype")
    limits = numpy.iinfo(dtype)
    if low < limits.min or high - 1 > limits.max:
        raise DTypeError(f"{dtype} does not hold all integers in [{low}, {high})")
    return result


def _integers(key: Any, *, low: int, high: int, shape: Shape, dtype: DType) -> Any:
    drawn = numpy.uint64 if dtype == numpy.uint64 else numpy.int64
    return generator(key).integers(low, high, shape, drawn).astype(dtype)


def _infer_permutation(key: TensorType, *, size: int) -> TensorType:
    check_key(key)
    return TensorType("i64", require_lengths((size,)))


random_advance = primitive(
    "random_advance", _infer_advance, lambda key: key + numpy.array([0, 1], numpy.uint64), _DRAWN, random=True
)
random_uniform = primitive("random_uniform", _infer_draw, _uniform, _DRAWN, random=True)
random_normal = primitive("random_normal", _infer_draw, _normal, _DRAWN, random=True)
random_integers = primitive("random_integers", _infer_integers, _integers, _DRAWN, random=True)
random_permutation = primitive(
    "random_permutation",
    _infer_permutation,
    lambda key, *, size: generator(key).permutation(size),
    _DRAWN,
    random=True,
)
