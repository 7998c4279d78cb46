"""MXNet's ``.params`` files, read and written without MXNet: ``dopegraph.save`` and ``dopegraph.load``.

The format is that of ``NDArray::Save`` and ``NDArray::Load`` in MXNet's ``src/ndarray/ndarray.cc``: all numbers are
little-endian; a header, the arrays one after the other, then their names.
"""

from __future__ import annotations

import io
import math
import os
import struct
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Union

import numpy

from dopegraph.array import ndarray, owned
from dopegraph.numpy.promotion import as_array
from dopegraph.numpy.stored import FileError, atomic_write, noted
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located

LIST = 0x112
# Version 2 has shapes of at least one axis; version 3, of MXNet's NumPy mode, has 0-d and empty arrays, too.
V1, V2, V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
FLAGS = {
    "float32": 0, "float64": 1, "float16": 2, "uint8": 3, "int32": 4, "int8": 5, "int64": 6, "bool": 7,
}  # fmt: skip
_DTYPES = {flag: numpy.dtype(name) for name, flag in FLAGS.items()}
_BFLOAT16 = 12
_CPU = (1, 0)
_LONGEST_SHAPE = 64

Path = Union[str, "os.PathLike[str]"]


def save(path: Path, arrays: Any) -> None:
    """Write arrays in MXNet's format, for ``mx.nd.load`` and for `load`.

    The file appears whole or not at all. When an array has no axes or no elements the file is written as MXNet's NumPy
    mode does; MXNet reads it with ``mx.npx.load`` after ``mx.npx.set_np()``.

    Parameters
    ----------
    path : str or path
    arrays : ndarray, sequence of ndarray, or dict of str to ndarray
        Of bool, int8, uint8, int32, int64, float16, float32 or float64.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "net.params")
    >>> dopegraph.save(path, {"w": np.ones((2, 2)), "b": np.zeros(2)})
    >>> dopegraph.load(path)["b"]
    array([0., 0.], dtype=float32)
    """
    names: list[str] = []
    if isinstance(arrays, Mapping):
        names, arrays = list(arrays), list(arrays.values())
        if not all(isinstance(name, str) for name in names):
            raise DTypeError(located("save: the names of arrays must be strings", here()))
    elif isinstance(arrays, (ndarray, numpy.ndarray)):
        arrays = [arrays]
    elif not isinstance(arrays, Sequence) or isinstance(arrays, str):
        raise DTypeError(located(f"save: arrays, or a list or dict of them, not a {type(arrays).__name__}", here()))
    noted("save", "writes a file")
    parts = [struct.pack("<QQQ", LIST, 0, len(arrays))]
    elements = [_elements(array) for array in arrays]
    magic = V3 if any(0 in one.shape or not one.shape for one in elements) else V2  # MXNet wants one for all
    for position, one in enumerate(elements):
        parts += _packed(one, magic, names[position] if names else f"number {position}")
    parts.append(struct.pack("<Q", len(names)))
    for name in names:
        encoded = name.encode()
        parts += [struct.pack("<Q", len(encoded)), encoded]
    with atomic_write(path) as file:
        file.writelines(parts)


def _elements(x: Any) -> numpy.ndarray[Any, Any]:
    return as_array(x)._look("value-escape", "save")


def _packed(array: numpy.ndarray[Any, Any], magic: int, name: str) -> list[bytes | memoryview]:
    if array.dtype.name not in FLAGS:
        kinds = ", ".join(FLAGS)
        raise DTypeError(located(f"save: MXNet's format has no {array.dtype} (array {name}); it has {kinds}", here()))
    head = struct.pack(f"<Iii{array.ndim}q", magic, 0, array.ndim, *array.shape)
    elements = numpy.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return [head, struct.pack("<iii", *_CPU, FLAGS[array.dtype.name]), elements.tobytes()]


def load(path: Path) -> Any:
    """Read arrays from a file in MXNet's format: ``NAME-0000.params``, or what ``mx.nd.save`` and `save` wrote.

    Returns
    -------
    list of ndarray, or dict of str to ndarray
        A dict when the arrays have names. They are on the CPU.

    Raises
    ------
    ValueError
        When the file is damaged or of another kind, or has sparse or bfloat16 arrays; the message names it.
    """
    noted("load", "reads a file")
    with open(path, "rb") as file:
        reader = _Reader(file, os.fspath(path))
        magic, _, count = reader.unpack("QQQ")
        if magic != LIST:
            raise reader.error("it is not in MXNet's format of arrays")
        # No array takes fewer bytes than its magic number and its number of axes.
        if count > reader.left() // 8:
            raise reader.error(f"it claims to have {count} arrays")
        arrays = [reader.array() for _ in range(count)]
        (named,) = reader.unpack("Q")
        if named == 0:
            return arrays
        if named != count:
            raise reader.error(f"it has {count} arrays and {named} names")
        return dict(zip([reader.name() for _ in range(named)], arrays))


class _Reader:
    """Reads numbers, names and arrays, never more than there is."""

    def __init__(self, file: BinaryIO, path: str) -> None:
        self._file = file
        self._path = path
        self._size = file.seek(0, io.SEEK_END)
        file.seek(0)

    def error(self, why: str) -> FileError:
        return FileError(located(f"load: {self._path}: {why}", here()))

    def left(self) -> int:
        return self._size - self._file.tell()

    def take(self, count: int) -> bytes:
        if count > self.left():
            raise self.error(f"it is truncated: {count} bytes are missing at {self._file.tell()} of {self._size}")
        return self._file.read(count)

    def unpack(self, layout: str) -> tuple[int, ...]:
        return struct.unpack(f"<{layout}", self.take(struct.calcsize(f"<{layout}")))

    def name(self) -> str:
        (length,) = self.unpack("Q")
        try:
            return self.take(length).decode()
        except UnicodeDecodeError:
            raise self.error("a name is not UTF-8") from None

    def array(self) -> ndarray:
        (magic,) = self.unpack("I")
        if magic in (V2, V3):
            (storage,) = self.unpack("i")
            if storage != 0:
                raise self.error("it has a sparse array; save it with tostype('default')")
        # Before there were versions the number of axes stood first.
        shape = self.shape(*self.unpack("i"), "q") if magic in (V1, V2, V3) else self.shape(magic, "I")
        if magic != V3 and not shape:
            raise self.error("it has an array without shape")
        _, _, flag = self.unpack("iii")
        if flag not in _DTYPES:
            named = "bfloat16" if flag == _BFLOAT16 else f"the unknown number {flag}"
            raise self.error(f"it has an array whose dtype is {named}")
        dtype = _DTYPES[flag]
        data = self.take(math.prod(shape) * dtype.itemsize)
        if flag == FLAGS["bool"]:
            flat = numpy.frombuffer(data, numpy.uint8) != 0
        else:
            flat = numpy.frombuffer(data, dtype.newbyteorder("<")).astype(dtype)
        try:
            return owned(flat.reshape(shape))
        except ValueError as cause:  # without elements, and longer than NumPy has it
            raise self.error(f"it has an array of shape {shape}: {cause}") from None

    def shape(self, ndim: int, kind: str) -> tuple[int, ...]:
        if not 0 <= ndim <= _LONGEST_SHAPE:
            raise self.error(f"it has an array of {ndim} axes, so it is damaged")
        lengths = self.unpack(f"{ndim}{kind}")
        if min(lengths, default=0) < 0:
            raise self.error(f"it has an array of shape {lengths}, so it is damaged")
        return lengths
