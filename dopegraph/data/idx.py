"""Reads the IDX format, in which MNIST and its relatives come: one array of up to 255 axes in a file.

Knows bytes only; finding the file is `files.py`'s part.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import DataCorrupt

__all__ = ["parse_idx"]

# The third byte of the file. Numbers are stored big-endian.
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def parse_idx(content: bytes, name: str = "IDX data") -> NDArray[Any]:
    """The array in an IDX file.

    Parameters
    ----------
    content : bytes
        The whole file, unzipped.
    name : str, optional
        What to call it in an error.

    Returns
    -------
    numpy.ndarray
        A new array in the machine's byte order: uint8, int8, int16, int32, float32 or float64.

    Raises
    ------
    DataCorrupt
        If the header is not one of IDX, or the content is longer or shorter than the header says.

    Notes
    -----
    The format, from Yann LeCun's MNIST page: two zero bytes, a type code, the number of axes, the length of each axis
    as a big-endian 32-bit unsigned integer, then the numbers, the last axis running fastest.

    Examples
    --------
    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    array([7, 8, 9], dtype=uint8)
    """
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _TYPES:
        hint = " It is gzipped: unzip it first." if content.startswith(b"\x1f\x8b") else ""
        raise DataCorrupt(
            f"{name}: not an IDX file. It starts with the bytes [{content[:4].hex(' ')}]; "
            f"expected 00 00, a type in [{bytes(_TYPES).hex(' ')}], and the number of axes.{hint}"
        )
    dtype, ndim = np.dtype(_TYPES[content[2]]), content[3]
    start = 4 + 4 * ndim
    if len(content) < start:
        raise DataCorrupt(f"{name}: truncated in the header, {len(content)} of {start} bytes")
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", ndim, offset=4))
    # In Python integers: a damaged header can ask for more than 64 bits hold.
    expected, found = math.prod(shape) * dtype.itemsize, len(content) - start
    if found != expected:
        what = "truncated" if found < expected else "too long"
        raise DataCorrupt(
            f"{name}: {what}. The header says {dtype.name} of shape {shape}, which is {expected} bytes; found {found}"
        )
    return np.frombuffer(content, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))
