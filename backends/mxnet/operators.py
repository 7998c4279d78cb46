"""Single operators of MXNet 1.9.1: what they take and give, run at once, and differentiated by MXNet itself.

Nothing here trusts its caller: MXNet ends the process when an operator gets too few operands, so that they are counted
first, and results are sized before memory is asked for.
"""

from __future__ import annotations

import ctypes
import functools
import math
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from dopegraph.backends.mxnet import library
from dopegraph.backends.mxnet.arrays import holds, last_error, native, short_message
from dopegraph.backends.mxnet.symbol_writer import DTYPE_NUMBERS
from dopegraph.ir.types import TensorType
from dopegraph.runtime.buffer import HOST, Buffer
from dopegraph.runtime.errors import BackendError

Attributes = tuple[tuple[str, str], ...]
Types = tuple[tuple[numpy.dtype[Any], tuple[int, ...]], ...]

# Operators that do something else than compute from their operands, or cannot stand alone.
_REFUSED = {
    "_backward_": "it belongs to another operator, which gives it its operands",
    "_contrib_backward_": "it belongs to another operator, which gives it its operands",
    "_npi_backward_": "it belongs to another operator, which gives it its operands",
    "_sg_": "it stands for a part of a graph that MXNet makes itself",
    "_TensorRT": "it stands for a part of a graph that MXNet makes itself",
    "_trt_op": "it stands for a part of a graph that MXNet makes itself",
    "_CachedOp": "it stands for a program in memory",
    "_CustomFunction": "it stands for a Python object in memory",
    "_NDArray": "it holds an address in memory",
    "_Native": "it holds an address in memory",
    "Custom": "it runs Python code that is not in the symbol",
    "_npi_Custom": "it runs Python code that is not in the symbol",
    "_cvimread": "it reads files",
    "_npi_cvimread": "it reads files",
    "_foreach": "it holds graphs of its own",
    "_while_loop": "it holds graphs of its own",
    "_cond": "it holds graphs of its own",
    "_contrib_dgl_": "it takes sparse arrays",
    "_cross_device_copy": "it moves arrays between devices",
    "_copyto": "it moves arrays between devices",
    "_contrib_quantize_asym": "it ends the process",
    "reset_arrays": "it ends the process",
    "unravel_index": "it ends the process for positions outside",
    "_unravel_index": "it ends the process for positions outside",
    "_image_resize": "it ends the process for most dtypes",
    "_npx__image_resize": "it ends the process for most dtypes",
}

# Without their second operand they end the process in their gradient; dopegraph.symbols has rules for that case.
_NEED_LENGTHS = ("SequenceLast", "SequenceMask", "SequenceReverse", "_npx_sequence_mask")

# No result of an operator may take more bytes than this, nor may all its attributes have more letters.
LARGEST_RESULT = 2**34
LONGEST_ATTRIBUTES = 2**20

# One after the other: the training flag and the recorded gradient belong to the thread, the engine does not mind.
_lock = threading.RLock()


@dataclass(frozen=True)
class Described:
    """What an operator with given attributes takes and gives.

    Attributes
    ----------
    inputs : tuple of str
        Names of its operands, auxiliary states among them.
    auxiliary : tuple of int
        Positions of the operands that it updates.
    outputs : int
    symbol : mxnet.symbol.Symbol
    """

    inputs: tuple[str, ...]
    auxiliary: tuple[int, ...]
    outputs: int
    symbol: Any


@functools.cache
def names() -> frozenset[str]:
    """All operators that MXNet has."""
    mx = library.load()
    count, array = ctypes.c_uint(), ctypes.POINTER(ctypes.c_char_p)()
    mx.base.check_call(mx.base._LIB.MXListAllOpNames(ctypes.byref(count), ctypes.byref(array)))
    return frozenset([array[position].decode() for position in range(count.value)])  # type: ignore[union-attr]


def refusal(operator: str) -> str | None:
    """Why an operator cannot be run alone, or None."""
    if operator not in names():
        return "MXNet 1.9.1 has no such operator"
    for prefix, why in _REFUSED.items():
        if operator == prefix or (prefix.endswith("_") and operator.startswith(prefix)):
            return why
    return None


@functools.lru_cache(maxsize=4096)
def describe(operator: str, attributes: Attributes) -> Described:
    """What an operator takes and gives.

    Raises
    ------
    BackendError
        When MXNet has no such operator or does not take the attributes, or when it cannot be run alone.
    """
    why = refusal(operator)
    if why is not None:
        raise BackendError(f"{operator}: {why}")
    if sum(len(part) for pair in attributes for part in pair) > LONGEST_ATTRIBUTES:
        raise BackendError(f"{operator}: its attributes have more than {LONGEST_ATTRIBUTES} letters")
    if any("\0" in part for pair in attributes for part in pair):
        raise BackendError(f"{operator}: its attributes have a zero byte")
    mx = library.load()
    lib = mx.base._LIB
    creator, handle = ctypes.c_void_p(), ctypes.c_void_p()
    keys = (ctypes.c_char_p * len(attributes))(*[_bytes(key) for key, _ in attributes])
    values = (ctypes.c_char_p * len(attributes))(*[_bytes(value) for _, value in attributes])
    with _lock:
        _check(lib.NNGetOpHandle(operator.encode(), ctypes.byref(creator)), operator)
        _check(lib.MXSymbolCreateAtomicSymbol(creator, len(attributes), keys, values, ctypes.byref(handle)), operator)
        symbol = mx.sym.Symbol(handle)
        # Without operands MXNet makes variables for all that the operator takes.
        _check(lib.MXSymbolCompose(handle, b"op", 0, None, None), operator)
        inputs = tuple(symbol.list_inputs())
        auxiliary = frozenset(symbol.list_auxiliary_states())
        outputs = len(symbol.list_outputs())
    if operator in _NEED_LENGTHS and len(inputs) == 1:
        raise BackendError(f"{operator}: without use_sequence_length it does nothing that needs MXNet")
    short = tuple([name.partition("op_")[2] or name for name in inputs])
    return Described(short, tuple([place for place, name in enumerate(inputs) if name in auxiliary]), outputs, symbol)


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BackendError("an attribute is no text") from None


def _check(status: int, operator: str) -> None:
    if status != 0:
        cause = last_error()
        raise BackendError(f"{operator}: {_sentence(cause)}") from cause


def _sentence(error: Exception) -> str:
    """What MXNet says, without the place in its own source."""
    said = short_message(error).strip().rstrip(",").replace("Error in operator op: ", "")
    return re.sub(r"\[[\d:]+\] \S+: ", "", said)


@functools.lru_cache(maxsize=4096)
def result_types(operator: str, attributes: Attributes, operands: tuple[TensorType, ...]) -> Types:
    """Types of an operator's outputs, then of its auxiliary states, for operands of given types."""
    found = describe(operator, attributes)
    if len(operands) != len(found.inputs):
        takes = ", ".join(found.inputs) or "none"
        raise BackendError(f"{operator}: {len(operands)} operands for {len(found.inputs)} ({takes})")
    for type in operands:
        if not holds(type):
            raise BackendError(f"{operator}: MXNet cannot hold an array of {type}")
        if not type.shape:
            raise BackendError(f"{operator}: MXNet's symbols have no arrays without axes; reshape to (1,)")
        if type.dtype.kind == "b":
            raise BackendError(f"{operator}: MXNet's symbols have hardly any use of bool; cast to uint8 or float32")
    symbol = found.symbol
    arguments = symbol.list_inputs()
    shapes = {name: type.shape for name, type in zip(arguments, operands)}
    dtypes = {name: type.dtype for name, type in zip(arguments, operands)}
    try:
        with _lock:
            # Not infer_shape and infer_type, which print what they do not know.
            _, out, _ = symbol._infer_shape_impl(True, **shapes)
            _, kinds, _ = symbol._infer_type_impl(False, **dtypes)
    except Exception as cause:
        raise BackendError(f"{operator}({', '.join(map(str, operands))}): {_sentence(cause)}") from cause
    if out is None or kinds is None or any(not _known(shape) for shape in out):
        raise BackendError(f"{operator}({', '.join(map(str, operands))}): MXNet cannot tell the shape of the result")
    types = []
    for shape, kind in zip(out, kinds):
        dtype = numpy.dtype(kind)
        if dtype.name not in DTYPE_NUMBERS:
            raise BackendError(f"{operator}: gives {dtype}, which graphs do not have")
        if TensorType(dtype, shape).nbytes > LARGEST_RESULT:
            raise BackendError(f"{operator}: a result of shape {shape} is larger than {LARGEST_RESULT} bytes")
        if "reshape" in operator.lower() and math.prod(shape) != operands[0].size:
            raise BackendError(f"{operator}: {operands[0]} has no shape {shape}")  # which would end the process
        types.append((dtype, tuple(map(int, shape))))
    types += [(operands[place].dtype, operands[place].shape) for place in found.auxiliary]
    return tuple(types)


def _known(shape: Any) -> bool:
    return bool(shape) and all(length > 0 for length in shape)


def run(operator: str, attributes: Attributes, arrays: Sequence[Any], types: Types, training: bool) -> list[Any]:
    """Outputs of an operator, then the new contents of its auxiliary states."""
    with _lock:
        found, operands = _prepared(operator, attributes, arrays, types)
        mx = library.load()
        with mx.autograd.pause(train_mode=training):
            outputs = _invoke(operator, attributes, operands)
        results = [one.asnumpy() for one in outputs[: found.outputs]]
        results += [operands[place].asnumpy() for place in found.auxiliary]
    return _shaped(operator, results, types)


def gradient(
    operator: str,
    attributes: Attributes,
    arrays: Sequence[Any],
    cotangents: Sequence[Any],
    types: Types,
    *,
    training: bool,
    wanted: Sequence[int],
) -> list[Any]:
    """Cotangents of the operands at the positions `wanted`, by MXNet's own backward operators."""
    with _lock:
        found, operands = _prepared(operator, attributes, arrays, types)
        mx = library.load()
        differentiated = [place for place in wanted if place not in found.auxiliary]
        zeros = {place: numpy.zeros_like(arrays[place]) for place in wanted if place in found.auxiliary}
        for place in differentiated:
            operands[place].attach_grad()
        heads = [native(Buffer(numpy.ascontiguousarray(one)), HOST) for one in cotangents]
        try:
            with mx.autograd.record(train_mode=training):
                outputs = _invoke(operator, attributes, operands)[: found.outputs]
            floats = [one for one in outputs if numpy.dtype(one.dtype).kind == "f"]
            if differentiated and floats:
                mx.autograd.backward(floats, heads[: len(floats)], train_mode=training)
            results = [zeros[place] if place in zeros else operands[place].grad.asnumpy() for place in wanted]
        except Exception as cause:  # MXNet gives its errors the classes of Python, too
            raise BackendError(f"the gradient of {operator}: {_sentence(cause)}") from cause
    return _shaped(operator, results, tuple([(arrays[place].dtype, arrays[place].shape) for place in wanted]))


def _prepared(
    operator: str, attributes: Attributes, arrays: Sequence[Any], types: Types
) -> tuple[Described, list[Any]]:
    """What the operator is, and its operands as copies: it may write into them."""
    operands = tuple([TensorType(one.dtype, one.shape) for one in arrays])
    inferred = result_types(operator, attributes, operands)
    if inferred != types:
        raise BackendError(f"{operator}: the graph says it gives {types}, MXNet says {inferred}")
    return describe(operator, attributes), [native(Buffer(numpy.array(one, order="C")), HOST) for one in arrays]


def _invoke(operator: str, attributes: Attributes, operands: Sequence[Any]) -> list[Any]:
    mx = library.load()
    handle = ctypes.c_void_p()
    _check(mx.base._LIB.NNGetOpHandle(operator.encode(), ctypes.byref(handle)), operator)
    keys, values = [key for key, _ in attributes], [value for _, value in attributes]
    try:
        made = mx._ctypes.ndarray._imperative_invoke(handle.value, list(operands), keys, values, None, False, True)
        for one in made:
            one.wait_to_read()
    except Exception as cause:
        raise BackendError(f"{operator}: {_sentence(cause)}") from cause
    return list(made)


def _shaped(operator: str, results: Sequence[Any], types: Types) -> list[Any]:
    for result, (dtype, shape) in zip(results, types):
        if result.dtype != dtype or result.shape != tuple(shape):
            raise BackendError(f"{operator}: gave {result.dtype} of shape {result.shape}, not {dtype} of {shape}")
    return list(results)
