"""What all derivatives share: a recording to run in, arguments made variables, results, cotangents that fit them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray, owned, traced
from dopegraph.autodiff import pullback
from dopegraph.dispatch import apply
from dopegraph.ir.graph import Value
from dopegraph.ir.types import TensorType
from dopegraph.numpy.promotion import as_array, convert
from dopegraph.ops import full
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import DTypeError, GradientError, ShapeError, StructureError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording, outside_recordings
from dopegraph.trace.recording import Recording
from dopegraph.trace.scalar import DynamicFloat
from dopegraph.trace.tree import Structure, children_of, flatten, take_apart

_NUMBERS = (float, complex, DynamicFloat)


@contextmanager
def recorded(what: str, function: Any) -> Iterator[Recording]:
    """The recording that is active, or one of its own whose arrays are computed at the end."""
    outer = active_recording()
    if outer is not None:
        with outer:
            yield outer
        return
    recording = own_recording(what, function)
    with recording:
        try:
            yield recording
        finally:
            recording.finish()


def own_recording(what: str, function: Any) -> Recording:
    """A recording for the derivative of a function alone."""
    name = getattr(function, "__name__", "function")
    anchor = getattr(function, "__code__", type(function))
    recording = Recording(f"{what}_{name}" if name.isidentifier() else what, checks=True, anchor=anchor)
    recording.private = True
    return recording


class Variables:
    """Arguments of which some are variables: fresh arrays with the same contents, so that only uses through them count.

    Attributes
    ----------
    args : tuple
        What the function is to be called with.
    values : list of Value
        Of all variables.
    parts : list of (Structure, list of Value)
        For each position the containers around its variables.
    """

    def __init__(self, recording: Recording, what: str, args: Sequence[Any], positions: Sequence[int]) -> None:
        self.recording = recording
        self.what = what
        self.values: list[Value] = []
        self.parts: list[tuple[Structure, list[Value]]] = []
        replaced = list(args)
        for position in positions:
            if not -len(args) <= position < len(args):
                raise GradientError(located(f"{what}: there is no positional argument {position}", here()))
            leaves, structure = take_apart(args[position])
            direct = recording.private and not recording.differentiating
            arrays = [_floating(leaf, direct) for leaf in leaves]
            if any([array is None for array in arrays]):
                raise _not_floating(what, args[position], position)
            variables = _variables(recording, arrays, direct)
            replaced[position] = structure.build(variables)
            values = [variable._value for variable in variables]
            self.values += values
            self.parts.append((structure, values))
        self.args = tuple(replaced)

    def call(self, function: Callable[..., Any], kwargs: dict[str, Any], has_aux: bool) -> tuple[Any, Any]:
        """The function's result, and what it returned beside it."""
        with waiting(self.recording):
            result = function(*self.args, **kwargs)
        if not has_aux:
            return result, None
        if not isinstance(result, tuple) or len(result) != 2:
            raise GradientError(located(f"{self.what}: with has_aux the function must return (value, aux)", here()))
        return result

    def build(self, cotangents: Sequence[Value | None]) -> list[Any]:
        """Arrays for all variables, with the containers of the arguments; zeros for None."""
        arrays = [array_of(self.recording, g, of.type) for g, of in zip(cotangents, self.values)]
        return built(self.structures, arrays)

    @property
    def structures(self) -> list[Structure]:
        """For each position the containers around its variables."""
        return [structure for structure, _ in self.parts]


class Run:
    """A call of a function to be differentiated.

    Attributes
    ----------
    value, aux : object
        What the function returned, numbers made arrays.
    variables : Variables
    structure : Structure
        The containers of `value`.
    outputs : list of Value
        Of the arrays of `value`, all different.
    """

    def __init__(
        self,
        recording: Recording,
        what: str,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: dict[str, Any],
        positions: Sequence[int],
        has_aux: bool,
    ) -> None:
        self.recording = recording
        self.start = recording.builder.size
        self.variables = Variables(recording, what, args, positions)
        result, self.aux = self.variables.call(function, kwargs, has_aux)
        leaves, self.structure = flatten(result)
        arrays = [_result(what, path, leaf) for path, leaf in leaves]
        self.value = self.structure.build(arrays)
        values = [recording.value_of(array) for array in arrays]
        with recording.builder:
            self.outputs = [ops.identity(value) for value in values]

    @property
    def inputs(self) -> list[Value]:
        return self.variables.values

    def pull(
        self,
        cotangents: Sequence[Value],
        outputs: Sequence[Value] | None = None,
        inputs: Sequence[Value] | None = None,
    ) -> list[Value | None]:
        """Cotangents of (some) inputs, given those of (some) outputs."""
        builder = self.recording.builder
        heads = dict(zip(self.outputs if outputs is None else outputs, cotangents))
        with waiting(self.recording):  # rules of custom_vjp may be differentiated once more
            return pullback(builder, heads, self.inputs if inputs is None else inputs, builder.nodes[self.start :])

    def live(self) -> list[Value]:
        """The values of arrays that somebody holds."""
        return [handle._value for handle in self.recording.live_handles()]


def built(structures: Iterable[Structure], arrays: Iterable[Any]) -> list[Any]:
    """Arrays in the containers of arguments, one after another."""
    left = iter(arrays)
    return [structure.build(left) for structure in structures]


class waiting:
    """Derivatives are waiting for the nodes that are recorded inside the ``with`` block."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def __enter__(self) -> None:
        self._recording.gradients += 1

    def __exit__(self, *exc: object) -> None:
        self._recording.gradients -= 1


def array_of(recording: Recording, value: Value | None, type: TensorType) -> ndarray:
    """An array of a value; zeros for None."""
    if value is None:
        with recording.builder:
            value = full(value=0.0, shape=type.shape, dtype=type.dtype)
    return traced(value, recording)


def fitted(structure: Structure, given: Any, what: str, path: str = "") -> list[tuple[str, Any]]:
    """The leaves of containers that must be like others, with their paths; None may stand for whole containers.

    Dictionaries may have their keys in another order.
    """
    if structure.children is None:
        return [(path, given)]
    if given is None:
        return [leaf for child in structure.children for leaf in fitted(child, None, what, path)]
    found = children_of(given)
    kind = type(given)
    parts: Sequence[Any] = ()
    rest = None
    if found is not None:
        parts, rest, access = found
        if kind is dict and kind is structure.kind and set(rest) == set(structure.rest):
            parts, rest = [given[key] for key in structure.rest], structure.rest
    if found is None or kind is not structure.kind or rest != structure.rest or len(parts) != len(structure.children):
        raise StructureError(located(f"{what}{path} has other containers than what it belongs to", here()))
    return [
        leaf
        for index, (child, part) in enumerate(zip(structure.children, parts))
        for leaf in fitted(child, part, what, path + access(index))
    ]


def fitted_value(recording: Recording, given: Any, type: TensorType, what: str) -> Value:
    """The value of a tangent or cotangent: it has the shape of what it belongs to, and gets its dtype."""
    if not isinstance(given, (int, *_NUMBERS, ndarray, numpy.ndarray, numpy.generic)) or isinstance(given, bool):
        raise StructureError(located(f"{what} is a {given.__class__.__name__}, not an array {type}", here()))
    array = as_array(given)
    if array.shape != type.shape:
        raise ShapeError(located(f"{what} has shape {array.shape}, not {type.shape}", here()))
    kind = array.dtype.kind if not isinstance(given, int) else "f"
    if kind not in "fc" or (kind == "c" and type.dtype.kind != "c"):
        raise DTypeError(located(f"{what} is of {array.dtype}, not {type.dtype}", here()))
    return recording.value_of(convert(array, type.dtype))


def _variables(recording: Recording, arrays: Sequence[Any], direct: bool) -> list[ndarray]:
    """Variables with the contents of arrays: inputs where nobody else may know them, otherwise values of their own."""
    if direct and all([array._recording is None and array._base is None for array in arrays]):
        return [traced(value, recording) for value in recording.variables(arrays)]
    return [apply(ops.identity, array) for array in arrays]


def _floating(leaf: Any, direct: bool) -> ndarray | None:
    """A leaf as an array; None if it is nothing to differentiate with respect to."""
    if type(leaf) is not ndarray:
        if not isinstance(leaf, (*_NUMBERS, ndarray, numpy.ndarray, numpy.generic)):
            return None
        if direct and type(leaf) is float:
            leaf = owned(numpy.asarray(leaf, default_dtype()))
        elif direct:
            with outside_recordings():  # numbers are inputs, too: with another one nothing is compiled again
                leaf = as_array(leaf)
        else:
            leaf = as_array(leaf)
    return leaf if leaf.dtype.kind in "fc" else None


def _not_floating(what: str, argument: Any, position: int) -> GradientError:
    """The error of the first leaf that is nothing to differentiate with respect to."""
    shown = {}
    for path, leaf in flatten(argument, f"argument {position}")[0]:
        if not isinstance(leaf, (*_NUMBERS, ndarray, numpy.ndarray, numpy.generic)):
            shown[path] = f"a {type(leaf).__name__}"
        elif as_array(leaf).dtype.kind not in "fc":
            shown[path] = f"an array of {as_array(leaf).dtype}"
    path, kind = next(iter(shown.items()))
    message = f"{what}: {path} is {kind}; derivatives need floating numbers, such as x.astype('float32')"
    return GradientError(located(message, here()))


def _result(what: str, path: str, leaf: Any) -> ndarray:
    where = f" in its result{path}" if path else ""
    if not isinstance(leaf, (*_NUMBERS, ndarray, numpy.ndarray, numpy.generic)):
        raise GradientError(
            located(f"{what}: the function returned a {type(leaf).__name__}{where}, not an array", here())
        )
    array = as_array(leaf)
    if array.dtype.kind not in "fc":
        raise GradientError(
            located(f"{what}: the function returned {array.dtype}{where}, not floating numbers; see has_aux", here())
        )
    return array
