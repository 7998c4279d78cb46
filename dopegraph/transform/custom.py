"""``custom_vjp``: a function with a derivative of the user's own, everywhere derivatives are taken."""

from __future__ import annotations

import functools
import inspect
import threading
import types
from collections.abc import Callable, Sequence
from typing import Any

from dopegraph.array import ndarray, traced
from dopegraph.autodiff import close_region
from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Value
from dopegraph.ir.types import TensorType
from dopegraph.runtime.errors import GradientError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording
from dopegraph.trace.recording import Recording
from dopegraph.trace.tree import Structure, flatten
from dopegraph.transform.differentiated import array_of, fitted, fitted_value


class CustomVjp:
    """A function that `custom_vjp` made.

    Attributes
    ----------
    function, forward, backward : callable
    nondiff_argnums : tuple of int
    """

    # For a walk over the state: as a method, too, it is what its attributes are.
    __dopegraph_parts__ = True

    def __init__(self, function: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.nondiff_argnums = tuple(nondiff_argnums)
        self.forward: Callable[..., Any] | None = None
        self.backward: Callable[..., Any] | None = None
        self.name = getattr(function, "__name__", "function")

    def defvjp(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        """Set the rule.

        Parameters
        ----------
        forward : callable
            Takes the function's arguments and returns its value and residuals, whatever `backward` needs.
        backward : callable
            Takes residuals and a cotangent like the value; returns a tuple of cotangents, one like each argument. None
            stands for zeros, and for what is not floating. Arguments of `nondiff_argnums` come before the residuals.
        """
        self.forward, self.backward = forward, backward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        recording = active_recording()
        if recording is None or not recording.differentiating:
            return self.function(*args, **kwargs)
        if self.forward is None or self.backward is None:
            raise GradientError(located(f"{self.name}: its derivative is asked for before defvjp was called", here()))
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        bound.apply_defaults()
        if bound.kwargs:
            names = ", ".join(bound.kwargs)
            raise GradientError(located(f"{self.name}: custom_vjp cannot take {names} by keyword only", here()))
        args = bound.args
        return _recorded_call(self, recording, args)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<custom_vjp {self.name}>"


class _Inside(threading.local):
    def __init__(self) -> None:
        self.forward: list[CustomVjp] = []


# Whose `forward` this thread runs: the function itself is called there by its value.
_inside = _Inside()


def _recorded_call(custom: CustomVjp, recording: Recording, args: tuple[Any, ...]) -> Any:
    """Record a call that derivatives wait for: the way back from its value is `backward`."""
    inputs = _Arguments(custom, recording, args)
    if any(custom is one for one in _inside.forward):
        # `forward` calls the function: what it needs for its own derivative is computed when that is asked for.
        value, rule, residuals = custom.function(*args), inputs.late_rule, inputs.arrays
    else:
        value, kept = _forward(custom, args)
        arrays = _Arrays(recording, kept)
        rule, residuals = functools.partial(inputs.rule, arrays.structure, arrays.rest), arrays.values
    outputs = _Arrays(recording, value, floating=True)
    is_array = [leaf is _ARRAY for leaf in outputs.rest]
    inputs.result = outputs.structure, is_array, [one.type for one in outputs.values]
    ends = close_region(recording.builder, inputs.floating, outputs.values, residuals, rule)
    return _rebuilt(outputs.structure, outputs.rest, [traced(one, recording) for one in ends])


def _forward(custom: CustomVjp, args: tuple[Any, ...]) -> tuple[Any, Any]:
    """Value and residuals."""
    assert custom.forward is not None
    _inside.forward.append(custom)
    try:
        given = custom.forward(*args)
    finally:
        _inside.forward.pop()
    if not isinstance(given, tuple) or len(given) != 2:
        raise GradientError(located(f"{custom.name}: forward must return (value, residuals)", here()))
    return given


# Stands for an array among the leaves that are no arrays.
_ARRAY = object()


class _Arrays:
    """Containers of arrays, as they are now, and of anything else; holds no handles, so that they can go."""

    def __init__(self, recording: Recording, given: Any, floating: bool = False) -> None:
        leaves, self.structure = flatten(given)
        taken = [isinstance(leaf, ndarray) and (leaf.dtype.kind in "fc" or not floating) for _, leaf in leaves]
        self.rest = [_ARRAY if took else leaf for took, (_, leaf) in zip(taken, leaves)]
        self.values = [recording.value_of(leaf) for took, (_, leaf) in zip(taken, leaves) if took]


def _rebuilt(structure: Structure, rest: Sequence[Any], arrays: Sequence[ndarray]) -> Any:
    remaining = iter(arrays)
    return structure.build([next(remaining) if leaf is _ARRAY else leaf for leaf in rest])


class _Arguments:
    """The arguments of a call, and the rules that lead back to them."""

    def __init__(self, custom: CustomVjp, recording: Recording, args: tuple[Any, ...]) -> None:
        self.custom = custom
        self.given = _Arrays(recording, args)
        self.arrays = self.given.values
        static = {position % len(args) for position in custom.nondiff_argnums if -len(args) <= position < len(args)}
        self.static = [args[position] for position in sorted(static)]
        # For every other argument its containers and the types of its leaves, None where there is no derivative.
        self.parts: list[tuple[int, Structure, list[TensorType | None]]] = []
        self.floating: list[Value] = []
        for position, arg in enumerate(args):
            if position not in static:
                floats = _Arrays(recording, arg, floating=True)
                self.floating += floats.values
                types = iter([value.type for value in floats.values])
                wanted = [next(types) if leaf is _ARRAY else None for leaf in floats.rest]
                self.parts.append((position, floats.structure, wanted))
        self.result: tuple[Structure, list[bool], list[TensorType]] | None = None

    def late_rule(
        self, builder: Builder, residuals: Sequence[Value], cotangents: Sequence[Value | None]
    ) -> list[Value | None]:
        """The gradient rule of a call inside `forward`; its residuals are the arguments."""
        recording = _recording_of(builder)
        args = _rebuilt(self.given.structure, self.given.rest, [traced(value, recording) for value in residuals])
        arrays = _Arrays(recording, _forward(self.custom, args)[1])
        return self.rule(arrays.structure, arrays.rest, builder, arrays.values, cotangents)

    def rule(
        self,
        structure: Structure,
        rest: Sequence[Any],
        builder: Builder,
        residuals: Sequence[Value],
        cotangents: Sequence[Value | None],
    ) -> list[Value | None]:
        """The gradient rule; `structure` and `rest` are the containers of the residuals."""
        recording = _recording_of(builder)
        assert self.result is not None and self.custom.backward is not None
        name = self.custom.name
        around, is_array, types = self.result
        heads = [array_of(recording, g, type) for g, type in zip(cotangents, types)]
        kept = _rebuilt(structure, rest, [traced(value, recording) for value in residuals])
        head = _rebuilt(around, [_ARRAY if one else None for one in is_array], heads)
        given = self.custom.backward(*self.static, kept, head)
        if not isinstance(given, (tuple, list)) or len(given) != len(self.parts):
            shown = f"{len(given)} cotangents" if isinstance(given, (tuple, list)) else f"a {given.__class__.__name__}"
            raise GradientError(
                located(f"{name}: backward returned {shown}; it must return a tuple of {len(self.parts)}", here())
            )
        found: list[Value | None] = []
        for (position, containers, wanted), one in zip(self.parts, given):
            what = f"{name}: the cotangent of argument {position}"
            for (path, leaf), type in zip(fitted(containers, one, what), wanted):
                if type is not None:
                    found.append(None if leaf is None else fitted_value(recording, leaf, type, f"{what}{path}"))
        return found


def _recording_of(builder: Builder) -> Recording:
    recording = active_recording()
    assert recording is not None and recording.builder is builder
    return recording


def custom_vjp(function: Callable[..., Any] | None = None, nondiff_argnums: Sequence[int] = ()) -> Any:
    """Give a function a derivative of its own; also as a decorator. Set the rule with `defvjp`, as in JAX.

    Parameters
    ----------
    function : callable
        Runs where no derivative is asked for.
    nondiff_argnums : sequence of int
        Arguments that are no arrays, such as functions: `backward` gets them before the residuals.

    Returns
    -------
    CustomVjp

    Raises
    ------
    GradientError, StructureError, ShapeError, DTypeError
        When derivatives are taken and the rule is missing or returns what does not fit; the message names the function.

    Notes
    -----
    Derivatives of higher order are those of `forward` and `backward`. Forward mode (`jvp`) transposes `backward`, which
    must be linear in the cotangent. Arrays that the function reads without being passed them are constants.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> @dopegraph.custom_vjp
    ... def clipped(x):
    ...     return x
    >>> clipped.defvjp(lambda x: (x, None), lambda residuals, g: (np.clip(g, -1, 1),))
    >>> dopegraph.grad(lambda x: (5 * clipped(x)).sum())(np.array([2., 3.]))
    array([1., 1.], dtype=float32)
    """
    if function is None:
        return functools.partial(custom_vjp, nondiff_argnums=nondiff_argnums)
    if not callable(function):
        raise TypeError(f"custom_vjp takes a function, not a {type(function).__name__}")
    return CustomVjp(function, nondiff_argnums)
