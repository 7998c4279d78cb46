"""Arrays from memory, iterators, strings and files; NumPy reads them, on the host, and a recording notes it."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable
from typing import Any

import numpy

from dopegraph.array import from_numpy, ndarray
from dopegraph.numpy import host
from dopegraph.numpy.layout import naming
from dopegraph.numpy.promotion import as_array, check_kind, dtype_of
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording

__all__ = ["frombuffer", "fromiter", "fromstring", "genfromtxt"]


def frombuffer(buffer: Any, dtype: Any = None, count: int = -1, offset: int = 0, *, like: Any = None) -> ndarray:
    """An array that shares the memory of a buffer, such as bytes (then it is read-only).

    Parameters
    ----------
    buffer : object with the buffer interface
    dtype : dtype, optional
        What the bytes are: float64 unless told otherwise, whatever the default dtype.
    count : int, optional
        How many elements; all by default.
    offset : int, optional
        How many bytes to skip.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.frombuffer(bytes([1, 2, 3]), "uint8", offset=1)
    array([2, 3], dtype=uint8)
    """
    recording = active_recording()
    if recording is not None:
        recording.escape("host-only", "frombuffer looks at memory that others may change")
    with naming("frombuffer"):
        found = numpy.frombuffer(buffer, numpy.float64 if dtype is None else dtype, count, offset)
    return from_numpy(check_kind(found))


def fromiter(iter: Iterable[Any], dtype: Any, count: int = -1, *, like: Any = None) -> ndarray:
    """An array of one axis of what an iterable gives; elements that are traced stay so.

    Parameters
    ----------
    iter : iterable
    dtype : dtype
    count : int, optional
        How many elements to take; all by default, an error if there are fewer.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.fromiter((n * n for n in range(4)), int)
    array([0, 1, 4, 9])
    """
    recording = active_recording()
    if recording is not None and hasattr(iter, "__next__"):
        recording.escape("host-only", "fromiter takes elements out of an iterator")
    wanted, limit = dtype_of(dtype), operator.index(count)
    items = list(iter if limit < 0 else itertools.islice(iter, limit))
    if len(items) < limit:
        raise ShapeError(located(f"fromiter: the iterable ended after {len(items)} of {limit} elements", here()))
    with naming("fromiter"):
        return as_array(items, wanted) if items else as_array(numpy.zeros(0, wanted))


def _text_dtype(dtype: Any) -> Any:
    return default_dtype() if dtype is None else dtype


def fromstring(string: Any, dtype: Any = None, count: int = -1, *, sep: str, like: Any = None) -> ndarray:
    """An array of the numbers in a text, which a separator divides.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.fromstring("1 2 3", sep=" ")
    array([1., 2., 3.], dtype=float32)
    """
    result: ndarray = host.call("fromstring", numpy.fromstring, string, _text_dtype(dtype), count, sep=sep)
    return result


def genfromtxt(
    fname: Any, dtype: Any = None, comments: Any = "#", delimiter: Any = None, skip_header: int = 0,
    skip_footer: int = 0, converters: Any = None, missing_values: Any = None, filling_values: Any = None,
    usecols: Any = None, names: Any = None, excludelist: Any = None, deletechars: Any = None,
    replace_space: str = "_", autostrip: bool = False, case_sensitive: Any = True, defaultfmt: str = "f%i",
    unpack: Any = None, usemask: bool = False, loose: bool = True, invalid_raise: bool = True, max_rows: Any = None,
    encoding: Any = None, *, ndmin: int = 0, like: Any = None,
) -> Any:  # fmt: skip
    """An array of the numbers in a text file in which some are missing; the parameters are those of NumPy's function.

    Columns with names make a structured array, which stays NumPy's.
    """
    more = {} if deletechars is None else {"deletechars": deletechars}
    return host.call(
        "genfromtxt", numpy.genfromtxt, fname, _text_dtype(dtype), comments, delimiter, skip_header, skip_footer,
        converters, missing_values, filling_values, usecols, names, excludelist, replace_space=replace_space,
        autostrip=autostrip, case_sensitive=case_sensitive, defaultfmt=defaultfmt, unpack=unpack, usemask=usemask,
        loose=loose, invalid_raise=invalid_raise, max_rows=max_rows, encoding=encoding, ndmin=ndmin, **more,
    )  # fmt: skip
