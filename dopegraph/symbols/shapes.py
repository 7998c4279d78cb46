"""Import rules of MXNet's operators that move elements: reshaping, joining, cutting, taking; and of those that make
arrays.
"""

from __future__ import annotations

import math
from typing import Any

import dopegraph.numpy as np
from dopegraph.ir.types import DType
from dopegraph.nn import functional as nn
from dopegraph.symbols.arithmetic import with_axes
from dopegraph.symbols.attributes import Gaps, Shape
from dopegraph.symbols.errors import SymbolError, Unsupported

# No array that a symbol makes of its attributes alone may have more elements.
_LARGEST = 2**31


def reshape(
    x: Any, *, shape: Shape = (), reverse: bool = False, target_shape: Shape = (), keep_highest: bool = False
) -> Any:
    """MXNet's codes: 0 keeps a length, -1 is what remains, -2 copies the rest, -3 joins two, -4 splits one."""
    if target_shape or keep_highest or not shape:
        raise Unsupported("the old form of Reshape has no primitive")
    source, wanted = list(x.shape), list(shape)
    if reverse:
        if min(wanted) < -3:
            raise Unsupported("a split from behind has no primitive")
        source, wanted = source[::-1], wanted[::-1]
    result = _reshaped(source, wanted, x.size)
    result = result[::-1] if reverse else result
    if math.prod(result) != x.size or not result:
        raise SymbolError(f"Reshape: shape={shape} for data of shape {x.shape}")
    return np.reshape(x, tuple(result))


def _reshaped(source: list[int], wanted: list[int], size: int) -> list[int]:
    result: list[int] = []
    codes, lengths = iter(wanted), iter(source)
    try:
        for code in codes:
            if code > 0 or code == -1:
                result.append(code)
                next(lengths, None)
            elif code == 0:
                result.append(next(lengths))
            elif code == -2:
                result.extend(lengths)
            elif code == -3:
                result.append(next(lengths) * next(lengths))
            elif code == -4:
                result.extend(_split(next(lengths), next(codes), next(codes)))
            else:
                raise SymbolError(f"Reshape: {code} is no length and no code")
    except StopIteration:
        raise SymbolError(f"Reshape: shape={wanted} for data of shape {source}") from None
    if result.count(-1) > 1:
        raise SymbolError(f"Reshape: shape={wanted} leaves more than one length open")
    if -1 in result:
        known = -math.prod(result)
        if known == 0 or size % known:
            raise SymbolError(f"Reshape: shape={wanted} for data of shape {source}")
        result[result.index(-1)] = size // known
    return result


def _split(length: int, first: int, second: int) -> tuple[int, int]:
    if first == -1 and second > 0:
        first = length // second
    elif second == -1 and first > 0:
        second = length // first
    if first < 1 or second < 1 or first * second != length:
        raise SymbolError(f"Reshape: {length} is not {first} times {second}")
    return first, second


def flatten(x: Any) -> Any:
    return np.reshape(x, (x.shape[0], -1))


def concat(*arrays: Any, num_args: int = 0, dim: int = 1) -> Any:
    if len({one.dtype for one in arrays}) != 1:
        raise Unsupported("Concat of several dtypes has no primitive")
    return np.concatenate(arrays, axis=dim)


def stack(*arrays: Any, num_args: int = 0, axis: int = 0) -> Any:
    if len({one.dtype for one in arrays}) != 1:
        raise Unsupported("stack of several dtypes has no primitive")
    return np.stack(arrays, axis=axis)


def split(x: Any, *, num_outputs: int, axis: int = 1, squeeze_axis: bool = False) -> Any:
    if not 1 <= num_outputs <= 2**16 or not -x.ndim <= axis < x.ndim or x.shape[axis] % num_outputs:
        raise SymbolError(f"split: {num_outputs} parts of axis {axis} of data of shape {x.shape}")
    parts = np.split(x, num_outputs, axis=axis)
    return tuple([with_axes(np.squeeze(part, axis=axis)) for part in parts] if squeeze_axis else parts)


def transpose(x: Any, *, axes: Shape = ()) -> Any:
    return np.transpose(x, axes or None)


def expand_dims(x: Any, *, axis: int) -> Any:
    return np.expand_dims(x, axis)


def squeeze(x: Any, *, axis: Shape | None = None) -> Any:
    return with_axes(np.squeeze(x, axis=axis))


def swap_axes(x: Any, *, dim1: int = 0, dim2: int = 0) -> Any:
    return np.swapaxes(x, dim1, dim2)


def flip(x: Any, *, axis: Shape) -> Any:
    return np.flip(x, axis)


def broadcast_to(x: Any, *, shape: Shape = ()) -> Any:
    if len(shape) != x.ndim:
        raise SymbolError(f"broadcast_to: shape={shape} for data of shape {x.shape}")
    return np.broadcast_to(x, tuple([length or own for length, own in zip(shape, x.shape)]))


def broadcast_axis(x: Any, *, axis: Shape = (), size: Shape = ()) -> Any:
    shape = list(x.shape)
    for one, length in zip(axis, size):
        if not -x.ndim <= one < x.ndim or shape[one] != 1:
            raise SymbolError(f"broadcast_axis: axis={axis} of data of shape {x.shape}")
        shape[one] = length
    return np.broadcast_to(x, tuple(shape))


def broadcast_like(x: Any, like: Any, *, lhs_axes: Shape | None = None, rhs_axes: Shape | None = None) -> Any:
    if lhs_axes or rhs_axes:
        raise Unsupported("broadcast_like along given axes has no primitive")
    return np.broadcast_to(x, like.shape)


def reshape_like(
    x: Any, like: Any, *, lhs_begin: int | None = None, lhs_end: int | None = None, rhs_begin: int | None = None,
    rhs_end: int | None = None,
) -> Any:  # fmt: skip
    if any(one is not None for one in (lhs_begin, lhs_end, rhs_begin, rhs_end)):
        raise Unsupported("reshape_like of some axes has no primitive")
    return np.reshape(x, like.shape)


def slice_(x: Any, *, begin: Gaps, end: Gaps, step: Gaps = ()) -> Any:
    if len(begin) != len(end) or len(begin) > x.ndim or len(step) not in (0, len(begin)) or 0 in step:
        raise SymbolError(f"slice: begin={begin}, end={end}, step={step} of data of shape {x.shape}")
    steps = step or (None,) * len(begin)
    return _not_empty(x[tuple([slice(*bounds) for bounds in zip(begin, end, steps)])])


def slice_assign(x: Any, part: Any, *, begin: Gaps, end: Gaps, step: Gaps = ()) -> Any:
    if len(begin) != len(end) or len(begin) > x.ndim or len(step) not in (0, len(begin)) or 0 in step:
        raise SymbolError(f"slice: begin={begin}, end={end}, step={step} of data of shape {x.shape}")
    steps = step or (None,) * len(begin)
    key = tuple([slice(*bounds) for bounds in zip(begin, end, steps)])
    if x.dtype != part.dtype or x[key].shape != part.shape:
        raise SymbolError(f"_slice_assign: {part.dtype} of shape {part.shape} into {x.dtype} of shape {x[key].shape}")
    made = np.array(x)
    made[key] = part
    return made


def slice_axis(x: Any, *, axis: int, begin: int, end: int | None) -> Any:
    if not -x.ndim <= axis < x.ndim:
        raise SymbolError(f"slice_axis: axis={axis} of data of shape {x.shape}")
    return _not_empty(x[(slice(None),) * (axis % x.ndim) + (slice(begin, end),)])


def _not_empty(x: Any) -> Any:
    if x.size == 0:
        raise SymbolError("slice: nothing is left")
    return x


def slice_like(x: Any, like: Any, *, axes: Shape = ()) -> Any:
    chosen = {axis % x.ndim for axis in axes} if axes else set(range(x.ndim))
    return x[tuple([slice(like.shape[axis]) if axis in chosen else slice(None) for axis in range(x.ndim)])]


def tile(x: Any, *, reps: Shape) -> Any:
    if not reps or min(reps) < 1:
        raise Unsupported(f"tile with reps={reps} has no primitive")
    _sized((*x.shape, *reps))
    return np.tile(x, reps)


def repeat(x: Any, *, repeats: int, axis: int | None = None) -> Any:
    if repeats < 1:
        raise Unsupported(f"repeat with repeats={repeats} has no primitive")
    _sized((*x.shape, repeats))
    return np.repeat(x, repeats, axis=axis)


def pad(x: Any, *, mode: str, pad_width: Shape, constant_value: float = 0.0) -> Any:
    if mode not in ("constant", "edge", "reflect") or len(pad_width) != 2 * x.ndim or min(pad_width) < 0:
        raise Unsupported(f"Pad with mode={mode}, pad_width={pad_width} has no primitive")
    widths = list(zip(pad_width[::2], pad_width[1::2]))
    _sized([length + before + after for length, (before, after) in zip(x.shape, widths)])
    if mode == "constant":
        return np.pad(x, widths, constant_values=constant_value)
    return np.pad(x, widths, mode=mode)


def take(x: Any, indices: Any, *, axis: int = 0, mode: str = "clip") -> Any:
    if mode not in ("clip", "wrap"):
        raise Unsupported(f"take with mode={mode} has no primitive")
    return np.take(x, indices.astype("int64"), axis=axis, mode=mode)


def pick(x: Any, index: Any, *, axis: int | None = -1, keepdims: bool = False, mode: str = "clip") -> Any:
    if mode != "clip" or axis is None or not -x.ndim <= axis < x.ndim:
        raise Unsupported(f"pick with mode={mode}, axis={axis} has no primitive")
    positions = np.clip(index.astype("int64"), 0, x.shape[axis] - 1)
    if positions.ndim != x.ndim:
        positions = np.expand_dims(positions, axis)
    found = np.take_along_axis(x, positions, axis=axis)
    return found if keepdims else with_axes(np.squeeze(found, axis=axis))


def one_hot(x: Any, *, depth: int, on_value: float = 1.0, off_value: float = 0.0, dtype: DType | None = None) -> Any:
    if depth < 1 or depth > _LARGEST:
        raise SymbolError(f"one_hot: depth={depth}")
    _sized((*x.shape, depth))
    codes = nn.one_hot(x, depth, "float32")
    if (on_value, off_value) != (1.0, 0.0):
        codes = codes * (on_value - off_value) + off_value
    return codes.astype(dtype or "float32")


def up_sampling(
    x: Any, *, scale: int, sample_type: str, num_args: int = 1, num_filter: int = 0, multi_input_mode: str = "concat"
) -> Any:
    if sample_type != "nearest" or x.ndim != 4 or not 1 <= scale <= 2**10:
        raise Unsupported(f"UpSampling with sample_type={sample_type} has no primitive")
    return np.repeat(np.repeat(x, scale, axis=2), scale, axis=3)


def diag(x: Any, *, k: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    if x.ndim < 2:
        return np.diag(x, k)
    return with_axes(np.diagonal(x, k, axis1, axis2))


def sequence_last(x: Any, lengths: Any = None, *, use_sequence_length: bool = False, axis: int = 0) -> Any:
    return np.take(_whole(x, lengths, use_sequence_length), -1, axis=axis)


def sequence_reverse(x: Any, lengths: Any = None, *, use_sequence_length: bool = False, axis: int = 0) -> Any:
    return np.flip(_whole(x, lengths, use_sequence_length), axis)


def sequence_mask(
    x: Any, lengths: Any = None, *, use_sequence_length: bool = False, value: float = 0.0, axis: int = 0
) -> Any:
    return _whole(x, lengths, use_sequence_length)


def _whole(x: Any, lengths: Any, use_sequence_length: bool) -> Any:
    if use_sequence_length or lengths is not None or x.ndim < 2:
        raise Unsupported("sequences of several lengths have no primitive")
    return x


def _sized(shape: Any) -> None:
    if min(shape, default=1) < 0 or math.prod(shape) > _LARGEST:
        raise SymbolError(f"an array of shape {tuple(shape)} is too large")


def filled(value: float) -> Any:
    def rule(*, shape: Shape = (), dtype: DType | None = None) -> Any:
        return full(value=value, shape=shape, dtype=dtype)

    return rule


def full(*, value: float, shape: Shape = (), dtype: DType | None = None) -> Any:
    if not shape or min(shape) < 1:
        raise SymbolError(f"an array of shape {shape}")
    _sized(shape)
    return np.full(shape, value, dtype=dtype or "float32")


def arange(
    *, start: float, stop: float | None = None, step: float = 1.0, repeat: int = 1, infer_range: bool = False,
    dtype: DType | None = None,
) -> Any:  # fmt: skip
    if infer_range or repeat != 1 or step == 0 or not math.isfinite(start + step + (stop or 0)):
        raise Unsupported("arange with repeats, or with a range to be inferred, has no primitive")
    first, last = (0.0, start) if stop is None else (start, stop)
    length = math.ceil((last - first) / step)
    if length < 1:
        raise SymbolError(f"arange from {first} to {last} in steps of {step}")
    _sized((length,))
    return np.arange(first, last, step, dtype=dtype or "float32")


RULES = {
    "Reshape": reshape,
    "reshape": reshape,
    "Flatten": flatten,
    "flatten": flatten,
    "Concat": concat,
    "concat": concat,
    "stack": stack,
    "SliceChannel": split,
    "split": split,
    "transpose": transpose,
    "expand_dims": expand_dims,
    "squeeze": squeeze,
    "SwapAxis": swap_axes,
    "swapaxes": swap_axes,
    "reverse": flip,
    "flip": flip,
    "broadcast_to": broadcast_to,
    "broadcast_axis": broadcast_axis,
    "broadcast_axes": broadcast_axis,
    "broadcast_like": broadcast_like,
    "reshape_like": reshape_like,
    "slice": slice_,
    "crop": slice_,
    "_slice_assign": slice_assign,
    "_crop_assign": slice_assign,
    "slice_axis": slice_axis,
    "slice_like": slice_like,
    "tile": tile,
    "repeat": repeat,
    "Pad": pad,
    "pad": pad,
    "take": take,
    "pick": pick,
    "one_hot": one_hot,
    "UpSampling": up_sampling,
    "diag": diag,
    "SequenceLast": sequence_last,
    "SequenceReverse": sequence_reverse,
    "SequenceMask": sequence_mask,
    "_zeros": filled(0.0),
    "_ones": filled(1.0),
    "_full": full,
    "_arange": arange,
}
