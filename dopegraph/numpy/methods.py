"""Attaches the operators and methods of `ndarray`: a table from names to the functions of this package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dopegraph.array import ndarray
from dopegraph.numpy import creation, host, indexing, joining, linear, protocols, reduction, shape, statistics
from dopegraph.numpy.assign import assign, in_place
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.logic import clip, divmod
from dopegraph.numpy.promotion import BOOL, as_operand, convert, dtype_of, kinds_of
from dopegraph.numpy.ufunc import augmented_operator, binary_operator, reflected_operator

OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power",
}  # fmt: skip
COMPARISONS = {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
}  # fmt: skip
UNARY = {"neg": "negative", "abs": "absolute"}
BITWISE = {"and": "logical_and", "or": "logical_or", "xor": "logical_xor", "lshift": "", "rshift": ""}
SHIFTS = {"lshift": "left_shift", "rshift": "right_shift"}

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
    "mean": statistics.mean,
    "min": reduction.min,
    "prod": reduction.prod,
    "ptp": reduction.ptp,
    "ravel": shape.ravel,
    "repeat": joining.repeat,
    "squeeze": shape.squeeze,
    "std": statistics.std,
    "sum": reduction.sum,
    "swapaxes": shape.swapaxes,
    "take": indexing.take,
    "trace": linear.trace,
    "var": statistics.var,
}

# Methods that NumPy computes, on the host.
HOST_METHODS = (
    "argpartition", "argsort", "choose", "conj", "conjugate", "cumprod", "diagonal", "nonzero", "round", "searchsorted",
)  # fmt: skip


def _bits(name: str, x: Any, y: Any) -> ndarray:
    """``x & y`` and the like: of booleans the logical functions, of integers NumPy's on the host."""
    x, y = as_operand(x), as_operand(y)
    if BITWISE[name] and all(kind in (bool, BOOL) for kind in kinds_of((x, y))):
        return call(BITWISE[name], (x, y))
    return host.find(SHIFTS.get(name, f"bitwise_{name}"))(x, y)


def _bitwise(name: str, reflected: bool = False) -> Callable[[ndarray, Any], Any]:
    return lambda self, other: _bits(name, other, self) if reflected else _bits(name, self, other)


def _augmented_bitwise(name: str) -> Callable[[ndarray, Any], ndarray]:
    return lambda self, other: in_place(self, _bits(name, self, other), f"{name}=")


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


def astype(self: ndarray, dtype: Any, *, copy: bool = True) -> ndarray:
    """The elements in another dtype; a copy, unless `copy` is false and the dtype is right."""
    result = convert(self, dtype_of(dtype))
    return creation.copy(self) if result is self and copy else result


def flatten(self: ndarray, order: str = "C") -> ndarray:
    """A copy with all elements in one axis."""
    return creation.copy(shape.ravel(self, order))


def fill(self: ndarray, value: Any) -> None:
    """Set every element."""
    assign(self, value, "fill")


def sort(self: ndarray, axis: int = -1) -> None:
    """Sort the elements along an axis, in place; NumPy does it, on the host."""
    assign(self, host.find("sort")(self, axis), "sort")


def _invert(self: ndarray) -> ndarray:
    return call("logical_not", (self,)) if self.dtype == BOOL else host.find("invert")(self)


def _part(name: str) -> property:
    def get(self: ndarray) -> ndarray:
        if name == "real" and self.dtype.kind != "c":
            return self
        return host.find(name)(self)

    return property(get, doc=f"The {name} parts; of complex numbers NumPy computes them, on the host.")


def attach() -> None:
    """Give `ndarray` its operators and methods."""
    for special, name in OPERATORS.items():
        symbol = f"{special}="
        setattr(ndarray, f"__{special}__", _named(binary_operator(name), f"__{special}__", None))
        setattr(ndarray, f"__r{special}__", _named(reflected_operator(name), f"__r{special}__", None))
        setattr(ndarray, f"__i{special}__", _named(augmented_operator(name, symbol), f"__i{special}__", None))
    for special, name in COMPARISONS.items():
        setattr(ndarray, f"__{special}__", _named(binary_operator(name), f"__{special}__", None))
    for special, name in UNARY.items():
        setattr(ndarray, f"__{special}__", lambda self, name=name: call(name, (self,)))
    for special in BITWISE:
        setattr(ndarray, f"__{special}__", _bitwise(special))
        setattr(ndarray, f"__r{special}__", _bitwise(special, True))
        setattr(ndarray, f"__i{special}__", _augmented_bitwise(special))
    for name in HOST_METHODS:
        setattr(ndarray, name, host.find(name))
    for name, function in METHODS.items():
        setattr(ndarray, name, function)
    for function in (reshape, transpose, astype, flatten, fill, sort):
        setattr(ndarray, function.__name__, function)
    special_methods: dict[str, Any] = {
        "__pos__": creation.copy,
        "__invert__": _invert,
        "__matmul__": lambda self, other: linear.matmul(self, other),
        "__rmatmul__": lambda self, other: linear.matmul(other, self),
        "__imatmul__": lambda self, other: in_place(self, linear.matmul(self, other), "matmul="),
        "__divmod__": divmod,
        "__rdivmod__": lambda self, other: divmod(other, self),
        "__getitem__": indexing.get_item,
        "__setitem__": indexing.set_item,
        "__contains__": lambda self, item: bool(reduction.any(call("equal", (self, item)))),
        "real": _part("real"),
        "imag": _part("imag"),
        "T": property(shape.transpose, doc="The array with its axes reversed; a view."),
    }
    special_methods.update(protocols.PROTOCOL_METHODS)
    for name, method in special_methods.items():
        setattr(ndarray, name, method)
