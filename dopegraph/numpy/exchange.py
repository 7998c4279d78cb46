"""Memory shared with others: NumPy, DLPack (PyTorch, JAX, CuPy) and MXNet's NDArray, in both directions, on the device.

Who got an array's memory may write to it at any time: from then on it counts as foreign, recordings look at it anew.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy

from dopegraph.array import from_numpy, ndarray
from dopegraph.numpy import dlpack
from dopegraph.numpy.creation import copy as copied
from dopegraph.numpy.promotion import dtype_of
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.device import Device, device
from dopegraph.runtime.errors import DeviceError, DTypeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording

__all__ = ["from_dlpack", "from_mxnet", "may_share_memory", "shares_memory"]

_HAS_VERSIONS = tuple(map(int, numpy.__version__.split(".")[:2])) >= (2, 1)
_KINDS = {dlpack.CPU: "cpu", dlpack.CUDA: "gpu", dlpack.CUDA_HOST: "cpu"}


def _escape(x: ndarray, what: str) -> None:
    recording = active_recording()
    if recording is not None:
        recording.escape("value-escape", f"{what} of {x._type} hands out the memory of a traced value")


def _hand_out(x: ndarray, what: str) -> None:
    """The memory of an array on another device than the host is seen by others from now on."""
    if x._base is not None:
        message = f"{what}: a view of an array on {x.device} has no memory of its own; use x.copy()"
        raise BufferError(located(message, here()))
    x._about_to_change()
    x._shared = x._foreign = True


# NumPy -----------------------------------------------------------------------------------------------------------


def as_numpy(self: ndarray, dtype: Any = None, /, *, copy: bool | None = None) -> numpy.ndarray[Any, Any]:
    """``numpy.asarray(x)``: the memory itself on the CPU, of another device a copy.

    Raises
    ------
    ValueError
        When ``copy=False`` and the elements are elsewhere or have to be converted.
    """
    _escape(self, "numpy.asarray")
    wanted = None if dtype is None else numpy.dtype(dtype)
    buffer = self._settled()
    here_already = buffer.device.is_host
    same = wanted is None or wanted == buffer.dtype
    if copy is False and not (here_already and same):
        why = f"they are on {buffer.device}" if not here_already else f"they are {buffer.dtype}, not {wanted}"
        raise ValueError(located(f"the elements cannot be had without a copy: {why}; use copy=None", here()))
    if copy or not same or not here_already:
        return numpy.array(buffer.array, dtype=wanted)
    return self._export()


def shares_memory(a: Any, b: Any, /, max_work: int = -1) -> bool:
    """Whether two arrays have elements in common memory.

    Parameters
    ----------
    a, b : ndarray
        NumPy's arrays, too.
    max_work : int, optional
        How hard to try; -1 for an exact answer, 0 to compare the bounds of the memory only.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> x = np.zeros(4)
    >>> np.shares_memory(x[::2], x[1:]), np.shares_memory(x[::2], x[1::2])
    (True, False)
    """
    return _share(numpy.shares_memory, a, b, max_work)


def may_share_memory(a: Any, b: Any, /, max_work: int = 0) -> bool:
    """Whether the bounds of two arrays' memory overlap; see `shares_memory`.

    NumPy asks this of arrays before it shuffles them, for instance.
    """
    return _share(numpy.may_share_memory, a, b, max_work)


def _share(question: Any, a: Any, b: Any, max_work: int) -> bool:
    if isinstance(a, ndarray) and isinstance(b, ndarray) and not (a.device.is_host and b.device.is_host):
        return a._root() is b._root()
    memory = [x._look("value-escape", "shares_memory", settle=True) if isinstance(x, ndarray) else x for x in (a, b)]
    return bool(question(*memory, max_work))


# DLPack ----------------------------------------------------------------------------------------------------------


def export_device(self: ndarray, /) -> tuple[int, int]:
    """DLPack's numbers for the device: kind (1 is the CPU, 2 a GPU) and index."""
    where = self.device
    return (dlpack.CUDA, where.index) if where.kind == "gpu" else (dlpack.CPU, 0)


def export(
    self: ndarray,
    /,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """A DLPack capsule of the memory, for ``torch.from_dlpack(x)`` and the like.

    Parameters
    ----------
    stream : optional
        For arrays on a GPU; the elements are ready when the call returns, whatever the stream.
    max_version : tuple of int, optional
        The newest version of DLPack that the caller takes; read-only memory needs (1, 0).
    dl_device : tuple of int, optional
        Where the caller wants the memory; arrays are copied to the CPU, never to a GPU.
    copy : bool, optional
        True for a copy, False for an error where one is needed.

    Raises
    ------
    BufferError
        When memory cannot be had as asked for.
    """
    _escape(self, "__dlpack__")
    place = export_device(self)
    wanted = place if dl_device is None else (int(dl_device[0]), int(dl_device[1]))
    buffer = self._settled()
    moved = wanted != place
    if moved and wanted[0] not in (dlpack.CPU, dlpack.CUDA_HOST):
        message = f"__dlpack__: an array on {buffer.device} is not copied to another device; use x.to(device)"
        raise BufferError(located(message, here()))
    if place[0] == dlpack.CPU and stream not in (None, -1):
        raise ValueError(located(f"__dlpack__: stream={stream!r} has no meaning for an array on the CPU", here()))
    if copy is False and moved:
        raise BufferError(located(f"__dlpack__: the array is on {buffer.device}, which needs a copy", here()))
    if buffer.native is not None and not buffer.device.is_host and not moved:
        if copy:
            return buffer.native.copy().to_dlpack_for_write()
        _hand_out(self, "__dlpack__")
        return buffer.native.to_dlpack_for_write()
    array = numpy.array(buffer.array) if copy or moved else self._export()
    if _HAS_VERSIONS:
        return array.__dlpack__(max_version=max_version)
    return array.__dlpack__()


def from_dlpack(x: Any, /, *, device: Device | str | None = None, copy: bool | None = None) -> ndarray:
    """An array that shares the memory of another library's: PyTorch's, JAX's, CuPy's, NumPy's.

    Parameters
    ----------
    x : object with ``__dlpack__`` and ``__dlpack_device__``
    device : Device or str, optional
        Where the array shall be; that of `x` by default.
    copy : bool, optional
        True for a copy, False for an error where one is needed; by default memory is shared where possible.

    Returns
    -------
    ndarray
        Read-only where the owner does not let others write, as JAX.

    Raises
    ------
    BufferError
        When the memory cannot be had as asked for.

    Examples
    --------
    >>> import numpy, dopegraph.numpy as np
    >>> memory = numpy.zeros(2)
    >>> np.from_dlpack(memory)[0] = 5
    >>> memory.tolist()
    [5.0, 0.0]
    """
    target = None if device is None else _as_device(device)
    result = x if isinstance(x, ndarray) else _taken(x)
    if target is not None and target != result.device:
        if copy is False:
            raise BufferError(located(f"from_dlpack: from {result.device} to {target} needs a copy", here()))
        return result.to(target)
    return copied(result) if copy else result


def _taken(x: Any) -> ndarray:
    if not hasattr(x, "__dlpack__") or not hasattr(x, "__dlpack_device__"):
        raise DTypeError(located(f"from_dlpack: a {type(x).__name__} has no __dlpack__; use asarray", here()))
    kind, index = (int(one) for one in x.__dlpack_device__())
    if kind not in _KINDS:
        raise BufferError(located(f"from_dlpack: memory of DLPack's device kind {kind} is not supported", here()))
    if _KINDS[kind] == "gpu":
        return _from_gpu(x, index)
    try:
        capsule = x.__dlpack__(max_version=(1, 0))
    except TypeError:  # an owner from before version 1
        capsule = x.__dlpack__()
    array = dlpack.take(capsule, x)
    return from_numpy(array if array.flags.aligned else array.copy())


def _from_gpu(x: Any, index: int) -> ndarray:
    """MXNet takes memory on a GPU; it runs on the default stream, for which the owner makes the elements ready."""
    from dopegraph.backends.mxnet import library

    native = library.load().nd.from_dlpack(x.__dlpack__(stream=1))
    return from_mxnet(native)


# MXNet -----------------------------------------------------------------------------------------------------------


def from_mxnet(x: Any) -> ndarray:
    """An array that shares the memory of an MXNet NDArray, on its device.

    Parameters
    ----------
    x : mxnet.nd.NDArray or mxnet.np.ndarray

    Raises
    ------
    TypeError
        When `x` is sparse, of bfloat16, or no NDArray.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.from_mxnet(np.ones(2).to_mxnet())  # doctest: +SKIP
    array([1., 1.], dtype=float32)
    """
    mx: Any = sys.modules.get("mxnet")
    if mx is None or not isinstance(x, mx.nd.NDArray):
        raise DTypeError(located(f"from_mxnet: a {type(x).__name__} is no NDArray of MXNet", here()))
    if x.stype != "default":
        message = f"from_mxnet: the array is sparse ({x.stype}); use x.tostype('default')"
        raise DTypeError(located(message, here()))
    from dopegraph.backends.mxnet.arrays import host_buffer

    dtype = dtype_of(x.dtype)
    shape = tuple(x.shape)
    kind = "gpu" if x.context.device_type == "gpu" else "cpu"
    where = Device(kind, x.context.device_id)
    x.wait_to_read()
    if 0 in shape:
        return ndarray(Buffer(numpy.empty(shape, dtype), None, where))
    if where.is_host:
        return ndarray(host_buffer(x, dtype, shape), foreign=True)
    return ndarray(Buffer(None, x, where, _Like(dtype, shape)), foreign=True)


class _Like:
    """What a buffer without a NumPy array is like."""

    def __init__(self, dtype: Any, shape: tuple[int, ...]) -> None:
        self.dtype, self.shape = dtype, shape


def to_mxnet(self: ndarray) -> Any:
    """The array as an MXNet NDArray of the same memory, on its device.

    MXNet's classic arrays have at least one axis: a 0-d array becomes one of shape (1,). Booleans become uint8.

    Raises
    ------
    ImportError
        Without MXNet.
    DeviceError
        When MXNet cannot have the memory as it is: another dtype, no elements, or a view with gaps; copy it first.
    """
    from dopegraph.backends.mxnet import library
    from dopegraph.backends.mxnet.arrays import holds, native

    library.load()
    _escape(self, "to_mxnet")
    buffer = self._settled()
    if not holds(buffer):
        message = f"to_mxnet: MXNet holds no array of dtype {buffer.dtype} and shape {buffer.shape}"
        raise DeviceError(located(message, here()))
    if not buffer.device.is_host:
        _hand_out(self, "to_mxnet")
        return buffer.native
    array = self._export()
    if not (array.flags.c_contiguous and array.flags.aligned and array.flags.writeable):
        message = "to_mxnet: MXNet cannot share a view with gaps, nor read-only memory; use x.copy().to_mxnet()"
        raise DeviceError(located(message, here()))
    return native(self._settled(), self.device)


# Devices ---------------------------------------------------------------------------------------------------------


def _as_device(given: Any) -> Device:
    try:
        return device(given)
    except (ValueError, AttributeError) as cause:
        raise ValueError(located(str(cause), here())) from None


def to_device(self: ndarray, device: Device | str, /, *, stream: Any = None) -> ndarray:
    """The array on a device (``"cpu"``, ``"gpu:1"``): itself if it is there, otherwise a copy; see `ndarray.to`."""
    if stream is not None:
        raise ValueError(located("to_device: streams are MXNet's own business; leave out stream", here()))
    return self.to(_as_device(device))


def namespace(self: ndarray, /, *, api_version: str | None = None) -> ModuleType:
    """The module of functions for the array: `dopegraph.numpy`, for code written on the Python array API standard."""
    from dopegraph.numpy.standard import VERSIONS

    if api_version is not None and api_version not in VERSIONS:
        known = ", ".join(VERSIONS)
        raise ValueError(located(f"version {api_version!r} of the array API is not supported, only {known}", here()))
    return sys.modules["dopegraph.numpy"]


EXCHANGE_METHODS: dict[str, Any] = {
    "__array__": as_numpy,
    "__array_namespace__": namespace,
    "__dlpack__": export,
    "__dlpack_device__": export_device,
    "to_device": to_device,
    "to_mxnet": to_mxnet,
}
"""What `ndarray` gets from this module."""
