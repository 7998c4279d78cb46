"""Attaches the operators and methods of `ndarray`: a table from names to the functions of this package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.numpy import creation, indexing, linear, reduction, shape
from dopegraph.numpy.assign import assign, in_place, set_item
from dopegraph.numpy.elementwise import call, clip, divmod
from dopegraph.numpy.promotion import SCALARS, as_array, convert

OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power",
}  # fmt: skip
COMPARISONS = {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
}  # fmt: skip
UNARY = {"neg": "negative", "abs": "absolute"}
LOGICAL = {"and": "logical_and", "or": "logical_or", "xor": "logical_xor"}

METHODS: dict[str, Callable[..., Any]] = {
    "all": reduction.all,
    "any": reduction.any,
    "argmax": reduction.argmax,
    "argmin": reduction.argmin,
    "clip": clip,
    "copy": creation.copy,
    "cumsum": reduction.cumsum,
    "dot": linear.dot,
    "max": reduction.max,
    "mean": reduction.mean,
    "min": reduction.min,
    "nonzero": indexing.nonzero,
    "prod": reduction.prod,
    "ptp": reduction.ptp,
    "ravel": shape.ravel,
    "repeat": shape.repeat,
    "squeeze": shape.squeeze,
    "std": reduction.std,
    "sum": reduction.sum,
    "swapaxes": shape.swapaxes,
    "take": indexing.take,
    "trace": linear.trace,
    "var": reduction.var,
}

_OPERANDS = (ndarray, numpy.ndarray, numpy.generic, list, tuple, *SCALARS)


def _binary(name: str, reflected: bool = False) -> Callable[[ndarray, Any], Any]:
    def method(self: ndarray, other: Any) -> Any:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return call(name, (other, self) if reflected else (self, other))

    return method


def _augmented(name: str, symbol: str) -> Callable[[ndarray, Any], ndarray]:
    def method(self: ndarray, other: Any) -> ndarray:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return in_place(self, call(name, (self, other)), symbol)

    return method


def _bitwise(name: str, reflected: bool = False) -> Callable[[ndarray, Any], Any]:
    """``&``, ``|`` and ``^`` of booleans."""

    def method(self: ndarray, other: Any) -> Any:
        second = as_array(other)
        if self.dtype != bool or second.dtype != bool:
            raise TypeError(f"the operator takes booleans, not {self.dtype} and {second.dtype}; compare first")
        return call(name, (second, self) if reflected else (self, second))

    return method


def _named(function: Callable[..., Any], name: str, doc: str | None) -> Callable[..., Any]:
    function.__name__, function.__qualname__, function.__doc__ = name, f"ndarray.{name}", doc
    return function


def reshape(self: ndarray, *shape_: Any, order: str = "C") -> ndarray:
    """The same elements in another shape, given as integers or one tuple; see `dopegraph.numpy.reshape`."""
    return shape.reshape(self, shape_[0] if len(shape_) == 1 else shape_, order)


def transpose(self: ndarray, *axes: Any) -> ndarray:
    """A view with the axes in another order, given as integers or one tuple; reversed by default."""
    chosen = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
    return shape.transpose(self, chosen or None)


def astype(self: ndarray, dtype: Any, copy: bool = True) -> ndarray:
    """The elements in another dtype; a copy, unless `copy` is false and the dtype is right."""
    result = convert(self, numpy.dtype(dtype))
    return creation.copy(self) if result is self and copy else result


def flatten(self: ndarray, order: str = "C") -> ndarray:
    """A copy with all elements in one axis."""
    return creation.copy(shape.ravel(self, order))


def fill(self: ndarray, value: Any) -> None:
    """Set every element."""
    assign(self, value, "fill")


def bitwise_not(self: ndarray) -> ndarray:
    """``~x`` of booleans."""
    if self.dtype != bool:
        raise TypeError(f"the operator takes booleans, not {self.dtype}; compare first")
    return call("logical_not", (self,))


def attach() -> None:
    """Give `ndarray` its operators and methods."""
    for special, name in OPERATORS.items():
        symbol = f"{special}="
        setattr(ndarray, f"__{special}__", _named(_binary(name), f"__{special}__", None))
        setattr(ndarray, f"__r{special}__", _named(_binary(name, True), f"__r{special}__", None))
        setattr(ndarray, f"__i{special}__", _named(_augmented(name, symbol), f"__i{special}__", None))
    for special, name in COMPARISONS.items():
        setattr(ndarray, f"__{special}__", _named(_binary(name), f"__{special}__", None))
    for special, name in UNARY.items():
        setattr(ndarray, f"__{special}__", lambda self, name=name: call(name, (self,)))
    for special, name in LOGICAL.items():
        setattr(ndarray, f"__{special}__", _bitwise(name))
        setattr(ndarray, f"__r{special}__", _bitwise(name, True))
    for name, function in METHODS.items():
        setattr(ndarray, name, function)
    for function in (reshape, transpose, astype, flatten, fill):
        setattr(ndarray, function.__name__, function)
    special_methods: dict[str, Any] = {
        "__pos__": creation.copy,
        "__invert__": bitwise_not,
        "__matmul__": lambda self, other: linear.matmul(self, other),
        "__rmatmul__": lambda self, other: linear.matmul(other, self),
        "__divmod__": divmod,
        "__getitem__": indexing.get_item,
        "__setitem__": set_item,
        "__contains__": lambda self, item: bool(reduction.any(call("equal", (self, item)))),
        "__copy__": creation.copy,
        "__deepcopy__": lambda self, memo: creation.copy(self),
        "T": property(shape.transpose, doc="The array with its axes reversed; a view."),
    }
    for name, method in special_methods.items():
        setattr(ndarray, name, method)
