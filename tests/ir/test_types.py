from __future__ import annotations

import pickle

import numpy
import pytest

from dopegraph.ir import TensorType
from dopegraph.ir.types import SHORT_NAMES, short_name
from dopegraph.runtime.errors import DTypeError


@pytest.mark.parametrize(
    ("dtype", "shape", "text", "size", "nbytes"),
    [
        ("f32", (64, 784), "f32[64,784]", 50176, 200704),
        ("float64", (), "f64[]", 1, 8),
        (numpy.dtype("bool"), (0, 3), "bool[0,3]", 0, 0),
        (numpy.complex128, (2,), "c128[2]", 2, 32),
    ],
)
def test_a_type_knows_its_text_size_and_bytes(
    dtype: str, shape: tuple[int, ...], text: str, size: int, nbytes: int
) -> None:
    type = TensorType(dtype, shape)
    assert (str(type), type.size, type.nbytes, type.ndim) == (text, size, nbytes, len(shape))


def test_types_are_equal_by_dtype_and_shape() -> None:
    one = TensorType("f32", (2,))
    assert one == TensorType("float32", [2]) and hash(one) == hash(TensorType("float32", [2]))  # type: ignore[arg-type]
    assert one != TensorType("f64", (2,)) and one != TensorType("f32", (1, 2)) and one != "f32[2]"


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_every_short_name_stands_for_one_dtype(name: str) -> None:
    assert short_name(SHORT_NAMES[name]) == name == str(TensorType(name, ()))[:-2]


@pytest.mark.parametrize("dtype", ["object", "U3", "datetime64[s]", ">f4"])
def test_other_dtypes_have_no_name(dtype: str) -> None:
    with pytest.raises(DTypeError, match="graphs have no dtype"):
        short_name(numpy.dtype(dtype))


def test_only_floating_types_carry_derivatives() -> None:
    assert [name for name in SHORT_NAMES if TensorType(name, ()).is_float] == ["f16", "f32", "f64", "c64", "c128"]


def test_a_type_with_another_shape_or_dtype() -> None:
    type = TensorType("f32", (2,))
    assert str(type.with_shape((3, 1))) == "f32[3,1]" and str(type.with_dtype(SHORT_NAMES["i8"])) == "i8[2]"


def test_a_pickled_type_computes_its_hash_anew() -> None:
    type = TensorType("f32", (2,))
    assert type.__reduce__() == (TensorType, (type.dtype, type.shape))
    assert pickle.loads(pickle.dumps(type)) == type
