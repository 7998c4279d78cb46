"""One memory seen by NumPy and by MXNet: views in both directions without a copy, and copies between devices.

Used by the executor and by arrays that change device. What MXNet cannot hold (some dtypes, arrays without elements)
stays NumPy's whatever its device; no MXNet operator ever sees it.
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph.backends.mxnet import library
from dopegraph.backends.mxnet.symbol_writer import DTYPE_NUMBERS
from dopegraph.ir.types import Shape, TensorType
from dopegraph.runtime.buffer import HOST, Buffer
from dopegraph.runtime.device import Device
from dopegraph.runtime.dlpack_layout import Managed, Tensor
from dopegraph.runtime.errors import BackendError, DeviceError

# MXNet's numbers for device kinds and dtypes, and DLPack's (code, bits) for dtypes.
_DEVICE_NUMBERS = {"cpu": 1, "gpu": 2}
_DLPACK_CODES = {"i": 0, "u": 1, "f": 2, "b": 1}
_NUMBERS = {numpy.dtype(name): number for name, number in DTYPE_NUMBERS.items()}
_DLPACK = {dtype: (_DLPACK_CODES[dtype.kind], 8 * dtype.itemsize) for dtype in _NUMBERS}


# The arrays whose memory MXNet sees, until it lets go of them.
_held: dict[int, Any] = {}
_tickets = itertools.count(1)


def _release(tensor: Any, forget: Callable[[int, None], Any] = _held.pop) -> None:
    # MXNet lets go of some arrays when Python ends, after this module's names are gone: hence the default.
    forget(tensor.contents.context, None)


_deleter = ctypes.CFUNCTYPE(None, ctypes.POINTER(Managed))(_release)
_deleter_address = ctypes.cast(_deleter, ctypes.c_void_p).value


def holds(type: Any) -> bool:
    """Whether MXNet can hold arrays of a type (anything with dtype and shape)."""
    return type.dtype in _NUMBERS and 0 not in type.shape


def check(status: int) -> None:
    """Raise `BackendError` if a call into MXNet failed, with MXNet's own error as its cause."""
    if status != 0:
        cause = last_error()
        raise BackendError(short_message(cause)) from cause


def last_error() -> Exception:
    """What MXNet says of its last failure."""
    error: Exception = library.load().base.get_last_ffi_error()
    return error


def short_message(error: Exception) -> str:
    """The sentence of an MXNet error, without its stack trace."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = next((line for line in lines if "Error: " in line or "Check failed" in line), lines[-1] if lines else "")
    return f"MXNet failed: {said.partition('Error: ')[2] or said}"


def context(device: Device) -> Any:
    """MXNet's name for a device; raises `DeviceError` for a GPU that is not there."""
    mx = library.load()
    if device.kind == "gpu":
        count = library.gpu_count()
        if device.index >= count:
            has = "no GPU" if count == 0 else f"{count} GPU(s), counted from 0"
            raise DeviceError(f"{device} is not there: MXNet sees {has} (is it a CUDA build, with a driver?)")
        return mx.gpu(device.index)
    return mx.cpu(device.index)


def native(buffer: Buffer, device: Device) -> Any:
    """The buffer's elements as an MXNet NDArray on its device, sharing memory.

    The view is kept in `buffer.native`. Only where MXNet cannot see the memory as it is (not contiguous, not aligned)
    the result is a copy; it is not kept, since it would not follow later changes.
    """
    found = buffer.native
    if found is not None and buffer.device == device:
        return found
    if buffer.device != device:
        raise DeviceError(f"an array on {buffer.device} is used on {device}; move it with .to({device})")
    array = buffer.array
    if not holds(array):
        raise DeviceError(f"MXNet cannot hold an array of dtype {array.dtype} and shape {array.shape}")
    if not device.is_host:
        return _copied_to(array, device)
    if array.flags.c_contiguous and array.flags.aligned:
        buffer.native = _view(array)
        return buffer.native
    return _view(numpy.array(array, order="C"))


def _view(array: numpy.ndarray[Any, Any]) -> Any:
    mx = library.load()
    ndim = array.ndim or 1
    shape = (ctypes.c_int64 * ndim)(*(array.shape or (1,)))
    code, bits = _DLPACK[array.dtype]
    ticket = next(_tickets)
    described = Tensor(array.ctypes.data, 1, 0, ndim, code, bits, 1, shape, None, 0)
    tensor = Managed(described, ticket, _deleter_address)
    handle = ctypes.c_void_p()
    _held[ticket] = (array, shape)
    status = mx.base._LIB.MXNDArrayFromDLPackEx(ctypes.byref(tensor), True, ctypes.byref(handle))
    if status != 0:
        del _held[ticket]
        check(status)
    return mx.nd.NDArray(handle)


def host_buffer(ndarray: Any, dtype: numpy.dtype[Any], shape: Shape) -> Buffer:
    """A buffer whose NumPy array is the memory of an MXNet array on the CPU, which it keeps alive."""
    pointer = ctypes.c_void_p()
    check(library.load().base._LIB.MXNDArrayGetData(ndarray.handle, ctypes.byref(pointer)))
    nbytes = TensorType(dtype, shape).nbytes
    memory: Any = (ctypes.c_char * nbytes).from_address(pointer.value)  # type: ignore[arg-type]
    memory.owner = ndarray  # the NumPy array holds `memory`
    return Buffer(numpy.ndarray(shape, dtype, memory), ndarray)


def allocator(type: TensorType, device: Device) -> Callable[[], Buffer]:
    """Makes new buffers of one type on one device, not initialized."""
    if not holds(type):
        return lambda: Buffer(numpy.empty(type.shape, type.dtype), None, device)
    context(device)
    mx = library.load()
    create, ndarray_class = mx.base._LIB.MXNDArrayCreateEx, mx.nd.NDArray
    ndim = type.ndim or 1
    shape = (ctypes.c_uint * ndim)(*(type.shape or (1,)))
    where = _DEVICE_NUMBERS[device.kind], device.index, 0, _NUMBERS[type.dtype]
    if device.is_host:
        # Written out, without calls to `check` and `_viewer`: it runs for every result of every call.
        get_data, byref, pointer_type = mx.base._LIB.MXNDArrayGetData, ctypes.byref, ctypes.c_void_p
        memory_at, dtype, array_of = (ctypes.c_char * type.nbytes).from_address, type.dtype, numpy.ndarray
        array_shape = type.shape

        def allocate_host() -> Buffer:
            handle, pointer = pointer_type(), pointer_type()
            if create(shape, ndim, *where, byref(handle)) or get_data(handle, byref(pointer)):
                check(-1)
            ndarray = ndarray_class(handle)
            memory: Any = memory_at(pointer.value)  # type: ignore[arg-type]
            memory.owner = ndarray
            return Buffer(array_of(array_shape, dtype, memory), ndarray)

        return allocate_host

    def allocate() -> Buffer:
        handle = ctypes.c_void_p()
        check(create(shape, ndim, *where, ctypes.byref(handle)))
        return Buffer(None, ndarray_class(handle), device, type)

    return allocate


def empty(type: TensorType, device: Device = HOST) -> Buffer:
    """A new buffer, not initialized."""
    return allocator(type, device)()


def to_device(buffer: Buffer, device: Device) -> Buffer:
    """A copy of a buffer on a device.

    Raises
    ------
    DeviceError
        If there is no such GPU.
    """
    if device.is_host:
        return Buffer(numpy.array(buffer.array))
    context(device)
    if not holds(buffer):
        return Buffer(numpy.array(buffer.array), None, device)
    if buffer.native is not None and not buffer.device.is_host:
        return Buffer(None, buffer.native.copyto(context(device)), device, buffer)
    return Buffer(None, _copied_to(buffer.array, device), device, buffer)


def _copied_to(array: numpy.ndarray[Any, Any], device: Device) -> Any:
    contiguous = numpy.asarray(array, order="C")
    target = empty(TensorType(array.dtype, array.shape), device).native
    copy = library.load().base._LIB.MXNDArraySyncCopyFromCPU
    check(copy(target.handle, ctypes.c_void_p(contiguous.ctypes.data), ctypes.c_size_t(contiguous.size)))
    return target
