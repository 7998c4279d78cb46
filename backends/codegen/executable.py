"""Runs a graph as one compiled C function that reads and writes the callers' buffers."""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph.backends.codegen import blas, support, threads
from dopegraph.backends.codegen.cache import KernelCache, open_cache
from dopegraph.backends.codegen.compiler import find_compiler
from dopegraph.backends.codegen.source import ALIGNMENT, write_source
from dopegraph.backends.numpy.evaluation import evaluate
from dopegraph.ir.graph import Graph
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.reuse import reuse

# Giving the interpreter's lock to other threads costs as much as a thousand additions, and they do not need it sooner
# than after some hundred microseconds.
BRIEF = 1 << 18

# Bytes of a result whose memory is worth being looked for.
LARGE = 1 << 16


class CodegenExecutable:
    """A compiled graph.

    Attributes
    ----------
    source : Source
        The C file, and the kernels in it.
    results : int
        The place of the first result among the pointers; arguments come first, then constants.
    workspace : int
        The address of the memory between kernels, which `lock` is for.

    Examples
    --------
    >>> import numpy
    >>> from dopegraph.ir import parse
    >>> graph = parse('graph f(%x: f32[2]) { %0: f32[2] = mul(%x, %x) %1: f32[2] = add(%0, %x) return %1 }')
    >>> f = CodegenExecutable(graph)  # doctest: +SKIP
    >>> f([Buffer(numpy.ones(2, "float32"))], [None])[0].array  # doctest: +SKIP
    array([2., 2.], dtype=float32)
    """

    def __init__(self, graph: Graph) -> None:
        found = blas.library()
        self.graph = graph
        self.source = write_source(graph, found.integer if found is not None else "int")
        self.library = kernel_cache().get(self.source.text, find_compiler())
        self._run = self.library.run
        self._types = [(value.shape, value.type.dtype, value.type.nbytes) for value in graph.results]
        self._constants = [_regular(node.attrs["value"]) for node in self.source.constants]
        first = len(graph.arguments)
        self.results = first + len(self._constants)
        self._pointers = self.pointers()
        self._workspace = numpy.empty(self.source.workspace + ALIGNMENT, numpy.uint8)
        self.workspace = -(-self._workspace.ctypes.data // ALIGNMENT) * ALIGNMENT
        self.lock = threading.Lock()  # two threads must not share the workspace at one time

    def pointers(self) -> Any:
        """What the C function gets: an array of pointers, those of constants filled in."""
        made: Any = (ctypes.c_void_p * max(self.results + len(self._types), 1))()
        for place, array in enumerate(self._constants, len(self.graph.arguments)):
            made[place] = array.ctypes.data
        return made

    @property
    def direct(self) -> Any:
        """The C function, for integers as addresses; with the interpreter's lock kept where it takes no time."""
        return self.library.brief if support.work(self.graph.nodes) < BRIEF else self._run

    def __call__(self, inputs: Sequence[Buffer], out: Sequence[Buffer | None]) -> list[Buffer]:
        """Results in the order of `graph.results`, in the buffers of `out` where it has them, otherwise in new ones.

        Raises
        ------
        IndexError, LinAlgError
            With the user's line; what is in the buffers of `out` then is undefined.
        """
        with self.lock:
            pointers = self._pointers
            held = []  # a copy that only this call uses must outlive it
            for place, buffer in enumerate(inputs):
                address = buffer.address
                if not address and buffer.array.size:
                    held.append(_regular(buffer.array))
                    address = held[-1].ctypes.data
                pointers[place] = address
            results = []
            for place, ((shape, dtype, size), given) in enumerate(zip(self._types, out), self.results):
                if given is None or not _writable(given, shape, dtype):
                    large = size > LARGE
                    given = reuse.take(shape, dtype) if large else Buffer(numpy.empty(shape, dtype))
                pointers[place] = given.address
                results.append(given)
            return self._refused(inputs) if self._run(pointers, self.workspace, threads.number) else results

    def _refused(self, inputs: Sequence[Buffer]) -> list[Buffer]:
        """Raise what NumPy raises for the same operands, with the user's line.

        A matrix that is singular but for the last bit may be so for one algorithm only: then the results are NumPy's.
        """
        found = evaluate(self.graph, [buffer.array for buffer in inputs])
        return [Buffer(numpy.array(found[value], value.type.dtype, order="C")) for value in self.graph.results]


def _writable(given: Buffer, shape: Any, dtype: Any) -> bool:
    return given.address != 0 and given.shape == shape and given.dtype == dtype and given.array.flags.writeable


def _regular(array: Any) -> Any:
    """The elements in C order, aligned."""
    return numpy.require(array, requirements=["C", "A"])


@functools.cache
def kernel_cache() -> KernelCache:
    """The cache of this process."""
    return open_cache()
