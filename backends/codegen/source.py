"""A whole graph as one C file: its kernels, the calls of them and of products, and where everything is in memory."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace

from dopegraph.backends.codegen import packed
from dopegraph.backends.codegen.compiler import PART
from dopegraph.backends.codegen.convolution_forms import is_convolution
from dopegraph.backends.codegen.convolutions import convolution
from dopegraph.backends.codegen.entry import Call, entry
from dopegraph.backends.codegen.fourier import complex_function, is_complex
from dopegraph.backends.codegen.loops import KernelWriter
from dopegraph.backends.codegen.packed_text import packed_functions
from dopegraph.backends.codegen.pooling import is_pooling, pooling
from dopegraph.backends.codegen.positions import check_function, loops_of, runs_loops
from dopegraph.backends.codegen.prelude import prelude
from dopegraph.backends.codegen.products import is_shared, product, product_functions, shared_product
from dopegraph.backends.codegen.random_numbers import draw, draws
from dopegraph.backends.codegen.suppression import suppresses, suppression_of
from dopegraph.backends.codegen.systems import is_system, system
from dopegraph.backends.codegen.updates import updates_of
from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.primitive import primitives
from dopegraph.passes.cells import without_reshapes
from dopegraph.passes.common_subexpressions import CommonSubexpressions
from dopegraph.passes.dead_code import DeadCode
from dopegraph.passes.expand import Expand
from dopegraph.passes.fuse import Fusion, is_array_constant, plan_fusion
from dopegraph.passes.kernels import Kernel

ALIGNMENT = 64

# Stands in the text of a kernel until it is known whether another is written alike.
_NAME = "KERNEL_NAME"


@dataclass
class Source:
    """A C file, and what its function ``run(pointers, workspace, threads)`` gets.

    Attributes
    ----------
    text : str
    graph : Graph
        As it was written, composite primitives in their parts.
    fusion : Fusion
    constants : list of Node
        Arrays whose pointers follow those of the arguments; the results come last.
    workspace : int
        Bytes for what lives between kernels.
    products : bool
        Whether ``link_blas`` has to be called once.
    calls : list of Call
        What ``run`` does.
    """

    text: str
    graph: Graph
    fusion: Fusion
    constants: list[Node] = field(default_factory=list)
    workspace: int = 0
    products: bool = False
    calls: list[Call] = field(default_factory=list)


def by_library(node: Node) -> bool:
    """Whether a node is a call of a library."""
    names = node.op.name in ("matmul", "recurrence")
    tests = (runs_loops, is_convolution, is_pooling, is_system, suppresses, draws, is_complex)
    return names or any(test(node) for test in tests)


def write_source(graph: Graph, integer: str = "int") -> Source:
    """The C file of a graph all of whose nodes `dopegraph.backends.codegen.support` accepts.

    Parameters
    ----------
    graph : Graph
    integer : str
        The C type of the integers of the BLAS that will be linked.
    """
    graph = prepared(graph)
    fusion = plan_fusion(graph, by_library)
    constants = [node for node in graph.nodes if is_array_constant(node)]
    given = [*graph.arguments, *(node.output for node in constants)]
    pointers = {value: -1 - place for place, value in enumerate(given)}
    for place, result in enumerate(graph.results, len(given)):
        pointers[fusion.memory[result]] = -1 - place
    file = File()
    writer = Writer(fusion, pointers, file)
    text = file.text(writer.calls, integer)
    return Source(text, graph, fusion, constants, writer.arena.size, file.products, writer.calls)


def prepared(graph: Graph) -> Graph:
    """A copy in the operations that fuse, each result with a value of its own."""
    graph = graph.copy()
    Expand().run(graph)
    CommonSubexpressions().run(graph)
    DeadCode().run(graph)
    _separate_results(graph)
    return graph


def _separate_results(graph: Graph) -> None:
    """Results that are arguments, constants or other results become copies."""
    builder, seen = Builder(), set(graph.arguments)
    builder.nodes = graph.nodes

    def separate(value: Value) -> Value:
        if value in seen or (value.node is not None and not value.node.inputs):
            value = builder.emit(primitives["identity"], [value], {})
        seen.add(value)
        return value

    graph.outputs = [separate(value) for value in graph.outputs]
    graph.updates = [(old, separate(new)) for old, new in graph.updates]


class File:
    """What a C file has besides its entry.

    Attributes
    ----------
    functions : dict of str to str
        The name of every kernel by its text, which kernels that are written alike share.
    shared : dict of str to None
        Functions that kernels call.
    own : dict of str to None
        Functions of nodes that are no kernels.
    helpers : dict of str to None
        Functions that only the last part calls.
    windows : dict
        Convolutions and poolings: statement, functions and bytes of memory by what they are.
    loops : list of str
        The functions of recurrences.
    products : bool
        Whether products are called.
    packed : set of str
        The C types for which there are products of our own.
    """

    def __init__(self) -> None:
        self.functions: dict[str, str] = {}
        self.shared: dict[str, None] = {}
        self.own: dict[str, None] = {}
        self.helpers: dict[str, None] = {}
        self.windows: dict[object, tuple[str, list[str], int]] = {}
        self.loops: list[str] = []
        self.products = False
        self.packed: set[str] = set()

    def text(self, calls: list[Call], integer: str) -> str:
        """All of it: what everything needs, functions that may be compiled apart, and the part that calls them."""
        functions = [*self.own, *(text.replace(_NAME, name, 1) for text, name in self.functions.items())]
        last = [product_functions(integer)] if self.products else []
        last += [packed_functions(self.packed)] if self.packed else []
        last += [*self.helpers, *self.loops, entry(calls)]
        used = re.sub(r"/\*.*?\*/", "", "\n".join([*self.shared, *functions, *last]))
        head = "\n".join([prelude(set(re.findall(r"\w+", used))), *self.shared])
        return PART.join([head, *functions, "\n".join(last)])


class Writer:
    """The calls that do what a plan says; the functions that they call go into a file.

    Parameters
    ----------
    fusion : Fusion
    pointers : dict of Value to int
        Where arrays are that are somewhere already: ``-1 - place``. All others get a place in the workspace.
    file : File
    fixed : container of Value
        Arrays that are the same whenever the calls are repeated.

    Attributes
    ----------
    calls : list of Call
    arena : Arena
    packed : dict of (str, int) to (int, int)
        What has to be done before, once: the statement and its array; the array where it goes, and its bytes.
    """

    def __init__(self, fusion: Fusion, pointers: dict[Value, int], file: File, fixed: Container[Value] = ()) -> None:
        self.fusion = fusion
        self.fixed = fixed
        self.packed: dict[tuple[str, int], tuple[int, int]] = {}
        self.pointers = pointers
        self._next = min(pointers.values(), default=0) - 1
        self.file = file
        self.arena = Arena()
        self.kernels = [self._kernel(step) for step in fusion.steps if isinstance(step, Kernel)]
        self.calls = self._calls()

    def _kernel(self, kernel: Kernel) -> tuple[str, KernelWriter]:
        """A kernel's function, which all kernels that are written alike share."""
        writer = KernelWriter(kernel, _NAME)
        self.file.shared.update(dict.fromkeys(writer.helpers))
        name = self.file.functions.setdefault(writer.text, f"k{len(self.file.functions)}")
        return name, writer

    def _calls(self) -> list[Call]:
        kernels = iter(self.kernels)
        updates = updates_of(self.fusion, self.fixed)
        late = set(updates.values())
        last: dict[Value, int] = {}
        for number, step in enumerate(self.fusion.steps):
            read = list(step.loaded if isinstance(step, Kernel) else map(without_reshapes, step.inputs))
            read += map(without_reshapes, updates[number].inputs) if number in updates else []
            last.update((value, number) for value in read)
        calls = []
        for number, step in enumerate(self.fusion.steps):
            if isinstance(step, Kernel):
                name, writer = next(kernels)
                for value in writer.writes:
                    self._allocate(value)
                for positions, length in writer.positions:
                    check, text = check_function(positions.type.dtype)
                    self.file.helpers[text] = None
                    test = f"if ({check}({positions.type.size}, {length}, {{0}})) return 1;"
                    calls.append(Call(test, (self._at(positions),), number))
                operands = [self._at(value) for value in (*writer.reads, *writer.writes)]
                if number in updates:
                    calls.append(self._update(updates[number], writer, number))
                    for value in dict.fromkeys([*step.loaded, *map(without_reshapes, updates[number].inputs)]):
                        if last.get(value, -1) <= number and value in self.arena.places:
                            self.arena.give(self.arena.places[value])
                    continue
                temporary = self.arena.take(writer.workspace) if writer.workspace else None
                if temporary is not None:
                    operands.append(temporary)
                holes = [f"{{{place}}}" for place in range(len(operands))]
                holes += ["threads"] * writer.parallel
                calls.append(Call(f"{name}({', '.join(holes)});", tuple(operands), number))
                if temporary is not None:
                    self.arena.give(temporary)
                made: Sequence[Value] = writer.writes
            else:
                for value in step.outputs:
                    self._allocate(value)
                if step not in late:
                    calls.append(replace(self._library(step), step=number))
                made = step.outputs
            read = step.loaded if isinstance(step, Kernel) else map(without_reshapes, step.inputs)
            for value in dict.fromkeys([*read, *made]):
                if last.get(value, -1) <= number and value in self.arena.places:
                    self.arena.give(self.arena.places[value])
        return calls

    def _library(self, node: Node) -> Call:
        """The call of a node that is no kernel."""
        operands = tuple(map(self._at, (*node.inputs, *node.outputs)))
        if node.op.name == "recurrence":
            from dopegraph.backends.codegen.repeated import loop

            statement, nbytes = loop(node, self.file)
            temporary = self.arena.take(nbytes)
            self.arena.give(temporary)
            return Call(statement, (*operands, temporary))
        if node.op.name == "matmul":
            return self._product(node, operands)
        if is_convolution(node) or is_pooling(node) or is_complex(node):
            return self._window(node, operands)
        of = (draws, draw), (is_system, system), (suppresses, suppression_of), (runs_loops, loops_of)
        statement, functions = next(write for test, write in of if test(node))(node)
        self.file.helpers.update(dict.fromkeys(functions))
        return Call(statement, operands)

    def _window(self, node: Node, operands: tuple[int, ...]) -> Call:
        """A convolution, a pooling, or a step of complex numbers; the same function for all that are alike."""
        types = tuple(value.type for value in (*node.inputs, node.output))
        key = (node.op.name, types, tuple(sorted(node.attrs.items())))
        windows = self.file.windows
        if key not in windows:
            name = f"{node.op.name}{len(windows)}"
            if is_complex(node):
                windows[key] = complex_function(node, name)
            else:
                windows[key] = convolution(node, name) if is_convolution(node) else (*pooling(node, name), 0)
        statement, (*shared, own), nbytes = windows[key]
        self.file.shared.update(dict.fromkeys(shared))
        self.file.own[own] = None
        if nbytes:
            operands = (*operands, self.arena.take(nbytes))
            self.arena.give(operands[-1])
        return Call(statement, operands)

    def _product(self, node: Node, operands: tuple[int, ...]) -> Call:
        self.file.products = True
        if node.inputs[1] in self.fixed and packed.takes_packed(node):
            self.file.packed.add(packed.kind_of(node.output))
            key = packed.packing(node), operands[1]
            if key not in self.packed:
                self.packed[key] = self._next - len(self.packed), packed.packed_bytes(node)
            temporary = self.arena.take(packed.room(node))
            self.arena.give(temporary)
            return Call(packed.with_packed(node), (operands[0], self.packed[key][0], operands[2], temporary))
        if packed.is_large(node):
            self.file.packed.add(packed.kind_of(node.output))
            temporary = self.arena.take(packed.whole_bytes(node))
            self.arena.give(temporary)
            return Call(packed.whole(node), (*operands, temporary))
        if is_shared(node):
            statement, function = shared_product(node)
            self.file.helpers[function] = None
            return Call(statement, operands)
        return Call(product(node), operands)

    def _update(self, node: Node, kernel: KernelWriter, number: int) -> Call:
        """An array without a product."""
        self.file.packed.add(packed.kind_of(node.output))
        temporary = self.arena.take(packed.whole_bytes(node))
        self.arena.give(temporary)
        (array,) = [value for value in kernel.reads if value is not node.output]
        values = map(self._at, (*node.inputs, array, *kernel.writes))
        return Call(packed.taken_away(node), (*values, temporary), number)

    def _allocate(self, value: Value) -> None:
        if value not in self.pointers:
            place = self.arena.take(value.type.nbytes)
            self.arena.places[value] = place
            self.pointers[value] = place

    def _at(self, value: Value) -> int:
        return self.pointers[value] if value in self.pointers else self.pointers[without_reshapes(value)]


class Arena:
    """Memory for what lives between kernels: the smallest gap that is large enough, otherwise more at the end.

    Gaps are split and joined: a small value must not hold a place for a large one.
    """

    def __init__(self) -> None:
        self.size = 0
        self.places: dict[Value, int] = {}
        self._length: dict[int, int] = {}  # of what is there, by its place
        self._gaps: dict[int, int] = {}

    def take(self, nbytes: int) -> int:
        nbytes = max(-(-nbytes // ALIGNMENT) * ALIGNMENT, ALIGNMENT)
        fitting = [(length, place) for place, length in self._gaps.items() if length >= nbytes]
        if fitting:
            length, place = min(fitting)
            del self._gaps[place]
            if length > nbytes:
                self._gaps[place + nbytes] = length - nbytes
        else:
            place = self.size - self._gaps.pop(self._last_gap(), 0)
            self.size = place + nbytes
        self._length[place] = nbytes
        return place

    def give(self, place: int) -> None:
        length = self._length.pop(place)
        for start in [start for start, gap in self._gaps.items() if place in (start + gap, start - length)]:
            gap = self._gaps.pop(start)
            place, length = min(place, start), length + gap
        self._gaps[place] = length

    def _last_gap(self) -> int:
        """The gap that ends where everything ends; -1 when there is none."""
        return next((place for place, length in self._gaps.items() if place + length == self.size), -1)
