"""The IDX parser: every type, and every way a file can be damaged."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from dopegraph.data import DataCorrupt
from dopegraph.data.idx import parse_idx

CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}


def encode(array: np.ndarray) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, CODES[array.dtype.name], array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("dtype", CODES)
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3), (2, 0, 3), (2, 3, 4, 5)])
def test_round_trip(dtype: str, shape: tuple[int, ...]) -> None:
    # `asarray`, because with no axes NumPy gives scalars, which have no byte order.
    array = np.asarray((np.random.default_rng(0).normal(size=shape) * 50).clip(0, 120)).astype(dtype)
    parsed = parse_idx(encode(array))
    np.testing.assert_array_equal(parsed, array)
    assert parsed.dtype == np.dtype(dtype) and parsed.dtype.isnative and parsed.shape == shape


def test_result_is_writable_and_independent() -> None:
    content = encode(np.arange(4, dtype=np.uint8))
    parsed = parse_idx(content)
    parsed[0] = 9
    assert parse_idx(content)[0] == 0


GOOD = encode(np.arange(6, dtype=np.int16).reshape(2, 3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (GOOD[:3], "not an IDX file"),
        (b"\1" + GOOD[1:], "01 00 0b 02"),
        (b"\0\0\x0a" + GOOD[3:], "00 00 0a 02"),
        (b"\x1f\x8b\x08\0" + GOOD, "gzipped"),
        (b"<html>", "not an IDX file"),
        (GOOD[:11], "truncated in the header, 11 of 12 bytes"),
        (GOOD[:-1], r"truncated.*int16 of shape \(2, 3\), which is 12 bytes; found 11"),
        (GOOD + b"\0", "too long.*found 13"),
        (b"\0\0\x08\x04" + b"\xff" * 16, "truncated"),
    ],
)
def test_damage_is_named(content: bytes, message: str) -> None:
    with pytest.raises(DataCorrupt, match=message) as caught:
        parse_idx(content, "some/file")
    assert str(caught.value).startswith("some/file: ")
