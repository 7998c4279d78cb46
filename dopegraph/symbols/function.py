"""``from_symbol``: an MXNet symbol as a function to call among NumPy calls, at once and traced.

The operators become primitives by the rules in `layers`, `arithmetic` and `shapes`; what these do not have is run, and
differentiated, by MXNet (`opaque`).
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from typing import Any, Union

import numpy

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.numpy.params import load
from dopegraph.numpy.promotion import as_array
from dopegraph.runtime.errors import DopegraphError
from dopegraph.runtime.location import here, located
from dopegraph.runtime.unchanging import Unchanging
from dopegraph.symbols import arithmetic, layers, opaque, shapes, spectral
from dopegraph.symbols.attributes import bound
from dopegraph.symbols.errors import SymbolError, Unsupported
from dopegraph.symbols.reader import LONGEST_TEXT, SymbolGraph, SymbolNode, read
from dopegraph.trace.active import outside_recordings

RULES = {**arithmetic.RULES, **shapes.RULES, **layers.RULES, **spectral.RULES}
"""For each of MXNet's operators that has primitives a function of arrays and attributes."""

Parameters = Union[Mapping[str, Any], str, "os.PathLike[str]", None]

# What auxiliary states hold before any training: averages of nothing.
_FRESH = {"moving_var": 1.0, "running_var": 1.0, "moving_mean": 0.0, "running_mean": 0.0}

# Operands that predictions do without.
_LABELS = frozenset(["SoftmaxOutput", "Softmax", "LinearRegressionOutput", "MAERegressionOutput",
                     "LogisticRegressionOutput"])  # fmt: skip
_AUXILIARY = {"BatchNorm": ((3, "moving_mean"), (4, "moving_var"))}


class SymbolFunction:
    """A symbol to call: positionally in the order of `inputs`, or by the names of its variables.

    Attributes
    ----------
    name : str
    parameters : dict of str to ndarray
        Written in place by whoever trains them; a call may give another array by name instead.
    states : dict of str to ndarray
        Auxiliary states, such as moving averages; calls in training mode update them.
    """

    def __init__(
        self, graph: SymbolGraph, params: Parameters, input_shapes: Mapping[str, Sequence[int]] | None, name: str
    ) -> None:
        given = _named(params)
        shapes = {key: tuple(shape) for key, shape in (input_shapes or {}).items()}
        self._program = program = _Program(graph, name, shapes, given)
        self.name = name
        self.states = {key: array for key, array in given.items() if key in program.auxiliary}
        self.parameters = {key: array for key, array in given.items() if key not in program.auxiliary}

    @property
    def inputs(self) -> list[str]:
        """The variables that are no parameters, in the symbol's order."""
        return list(self._program.inputs)

    @property
    def outputs(self) -> list[str]:
        """Names of the results, as MXNet has them."""
        return [_output_name(self._program.graph, head) for head in self._program.graph.heads]

    @property
    def graph(self) -> SymbolGraph:
        """The nodes of the symbol, as they were read."""
        return self._program.graph

    @property
    def opaque(self) -> list[tuple[str, str, str]]:
        """For each node that MXNet's own operator is for its name, the operator, and why there are no primitives.

        Others may join them when the dtypes and shapes of a call are known.
        """
        return [
            (call.node.name, call.node.operator, call.why)
            for call in self._program.calls
            if call.rule is None and not call.node.is_variable
        ]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        program = self._program
        arrays = {**self.parameters, **program.bind(args, kwargs, self.parameters)}
        program.check(arrays)
        for key, own in program.auxiliary.items():
            if key not in arrays and key not in self.states:
                self.states[key] = program.fresh(key, own, arrays)
        return program.run({**self.states, **arrays})

    def __repr__(self) -> str:
        return f"<symbol {self.name}({', '.join(self.inputs)}): {len(self._program.calls)} nodes>"


class _Program(Unchanging):
    """How a symbol is computed; nothing in it changes, so that no compiled function has to watch it."""

    def __init__(
        self, graph: SymbolGraph, name: str, shapes: Mapping[str, tuple[int, ...]], given: Mapping[str, Any]
    ) -> None:
        self.graph = graph
        self.name = name
        self.shapes = shapes
        self.calls = [_Call(node) for node in graph.nodes]
        self.auxiliary = self._auxiliary()
        self.optional = self._labels()
        variables = graph.variables
        unknown = [key for key in (*given, *shapes) if key not in variables]
        if unknown:
            raise SymbolError(located(f"{name}: it has no variable {unknown[0]}, only {_list(variables)}", here()))
        self.inputs = [key for key in variables if key not in given and key not in self.auxiliary]

    def _auxiliary(self) -> dict[str, str]:
        """Variables that are the auxiliary states of an operator, with the names that it has for them."""
        found = {}
        for call in self.calls:
            for place, own in call.auxiliary:
                if place < len(call.node.inputs):
                    source = self.graph.nodes[call.node.inputs[place][0]]
                    if source.is_variable:
                        found[source.name] = own
        return found

    def _labels(self) -> frozenset[str]:
        """Variables that nothing but the label of an output reads."""
        readers: dict[str, set[bool]] = {}
        for call in self.calls:
            for place, (position, _) in enumerate(call.node.inputs):
                source = self.graph.nodes[position]
                if source.is_variable:
                    readers.setdefault(source.name, set()).add(call.node.operator in _LABELS and place == 1)
        return frozenset(key for key, kinds in readers.items() if kinds == {True})

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The arrays of a call by variable."""
        if len(args) > len(self.inputs):
            raise TypeError(self._said(f"{len(args)} arguments for {len(self.inputs)}: {_list(self.inputs)}"))
        given = dict(zip(self.inputs, args))
        for key, value in kwargs.items():
            if key in given:
                raise TypeError(self._said(f"the argument {key} is given twice"))
            if key not in parameters and key not in self.auxiliary and key not in self.inputs:
                raise TypeError(self._said(f"it has no variable {key}, only {_list(self.inputs)}"))
            given[key] = value
        return {key: as_array(value) for key, value in given.items()}

    def check(self, arrays: dict[str, Any]) -> None:
        """Nothing is missing, and shapes are those that were announced; a label that is missing is None."""
        missing = [key for key in self.inputs if key not in arrays and key not in self.optional]
        if missing:
            raise TypeError(self._said(f"the arguments {_list(missing)} are missing"))
        for key in self.optional:
            arrays.setdefault(key, None)
        for key, shape in self.shapes.items():
            if arrays.get(key) is not None and arrays[key].shape != shape:
                raise SymbolError(self._said(f"{key} has the shape {arrays[key].shape}, not {shape} as announced"))

    def _said(self, message: str) -> str:
        return located(f"{self.name}: {message}", here())

    def fresh(self, key: str, own: str, arrays: Mapping[str, Any]) -> ndarray:
        """An auxiliary state that nobody gave: as long as the parameters beside it."""
        for call in self.calls:
            sources = [self.graph.nodes[position].name for position, _ in call.node.inputs]
            beside = [arrays[name] for name in sources if isinstance(arrays.get(name), ndarray)]
            vectors = [one for one in beside if one.ndim == 1]
            if key in sources and own in _FRESH and vectors:
                with outside_recordings():
                    return np.full(vectors[0].shape, _FRESH[own], dtype=vectors[0].dtype)
        raise TypeError(self._said(f"the auxiliary state {key} is missing from params"))

    def run(self, arrays: Mapping[str, Any]) -> Any:
        """The outputs for an array for each variable."""
        values: list[Any] = []
        for call in self.calls:
            if call.node.is_variable:
                values.append((arrays[call.node.name],))
                continue
            operands = [self._picked(values, one, call.node) for one in call.node.inputs]
            try:
                values.append(call(operands))
            except SymbolError as cause:
                raise _at(cause, f"{self.name}: node {call.node.name!r}: ") from cause.__cause__
            except (DopegraphError, numpy.linalg.LinAlgError, IndexError, TypeError, ValueError) as cause:
                message = f"{self.name}: node {call.node.name!r} ({call.node.operator}): {cause}"
                kind = type(cause) if isinstance(cause, DopegraphError) else SymbolError
                raise kind(message) from cause
        results = tuple([self._picked(values, head, None) for head in self.graph.heads])
        return results[0] if len(results) == 1 else results

    def _picked(self, values: Sequence[Any], reference: tuple[int, int], node: SymbolNode | None) -> Any:
        position, output = reference
        if output >= len(values[position]):
            source = self.graph.nodes[position]
            reader = "a head" if node is None else f"node {node.name!r}"
            message = f"{reader} reads output {output} of {source.name!r} ({source.operator})"
            raise SymbolError(self._said(f"{message}, which has {len(values[position])}"))
        return values[position][output]


class _Call:
    """How a node is computed."""

    def __init__(self, node: SymbolNode) -> None:
        self.node = node
        self.rule = RULES.get(node.operator)
        self.why = f"there is no rule for {node.operator}"
        self.attributes = tuple(sorted(node.attributes.items()))
        self.bound: dict[str, Any] = {}
        self.auxiliary: tuple[tuple[int, str], ...] = ()
        if node.is_variable:
            return
        if self.rule is not None:
            try:
                self.bound = bound(self.rule, node.operator, node.attributes)
            except Unsupported as cause:
                self.rule, self.why = None, str(cause)
            except SymbolError as cause:
                raise _at(cause, f"node {node.name!r}: ") from None
        if node.operator in _AUXILIARY:
            self.auxiliary = _AUXILIARY[node.operator]
        if self.rule is not None:
            self._count(*_operands(self.rule))
        elif opaque.unavailable() is None:
            try:
                found = opaque.described(node.operator, self.attributes)
            except SymbolError as cause:
                raise _at(cause, f"node {node.name!r}: ") from cause.__cause__
            self._count(len(found.inputs), len(found.inputs))
            self.auxiliary = tuple([(place, found.inputs[place]) for place in found.auxiliary])

    def _count(self, least: int, most: float) -> None:
        """As many operands as the operator takes; too few would end the process in MXNet."""
        count = len(self.node.inputs)
        if not least <= count <= most:
            takes = str(least) if least == most else f"{least} to {most}"
            raise SymbolError(f"node {self.node.name!r} ({self.node.operator}) has {count} operands; it takes {takes}")

    def __call__(self, operands: Sequence[Any]) -> tuple[Any, ...]:
        why = self.why
        if self.rule is not None:
            try:
                made = self.rule(*operands, **self.bound)
                return made if isinstance(made, tuple) else (made,)
            except Unsupported as cause:
                why = str(cause)
        if any(one is None for one in operands):
            raise SymbolError(f"{self.node.operator} ({why}) needs its label")
        return opaque.apply_operator(self.node.operator, self.attributes, operands, why)


def _operands(rule: Any) -> tuple[int, float]:
    parameters = inspect.signature(rule).parameters.values()
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    least = sum(p.default is p.empty for p in positional)
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return max(least, 1), float("inf")
    return least, len(positional)


def _at(cause: Exception, where: str) -> SymbolError:
    message = str(cause)
    return SymbolError(message if message.startswith(where) else where + message)


def _output_name(graph: SymbolGraph, head: tuple[int, int]) -> str:
    name = graph.nodes[head[0]].name
    return name if graph.nodes[head[0]].is_variable else f"{name}_output{head[1] or ''}"


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown or "none"


def _named(params: Parameters) -> dict[str, ndarray]:
    """Arrays by variable: the prefixes ``arg:`` and ``aux:`` of MXNet's files are left out."""
    if params is None:
        return {}
    if isinstance(params, (str, os.PathLike)):
        params = load(params)
    if not isinstance(params, Mapping):
        raise TypeError(located("from_symbol: params is a dict of arrays by name, or the path of such a file", here()))
    result = {}
    for key, value in params.items():
        name = key[4:] if key.startswith(("arg:", "aux:")) else key
        result[name] = as_array(value)
    return result


def from_symbol(
    symbol: Any,
    params: Parameters = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    name: str = "symbol",
) -> SymbolFunction:
    """Make a function of an MXNet symbol, to be called among NumPy calls, traced, compiled and differentiated.

    Parameters
    ----------
    symbol : mxnet.symbol.Symbol, str or path
        A symbol, its JSON, or the path of its file (``NAME-symbol.json``), of MXNet 1.x. The text is not trusted.
    params : dict of str to array_like, or path, optional
        Arrays for variables, or the file that has them (``NAME-0000.params``). The rest become arguments.
    input_shapes : dict of str to tuple of int, optional
        Shapes that the arguments must have, for those who want to be told; MinPy's ``Function`` needed them.
    name : str
        For messages.

    Returns
    -------
    SymbolFunction
        Takes arrays in the order of its `inputs`, or by name; gives an array, or a tuple where the symbol has several
        outputs. Labels of losses may be left out: the outputs are predictions then.

    Raises
    ------
    SymbolError
        When the JSON is damaged, an operator is unknown or its attributes or operands do not fit.

    Notes
    -----
    Operators without primitives run in MXNet, as does their gradient (once; it has no derivative of its own). Under the
    policy ``only_numpy`` they are errors. Batch normalization reads and updates its moving averages, in `states`.
    Random numbers, of dropout, are those of `dopegraph.numpy.random`.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> text = '''{"nodes": [{"op": "null", "name": "x", "inputs": []},
    ...                      {"op": "tanh", "name": "y", "inputs": [[0, 0, 0]]}], "heads": [[1, 0, 0]]}'''
    >>> f = dopegraph.from_symbol(text)
    >>> f(np.zeros(2)) + 1
    array([1., 1.], dtype=float32)
    >>> dopegraph.grad(lambda x: np.sum(f(x)))(np.zeros(2))
    array([1., 1.], dtype=float32)
    """
    return SymbolFunction(read(_text(symbol)), params, input_shapes, name)


def _text(symbol: Any) -> str:
    if hasattr(symbol, "tojson"):
        return str(symbol.tojson())
    if isinstance(symbol, str) and symbol.lstrip()[:1] in ("{", "["):
        return symbol
    if isinstance(symbol, (str, os.PathLike)):
        if os.path.getsize(symbol) > LONGEST_TEXT:
            raise SymbolError(located(f"from_symbol: {os.fspath(symbol)} has more than {LONGEST_TEXT} bytes", here()))
        with open(symbol, encoding="utf-8", errors="strict") as file:
            try:
                return file.read()
            except UnicodeDecodeError:
                raise SymbolError(located(f"from_symbol: {os.fspath(symbol)} is no text", here())) from None
    raise TypeError(located(f"from_symbol: takes a symbol, its JSON or a path, not a {type(symbol).__name__}", here()))
