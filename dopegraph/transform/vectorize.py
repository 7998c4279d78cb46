"""``vmap``: a function of one example becomes a function of many, in one graph.

The function is recorded once with arrays that stand for those of one example; `dopegraph.batching` replaces what was
recorded by nodes for all of them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph.array import ndarray, traced
from dopegraph.batching import batch
from dopegraph.ir.graph import Value
from dopegraph.numpy.promotion import as_array
from dopegraph.ops import broadcast_to, transpose
from dopegraph.runtime.errors import AxisError, BatchingError, ShapeError, StructureError
from dopegraph.runtime.location import here, located
from dopegraph.trace.recording import Recording
from dopegraph.trace.scalar import DynamicFloat
from dopegraph.trace.tree import Structure, flatten
from dopegraph.transform.axes import axes_of, check_axes
from dopegraph.transform.differentiated import recorded
from dopegraph.transform.surroundings import Surroundings, end

_NUMBERS = (bool, int, float, complex, DynamicFloat)


def vmap(function: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0, axis_size: int | None = None) -> Any:
    """A function that does for each of many examples what `function` does for one, all at once.

    Parameters
    ----------
    function : callable
        Takes arrays of one example; returns an array, a number, or containers of them.
    in_axes : int, None, or containers of them
        Along which axis of each positional argument the examples stand; None for what all have in common. A tuple or
        list has one entry for each argument; an entry may be containers like (the outer ones of) the argument's.
        Arguments by keyword are mapped along axis 0.
    out_axes : int, None, or containers of them
        Where the axis of the examples goes in the results; None for a result that is the same for all of them.
    axis_size : int, optional
        How many examples there are; needed where no argument is mapped.

    Returns
    -------
    callable

    Raises
    ------
    ShapeError, AxisError, StructureError
        When mapped axes have different lengths, an argument lacks its axis, or axes do not fit the containers.
    BatchingError
        When Python looks at a value that differs between examples, or writes one to an array that all share.

    Notes
    -----
    The function runs once, and the graph has one node for all examples where the primitives allow it; the others, such
    as `numpy.convolve` of integers or `host_call`, are nodes for each example. Results are those of a loop up to
    rounding. Writing to a mapped argument writes to the array it is a part of. Every example draws random numbers of
    its own, others than a loop would.

    ``if`` on a value that differs between examples is an error; on others Python goes its way. Derivatives, `compile`
    and `vmap` itself may stand inside and around.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> x = np.array([[1., 2.], [3., 4.], [5., 6.]])
    >>> dopegraph.vmap(lambda row, scale: (row * scale).sum(), in_axes=(0, None))(x, 10)
    array([ 30.,  70., 110.], dtype=float32)

    The gradient of each example by itself:

    >>> loss = lambda w, row: np.tanh(row @ w)
    >>> dopegraph.vmap(dopegraph.grad(loss), in_axes=(None, 0))(np.zeros(2), x)
    array([[1., 2.],
           [3., 4.],
           [5., 6.]], dtype=float32)
    """
    check_axes("in_axes", in_axes)
    check_axes("out_axes", out_axes)

    @functools.wraps(function)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        with recorded("vmap", function) as recording:
            examples = _Examples(recording, in_axes, axis_size, args, kwargs)
            results = examples.run(function, args, kwargs, out_axes)
            del examples
        return results

    return mapped


class _Argument:
    """A mapped array.

    Attributes
    ----------
    path : str
    array : ndarray
    axis : int
        Counted from the front.
    inside : ndarray
        What stands for it in the function.
    stand_in : Value
        What `inside` held at first.
    """

    def __init__(self, path: str, leaf: Any, axis: int) -> None:
        self.path = path
        if not isinstance(leaf, (ndarray, numpy.ndarray, numpy.generic, *_NUMBERS)):
            message = f"{path} is a {type(leaf).__name__}, which has no axes; use None for it in in_axes"
            raise StructureError(located(f"vmap: {message}", here()))
        self.array = as_array(leaf)
        shape = self.array.shape
        if not -len(shape) <= axis < len(shape):
            kind = f"an array of shape {shape}" if isinstance(leaf, (ndarray, numpy.ndarray)) else f"the number {leaf}"
            message = f"{path} is {kind} and has no axis {axis} to be mapped; use None for it in in_axes"
            raise AxisError(located(f"vmap: {message}", here()))
        self.axis = axis % len(shape)
        self.length = shape[self.axis]
        self.inside: ndarray
        self.stand_in: Value

    def __str__(self) -> str:
        return f"{self.path} {self.length} (axis {self.axis} of {self.array.shape})"


class _Examples:
    """A call of a mapped function."""

    def __init__(
        self, recording: Recording, in_axes: Any, axis_size: int | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        recording.builder.leave()  # nodes are replaced
        self.recording = recording
        self.mapped: list[_Argument] = []
        self.arrays: list[tuple[str, Any]] = []
        # For each argument its containers and leaves, those that are mapped in place of the arrays.
        self.parts: list[tuple[Structure, list[Any]]] = []
        if isinstance(in_axes, (tuple, list)) and len(in_axes) != len(args):
            message = f"in_axes has {len(in_axes)} entries for {len(args)} positional arguments"
            raise StructureError(located(f"vmap: {message}", here()))
        specs = list(in_axes) if isinstance(in_axes, (tuple, list)) else [in_axes] * len(args)
        for position, (spec, arg) in enumerate(zip(specs, args)):
            self._take(spec, arg, f"argument {position}")
        for name, arg in kwargs.items():
            self._take(0, arg, f"argument {name}")
        self.size = self._size(axis_size)
        self.values: dict[Value, Value] = {}
        for one in self.mapped:
            self._stand_in(one)

    def _take(self, spec: Any, arg: Any, path: str) -> None:
        leaves, structure = flatten(arg, path)
        taken: list[Any] = []
        self.arrays += leaves
        for (name, leaf), axis in zip(leaves, axes_of("in_axes", spec, structure, path)):
            if axis is None or leaf is None:
                taken.append(leaf)
            else:
                taken.append(_Argument(name, leaf, axis))
                self.mapped.append(taken[-1])
        self.parts.append((structure, taken))

    def _size(self, given: int | None) -> int:
        lengths = {one.length: one for one in reversed(self.mapped)}
        if given is not None and set(lengths) - {given}:
            shown = str(next(one for one in self.mapped if one.length != given))
            raise ShapeError(located(f"vmap: axis_size is {given}, but the mapped axis of {shown}", here()))
        if len(lengths) > 1:
            shown = ", ".join(str(one) for one in reversed(list(lengths.values())))
            raise ShapeError(located(f"vmap: the mapped axes have different lengths: {shown}", here()))
        if given is not None:
            return given
        if not lengths:
            message = "no argument is mapped: in_axes is None for all of them; say how many examples with axis_size"
            raise ShapeError(located(f"vmap: {message}", here()))
        return next(iter(lengths))

    def _stand_in(self, one: _Argument) -> None:
        value = self.recording.value_of(one.array)
        shape = value.shape[: one.axis] + value.shape[one.axis + 1 :]
        one.stand_in = self.recording.builder.input(value.type.with_shape(shape))
        one.inside = traced(one.stand_in, self.recording)
        self.values[one.stand_in] = self._moved(value, one.axis, 0)

    def _moved(self, value: Value, source: int, target: int) -> Value:
        order = [axis for axis in range(value.ndim) if axis != source]
        order.insert(target, source)
        if order == list(range(value.ndim)):
            return value
        with self.recording.builder:
            result: Value = transpose(value, axes=tuple(order))
        return result

    def _each(self, value: Value) -> Value:
        if value in self.values:
            return self.values[value]
        with self.recording.builder:
            result: Value = broadcast_to(value, shape=(self.size, *value.shape))
        return result

    def run(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out_axes: Any) -> Any:
        """The results for all examples."""
        recording, builder = self.recording, self.recording.builder
        self.start = len(builder.nodes)
        around = Surroundings(recording, self.start, self.values, [one.inside for one in self.mapped])
        try:
            recording.examples.append((self.start, set(self.values)))
            try:
                structure, found = self._call(function, args, kwargs)
            finally:
                recording.examples.pop()
            axes = axes_of("out_axes", out_axes, structure, "the result")
            batch(builder, self.start, self.size, self.values)
            around.check()
            self._refuse_shared()
            for node in builder.nodes[self.start :]:
                recording.check(node.op, node.inputs, node.attrs, node.outputs)
        except BaseException:
            around.restore()
            raise
        self._write_back()
        return structure.build(
            [None if one is None else self._result(one, path, axis) for (path, one), axis in zip(found, axes)]
        )

    def _call(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Structure, list[tuple[str, Value | None]]]:
        """The containers of what the function returns, and the values in them; its arrays may go."""
        given = []
        for arg, (structure, leaves) in zip((*args, *kwargs.values()), self.parts):
            if any(isinstance(leaf, _Argument) for leaf in leaves):
                arg = structure.build([leaf.inside if isinstance(leaf, _Argument) else leaf for leaf in leaves])
            given.append(arg)
        positional = given[: len(args)]
        named = dict(zip(kwargs, given[len(args) :]))
        del given
        leaves, structure = flatten(function(*positional, **named), "the result")
        return structure, [(path, self._value(path, leaf)) for path, leaf in leaves]

    def _value(self, path: str, leaf: Any) -> Value | None:
        if leaf is None:
            return None
        if not isinstance(leaf, (ndarray, numpy.ndarray, numpy.generic, *_NUMBERS)):
            message = f"the function returned a {type(leaf).__name__}, not an array"
            where = path.replace("the result", "its result", 1)
            raise StructureError(
                located(f"vmap: {message}" + (f", in {where}" if where != "its result" else ""), here())
            )
        return self.recording.value_of(as_array(leaf))

    def _result(self, value: Value, path: str, axis: int | None) -> ndarray:
        if axis is None:
            if value in self.values:
                message = f"{path} differs between the examples, so out_axes must not be None for it"
                raise BatchingError(located(f"vmap: {message}", here()))
            return traced(value, self.recording)
        if not -value.ndim - 1 <= axis <= value.ndim:
            message = f"out_axes {axis} for {path}, which has {value.ndim + 1} axes together with that of the examples"
            raise AxisError(located(f"vmap: {message}", here()))
        return traced(self._moved(self._each(value), 0, axis % (value.ndim + 1)), self.recording)

    # Writing -------------------------------------------------------------------------------------------------------

    def _refuse_shared(self) -> None:
        """A loop would see what it writes to one argument in another that is the same array."""
        for one in self.mapped:
            if one.inside._value is one.stand_in:
                continue
            for path, leaf in self.arrays:
                if path != one.path and isinstance(leaf, ndarray) and leaf._root() is one.array._root():
                    message = f"vmap: {one.path} is written to, and {path} is (a part of) the same array; copy one"
                    raise BatchingError(located(message, here()))

    def _write_back(self) -> None:
        """Arguments that the function wrote to: the examples are parts of an array."""
        for one in self.mapped:
            value = one.inside._value
            assert value is not None
            if value is not one.stand_in:
                one.array._assign(self._moved(self._each(value), 0, one.axis), self.recording)
            end(one.inside)
