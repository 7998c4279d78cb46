"""Attaches the operators of `ndarray`: tables from Python's special methods to ufuncs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.dispatch import apply, recorded
from dopegraph.numpy import creation, indexing, linear, reduction, short_way
from dopegraph.numpy.assign import in_place
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.pairs import divmod
from dopegraph.numpy.promotion import BOOL
from dopegraph.numpy.ufunc import augmented_operator, binary_operator, is_operand, reflected_operator, unary_operator
from dopegraph.ops import matmul

# With reflected (``__radd__``) and augmented (``__iadd__``) forms.
BINARY = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "left_shift",
    "rshift": "right_shift",
}  # fmt: skip
COMPARISONS = {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
}  # fmt: skip
UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}


# Powers that NumPy's operator computes by other functions.
_SIMPLER = {(int, 2): "square", (float, 2.0): "square", (float, 0.5): "sqrt", (int, -1): "reciprocal",
            (float, -1.0): "reciprocal"}  # fmt: skip


def _power(self: ndarray, value: Any, mod: None = None, /) -> Any:
    if self.dtype == BOOL and (value is True or (type(value) is int and value == 2)):
        return call("square", (self,))  # NumPy's operator, not its function, sees a square: int8
    simpler = _SIMPLER.get((type(value), value)) if type(value) in (int, float) else None
    if simpler is not None and self.dtype.kind in ("fc" if value != 2 else "iufc"):
        return np.__dict__[simpler](self)
    return call("power", (self, value)) if is_operand(value) and mod is None else NotImplemented


def _reflected_power(self: ndarray, value: Any, mod: None = None, /) -> Any:
    return call("power", (value, self)) if is_operand(value) and mod is None else NotImplemented


def _matmul(self: ndarray, value: Any, /) -> Any:
    found = short_way.product(self, value)
    if found is not None:
        return found
    if short_way.are_matrices(self, value):
        found = recorded(matmul, self, value)
        return found if found is not None else apply(matmul, self, value)
    return linear.matmul(self, value) if is_operand(value) else NotImplemented


def _reflected_matmul(self: ndarray, value: Any, /) -> Any:
    return linear.matmul(value, self) if is_operand(value) else NotImplemented


def _augmented_matmul(self: ndarray, value: Any, /) -> Any:
    return in_place(self, linear.matmul(self, value), "matmul=") if is_operand(value) else NotImplemented


def _divmod(self: ndarray, value: Any, /) -> Any:
    return divmod(self, value) if is_operand(value) else NotImplemented


def _reflected_divmod(self: ndarray, value: Any, /) -> Any:
    return divmod(value, self) if is_operand(value) else NotImplemented


def _contains(self: ndarray, key: Any, /) -> bool:
    return bool(reduction.any(call("equal", (self, key))))


def _delete(self: ndarray, key: Any, /) -> None:
    raise ValueError("cannot delete array elements; numpy.delete makes an array without them")


def _copy(self: ndarray, /) -> ndarray:
    return creation.copy(self)


def _deepcopy(self: ndarray, memo: Any, /) -> ndarray:
    return creation.copy(self)


SPECIAL: dict[str, Callable[..., Any]] = {
    "pow": _power,
    "rpow": _reflected_power,
    "ipow": augmented_operator("power", "pow="),
    "matmul": _matmul,
    "rmatmul": _reflected_matmul,
    "imatmul": _augmented_matmul,
    "divmod": _divmod,
    "rdivmod": _reflected_divmod,
    "contains": _contains,
    "getitem": indexing.get_item,
    "setitem": indexing.set_item,
    "delitem": _delete,
    "copy": _copy,
    "deepcopy": _deepcopy,
}


def attach() -> None:
    """Give `ndarray` its operators."""
    methods = dict(SPECIAL)
    for short, name in BINARY.items():
        methods[short] = binary_operator(name)
        methods[f"r{short}"] = reflected_operator(name)
        methods[f"i{short}"] = augmented_operator(name, f"{short}=")
    methods.update({short: binary_operator(name) for short, name in COMPARISONS.items()})
    methods.update({short: unary_operator(name) for short, name in UNARY.items()})
    for short, method in methods.items():
        method.__name__ = f"__{short}__"
        method.__qualname__ = f"ndarray.__{short}__"
        setattr(ndarray, f"__{short}__", method)
