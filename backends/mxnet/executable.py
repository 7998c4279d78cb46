"""Runs a graph as one MXNet symbol: a CachedOp with static memory that reads and writes the callers' buffers."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph.backends.mxnet import library
from dopegraph.backends.mxnet.arrays import allocator, context, last_error, native, short_message, to_device
from dopegraph.backends.mxnet.lowering import lower
from dopegraph.backends.numpy.evaluation import evaluate
from dopegraph.ir.graph import Graph, Value
from dopegraph.runtime.buffer import HOST, Buffer
from dopegraph.runtime.device import Device
from dopegraph.runtime.errors import BackendError, SymbolError

_FLAGS = (("static_alloc", True), ("static_shape", True))


class MXNetExecutable:
    """A compiled graph.

    Attributes
    ----------
    lowered : LoweredSymbol
        The symbol's text and how it is called.

    Examples
    --------
    >>> import numpy
    >>> from dopegraph.ir import parse
    >>> graph = parse('graph f(%x: f32[2]) { %0: f32[2] = exp(%x) return %0 }')
    >>> f = MXNetExecutable(graph)  # doctest: +SKIP
    >>> f([Buffer(numpy.zeros(2, "float32"))], [None])[0].array  # doctest: +SKIP
    array([1., 1.], dtype=float32)
    """

    def __init__(self, graph: Graph, device: Device = HOST) -> None:
        self.graph = graph
        self.device = device
        context(device)
        mx = library.load()
        self.lowered = lower(graph)
        self._lock = threading.Lock()
        self._library = mx.base._LIB
        self._allocators = [allocator(value.type, device) for value in graph.results]
        self._symbol = mx.sym.load_json(self.lowered.json)
        position_of = {name: position for position, name in enumerate(self.lowered.argument_names)}
        names = self._symbol.list_inputs()
        # What stands at each input of the symbol: an argument of the graph, or a constant that never changes.
        self._arguments = [(place, position_of[name]) for place, name in enumerate(names) if name in position_of]
        self._constants = {
            place: native(_put(self.lowered.constants[name], device), device)
            for place, name in enumerate(names)
            if name not in position_of
        }
        self._inputs = (ctypes.c_void_p * len(names))()
        for place, array in self._constants.items():
            self._inputs[place] = array.handle
        self._outputs = (ctypes.c_void_p * max(len(graph.results), 1))()
        # What each call hands over beside the arrays; made once.
        self._count = ctypes.c_int(len(graph.results))
        self._storage_types = ctypes.POINTER(ctypes.c_int)()
        self._output_pointer = ctypes.cast(self._outputs, ctypes.POINTER(ctypes.c_void_p))
        # Without an argument there is nothing to run: the results are constants.
        self._operator = self._make_operator() if self._arguments else None

    def __call__(self, inputs: Sequence[Buffer], out: Sequence[Buffer | None]) -> list[Buffer]:
        """Results in the order of `graph.results`, in the buffers of `out` where it has them, otherwise in new ones.

        Raises
        ------
        Exception
            What NumPy raises for these operands, with the user's line; `BackendError` if only MXNet fails.
        """
        with self._lock:
            if self._operator is None:
                return self._by_numpy(inputs)
            arrays = self._inputs
            held = []  # a copy that only this call uses must outlive it
            for place, position in self._arguments:
                buffer = inputs[position]
                array = buffer.native
                if array is None or buffer.device != self.device:
                    array = native(buffer, self.device)
                    held.append(array)
                arrays[place] = array.handle
            results = [
                given if given is not None and self._writable(given, value) else allocate()
                for given, value, allocate in zip(out, self.graph.results, self._allocators)
            ]
            if not self._invoke(results):
                self._fail(inputs)
            return results

    def _invoke(self, results: list[Buffer]) -> bool:
        outputs = self._outputs
        handles = [buffer.native.handle for buffer in results]
        for place, handle in enumerate(handles):
            outputs[place] = handle
        lib = self._library
        previous = ctypes.c_int()
        if self.lowered.train_mode:
            lib.MXAutogradSetIsTraining(1, ctypes.byref(previous))
        assert self._operator is not None
        status = lib.MXInvokeCachedOpEx(
            self._operator.handle,
            len(self._inputs),
            self._inputs,
            ctypes.byref(self._count),
            ctypes.byref(self._output_pointer),
            ctypes.byref(self._storage_types),
        )
        if self.lowered.train_mode:
            lib.MXAutogradSetIsTraining(previous.value, ctypes.byref(previous))
        if status != 0:
            return False
        # NumPy reads the memory without asking MXNet: everything must have been written.
        return not any([lib.MXNDArrayWaitToRead(handle) for handle in handles])

    def _writable(self, given: Buffer, value: Value) -> bool:
        if given.device != self.device or given.dtype != value.type.dtype or given.shape != value.shape:
            return False
        if not self.device.is_host:
            return given.native is not None
        return given.array.flags.writeable and native(given, self.device) is given.native

    def _make_operator(self) -> Any:
        try:
            return library.load().nd.CachedOp(self._symbol, _FLAGS)
        except Exception as cause:
            raise SymbolError(f"{self.graph.name}: {short_message(cause)}") from cause

    def _fail(self, inputs: Sequence[Buffer]) -> None:
        """Raise what NumPy raises for the same operands, or else what MXNet did."""
        cause = last_error()
        self._operator = self._make_operator()  # the failed one may hold on to the error
        error = BackendError(f"{self.graph.name}: {short_message(cause)}")
        error.__cause__ = cause
        evaluate(self.graph, [buffer.array for buffer in inputs], error)
        raise error

    def _by_numpy(self, inputs: Sequence[Buffer]) -> list[Buffer]:
        values = evaluate(self.graph, [buffer.array for buffer in inputs])
        return [_put(numpy.array(values[value]), self.device) for value in self.graph.results]


def _put(array: Any, device: Device) -> Buffer:
    return Buffer(array) if device.is_host else to_device(Buffer(array), device)
