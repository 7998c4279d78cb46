"""For every primitive: operands and attributes it takes (`CASES`), and what its type rule rejects (`REJECTED`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy

from dopegraph.ir import Graph, TensorType, primitives
from dopegraph.ir.primitive import NotDifferentiable, Primitive
from dopegraph.runtime.errors import AxisError, DTypeError, ShapeError
from tests.ops import host_cases, random_cases, shaping_cases
from tests.reference import Array, single, types

BOOL, I8, I32, I64 = (numpy.dtype(name) for name in ("bool", "int8", "int32", "int64"))
U8, U64 = numpy.dtype("uint8"), numpy.dtype("uint64")
F16, F32, F64, C128 = (numpy.dtype(name) for name in ("float16", "float32", "float64", "complex128"))


# Operators of MXNet's own, tested with the symbols that bring them: tests/symbols.
FOREIGN = frozenset(["mxnet_gradient", "mxnet_operator"])


@dataclass(frozen=True)
class Case:
    """Operand types, attributes, and the interval that floating (or integer) operands are drawn from."""

    op: str
    operands: str
    attrs: dict[str, Any] = field(default_factory=dict)
    low: float = -2
    high: float = 2

    def __str__(self) -> str:
        attrs = ",".join(f"{key}={value}" for key, value in self.attrs.items())
        return f"{self.op}({self.operands.replace(' ', ';')})" + (f"{{{attrs}}}" if attrs else "")

    @property
    def primitive(self) -> Primitive:
        return primitives[self.op]

    @property
    def types(self) -> list[TensorType]:
        return types(self.operands)

    @property
    def results(self) -> tuple[TensorType, ...]:
        return self.primitive.result_types(self.types, {**self.primitive.defaults, **self.attrs})

    @property
    def result(self) -> TensorType:
        (type,) = self.results
        return type

    @property
    def smooth(self) -> list[int]:
        """The operands that derivatives are checked by; none when a result is of neither float64 nor complex128."""
        precise = (F64, C128)
        if isinstance(self.primitive.gradient, NotDifferentiable) or any(r.dtype not in precise for r in self.results):
            return []
        if self.op in random_cases.IMPLICIT:
            return []
        return [position for position, type in enumerate(self.types) if type.dtype in precise]

    def graph(self) -> Graph:
        """The graph whose derivatives are checked."""
        return single(self.primitive, self.types, self.attrs)

    def arrays(self, seed: int = 0) -> list[Array]:
        random = numpy.random.default_rng(seed)
        return [self._array(type, random) for type in self.types]

    def _array(self, type: TensorType, random: numpy.random.Generator) -> Array:
        kind = type.dtype.kind
        if kind == "b":
            return numpy.asarray(random.integers(0, 2, type.shape)).astype(bool)
        if kind in "iu":
            low = max(int(self.low), 0) if kind == "u" else int(self.low)
            return numpy.asarray(random.integers(low, int(self.high) + 1, type.shape)).astype(type.dtype)
        numbers = numpy.asarray(random.uniform(self.low, self.high, type.shape))
        if kind == "c":
            numbers = numbers + 1j * random.uniform(self.low, self.high, type.shape)
        return numpy.asarray(numbers).astype(type.dtype)


def _each(names: str, *operands: str, low: float = -2, high: float = 2, **attrs: Any) -> list[Case]:
    """A case for every name and every text of operand types."""
    return [Case(name, one, attrs, low, high) for name in names.split() for one in operands]


FLOAT = ("f64[2,3]", "f32[3]", "f16[]", "f64[0,2]", "f64[]")
COMPLEX = ("c64[2]", "c128[]")
INTEGER = ("i32[2,2]", "u8[3]", "i64[]")
# Equal shapes, broadcasting on either side and on both, scalars, empty ones.
BINARY = ("f64[2,3] f64[2,3]", "f64[3] f64[2,3]", "f64[2,1] f64[1,3]", "f64[] f64[2]", "f64[] f64[]",
          "f64[0,2] f64[1,2]", "f64[1] f64[0]", "f32[2] f32[]", "f16[2] f16[2]")  # fmt: skip
INTEGERS = ("i32[2] i32[2]", "u8[2,1] u8[2]", "i64[] i64[]")
KEY = "u64[2]"

CASES: list[Case] = [
    # Functions of one variable, where they are smooth.
    *_each("exp exp2 expm1 sin cos sinh cosh tanh arctan arcsinh erf sigmoid cbrt neg square identity barrier relu abs",
        *FLOAT),
    *_each("log log2 log10 log1p sqrt reciprocal", *FLOAT, low=0.3),
    *_each("tan", *FLOAT, low=-1, high=1),
    *_each("arcsin arccos arctanh", *FLOAT, low=-0.9, high=0.9),
    *_each("arccosh", *FLOAT, low=1.2, high=3),
    *_each("exp exp2 expm1 sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh arccosh arctanh", *COMPLEX),
    *_each("log log2 log10 log1p sqrt reciprocal sigmoid square neg rint identity barrier stop_gradient", *COMPLEX),
    *_each("neg square identity barrier stop_gradient", *INTEGER),
    *_each("abs sign relu", *INTEGER),
    *_each("identity barrier stop_gradient logical_not", "bool[2]", "bool[]", "bool[0]"),
    *_each("sign floor ceil trunc rint stop_gradient isnan isinf isfinite", *FLOAT),
    *_each("isnan isinf isfinite", *COMPLEX),
    *[Case("integer_pow", one, {"exponent": n}, 0.5) for one in FLOAT for n in (-3, -1, 0, 1, 2, 3, 5)],
    *[Case("integer_pow", one, {"exponent": 3}) for one in INTEGER + COMPLEX],
    # Functions of two variables.
    *_each("add sub mul maximum minimum", *BINARY, *INTEGERS),
    *_each("add sub mul div pow", "c64[2] c64[]"),
    *_each("div arctan2 mod", *BINARY, low=0.4),
    *_each("pow", *BINARY, low=0.4),
    *_each("pow", *INTEGERS, low=0),
    *_each("floor_div", *BINARY, *INTEGERS, low=1),
    *_each("mod", *INTEGERS, low=1),
    *_each("equal not_equal less less_equal greater greater_equal", *BINARY, *INTEGERS, "bool[2] bool[]",
        "c64[2] c64[]"),
    *_each("logical_and logical_or logical_xor", "bool[2] bool[2]", "bool[2,1] bool[3]", "bool[] bool[]",
        "bool[0] bool[]"),
    # Selection and conversion.
    *_each("select", "bool[2,3] f64[2,3] f64[2,3]", "bool[3] f64[] f64[2,1]", "bool[] f64[2] f64[1]",
        "bool[0] i32[1] i32[]"),
    *_each("cast", *FLOAT, *INTEGER, *COMPLEX, "bool[2]", dtype=C128),
    *_each("cast", *FLOAT, *INTEGER, "bool[2]", dtype=F64),
    *_each("cast", *FLOAT, *INTEGER, "bool[2]", dtype=F16),
    *_each("cast", *FLOAT, *INTEGER, "bool[2]", dtype=BOOL),
    *_each("cast", *FLOAT, *INTEGER, "bool[2]", dtype=I8),
    # Reductions.
    *[
        Case(name, *case)
        for name in ("sum", "prod", "max", "min")
        for case in (
            ("f64[2,3,4]", {"axes": (0, 2)}),
            ("f64[2,3,4]", {"axes": (1,), "keepdims": True}),
            ("f64[5]", {"axes": (0,)}),
            ("f64[3,2]", {"axes": (0, 1), "keepdims": True}),
            ("f64[2,3]", {"axes": ()}),
            ("f64[]", {"axes": ()}),
            ("f64[0,3]", {"axes": (1,)}),
            ("f16[4]", {"axes": (0,)}),
            ("f32[4]", {"axes": (0,)}),
            ("i8[4]", {"axes": (0,)}),
            ("u8[2,2]", {"axes": (0, 1)}),
        )
    ],
    *[Case(name, "f64[0,3]", {"axes": (0,)}) for name in ("sum", "prod")],
    *[Case(name, "c64[2,3]", {"axes": (1,)}) for name in ("sum", "prod", "max", "min")],
    *[Case(name, "c128[2,3]", {"axis": 1}) for name in ("argmax", "argmin")],
    *[Case("prod", f"f64[{n}]", {"axes": (0,)}) for n in (1, 2, 3, 6, 7)],
    *[Case(name, "c64[2,2]", {"axes": (0,)}) for name in ("sum", "prod")],
    *[Case(name, "bool[2,3]", {"axes": (1,)}) for name in ("all", "any", "max", "min")],
    *[Case(name, "bool[0]", {"axes": (0,), "keepdims": True}) for name in ("all", "any")],
    *[Case(name, "bool[]", {"axes": ()}) for name in ("all", "any")],
    *[
        Case(name, *case)
        for name in ("argmax", "argmin")
        for case in (
            ("f64[2,3]", {"axis": 1}),
            ("f32[4]", {"axis": 0}),
            ("i32[2,3]", {"axis": -1, "keepdims": True}),
            ("bool[3]", {"axis": 0}),
            ("f64[0,3]", {"axis": 1}),
        )
    ],
    *_each("cumsum", "f64[2,3]", "f32[2,3]", "i8[2,3]", "c64[2,3]", "f64[0,3]", axis=1),
    *_each("cumsum", "f64[2,3]", "i32[2,3]", "f64[2,0]", axis=-2, reverse=True),
    # Movements of elements.
    *[
        Case(name, *case)
        for dtype in ("f64", "bool", "c64")
        for name, *case in (
            ("reshape", f"{dtype}[2,3]", {"shape": (3, 2)}),
            ("reshape", f"{dtype}[]", {"shape": (1, 1)}),
            ("reshape", f"{dtype}[0,2]", {"shape": (3, 0)}),
            ("reshape", f"{dtype}[1]", {"shape": ()}),
            ("transpose", f"{dtype}[2,3,4]", {"axes": (2, 0, 1)}),
            ("transpose", f"{dtype}[2,3]", {"axes": (1, 0)}),
            ("transpose", f"{dtype}[]", {"axes": ()}),
            ("broadcast_to", f"{dtype}[3,1]", {"shape": (2, 3, 4)}),
            ("broadcast_to", f"{dtype}[]", {"shape": (2,)}),
            ("broadcast_to", f"{dtype}[1]", {"shape": (0,)}),
            ("broadcast_to", f"{dtype}[2]", {"shape": (2,)}),
            ("strided_slice", f"{dtype}[5,4]", {"starts": (1, 0), "stops": (5, 4), "steps": (2, 1)}),
            ("strided_slice", f"{dtype}[5]", {"starts": (2,), "stops": (2,), "steps": (1,)}),
            ("strided_slice", f"{dtype}[]", {"starts": (), "stops": (), "steps": ()}),
            ("unslice", f"{dtype}[2,4]", {"shape": (5, 4), "starts": (1, 0), "stops": (5, 4), "steps": (2, 1)}),
            ("unslice", f"{dtype}[]", {"shape": (), "starts": (), "stops": (), "steps": ()}),
            ("unslice", f"{dtype}[0]", {"shape": (3,), "starts": (1,), "stops": (1,), "steps": (1,)}),
            ("slice_update", f"{dtype}[5] {dtype}[2]", {"starts": (1,), "stops": (5,), "steps": (2,)}),
            ("slice_update", f"{dtype}[] {dtype}[]", {"starts": (), "stops": (), "steps": ()}),
            ("slice_update", f"{dtype}[3,2] {dtype}[0,2]", {"starts": (1, 0), "stops": (1, 2), "steps": (1, 1)}),
            ("concat", f"{dtype}[2,1] {dtype}[2,3] {dtype}[2,0]", {"axis": 1}),
            ("concat", f"{dtype}[1,2] {dtype}[2,2]", {"axis": -2}),
            ("concat", f"{dtype}[3]", {"axis": 0}),
            ("flip", f"{dtype}[2,3]", {"axes": (0, 1)}),
            ("flip", f"{dtype}[0,3]", {"axes": (1,)}),
            ("flip", f"{dtype}[]", {"axes": ()}),
        )
    ],
    # Indexing.
    *_each("take", "f64[4,3] i32[2]", "f64[4,3] i64[]", "f64[4,3] u64[2,2]", "f64[4,3] u8[0]", "bool[4] i32[2]",
        axis=0),
    *_each("take", "f64[2,4] i32[3]", "f64[2,4] i64[1,2]", axis=-1),
    *_each("take_scatter", "f64[2,3] i32[2]", axis=0, shape=(4, 3)),
    *_each("take_scatter", "f64[3] i32[]", "f32[3] u64[]", axis=0, shape=(4, 3)),
    *_each("take_scatter", "f64[2,3] i64[3]", axis=-1, shape=(2, 4)),
    *_each("take_scatter", "f64[2,0] i64[0]", axis=1, shape=(2, 4)),
    *_each("scatter scatter_add", "f64[4,3] i32[2] f64[2,3]", "f64[4] i64[2,3] f64[2,3]", "i32[4] u8[2] i32[2]",
           "f64[4,2] i64[] f64[2]", "f64[4,0] i64[2] f64[2,0]", "c64[4] i64[5] c64[5]", axis=0),
    *_each("bitcast", "f64[2,3]", "f64[]", "i64[0]", dtype=I64),
    *_each("bitcast", "f64[2,3]", "c128[2]", "i32[4]", dtype=U8),
    *_each("bitcast", "u8[2,16]", "f64[2,2]", "f32[0,4]", dtype=C128),
    *_each("scatter scatter_add", "f64[2,4] i64[3] f64[2,3]", "f64[2,4,2] i64[6] f64[2,6,2]", axis=1),
    *_each("one_hot", "i32[4]", "u8[2,2]", "i64[]", "u64[0]", depth=2, dtype=F32),
    *_each("one_hot", "i32[2]", depth=0, dtype=BOOL),
    # Creation.
    Case("full", "", {"value": 1.5, "shape": (2, 3), "dtype": F32}),
    Case("full", "", {"value": True, "shape": (), "dtype": BOOL}),
    Case("full", "", {"value": 1j, "shape": (0,), "dtype": C128}),
    Case("iota", "", {"size": 4, "dtype": F64}),
    Case("iota", "", {"size": 0, "start": 3, "step": -2, "dtype": I32}),
    Case("iota", "", {"size": 3, "start": 0.5, "step": 0.25, "dtype": F16}),
    Case("constant", "", {"value": numpy.arange(6.0).reshape(2, 3)}),
    Case("constant", "", {"value": numpy.array(True)}),
    # Matrix products.
    *_each("matmul", "f64[2,3] f64[3,4]", "f64[5,2,3] f64[3,4]", "f64[5,2,3] f64[5,3,4]", "f64[1,2,3] f64[4,3,1]"),
    *_each("matmul", "f64[2,0] f64[0,3]", "f64[0,2] f64[2,3]", "i32[2,2] i32[2,2]", "f16[2,2] f16[2,2]",
        "c64[2,2] c64[2,2]"),
    *_each("matmul", "f64[3,2] f64[3,4]", "f64[5,3,2] f64[3,4]", transpose_x=True),
    *_each("matmul", "f64[2,3] f64[4,3]", "f64[2,3] f64[5,4,3]", transpose_y=True),
    *_each("matmul", "f64[3,2] f64[4,3]", "f64[5,3,2] f64[1,4,3]", transpose_x=True, transpose_y=True),
    # Neural networks.
    *_each("softmax log_softmax", "f64[2,3]", "f32[2,3]", "f16[2,3]", "f64[0,3]", "f64[2,0]", axis=1),
    *_each("softmax log_softmax", "f64[2,3,2]", axis=-2),
]  # fmt: skip

# Data, weight and how they meet: one, two and three spatial axes, groups, strides that leave a remainder.
CONVOLUTIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("2,1,5", "3,1,2", {"stride": (1,), "pad": (0,), "dilate": (1,)}),
    ("1,2,6", "2,2,3", {"stride": (2,), "pad": (1,), "dilate": (2,)}),
    ("2,2,4,5", "3,2,2,3", {"stride": (1, 1), "pad": (0, 0), "dilate": (1, 1)}),
    ("1,2,5,4", "2,2,3,2", {"stride": (2, 3), "pad": (1, 2), "dilate": (1, 2)}),
    ("1,4,3,3", "4,2,2,2", {"stride": (1, 2), "pad": (1, 0), "dilate": (1, 1), "groups": 2}),
    ("1,3,4", "6,1,2", {"stride": (1,), "pad": (1,), "dilate": (1,), "groups": 3}),
    ("1,1,3,3,2", "2,1,2,2,1", {"stride": (1, 2, 1), "pad": (0, 1, 0), "dilate": (1, 1, 1)}),
    ("0,2,3", "2,2,2", {"stride": (1,), "pad": (0,), "dilate": (1,)}),
]
POOLINGS: list[tuple[str, dict[str, Any]]] = [
    ("1,2,5", {"kernel": (2,), "stride": (1,), "pad": (0,)}),
    ("2,1,4,5", {"kernel": (2, 3), "stride": (2, 1), "pad": (0, 0)}),
    ("1,2,5,4", {"kernel": (3, 2), "stride": (2, 2), "pad": (1, 1)}),
    ("1,1,3,2,4", {"kernel": (2, 1, 3), "stride": (1, 1, 2), "pad": (1, 0, 2)}),
    ("0,1,3", {"kernel": (2,), "stride": (1,), "pad": (0,)}),
]


def _shape(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


for _data, _weight, _how in CONVOLUTIONS:
    for _dtype in ("f64", "f32"):
        _conv = Case("conv", f"{_dtype}[{_data}] {_dtype}[{_weight}]", _how)
        _g = str(_conv.result)
        CASES += [
            _conv,
            Case("conv_grad_data", f"{_g} {_dtype}[{_weight}]", {"shape": _shape(_data), **_how}),
            Case("conv_grad_weight", f"{_g} {_dtype}[{_data}]", {"shape": _shape(_weight), **_how}),
        ]
for _data, _how in POOLINGS:
    for _dtype in ("f64", "f16"):
        _x = f"{_dtype}[{_data}]"
        _pool = Case("max_pool", _x, _how)
        _g = str(_pool.result)
        CASES += [_pool, Case("max_pool_grad", f"{_g} {_x}", _how), Case("max_pool_take", f"{_x} {_x}", _how)]
        for _count in (True, False):
            _more = {**_how, "count_include_pad": _count}
            CASES += [Case("avg_pool", _x, _more), Case("avg_pool_grad", _g, {"shape": _shape(_data), **_more})]

RANDOM: list[Case] = [
    Case("random_advance", KEY, {}, 0, 9),
    *[
        Case(name, KEY, {"shape": shape, "dtype": dtype}, 0, 9)
        for name in ("random_uniform", "random_normal")
        for shape in ((), (1,), (7,), (2, 3), (0, 2))
        for dtype in (F16, F32, F64)
    ],
    *[
        Case("random_integers", KEY, {"low": 2, "high": 9, "shape": shape, "dtype": dtype}, 0, 9)
        for shape in ((), (5,), (0, 2))
        for dtype in (I8, I32, I64, U8, U64)
    ],
    Case("random_integers", KEY, {"low": 2**63, "high": 2**64, "shape": (3,), "dtype": U64}, 0, 9),
    *[Case("random_permutation", KEY, {"size": size}, 0, 9) for size in (0, 1, 7)],
]
CASES += RANDOM
CASES += [Case(*one) for one in random_cases.CASES]

_ONE = {"stride": (1,), "pad": (0,), "dilate": (1,)}
_POOL = {"kernel": (2,), "stride": (1,), "pad": (0,)}
_SLICE = {"starts": (0,), "stops": (2,), "steps": (1,)}

# (operator, operand types, attributes, error, a part of its message)
REJECTED: list[tuple[str, str, dict[str, Any], type[Exception], str]] = [
    ("add", "f32[2] f64[2]", {}, DTypeError, "float32, float64; cast them to one with astype"),
    ("add", "f32[2,3] f32[2]", {}, ShapeError, r"\(2, 3\) and \(2,\) do not broadcast: axis -1 has lengths 3 and 2"),
    ("add", "f32[0] f32[3]", {}, ShapeError, "lengths 0 and 3"),
    ("add", "bool[2] bool[2]", {}, DTypeError, "cast booleans first"),
    ("div", "i32[2] i32[2]", {}, DTypeError, "floating numbers, not int32"),
    ("mod", "bool[] bool[]", {}, DTypeError, "numbers that have an order"),
    ("arctan2", "i32[] i32[]", {}, DTypeError, "not int32"),
    ("logical_and", "i32[] i32[]", {}, DTypeError, "booleans, not int32"),
    ("logical_not", "f32[]", {}, DTypeError, "booleans, not float32"),
    ("isnan", "i32[]", {}, DTypeError, "floating numbers"),
    ("exp", "i32[]", {}, DTypeError, "floating numbers, not int32"),
    ("abs", "bool[]", {}, DTypeError, "numbers, not bool"),
    ("neg", "bool[]", {}, DTypeError, "numbers, not bool"),
    ("floor", "c64[]", {}, DTypeError, "real floating numbers, not complex64"),
    ("ceil", "c64[]", {}, DTypeError, "real floating numbers, not complex64"),
    ("trunc", "c64[]", {}, DTypeError, "real floating numbers, not complex64"),
    ("cbrt", "c64[]", {}, DTypeError, "real floating numbers, not complex64"),
    ("erf", "c64[]", {}, DTypeError, "real floating numbers, not complex64"),
    ("integer_pow", "bool[]", {"exponent": 2}, DTypeError, "cast booleans first"),
    ("integer_pow", "i32[]", {"exponent": -1}, DTypeError, "no powers to -1; cast to a floating dtype"),
    ("select", "f32[] f32[] f32[]", {}, DTypeError, "a boolean condition, not float32"),
    ("select", "bool[] f32[] i32[]", {}, DTypeError, "cast them to one"),
    ("select", "bool[2] f32[3] f32[]", {}, ShapeError, "do not broadcast"),
    ("sum", "bool[2]", {"axes": (0,)}, DTypeError, "numbers, not bool"),
    ("sum", "f32[2]", {"axes": (1,)}, AxisError, "axis 1 is out of bounds for an array of 1 dimensions"),
    ("sum", "f32[2,2]", {"axes": (1, 1)}, ShapeError, "names an axis twice"),
    ("sum", "f32[2,2]", {"axes": (1, 0)}, ShapeError, r"sorted tuple counted from the front, \(0, 1\)"),
    ("sum", "f32[2,2]", {"axes": (-1,)}, ShapeError, r"counted from the front, \(1,\)"),
    ("max", "f32[0,2]", {"axes": (0,)}, ShapeError, "empty reduction"),
    ("all", "f32[2]", {"axes": (0,)}, DTypeError, "booleans"),
    ("argmax", "f32[2]", {"axis": 1}, AxisError, "axis 1 is out of bounds"),
    ("argmax", "f32[0]", {"axis": 0}, ShapeError, "empty axis 0"),
    ("cumsum", "bool[2]", {"axis": 0}, DTypeError, "numbers"),
    ("cumsum", "f32[]", {"axis": 0}, AxisError, "0 dimensions"),
    ("reshape", "f32[2,3]", {"shape": (5,)}, ShapeError, r"has 6 elements and cannot be reshaped to \(5,\)"),
    ("reshape", "f32[2,3]", {"shape": (-1, -6)}, ShapeError, "negative length"),
    ("transpose", "f32[2,3]", {"axes": (0, 0)}, ShapeError, "not a permutation of the 2 axes"),
    ("broadcast_to", "f32[2]", {"shape": (3,)}, ShapeError, r"shape \(2,\) cannot be broadcast to \(3,\)"),
    ("broadcast_to", "f32[1,2]", {"shape": (2,)}, ShapeError, "cannot be broadcast"),
    ("broadcast_to", "f32[1]", {"shape": (-1,)}, ShapeError, "negative length"),
    ("strided_slice", "f32[2,2]", _SLICE, ShapeError, "one number for each of the 2 axes"),
    ("strided_slice", "f32[1]", _SLICE, ShapeError, "leave the shape"),
    ("strided_slice", "f32[2]", {**_SLICE, "steps": (-1,)}, ShapeError, "steps must be positive; flip"),
    ("unslice", "f32[1]", {"shape": (4,), **_SLICE}, ShapeError, r"does not have the shape \(1,\)"),
    ("slice_update", "f32[4] f32[1]", _SLICE, ShapeError, r"values of shape \(1,\) into a slice of shape \(2,\)"),
    ("slice_update", "f32[4] f64[2]", _SLICE, DTypeError, "cast them to one"),
    ("concat", "", {"axis": 0}, ShapeError, "at least one array"),
    ("concat", "f32[2] f32[2,2]", {"axis": 0}, ShapeError, r"\(2,\) and \(2, 2\) differ elsewhere than on axis 0"),
    ("concat", "f32[2,2] f32[2,3]", {"axis": 0}, ShapeError, "differ elsewhere"),
    ("concat", "f32[2] f64[2]", {"axis": 0}, DTypeError, "cast them to one"),
    ("concat", "f32[]", {"axis": 0}, AxisError, "0 dimensions"),
    ("flip", "f32[2]", {"axes": (-1,)}, ShapeError, "counted from the front"),
    ("take", "f32[2] f32[2]", {"axis": 0}, DTypeError, "integer indices, not float32"),
    ("take", "f32[] i32[2]", {"axis": 0}, AxisError, "0 dimensions"),
    ("bitcast", "u8[2,3]", {"dtype": F32}, ShapeError, "no whole number of float32"),
    ("bitcast", "u8[]", {"dtype": F32}, ShapeError, "no whole number"),
    ("scatter", "f32[3] i32[2] f32[3]", {"axis": 0}, ShapeError, r"what the indices name"),
    ("scatter", "f32[3] i32[2] f64[2]", {"axis": 0}, DTypeError, "cast them to one"),
    ("scatter_add", "f32[3] f32[2] f32[2]", {"axis": 0}, DTypeError, "integer indices"),
    ("take_scatter", "f32[3] i32[2]", {"axis": 0, "shape": (4,)}, ShapeError, "is not what taking"),
    ("one_hot", "f32[2]", {"depth": 2, "dtype": F32}, DTypeError, "integer indices"),
    ("one_hot", "i32[2]", {"depth": -1, "dtype": F32}, ShapeError, "negative length"),
    ("full", "", {"value": 1j, "shape": (), "dtype": F32}, DTypeError, "complex"),
    ("full", "", {"value": "a", "shape": (), "dtype": F32}, DTypeError, "takes a number"),
    ("full", "", {"value": 1, "shape": (-2,), "dtype": F32}, ShapeError, "negative length"),
    ("iota", "", {"size": -1, "dtype": F32}, ShapeError, "negative length"),
    ("constant", "", {"value": 1.0}, DTypeError, "takes an array, not a float"),
    ("matmul", "f32[2] f32[2,2]", {}, ShapeError, "not both matrices"),
    ("matmul", "f32[2,3] f32[2,3]", {}, ShapeError, "axis -1 of the first has length 3, axis -2 of the second 2"),
    ("matmul", "f32[2,3] f32[2,3]", {"transpose_x": True, "transpose_y": True}, ShapeError,
        "axis -2 of the first has length 2"),
    ("matmul", "bool[2,2] bool[2,2]", {}, DTypeError, "cast booleans first"),
    ("matmul", "f32[2,2] f64[2,2]", {}, DTypeError, "cast them to one"),
    ("matmul", "f32[2,1,1] f32[3,1,1]", {}, ShapeError, "do not broadcast"),
    ("softmax", "i32[2]", {"axis": 0}, DTypeError, "floating numbers"),
    ("log_softmax", "f32[2]", {"axis": 1}, AxisError, "axis 1"),
    ("conv", "f32[1,2,5] f32[2,2,3,3]", _ONE, ShapeError, "same number of spatial axes"),
    ("conv", "f32[1,2,5] f32[2,3,3]", _ONE, ShapeError, "2 channels .* takes 3 in each of 1 group"),
    ("conv", "f32[1,2,5] f32[3,1,3]", {**_ONE, "groups": 2}, ShapeError, "group"),
    ("conv", "f32[1,1,2] f32[1,1,3]", _ONE, ShapeError, "larger than the padded data"),
    ("conv", "f32[1,1,5] f32[1,1,3]", {**_ONE, "stride": (0,)}, ShapeError, r"stride \(0,\) .* at least 1"),
    ("conv", "f32[1,1,5] f32[1,1,3]", {**_ONE, "pad": (-1,)}, ShapeError, r"pad \(-1,\) at least 0"),
    ("conv", "f32[1,1,5] f32[1,1,0]", _ONE, ShapeError, "at least 1"),
    ("conv", "i32[1,1,5] i32[1,1,3]", _ONE, DTypeError, "floating numbers"),
    ("conv", "f32[1,1,5] f64[1,1,3]", _ONE, DTypeError, "cast them to one"),
    ("conv_grad_data", "f32[1,1,4] f32[1,1,3]", {"shape": (1, 1, 5), **_ONE}, ShapeError,
        "not the type of the convolution"),
    ("conv_grad_weight", "f32[1,1,4] f32[1,1,5]", {"shape": (1, 1, 3), **_ONE}, ShapeError,
        "not the type of the convolution"),
    ("max_pool", "f32[1,1,5,5]", _POOL, ShapeError, "2 spatial axes"),
    ("max_pool", "f32[1,1,1]", _POOL, ShapeError, "larger than the padded data"),
    ("max_pool", "f32[1,1,5]", {**_POOL, "pad": (2,)}, ShapeError, "without any data"),
    ("max_pool", "f32[1,1,5]", {**_POOL, "stride": (0,)}, ShapeError, "at least 1"),
    ("max_pool", "i32[1,1,5]", _POOL, DTypeError, "floating numbers"),
    ("avg_pool", "i32[1,1,5]", _POOL, DTypeError, "floating numbers"),
    ("max_pool_grad", "f32[1,1,5] f32[1,1,5]", _POOL, ShapeError, "not the type of the pooled"),
    ("max_pool_take", "f32[1,1,4] f32[1,1,5]", _POOL, ShapeError, "must have one type"),
    ("avg_pool_grad", "f32[1,1,5]", {"shape": (1, 1, 5), **_POOL}, ShapeError, "not the type of the pooled"),
    ("random_advance", "u64[3]", {}, ShapeError, r"a random key is u64\[2\], not u64\[3\]"),
    ("random_uniform", "i64[2]", {"shape": (), "dtype": F32}, ShapeError, "a random key"),
    ("random_uniform", KEY, {"shape": (), "dtype": I32}, DTypeError, "a floating dtype"),
    ("random_normal", KEY, {"shape": (-1,), "dtype": F32}, ShapeError, "negative length"),
    ("random_integers", KEY, {"low": 2, "high": 2, "shape": (), "dtype": I32}, ShapeError,
        r"no integer lies in \[2, 2\)"),
    ("random_integers", KEY, {"low": 0, "high": 1000, "shape": (), "dtype": I8}, DTypeError, "int8 does not hold"),
    ("random_integers", KEY, {"low": 0, "high": 2, "shape": (), "dtype": F32}, DTypeError, "an integer dtype"),
    ("random_permutation", KEY, {"size": -1}, ShapeError, "negative length"),
]  # fmt: skip
REJECTED += random_cases.REJECTED

CASES += [Case(*one) for one in (*shaping_cases.CASES, *host_cases.CASES)]
REJECTED += shaping_cases.REJECTED


from tests.ops import complex_cases, floating_cases, linalg_cases, recurrence_cases, sorting_cases, vision_cases  # noqa: E402 - they need what is above

for _family in (complex_cases, floating_cases, linalg_cases, recurrence_cases, sorting_cases, vision_cases):
    CASES += _family.CASES
    REJECTED += _family.REJECTED
