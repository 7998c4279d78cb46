"""Import rules of MXNet's elementwise operators, reductions and products.

MXNet's operands have one dtype, and comparisons answer in it; a reduction of all axes gives the shape (1,).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dopegraph.numpy as np
from dopegraph import ops
from dopegraph.dispatch import apply
from dopegraph.ir.types import DType
from dopegraph.nn import functional as nn
from dopegraph.symbols.attributes import Shape
from dopegraph.symbols.errors import SymbolError, Unsupported

Rule = Callable[..., Any]


def floats(*arrays: Any) -> None:
    """Of integers MXNet has rules of its own, or none."""
    if len({one.dtype for one in arrays}) != 1 or arrays[0].dtype.kind != "f":
        raise Unsupported(f"operands of {', '.join(str(one.dtype) for one in arrays)} have no primitive")


def unary(function: Rule) -> Rule:
    def rule(x: Any) -> Any:
        floats(x)
        return function(x)

    return rule


def elementwise(function: Rule, same_shape: bool) -> Rule:
    """`same_shape` for operators that do not broadcast."""

    def rule(x: Any, y: Any) -> Any:
        floats(x, y)
        if same_shape and x.shape != y.shape:
            raise SymbolError(f"operands of the shapes {x.shape} and {y.shape}")
        return function(x, y).astype(x.dtype)

    return rule


def with_scalar(function: Rule) -> Rule:
    def rule(x: Any, *, scalar: float = 1.0, is_int: bool = True) -> Any:
        floats(x)
        return function(x, scalar).astype(x.dtype)

    return rule


def _swapped(function: Rule) -> Rule:
    return lambda x, y: function(y, x)


def chosen_axes(axis: Shape | None, exclude: bool, ndim: int) -> Shape:
    """The axes to reduce; without any, all."""
    given = axis or tuple(range(ndim))
    if not all(-ndim <= one < ndim for one in given):
        raise SymbolError(f"axis={given} of {ndim} axes")
    counted = {one % ndim for one in given}
    if exclude:
        counted = set(range(ndim)) - counted if axis else set()
    return tuple(sorted(counted))


def with_axes(x: Any) -> Any:
    """MXNet has no arrays without axes."""
    return x if x.ndim else np.reshape(x, (1,))


def reduction(function: Rule) -> Rule:
    def rule(x: Any, *, axis: Shape | None = None, keepdims: bool = False, exclude: bool = False) -> Any:
        floats(x)
        axes = chosen_axes(axis, exclude, x.ndim)
        return with_axes(function(x, axis=axes, keepdims=keepdims)) if axes else x

    return rule


def _norm(
    x: Any, *, ord: int = 2, axis: Shape | None = None, keepdims: bool = False, out_dtype: DType | None = None
) -> Any:
    floats(x)
    if out_dtype is not None or ord not in (1, 2):
        raise Unsupported("norm with another dtype or order has no primitive")
    axes = chosen_axes(axis, False, x.ndim)
    if ord == 1:
        return with_axes(np.sum(abs(x), axis=axes, keepdims=keepdims))
    return with_axes(np.sqrt(np.sum(np.square(x), axis=axes, keepdims=keepdims)))


def position(function: Rule) -> Rule:
    def rule(x: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
        floats(x)
        found = function(x, axis=axis, keepdims=keepdims)
        return with_axes(found.astype("float32"))

    return rule


def typed_position(function: Rule) -> Rule:
    """As ``_npi_argmax``: the answer is an integer."""

    def rule(x: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
        floats(x)
        return with_axes(function(x, axis=axis, keepdims=keepdims).astype("int64"))

    return rule


def dot(
    x: Any, y: Any, *, transpose_a: bool = False, transpose_b: bool = False, forward_stype: str | None = None
) -> Any:
    floats(x, y)
    if x.ndim > 2 or y.ndim > 2:
        raise Unsupported("dot of more than two axes has no primitive")
    x = x.T if transpose_a else x
    y = y.T if transpose_b else y
    if x.shape[-1] != y.shape[0]:
        raise SymbolError(f"dot: shapes {x.shape} and {y.shape} do not fit")
    return with_axes(np.dot(x, y))


def batch_dot(
    x: Any, y: Any, *, transpose_a: bool = False, transpose_b: bool = False, forward_stype: str | None = None
) -> Any:
    floats(x, y)
    if x.ndim != y.ndim or x.ndim < 3 or x.shape[:-2] != y.shape[:-2]:
        raise SymbolError(f"batch_dot: shapes {x.shape} and {y.shape}")
    return np.matmul(np.swapaxes(x, -1, -2) if transpose_a else x, np.swapaxes(y, -1, -2) if transpose_b else y)


def add_n(*arrays: Any, num_args: int = 0) -> Any:
    floats(*arrays)
    total = arrays[0]
    for one in arrays[1:]:
        if one.shape != total.shape:
            raise SymbolError(f"add_n: shapes {total.shape} and {one.shape}")
        total = total + one
    return total


def where(condition: Any, x: Any, y: Any) -> Any:
    if x.shape != y.shape or x.dtype != y.dtype or condition.shape != x.shape:
        raise Unsupported("where of several shapes or dtypes has no primitive")
    return np.where(condition != 0, x, y)


def clip(x: Any, *, a_min: float, a_max: float) -> Any:
    floats(x)
    return np.clip(x, a_min, a_max)


def smooth_l1(x: Any, *, scalar: float = 1.0) -> Any:
    floats(x)
    square, size = scalar * scalar, abs(x)
    return np.where(size < 1 / square, 0.5 * square * np.square(x), size - 0.5 / square)


def cast(x: Any, *, dtype: DType) -> Any:
    return x.astype(dtype)


def cumsum(x: Any, *, axis: int | None = None, dtype: DType | None = None) -> Any:
    floats(x)
    return np.cumsum(x, axis=axis, dtype=dtype)


def _round(x: Any) -> Any:
    """Halves go away from zero."""
    return np.sign(x) * np.floor(abs(x) + 0.5)


def _same(x: Any) -> Any:
    return x


def stop(x: Any) -> Any:
    return apply(ops.stop_gradient, x)


def logical(function: Rule) -> Rule:
    return lambda x, y: function(x != 0, y != 0)


_BINARY: dict[str, tuple[Rule, str, str]] = {
    # NumPy's function, MXNet's operator for equal shapes, and the one that broadcasts
    "add": (np.add, "elemwise_add _plus _Plus", "broadcast_add broadcast_plus"),
    "sub": (np.subtract, "elemwise_sub _minus _Minus", "broadcast_sub broadcast_minus"),
    "mul": (np.multiply, "elemwise_mul _mul _Mul", "broadcast_mul"),
    "div": (np.divide, "elemwise_div _div _Div", "broadcast_div"),
    "power": (np.power, "_power _Power", "broadcast_power"),
    "maximum": (np.maximum, "_maximum _Maximum", "broadcast_maximum"),
    "minimum": (np.minimum, "_minimum _Minimum", "broadcast_minimum"),
    "hypot": (np.hypot, "_hypot", "broadcast_hypot"),
    "equal": (np.equal, "_equal _Equal", "broadcast_equal"),
    "not_equal": (np.not_equal, "_not_equal _Not_Equal", "broadcast_not_equal"),
    "greater": (np.greater, "_greater _Greater", "broadcast_greater"),
    "greater_equal": (np.greater_equal, "_greater_equal _Greater_Equal", "broadcast_greater_equal"),
    "lesser": (np.less, "_lesser _Lesser", "broadcast_lesser"),
    "lesser_equal": (np.less_equal, "_lesser_equal _Lesser_Equal", "broadcast_lesser_equal"),
    "logical_and": (logical(np.logical_and), "_logical_and", "broadcast_logical_and"),
    "logical_or": (logical(np.logical_or), "_logical_or", "broadcast_logical_or"),
    "logical_xor": (logical(np.logical_xor), "_logical_xor", "broadcast_logical_xor"),
}

_SCALAR: dict[str, Rule] = {
    "_plus_scalar _PlusScalar": np.add,
    "_minus_scalar _MinusScalar": np.subtract,
    "_rminus_scalar _RMinusScalar": _swapped(np.subtract),
    "_mul_scalar _MulScalar": np.multiply,
    "_div_scalar _DivScalar": np.divide,
    "_rdiv_scalar _RDivScalar": _swapped(np.divide),
    "_power_scalar _PowerScalar": np.power,
    "_rpower_scalar _RPowerScalar": _swapped(np.power),
    "_maximum_scalar _MaximumScalar": np.maximum,
    "_minimum_scalar _MinimumScalar": np.minimum,
    "_equal_scalar _EqualScalar": np.equal,
    "_not_equal_scalar _NotEqualScalar": np.not_equal,
    "_greater_scalar _GreaterScalar": np.greater,
    "_greater_equal_scalar _GreaterEqualScalar": np.greater_equal,
    "_lesser_scalar _LesserScalar": np.less,
    "_lesser_equal_scalar _LesserEqualScalar": np.less_equal,
}

_UNARY: dict[str, Rule] = {
    "negative": np.negative, "abs": np.abs, "sign": np.sign, "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc,
    "fix": np.trunc, "rint": lambda x: np.ceil(x - 0.5), "round": _round, "exp": np.exp, "expm1": np.expm1,
    "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "sqrt": np.sqrt, "cbrt": np.cbrt,
    "rsqrt": lambda x: 1 / np.sqrt(x), "rcbrt": lambda x: 1 / np.cbrt(x), "square": np.square,
    "reciprocal": np.reciprocal, "sin": np.sin, "cos": np.cos, "tan": np.tan, "arcsin": np.arcsin,
    "arccos": np.arccos, "arctan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "arcsinh": np.arcsinh, "arccosh": np.arccosh, "arctanh": np.arctanh, "degrees": np.degrees,
    "radians": np.radians, "erf": nn.erf, "sigmoid": nn.sigmoid, "relu": nn.relu,
    "softsign": lambda x: x / (1 + abs(x)), "logical_not": lambda x: (x == 0).astype(x.dtype),
    "zeros_like": lambda x: np.zeros_like(x),
    "ones_like": lambda x: np.ones_like(x),
}  # fmt: skip

_REDUCED: dict[str, Rule] = {
    "sum sum_axis": reduction(np.sum),
    "mean": reduction(np.mean),
    "prod": reduction(np.prod),
    "max max_axis": reduction(np.max),
    "min min_axis": reduction(np.min),
    "nansum": reduction(np.nansum),
    "norm": _norm,
    "argmax": position(np.argmax),
    "argmin": position(np.argmin),
    "_npi_argmax": typed_position(np.argmax),
    "_npi_argmin": typed_position(np.argmin),
}

_OTHERS: dict[str, Rule] = {
    "dot": dot,
    "batch_dot": batch_dot,
    "add_n ElementWiseSum _sparse_ElementWiseSum": add_n,
    "where": where,
    "clip": clip,
    "smooth_l1": smooth_l1,
    "Cast cast": cast,
    "cumsum _np_cumsum": cumsum,
    "_npi_arctan2": elementwise(np.arctan2, same_shape=False),
    "_copy identity _np_copy": _same,
    "BlockGrad stop_gradient": stop,
}

RULES: dict[str, Rule] = {
    **{name: elementwise(function, True) for function, same, _ in _BINARY.values() for name in same.split()},
    **{name: elementwise(function, False) for function, _, wide in _BINARY.values() for name in wide.split()},
    **{name: with_scalar(function) for names, function in _SCALAR.items() for name in names.split()},
    **{name: unary(function) for name, function in _UNARY.items()},
    **{name: rule for table in (_REDUCED, _OTHERS) for names, rule in table.items() for name in names.split()},
}
