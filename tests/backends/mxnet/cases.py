"""For every primitive the operands and attributes that its MXNet lowering is tried on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy

from dopegraph.ir import Graph
from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import extract
from dopegraph.ir.primitive import primitives
from dopegraph.ir.types import TensorType

INF, NAN = numpy.inf, numpy.nan
FLOATS = ("float32", "float64", "float16")
INTEGERS = ("int32", "int64", "int8", "uint8")


@dataclass
class Number:
    """An operand that is a `full` of shape (), as a Python number beside an array becomes."""

    value: Any
    dtype: str = "float32"


@dataclass
class Case:
    operands: tuple[Any, ...]
    attrs: dict[str, Any] = field(default_factory=dict)
    rtol: float | None = None

    def graph(self, name: str) -> Graph:
        """A graph of the one node."""
        builder = Builder()
        values = []
        inputs = []
        for position, operand in enumerate(self.operands):
            if isinstance(operand, Number):
                values.append(builder.scalar(operand.value, numpy.dtype(operand.dtype)))
            else:
                values.append(builder.input(TensorType(operand.dtype, operand.shape), f"x{position}"))
                inputs.append(values[-1])
        node = builder.emit_node(primitives[name], values, self.attrs)
        return extract(name, builder.nodes, inputs, (), node.outputs)

    @property
    def arrays(self) -> list[Any]:
        return [operand for operand in self.operands if not isinstance(operand, Number)]


def floats(*shape: int, dtype: str = "float32", seed: int = 0) -> Any:
    return numpy.asarray(numpy.random.RandomState(seed + 7 * len(shape)).randn(*shape)).astype(dtype)


def ints(*shape: int, dtype: str = "int32", low: int = -9, high: int = 10, seed: int = 0) -> Any:
    low = max(low, 0) if dtype.startswith("u") else low
    return numpy.asarray(numpy.random.RandomState(seed + sum(shape)).randint(low, high, shape)).astype(dtype)


def bools(*shape: int, seed: int = 0) -> Any:
    return numpy.asarray(numpy.random.RandomState(seed + 3).rand(*shape) > 0.5)


SPECIAL = [1, -2, 0.0, NAN, INF, -INF, -0.0, 2.5, 3.5, -2.5, 0.5, -0.5, 1e-20, -7.25, 100, -100, 0.999]
INTEGER_SPECIAL = [7, -7, 0, 1, -1, 5, -128, 127, 3, -3]


def pairs(values: Any, dtype: str) -> tuple[Any, Any]:
    """Every value with every other."""
    if dtype.startswith("u"):
        values = [abs(value) for value in values]
    array = numpy.array(values, dtype)
    return numpy.repeat(array, len(array)), numpy.tile(array, len(array))


def extremes(dtype: str) -> Any:
    info = numpy.iinfo(dtype)
    return numpy.array([info.min, info.max, info.max - 1, info.min + 1, 0, 1, info.max // 3], dtype)


def unary(kinds: str = "f") -> list[Case]:
    cases = []
    if "f" in kinds:
        cases += [Case((numpy.array(SPECIAL, dtype),)) for dtype in FLOATS]
        cases += [Case((floats(),)), Case((floats(3, 1, 4),)), Case((floats(2, 1, 2, 1, 2, 3),))]
    if "i" in kinds:
        cases += [Case((ints(4, 3, dtype=dtype),)) for dtype in INTEGERS]
        cases += [Case((extremes(dtype),)) for dtype in INTEGERS]
    if "b" in kinds:
        cases += [Case((bools(4, 3),)), Case((bools(),))]
    return cases


def binary(kinds: str = "f", scalars: tuple[float, ...] = (2.0, 0.5, -1.5)) -> list[Case]:
    cases: list[Case] = []
    if "f" in kinds:
        cases += [Case(pairs(SPECIAL, dtype)) for dtype in FLOATS]
        for dtype in FLOATS:
            x = floats(3, 4, dtype=dtype)
            for scalar in scalars:
                cases += [Case((x, Number(scalar, dtype))), Case((Number(scalar, dtype), x))]
        cases += [
            Case((floats(), floats(seed=1))),
            Case((floats(), floats(3, 2))),
            Case((floats(3, 2), floats())),
            Case((floats(3, 4), floats(4, seed=1))),
            Case((floats(4, seed=1), floats(3, 4))),
            Case((floats(3, 1), floats(1, 4))),
            Case((floats(2, 1, 3, 1), floats(5, 1, 2))),
            Case((floats(1), floats(3, 2))),
            Case((Number(0.25), floats())),
            Case((floats(1, 1), Number(0.25))),
            Case((floats(2, 3, 2, 1, 2, 2), floats(2, 2))),
        ]
    if "i" in kinds:
        for dtype in INTEGERS:
            cases += [
                Case(pairs(INTEGER_SPECIAL, dtype)),
                Case(pairs(extremes(dtype), dtype)) if dtype != "uint8" else Case((extremes(dtype), extremes(dtype))),
                Case((ints(3, 4, dtype=dtype), ints(4, dtype=dtype, seed=2))),
                Case((ints(3, 4, dtype=dtype), Number(3, dtype))),
                Case((Number(7, dtype), ints(3, 4, dtype=dtype))),
            ]
            if dtype != "uint8":
                cases += [Case((ints(3, 4, dtype=dtype), Number(-3, dtype)))]
        cases += [Case((numpy.array([2**60 + 1, -(2**60) - 1, 5]), Number(number, "int64")))
                  for number in (3, 2**53 + 1, 2**62 + 1)]  # fmt: skip
    if "b" in kinds:
        cases += [
            Case((bools(3, 4), bools(3, 4, seed=1))),
            Case((bools(3, 4), bools(4, seed=1))),
            Case((bools(), bools(2))),
            Case((bools(3, 4), Number(True, "bool"))),
        ]
    return cases


SELECTS = [
    Case((bools(3, 4), floats(3, 4), floats(3, 4, seed=1))),
    Case((bools(3, 4), floats(4), floats(3, 1))),
    Case((bools(4), floats(3, 4), Number(0.0))),
    Case((bools(3, 4), Number(1.0), Number(NAN))),
    Case((bools(3, 4), floats(3, 4) * INF, Number(0.0))),
    Case((bools(), floats(2), floats())),
    Case((bools(3, 4), ints(3, 4, dtype="int64"), ints(4, dtype="int64"))),
    Case((bools(3, 4), bools(3, 4, seed=4), bools(4))),
    Case((bools(3), floats(3, dtype="float64"), floats(3, dtype="float64", seed=1))),
    Case((bools(3), ints(3, dtype="uint8"), ints(3, dtype="uint8", seed=1))),
]


def cast_cases() -> list[Case]:
    cases = []
    for source in (*FLOATS, *INTEGERS, "bool"):
        for target in (*FLOATS, *INTEGERS, "bool"):
            x = bools(3, 2) if source == "bool" else ints(3, 2, dtype=source, low=-9) if source in INTEGERS else None
            if x is None:
                x = numpy.array([[1.9, 2.5], [0.0, 3.99], [7.01, 100.7]], source)
                x = x if target == "uint8" else x * numpy.array([1, -1], source)
            cases.append(Case((x,), {"dtype": numpy.dtype(target)}))
    cases.append(Case((numpy.array([NAN, -0.0, INF, 0.1], "float32"),), {"dtype": numpy.dtype("bool")}))
    cases.append(Case((numpy.array([1e6, 1e-8, 70000], "float32"),), {"dtype": numpy.dtype("float16")}))
    cases.append(Case((numpy.array([2**53 + 1, -(2**62)]),), {"dtype": numpy.dtype("float64")}))
    cases.append(Case((numpy.array([2**40 + 5, -(2**33) - 1]),), {"dtype": numpy.dtype("int32")}))
    cases.append(Case((floats(),), {"dtype": numpy.dtype("int64")}))
    return cases


def reduce(kinds: str) -> list[Case]:
    cases = []
    arrays: list[Any] = []
    if "f" in kinds:
        arrays += [floats(3, 4, 5, dtype=dtype) for dtype in FLOATS]
        arrays += [numpy.array([[1, NAN], [INF, 2], [-INF, INF], [-INF, -INF]], "float32")[:, :, None]]
        arrays += [floats(20, 30, 5), floats(5, 3000, 1)]
    if "i" in kinds:
        arrays += [ints(3, 4, 5, dtype=dtype) for dtype in INTEGERS]
        arrays += [numpy.array([[[2**60 + 1], [3]], [[-5], [2**33 + 1]]])]
    if "b" in kinds:
        arrays += [bools(3, 4, 5), numpy.ones((2, 2, 2), bool), numpy.zeros((2, 2, 2), bool)]
    for x in arrays:
        for axes in ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)):
            cases.append(Case((x,), {"axes": axes, "keepdims": bool(len(axes) % 2)}))
            cases.append(Case((x,), {"axes": axes, "keepdims": not len(axes) % 2}))
        cases.append(Case((numpy.asarray(x[0, 0, 0]),), {"axes": ()}))
    wide = arrays[0].reshape(3, 1, 2, 2, 1, 5)
    cases += [Case((wide,), {"axes": axes}) for axes in ((0, 1, 5), (2, 4), (1, 4), (0, 3, 5))]
    return cases


def position_cases() -> list[Case]:
    arrays = [numpy.array([[1, NAN, 3, NAN], [5, 5, -INF, 2], [-1, -7, -7, -0.0]], dtype) for dtype in FLOATS]
    arrays += [ints(3, 4, dtype=dtype, low=-3, high=3) for dtype in INTEGERS] + [bools(3, 4)]
    arrays += [numpy.array([[2**60, 2**60 + 1], [-(2**60), -(2**60) - 1]])]
    cases = [Case((x,), {"axis": axis, "keepdims": keep}) for x in arrays for axis in (0, 1) for keep in (False, True)]
    return [*cases, Case((floats(2, 3, 4),), {"axis": 1}), Case((floats(5),), {"axis": 0})]


def cumsum_cases() -> list[Case]:
    arrays = [floats(3, 4, dtype=dtype) for dtype in FLOATS] + [ints(3, 4, dtype=dtype) for dtype in INTEGERS]
    arrays += [numpy.array([[2**60 + 1, 1], [5, 2**60]])]
    cases = [Case((x,), {"axis": axis, "reverse": back}) for x in arrays for axis in (0, 1) for back in (False, True)]
    return [*cases, Case((floats(4),), {"axis": 0})]


EVERY = (
    [floats(3, 4, dtype=dtype) for dtype in FLOATS] + [ints(3, 4, dtype=dtype) for dtype in INTEGERS] + [bools(3, 4)]
)
BIG = floats(2, 3, 2, 3, 2, 3)


def slice_cases() -> list[tuple[Any, dict[str, Any]]]:
    cases = [(x, {"starts": (1, 0), "stops": (3, 4), "steps": (1, 2)}) for x in EVERY]
    return [
        *cases,
        (floats(7), {"starts": (1,), "stops": (6,), "steps": (3,)}),
        (floats(3, 4), {"starts": (0, 3), "stops": (3, 4), "steps": (1, 1)}),
        (floats(), {"starts": (), "stops": (), "steps": ()}),
        (BIG, {"starts": (0, 1, 0, 0, 0, 0), "stops": (2, 3, 2, 2, 2, 3), "steps": (1, 2, 1, 1, 1, 1)}),
    ]


def _sliced(x: Any, where: dict[str, Any]) -> Any:
    return numpy.asarray(x[tuple(slice(*b) for b in zip(where["starts"], where["stops"], where["steps"]))])


def index_cases() -> list[tuple[Any, Any, int]]:
    x = floats(4, 5, 3)
    index = numpy.array([[0, -1, 2], [2, 2, -4]])
    cases = [(x, index if axis == 0 else index[:, :1] % 3, axis) for axis in (0, 1, 2)]
    cases += [(x, index.astype(dtype), 0) for dtype in ("int32", "int8")]
    cases += [(x, (index % 4).astype("uint8"), 0)]
    cases += [(x, numpy.array(-2), 1), (floats(6), numpy.array([5, 5, -6]), 0), (floats(6), numpy.array(3), 0)]
    cases += [(one, numpy.array([2, -3, 2]), 0) for one in EVERY]
    cases += [(floats(200, 2), numpy.array([-100, 100, 127, -1], "int8"), 0)]
    return cases


CONVOLUTIONS: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 8), (4, 3, 3), {"stride": (1,), "pad": (0,), "dilate": (1,)}),
    ((2, 3, 9), (4, 3, 3), {"stride": (2,), "pad": (1,), "dilate": (2,)}),
    ((2, 3, 7, 8), (4, 3, 3, 2), {"stride": (1, 1), "pad": (0, 0), "dilate": (1, 1)}),
    ((2, 3, 8, 9), (4, 3, 3, 2), {"stride": (2, 3), "pad": (1, 0), "dilate": (1, 1)}),
    ((2, 3, 9, 9), (4, 3, 3, 3), {"stride": (2, 2), "pad": (2, 1), "dilate": (2, 1)}),
    ((2, 4, 7, 7), (6, 2, 3, 3), {"stride": (1, 2), "pad": (1, 1), "dilate": (1, 1), "groups": 2}),
    ((2, 4, 6, 6), (4, 1, 3, 3), {"stride": (1, 1), "pad": (1, 1), "dilate": (1, 1), "groups": 4}),
    ((1, 2, 5, 6, 5), (3, 2, 2, 3, 2), {"stride": (1, 2, 2), "pad": (1, 0, 1), "dilate": (1, 1, 1)}),
    ((2, 3, 1, 1), (4, 3, 1, 1), {"stride": (1, 1), "pad": (0, 0), "dilate": (1, 1)}),
]


def convolution_cases(which: str) -> list[Case]:
    cases = []
    for dtype in ("float32", "float64"):
        for shape, kernel, how in CONVOLUTIONS:
            x, w = floats(*shape, dtype=dtype), floats(*kernel, dtype=dtype, seed=1)
            g = floats(*primitives["conv"].infer(TensorType(dtype, shape), TensorType(dtype, kernel), **how).shape,
                       dtype=dtype, seed=2)  # fmt: skip
            if which == "conv":
                cases.append(Case((x, w), how))
            elif which == "conv_grad_data":
                cases.append(Case((g, w), {"shape": shape, **how}))
            else:
                cases.append(Case((g, x), {"shape": kernel, **how}))
    return cases


POOLS: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 8), {"kernel": (3,), "stride": (2,), "pad": (1,)}),
    ((2, 3, 8, 8), {"kernel": (2, 2), "stride": (2, 2), "pad": (0, 0)}),
    ((2, 3, 7, 9), {"kernel": (3, 2), "stride": (1, 2), "pad": (1, 0)}),
    ((2, 3, 9, 8), {"kernel": (3, 3), "stride": (2, 2), "pad": (1, 1)}),
    ((1, 2, 5, 6, 5), {"kernel": (2, 2, 3), "stride": (2, 1, 2), "pad": (0, 1, 1)}),
    ((2, 3, 5, 5), {"kernel": (5, 5), "stride": (1, 1), "pad": (0, 0)}),
]


def pool_cases(which: str) -> list[Case]:
    cases = []
    for dtype in ("float32", "float64"):
        for shape, how in POOLS:
            x = numpy.round(floats(*shape, dtype=dtype) * 2)  # with ties
            out = primitives["max_pool"].infer(TensorType(dtype, shape), **how).shape
            g = floats(*out, dtype=dtype, seed=2)
            if which == "max_pool":
                cases.append(Case((x,), how))
            elif which == "max_pool_grad":
                cases.append(Case((g, x), how))
            elif which == "max_pool_take":
                cases.append(Case((floats(*shape, dtype=dtype, seed=5), x), how))
            else:
                for counted in (True, False):
                    attrs = {**how, "count_include_pad": counted}
                    attrs.update({"shape": shape} if which == "avg_pool_grad" else {})
                    cases.append(Case((g if which == "avg_pool_grad" else x,), attrs))
    return cases


UNUSUAL_WINDOWS = numpy.array([[NAN, 1, 2, 3], [-INF, -INF, INF, 2], [-INF, 4, NAN, NAN]], "float32").reshape(1, 3, 4)

SOFTMAX = [
    *(Case((floats(3, 4, dtype=dtype) * 3,), {"axis": axis}) for dtype in FLOATS for axis in (0, 1)),
    Case(
        (numpy.array([[1, NAN, 2], [INF, 1, 1], [-INF, 0, 0], [-INF] * 3, [100, -100, 3000]], "float32"),), {"axis": 1}
    ),
    Case((numpy.array([[1, NAN, 2], [INF, 1, 1], [-INF, 0, 0]], "float64"),), {"axis": 1}),
    Case((floats(2, 3, 4, 5),), {"axis": 2}),
    Case((floats(2, 3, 4, 5),), {"axis": -1}),
    Case((floats(7),), {"axis": 0}),
]

MATRICES: list[tuple[tuple[int, ...], tuple[int, ...], bool, bool]] = [
    ((3, 4), (4, 5), False, False),
    ((4, 3), (4, 5), True, False),
    ((3, 4), (5, 4), False, True),
    ((4, 3), (5, 4), True, True),
    ((1, 4), (4, 1), False, False),
    ((64, 200), (200, 100), False, False),
    ((2, 3, 4), (4, 5), False, False),
    ((2, 3, 4), (5, 4), False, True),
    ((2, 4, 3), (4, 5), True, False),
    ((4, 3), (2, 3, 5), False, False),
    ((2, 3, 4), (2, 4, 5), False, False),
    ((2, 4, 3), (2, 5, 4), True, True),
    ((2, 1, 3, 4), (3, 4, 5), False, False),
    ((2, 3, 3, 4), (2, 3, 5, 4), False, True),
]

# Well-conditioned matrices, and stacks of them.
SQUARES = [
    floats(*batch, n, n, dtype=dtype) + n * numpy.eye(n, dtype=dtype)
    for dtype in ("float32", "float64") for batch, n in (((), 4), ((), 1), ((3,), 4), ((2, 3), 5), ((), 40))
]  # fmt: skip

CASES: dict[str, list[Case]] = {
    **{name: binary("fib", (0.5, -0.5)) for name in
       ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")},
    **{name: binary("b") for name in ("logical_and", "logical_or", "logical_xor")},
    "logical_not": unary("b"),
    **{name: unary() for name in ("isnan", "isinf", "isfinite")},
    "select": SELECTS,
    "cast": cast_cases(),
    **{name: unary("fib") for name in ("identity", "stop_gradient", "barrier")},
    **{name: binary("fi") for name in ("add", "sub", "mul", "maximum", "minimum", "floor_div", "mod")},
    "div": binary(),
    "pow": binary(scalars=(2.0, 0.5, -1.5, 3.0)),
    "arctan2": binary(),
    **{name: unary("fi") for name in ("neg", "abs", "sign", "square", "relu")},
    **{name: unary() for name in (
        "floor", "ceil", "trunc", "rint", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt",
        "reciprocal", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh",
        "arctanh", "erf", "sigmoid")},
    "integer_pow": [
        *(Case((numpy.array(SPECIAL, dtype),), {"exponent": n}) for dtype in FLOATS for n in range(-2, 6)),
        *(Case((ints(3, 4, dtype=dtype),), {"exponent": n}) for dtype in INTEGERS for n in (0, 1, 2, 3, 7)),
        Case((numpy.array([2**21 + 1, -3]),), {"exponent": 3}),
    ],
    "sum": reduce("fi"),
    "prod": reduce("fi"),
    "max": reduce("fib"),
    "min": reduce("fib"),
    "all": reduce("b"),
    "any": reduce("b"),
    "argmax": position_cases(),
    "argmin": position_cases(),
    "cumsum": cumsum_cases(),
    "reshape": [
        *(Case((x,), {"shape": (2, 6)}) for x in EVERY),
        Case((floats(1, 1),), {"shape": ()}),
        Case((floats(),), {"shape": (1, 1)}),
        Case((floats(3, 4),), {"shape": (12,)}),
        Case((BIG,), {"shape": (6, 6, 6)}),
    ],
    "transpose": [
        *(Case((x,), {"axes": (1, 0)}) for x in EVERY),
        Case((floats(),), {"axes": ()}),
        Case((floats(2, 3, 4),), {"axes": (2, 0, 1)}),
        Case((floats(2, 3, 4),), {"axes": (0, 2, 1)}),
        Case((floats(2, 1, 4, 1),), {"axes": (3, 1, 0, 2)}),
        Case((floats(2, 3, 2, 3, 2, 2),), {"axes": (5, 3, 1, 0, 4, 2)}),
        Case((BIG,), {"axes": (2, 3, 0, 1, 5, 4)}),
    ],
    "diagonal": [
        *(Case((x,), {"offset": 1, "axis1": 0, "axis2": 1}) for x in EVERY),
        Case((floats(3, 4),)),
        Case((floats(3, 4),), {"offset": -2}),
        Case((floats(2, 3, 4),), {"offset": 1, "axis1": 2, "axis2": 0}),
        Case((floats(2, 3, 4, 2),), {"axis1": 1, "axis2": 3}),
        Case((floats(2, 2, 3, 2, 2, 2),), {"axis1": 4, "axis2": 1}),
        Case((ints(3, 3),)),
    ],
    "broadcast_to": [
        *(Case((x[:1],), {"shape": (5, 3, 4)}) for x in EVERY),
        Case((floats(),), {"shape": (2, 3)}),
        Case((floats(),), {"shape": ()}),
        Case((floats(3, 1),), {"shape": (3, 4)}),
        Case((floats(2, 1, 2, 1, 2),), {"shape": (2, 3, 2, 3, 2)}),
    ],
    "strided_slice": [Case((x,), where) for x, where in slice_cases()],
    "unslice": [Case((_sliced(x, where),), {"shape": x.shape, **where}) for x, where in slice_cases()],
    "slice_update": [Case((x, numpy.zeros_like(_sliced(x, where))), where) for x, where in slice_cases()],
    "concat": [
        *(Case((x, x[:, :2]), {"axis": 1}) for x in EVERY),
        Case((floats(3, 4), floats(1, 4), floats(2, 4)), {"axis": 0}),
        Case((floats(3, 4),), {"axis": 0}),
        Case((floats(3), floats(2)), {"axis": 0}),
        Case((BIG, BIG), {"axis": 3}),
    ],
    "flip": [
        *(Case((x,), {"axes": (1,)}) for x in EVERY),
        Case((floats(2, 3, 4),), {"axes": (0, 2)}),
        Case((floats(),), {"axes": ()}),
        Case((BIG,), {"axes": (1, 3, 5)}),
    ],
    "take": [Case((x, index), {"axis": axis}) for x, index, axis in index_cases()],
    "take_scatter": [
        Case((numpy.asarray(numpy.take(x, index, axis)), index), {"axis": axis, "shape": x.shape})
        for x, index, axis in index_cases() if x.dtype != bool
    ],
    "scatter_add": [
        Case((x, index, numpy.asarray(numpy.take(x, index, axis))), {"axis": axis})
        for x, index, axis in index_cases() if x.dtype != bool
    ],
    "one_hot": [
        *(Case((numpy.array([[0, 3], [2, 7]], dtype),), {"depth": 4, "dtype": numpy.dtype("float32")})
          for dtype in INTEGERS),
        *(Case((numpy.array([0, -1, 2, 2**40]),), {"depth": 4, "dtype": numpy.dtype(dtype)})
          for dtype in (*FLOATS, *INTEGERS, "bool")),
        Case((numpy.array(1),), {"depth": 3, "dtype": numpy.dtype("float32")}),
    ],
    "matmul": [
        Case((floats(*x, dtype=dtype), floats(*y, dtype=dtype, seed=1)), {"transpose_x": tx, "transpose_y": ty})
        for dtype in ("float32", "float64") for x, y, tx, ty in MATRICES
    ],
    "det": [*(Case((x,)) for x in SQUARES), Case((numpy.full((2, 2), NAN, "float32"),)), Case((numpy.zeros((3, 3)),))],
    "softmax": SOFTMAX,
    "log_softmax": SOFTMAX,
    **{name: convolution_cases(name) for name in ("conv", "conv_grad_data", "conv_grad_weight")},
    "max_pool": [*pool_cases("max_pool"), Case((UNUSUAL_WINDOWS,), {"kernel": (2,), "stride": (2,), "pad": (0,)})],
    **{name: pool_cases(name) for name in ("max_pool_grad", "max_pool_take", "avg_pool", "avg_pool_grad")},
    "full": [Case((), {"value": value, "shape": shape, "dtype": numpy.dtype(dtype)}) for value, shape, dtype in (
        (0.1, (2, 3), "float32"), (NAN, (), "float64"), (-INF, (2,), "float32"), (7, (2,), "int64"),
        (2**60 + 1, (2,), "int64"), (True, (2, 2), "bool"), (5, (), "uint8"), (5e-324, (2,), "float64"))],
    "iota": [
        Case((), {"size": 5, "start": start, "step": step, "dtype": numpy.dtype(dtype)})
        for start, step, dtype in ((0, 1, "int64"), (0.5, 0.1, "float32"), (3, -1, "int32"))
    ],
    "constant": [Case((), {"value": value}) for value in (floats(2, 3), ints(3), bools(2, 2), floats())],
}  # fmt: skip

# ulps that MXNet's or oneDNN's functions may be off, as a relative error, by the result's dtype.
TOLERANCE = {"float16": 4e-3, "float32": 3e-6, "float64": 1e-13}
LOOSE = {"conv", "conv_grad_data", "conv_grad_weight", "matmul", "sum", "prod", "cumsum", "tan", "sinh", "pow",
         "det", "integer_pow", "log_softmax", "softmax", "cosh", "arcsinh"}  # fmt: skip

from tests.backends.mxnet import floating_cases  # noqa: E402 - it needs what stands above

CASES.update(floating_cases.CASES)

# Operators of MXNet's own: back in a symbol they give what they give alone.
_LRN = {"operator": "LRN", "attributes": (("nsize", "3"),), "types": ((numpy.dtype("float32"), (2, 4, 3, 3)),)}
_TOPK = {"operator": "topk", "attributes": (("k", "2"), ("ret_typ", "both"))}
CASES["mxnet_operator"] = [
    Case((floats(2, 4, 3, 3),), _LRN),
    Case((floats(3, 5),), {**_TOPK, "types": ((numpy.dtype("float32"), (3, 2)),) * 2}),
]
