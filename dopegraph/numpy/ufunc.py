"""NumPy's elementwise functions as `ufunc` objects: called like functions, with `reduce`, `outer`, `at` and the like.

When nothing records, a call on arrays in NumPy's memory goes straight to NumPy's own ufunc if that gives what the table
says; everything else is promoted and dispatched by `dopegraph.numpy.elementwise.call`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy import host, short_way
from dopegraph.numpy.assign import finish, in_place
from dopegraph.numpy.elementwise import promoted, truth
from dopegraph.numpy.promotion import BOOL, SCALARS, as_array, convert, dtype_of, scalar
from dopegraph.numpy.shape import axis_of
from dopegraph.numpy.table import TABLE
from dopegraph.ops import cummax, cummin, select
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located
from dopegraph.runtime.unchanging import Unchanging

Direct = Callable[..., Any]

# Which functions of `dopegraph.numpy` are the reductions and accumulations of a ufunc; the others are NumPy's.
REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any",
}  # fmt: skip
ACCUMULATIONS = {"add": "cumsum", "multiply": "cumprod"}
EXTREMA = {"maximum": cummax, "minimum": cummin}


class ufunc(Unchanging):
    """An elementwise function of arrays; see the methods for its reductions.

    Attributes
    ----------
    nin, nout, nargs : int
        How many operands, results, and both.
    identity, types, ntypes, signature
        As NumPy's.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.multiply.outer([1, 2], [3, 4])
    array([[3, 4],
           [6, 8]])
    """

    nout = 1
    nin: int
    signature = None

    def __init__(self, name: str, documentation: str) -> None:
        self.__name__ = self.__qualname__ = name
        self.__module__ = "dopegraph.numpy"
        self.__doc__ = documentation
        self._numpy = getattr(numpy, name)
        self._kernels = short_way.kernels_of(name)

    @property
    def nargs(self) -> int:
        return self.nin + self.nout

    @property
    def identity(self) -> Any:
        return self._numpy.identity

    @property
    def types(self) -> list[str]:
        return list(self._numpy.types)

    @property
    def ntypes(self) -> int:
        return len(self._numpy.types)

    def __repr__(self) -> str:
        return f"<ufunc {self.__name__!r}>"

    def __reduce__(self) -> str:
        return self.__name__

    def reduce(
        self, array: Any, /, axis: Any = 0, dtype: Any = None, out: ndarray | None = None, keepdims: bool = False,
        initial: Any = None, where: Any = True,
    ) -> Any:  # fmt: skip
        """Apply the function between the elements along axes, the first by default; ``np.add.reduce`` is a sum."""
        given = {"dtype": dtype, "initial": initial, "where": where}
        options = {name: value for name, value in given.items() if value is not (True if name == "where" else None)}
        function = self._named(REDUCTIONS)
        if function is not None and dtype is not None and self.__name__ not in ACCUMULATIONS:
            wanted = dtype_of(options.pop("dtype"))
            if self.__name__.startswith("logical") and wanted != BOOL:
                raise DTypeError(located(f"{self.__name__}.reduce: gives booleans, not {wanted}", here()))
            array = convert(as_array(array), wanted)
        return function(array, axis=axis, out=_single(out), keepdims=keepdims, **options) if function else self._host(
            "reduce", array, axis, out=_single(out), keepdims=keepdims, **options
        )  # fmt: skip

    def accumulate(self, array: Any, /, axis: int = 0, dtype: Any = None, out: ndarray | None = None) -> Any:
        """The reductions of the first one, two, three ... elements along an axis."""
        if not getattr(array, "ndim", 1):
            raise DTypeError(located(f"{self.__name__}.accumulate: cannot accumulate on a scalar", here()))
        function = self._named(ACCUMULATIONS)
        if function is not None:
            return function(array, axis, dtype, _single(out))
        x = as_array(array)
        if self.__name__ in EXTREMA and dtype is None and x.ndim and x.dtype.kind != "c":
            place = axis_of(axis, x.ndim, f"{self.__name__}.accumulate")
            return finish(apply(EXTREMA[self.__name__], x, axis=place), _single(out))
        return self._host("accumulate", x, axis, dtype, _single(out))

    def reduceat(
        self, array: Any, /, indices: Any, axis: int = 0, dtype: Any = None, out: ndarray | None = None
    ) -> Any:
        """Reductions of slices along an axis, each from one index to the next; on the host."""
        return self._host("reduceat", array, indices, axis, dtype, _single(out))

    def outer(self, A: Any, B: Any, /, **kwargs: Any) -> Any:
        """The function of every element of `A` with every element of `B`."""
        if self.nin != 2:
            raise ValueError(located(f"{self.__name__}.outer: the function has {self.nin} operand, not two", here()))
        x, y = as_array(A), as_array(B)
        return self(x.reshape(x.shape + (1,) * y.ndim), y, **kwargs)  # type: ignore[operator]

    def at(self, a: ndarray, indices: Any, b: Any = None, /) -> None:
        """Apply the function in place to the elements an index names, again for each time an element is named."""
        from dopegraph.numpy.indexing import add_at

        if not isinstance(a, ndarray):
            raise DTypeError(located(f"{self.__name__}.at: takes a dopegraph.ndarray to write into", here()))
        if self.__name__ in ("add", "subtract"):
            add_at(a, indices, b if self.__name__ == "add" else promoted("negative", (b,)))
            return
        operands = (indices,) if self.nin == 1 else (indices, b)
        copy = a._look("host-write", f"{self.__name__}.at").copy()
        self._numpy.at(copy, *[host.lower(one, self.__name__) for one in operands])
        in_place(a, as_array(copy), f"{self.__name__}.at")

    def _named(self, table: dict[str, str]) -> Callable[..., Any] | None:
        from dopegraph import numpy as namespace  # reductions are written on these functions

        return getattr(namespace, table[self.__name__]) if self.__name__ in table else None

    def _host(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return host.call(f"{self.__name__}.{method}", getattr(self._numpy, method), *args, **kwargs)

    def _finish(self, result: Any, out: Any, where: Any, casting: str, signature: Any) -> Any:
        if signature is not None:
            raise DTypeError(located(f"{self.__name__}: signature= is not supported; use dtype=", here()))
        return finish(result, out, where, casting)


class UnaryUfunc(ufunc):
    """A ufunc of one operand."""

    nin = 1

    def __call__(
        self, x: Any, /, out: Any = None, *, where: Any = True, casting: str = "same_kind", order: str = "K",
        dtype: Any = None, subok: bool = True, signature: Any = None,
    ) -> ndarray:  # fmt: skip
        if type(x) is ndarray and out is None and where is True and dtype is None:
            result = short_way.unary(self._kernels, x)
            if result is not None:
                return result
        result = promoted(self.__name__, (x,), None if dtype is None else dtype_of(dtype))
        if out is None and where is True and signature is None:
            return result
        return self._finish(result, out, where, casting, signature)


class BinaryUfunc(ufunc):
    """A ufunc of two operands."""

    nin = 2

    def __call__(
        self, x1: Any, x2: Any, /, out: Any = None, *, where: Any = True, casting: str = "same_kind",
        order: str = "K", dtype: Any = None, subok: bool = True, signature: Any = None,
    ) -> ndarray:  # fmt: skip
        if type(x1) is ndarray and out is None and where is True and dtype is None:
            result = short_way.binary(self._kernels, x1, x2)
            if result is not None:
                return result
        if where is not True and self.__name__ == "power":
            x2 = apply(select, *_with_zeros(where, x2))  # what is left out must not be refused
        result = promoted(self.__name__, (x1, x2), None if dtype is None else dtype_of(dtype))
        if out is None and where is True and signature is None:
            return result
        return self._finish(result, out, where, casting, signature)


def _with_zeros(where: Any, x: Any) -> tuple[ndarray, ndarray, ndarray]:
    exponents = as_array(x)
    return truth(as_array(where)), exponents, scalar(0, exponents.dtype)


def _single(out: Any) -> Any:
    return out[0] if isinstance(out, tuple) else out


# Operators ------------------------------------------------------------------------------------------------------------


def binary_operator(name: str) -> Callable[[ndarray, Any], Any]:
    """``x + y``: the method of a ufunc."""
    kernels = make(name)._kernels

    def operator(self: ndarray, value: Any, /) -> Any:
        result = short_way.binary(kernels, self, value)
        if result is not None:
            return result
        return promoted(name, (self, value)) if is_operand(value) else NotImplemented

    return operator


def unary_operator(name: str) -> Callable[[ndarray], ndarray]:
    """``-x``."""
    kernels = make(name)._kernels

    def operator(self: ndarray, /) -> ndarray:
        result = short_way.unary(kernels, self)
        return promoted(name, (self,)) if result is None else result

    return operator


def reflected_operator(name: str) -> Callable[[ndarray, Any], Any]:
    """``y + x`` when `y` is no array of ours."""
    kernels = make(name)._kernels

    def operator(self: ndarray, value: Any, /) -> Any:
        result = short_way.reflected(kernels, value, self)
        if result is not None:
            return result
        return promoted(name, (value, self)) if is_operand(value) else NotImplemented

    return operator


def augmented_operator(name: str, symbol: str) -> Callable[[ndarray, Any], Any]:
    """``x += y``."""
    kernels = make(name)._kernels

    def operator(self: ndarray, value: Any, /) -> Any:
        if short_way.augmented(kernels, self, value):
            return self
        return in_place(self, promoted(name, (self, value)), symbol) if is_operand(value) else NotImplemented

    return operator


_KNOWN = frozenset([bool, int, float, complex, ndarray, numpy.ndarray, list, tuple])


def is_operand(x: Any) -> bool:
    """Whether an operator can be applied to something; otherwise Python asks the other operand."""
    return type(x) in _KNOWN or isinstance(x, (ndarray, numpy.ndarray, numpy.generic, list, tuple, *SCALARS))


# Making them ------------------------------------------------------------------------------------------------------


def _documentation(name: str) -> str:
    entry = TABLE[name]
    operands = "x : array_like" if entry.op.arity == 1 else "x1, x2 : array_like\n    Operands; they broadcast."
    result = {"compare": "bool", "logic": "bool", "predicate": "bool", "inexact": "floating"}.get(
        entry.domain, "the promoted dtype of the operands"
    )
    return f"""{entry.summary}, element by element.

Parameters
----------
{operands}
out : ndarray, optional
    Receives the result.
where : array_like of bool, optional
    Elements for which it is false keep what `out` holds (0 without `out`).
casting : str, optional
    What casts to the dtype of `out` are allowed.
dtype : dtype, optional
    Compute in this dtype.

Returns
-------
ndarray
    Of dtype {result}.

See Also
--------
numpy.{name}

Examples
--------
>>> import dopegraph.numpy as np
>>> y = {entry.example}
"""


_made_functions: dict[str, ufunc] = {}


def make(name: str) -> ufunc:
    """The ufunc of a table entry."""
    if name not in _made_functions:
        kind = UnaryUfunc if TABLE[name].op.arity == 1 else BinaryUfunc
        _made_functions[name] = kind(name, _documentation(name))
    return _made_functions[name]
