"""Reads DLPack capsules: the memory of PyTorch, JAX, CuPy and others as NumPy sees it, on every NumPy version.

The structs are in `dopegraph.runtime.dlpack_layout`.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy

from dopegraph.runtime.dlpack_layout import Managed, Tensor, Versioned
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located

CPU, CUDA, CUDA_HOST = 1, 2, 3
READ_ONLY = 1

# DLPack's code for a kind of number, and how NumPy calls it.
_KINDS = {0: "i", 1: "u", 2: "f", 5: "c", 6: "b"}
# Their capsules say nothing of writing when they are of the old kind; their memory may be written to.
_WRITEABLE_OWNERS = ("torch", "mxnet", "numpy", "cupy")


_OLD, _NEW = b"dltensor", b"dltensor_versioned"
_USED_OLD, _USED_NEW = b"used_dltensor", b"used_dltensor_versioned"  # the capsule keeps the pointer to its name

_is_valid = ctypes.pythonapi.PyCapsule_IsValid
_is_valid.argtypes, _is_valid.restype = (ctypes.py_object, ctypes.c_char_p), ctypes.c_int
_get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_get_pointer.argtypes, _get_pointer.restype = (ctypes.py_object, ctypes.c_char_p), ctypes.c_void_p
_set_name = ctypes.pythonapi.PyCapsule_SetName
_set_name.argtypes, _set_name.restype = (ctypes.py_object, ctypes.c_char_p), ctypes.c_int

_deleter_type = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)


class _Owner:
    """Tells whoever made the memory when nobody looks at it any more."""

    def __init__(self, address: int, deleter: int | None, memory: Any) -> None:
        self._address, self._deleter = address, deleter
        self._memory = memory
        if math.prod(memory["shape"]):
            self.__array_interface__ = memory

    def __del__(self, function: Any = _deleter_type) -> None:  # Python may end before the array does: hence the default
        if self._deleter:
            function(self._deleter)(self._address)


def is_capsule(x: Any) -> bool:
    """Whether something is a DLPack capsule that nobody took."""
    return type(x).__name__ == "PyCapsule" and bool(_is_valid(x, _OLD) or _is_valid(x, _NEW))


def take(capsule: Any, owner: Any = None) -> numpy.ndarray[Any, Any]:
    """A NumPy array over the memory of a capsule, which it keeps alive; read-only where the owner says so.

    Raises
    ------
    BufferError
        When the capsule was taken before, or its memory is not on the CPU.
    DTypeError
        When its numbers have no dtype of ours, such as bfloat16.
    """
    managed: Any
    if _is_valid(capsule, _NEW):
        address = _get_pointer(capsule, _NEW)
        managed = Versioned.from_address(address)
        if managed.major != 1:
            raise BufferError(located(f"from_dlpack: version {managed.major} of DLPack is not known here", here()))
        writeable = not managed.flags & READ_ONLY
    elif _is_valid(capsule, _OLD):
        address = _get_pointer(capsule, _OLD)
        managed = Managed.from_address(address)
        writeable = type(owner).__module__.partition(".")[0] in _WRITEABLE_OWNERS
    else:
        raise BufferError(located("from_dlpack: this is no DLPack capsule, or one that was taken before", here()))
    tensor = managed.tensor
    if tensor.device_type not in (CPU, CUDA_HOST):
        raise BufferError(located("from_dlpack: the memory is not on the CPU; move it there first", here()))
    dtype = _dtype(tensor)
    shape = tuple(tensor.shape[: tensor.ndim])
    strides = tuple([step * dtype.itemsize for step in tensor.strides[: tensor.ndim]]) if tensor.strides else None
    described = {
        "version": 3,
        "data": ((tensor.data or 0) + tensor.byte_offset, not writeable),
        "shape": shape,
        "strides": strides,
        "typestr": dtype.str,
    }
    # From here on the memory is ours to give back.
    _set_name(capsule, _USED_NEW if managed.__class__ is Versioned else _USED_OLD)
    memory = _Owner(address, managed.deleter, described)
    return numpy.asarray(memory) if math.prod(shape) else numpy.empty(shape, dtype)


def _dtype(tensor: Tensor) -> numpy.dtype[Any]:
    kind, size = _KINDS.get(tensor.code), tensor.bits // 8
    if kind is None or tensor.lanes != 1 or tensor.bits % 8 or size not in (1, 2, 4, 8, 16):
        named = "bfloat16" if tensor.code == 4 else f"DLPack's type {tensor.code} with {tensor.bits} bits"
        raise DTypeError(located(f"from_dlpack: arrays of {named} are not supported; convert them to float32", here()))
    return numpy.dtype(f"{kind}{size}")
