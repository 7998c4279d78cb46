"""The Python array API standard, version 2024.12: what `dopegraph.numpy` says of itself, and its small functions.

https://data-apis.org/array-api/2024.12
"""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.numpy.creation import copy as copied
from dopegraph.numpy.exchange import to_device
from dopegraph.numpy.promotion import INT64, as_array, complex_of, convert, dtype_of
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.device import Device, cpu, current_device, device, gpu
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located

__all__ = ["astype", "isdtype"]

VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")

_SIGNED = ("int8", "int16", "int32", "int64")
_UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
_REAL = ("float16", "float32", "float64")
_COMPLEX = ("complex64", "complex128")
KINDS: dict[str, tuple[str, ...]] = {
    "bool": ("bool",),
    "signed integer": _SIGNED,
    "unsigned integer": _UNSIGNED,
    "integral": _SIGNED + _UNSIGNED,
    "real floating": _REAL,
    "complex floating": _COMPLEX,
    "numeric": _SIGNED + _UNSIGNED + _REAL + _COMPLEX,
}


def _names(kind: Any) -> tuple[str, ...]:
    if isinstance(kind, str) and kind in KINDS:
        return KINDS[kind]
    raise ValueError(located(f"{kind!r} is no kind of dtype; the kinds are {', '.join(map(repr, KINDS))}", here()))


class Information:
    """What ``__array_namespace_info__()`` returns: devices, dtypes and defaults of `dopegraph.numpy`."""

    __module__ = "dopegraph.numpy"

    def capabilities(self) -> dict[str, Any]:
        """What the namespace can do.

        Returns
        -------
        dict
            ``"boolean indexing"``, ``"data-dependent shapes"`` and ``"max dimensions"``. The first two run on the
            host: compiled code runs as Python there.
        """
        limit = 64 if int(numpy.__version__.partition(".")[0]) >= 2 else 32
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": limit}

    def default_device(self) -> Device:
        """The device that new arrays are put on."""
        return current_device()

    def default_dtypes(self, *, device: Device | str | None = None) -> dict[str, numpy.dtype]:
        """The dtypes of new arrays that are given none; see `dopegraph.set_default_dtype`."""
        _known_device(device)
        real = default_dtype()
        return {"real floating": real, "complex floating": complex_of(real), "integral": INT64, "indexing": INT64}

    def dtypes(self, *, device: Device | str | None = None, kind: Any = None) -> dict[str, numpy.dtype]:
        """The dtypes of the standard that arrays can have, by name: float16 is not among them.

        Parameters
        ----------
        device : Device or str, optional
        kind : str or tuple of str, optional
            Only those of a kind of `isdtype`.
        """
        _known_device(device)
        kinds = kind if isinstance(kind, tuple) else ("bool", "numeric") if kind is None else (kind,)
        return {name: numpy.dtype(name) for one in kinds for name in _names(one) if name != "float16"}

    def devices(self) -> list[Device]:
        """The devices that are there: the CPU, and the GPUs that MXNet sees."""
        from dopegraph.backends.mxnet import library

        return [cpu(), *map(gpu, range(library.gpu_count()))]


def _known_device(given: Device | str | None) -> None:
    if given is not None:
        device(given)


def array_namespace_info() -> Information:
    """Devices, dtypes and defaults of the namespace, as the array API standard asks for them.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.__array_namespace_info__().default_dtypes()["real floating"]
    dtype('float32')
    """
    return Information()


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind.

    Parameters
    ----------
    dtype : dtype
    kind : str, dtype or tuple of them
        ``"bool"``, ``"signed integer"``, ``"unsigned integer"``, ``"integral"``, ``"real floating"``,
        ``"complex floating"``, ``"numeric"``, or a dtype.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.isdtype(np.float32, "real floating"), np.isdtype(np.float32, (np.int8, "integral"))
    (True, False)
    """
    try:
        chosen = numpy.dtype(dtype)
        if isinstance(dtype, str) or dtype is None:
            raise TypeError("a dtype is wanted, not its name")
    except TypeError as cause:
        raise DTypeError(located(f"isdtype: {dtype!r} is no dtype: {cause}", here())) from None
    return any(_is_one(chosen, one) for one in (kind if isinstance(kind, tuple) else (kind,)))


def _is_one(dtype: numpy.dtype, kind: Any) -> bool:
    if isinstance(kind, str):
        return dtype.name in _names(kind)
    try:
        return dtype == numpy.dtype(kind)
    except TypeError as cause:
        raise DTypeError(located(f"isdtype: {kind!r} is neither a kind nor a dtype: {cause}", here())) from None


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Device | str | None = None) -> ndarray:
    """The elements of an array in another dtype.

    Parameters
    ----------
    x : ndarray
    dtype : dtype
    copy : bool, optional
        With False the array itself is returned when it has the dtype and is on the device.
    device : Device or str, optional
        Where the result shall be.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.astype(np.array([1.5, -1.5]), np.int32)
    array([ 1, -1], dtype=int32)
    """
    if not isinstance(x, (ndarray, numpy.ndarray)):
        raise DTypeError(located(f"astype: the first argument must be an array, not a {type(x).__name__}", here()))
    given = as_array(x)
    result = convert(given, dtype_of(dtype))
    if device is not None:
        result = to_device(result, device)
    return copied(result) if copy and result is given else result
