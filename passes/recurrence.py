"""Turns loops that Python unrolled into what they are: a step is compiled once, and not as often as it is run.

Every step's nodes are sorted by what they wait for, as loops are distributed in Allen and Kennedy, Automatic
translation of Fortran programs to vector form (1987). What no step hands to the next one is done for all steps at
once: a product with the same weights becomes one product over time, a sum over time of products one product. What
remains, the cycles, becomes a `recurrence` whose body is one step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dopegraph.batching.call import Call, spread
from dopegraph.batching.rules import rule_of
from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.primitive import primitives
from dopegraph.passes.body import BodyWriter
from dopegraph.passes.cycles import Cycle, Sum, in_order, sum_of
from dopegraph.passes.ends import complete
from dopegraph.passes.pass_ import Pass
from dopegraph.passes.periods import OUTSIDE, SAME, VARYING, Origin, Period, find_periods
from dopegraph.passes.stacks import Stacks, moving_axis

# Loops whose cycles are elementwise are left to fusion, unless there are so many nodes that compiling them takes long.
MANY = 2048

# Sums of products, or of numbers that all together are no more than this, are taken over all steps at once.
SMALL_SUM = 1 << 22


class Recurrences(Pass):
    """`runs` says which nodes the loop's body may have; those of a kind that NumPy runs best may be no part of one."""

    name = "recurrence"

    def __init__(self, runs: Callable[[Node], bool] = lambda node: True) -> None:
        self.runs = runs

    def run(self, graph: Graph) -> bool:
        sources = [node for node in graph.nodes if not node.inputs]
        rest = [node for node in graph.nodes if node.inputs]
        periods = find_periods(rest)
        if not periods:
            return False
        rest, periods = complete(rest, periods, sources)
        return _Rewriter(graph, sources, rest, self.runs).rewrite(periods)


class _Rewriter:
    def __init__(
        self, graph: Graph, sources: Sequence[Node], nodes: Sequence[Node], runs: Callable[[Node], bool]
    ) -> None:
        self.graph = graph
        self.nodes = nodes
        self.runs = runs
        self.builder = Builder()
        self.builder.nodes = list(sources)
        self.stacks = Stacks()

    def rewrite(self, periods: Sequence[Period]) -> bool:
        escaping = self._escaping(periods)
        place, changed = 0, False
        with self.builder:
            for period in periods:
                self._keep(place, period.start)
                loop = _Loop(self, period, escaping)
                if loop.pays():
                    loop.write()
                    changed = True
                else:
                    self._keep(period.start, period.stop)
                place = period.stop
            self._keep(place, len(self.nodes))
            graph, value = self.graph, self.stacks.value
            graph.outputs = [value(one) for one in graph.outputs]
            graph.updates = [(old, value(new)) for old, new in graph.updates]
        graph.nodes = self.builder.nodes
        return changed

    def _keep(self, start: int, stop: int) -> None:
        for node in self.nodes[start:stop]:
            with self.builder.at(node.location):
                node.inputs = tuple([self.stacks.value(value) for value in node.inputs])
            self.builder.nodes.append(node)

    def _escaping(self, periods: Sequence[Period]) -> dict[Value, bool]:
        """What is read outside of the loop that makes it, and whether somebody reads it who is in no loop."""
        home = [-1] * len(self.nodes)
        for number, period in enumerate(periods):
            home[period.start : period.stop] = [number] * (period.stop - period.start)
        made = {value: home[place] for place, node in enumerate(self.nodes) for value in node.outputs}
        found = dict.fromkeys([value for value in self.graph.results if made.get(value, -1) >= 0], True)
        for place, node in enumerate(self.nodes):
            for value in node.inputs:
                loop = made.get(value, -1)
                if loop >= 0 and loop != home[place]:
                    found[value] = found.get(value, False) or home[place] < 0
        return found


class _Loop:
    """One loop on its way from the nodes of all steps to those that do the same at once."""

    def __init__(self, rewriter: _Rewriter, period: Period, escaping: dict[Value, bool]) -> None:
        self.builder = rewriter.builder
        self.stacks = rewriter.stacks
        self.runs = rewriter.runs
        self.period = period
        self.origins = period.origins
        self.size = period.count
        first, length = period.start, period.length
        self.steps = [
            rewriter.nodes[first + step * length : first + (step + 1) * length] for step in range(period.count)
        ]
        self.step = self.steps[0]
        self.escaping = escaping
        self.reverse = self._runs_backwards()
        # For every result of a step: what it is for all steps along axis 0, or the one that all steps share.
        self.stacked: dict[tuple[int, int], Value] = {}
        self.shared: dict[tuple[int, int], Value] = {}
        self._before: dict[tuple[Origin, Value], Value] = {}
        self.sums: dict[int, Sum] = {}
        self.unsliced: set[int] = set()
        self.cycles: list[Cycle] = in_order(self.origins, self._is_sum)
        self._sink()

    # What it is made of ------------------------------------------------------------------------------------------

    def _runs_backwards(self) -> bool:
        """Whether most of the sequences that come from other loops are read from their ends."""
        votes = 0
        for node, origins in enumerate(self.origins):
            for operand, origin in enumerate(origins):
                if origin.kind == OUTSIDE:
                    votes += self.stacks.direction([step[node].inputs[operand] for step in self.steps[1:3]])
        return votes < 0

    def index(self, step: int) -> int:
        """Where a step stands along axis 0."""
        return self.size - 1 - step if self.reverse else step

    def outside(self, node: int, operand: int) -> list[Value]:
        """An operand from outside, for every step as they stand along axis 0."""
        found = [step[node].inputs[operand] for step in self.steps]
        return found[::-1] if self.reverse else found

    def escapes(self, node: int) -> list[int]:
        """The steps whose results of a node are read outside of this loop."""
        escaping = self.escaping
        return [number for number, step in enumerate(self.steps) if any(v in escaping for v in step[node].outputs)]

    def _is_sum(self, nodes: Sequence[int]) -> bool:
        """Whether a cycle only adds something up, and nobody reads the sums in between."""
        found = sum_of(nodes, self.origins, [node.op.name for node in self.step])
        if found is None:
            return False
        shape = self.step[nodes[0]].outputs[0].shape
        for term, _ in found.terms:
            value = self.step[term.node].outputs[term.output]
            if value.shape != shape:
                return False
            product = self.step[term.node].op.name == "matmul" and value.ndim == 2
            if not product and not self._unslices(term.node) and value.type.nbytes * self.size > SMALL_SUM:
                return False
        if any(number != self.size - 1 for node in nodes for number in self.escapes(node)):
            return False
        if any(self.escapes(node) for node in nodes if node != found.last):
            return False
        self.sums[nodes[0]] = found
        self.unsliced.update(term.node for term, _ in found.terms if self._unslices(term.node))
        return True

    def _sink(self) -> None:
        """What is elementwise and read by one cycle only is computed there: it needs no memory for all steps."""
        readers: dict[int, set[int]] = {}
        owner = {node: number for number, cycle in enumerate(self.cycles) for node in cycle.nodes}
        for node, origins in enumerate(self.origins):
            for origin in origins:
                if origin.kind != OUTSIDE:
                    reader = owner[node] if origin.kind == SAME else -1
                    readers.setdefault(origin.node, set()).add(reader)
        for number in range(len(self.cycles) - 1, -1, -1):
            cycle = self.cycles[number]
            node = cycle.nodes[0]
            found = readers.get(node, set())
            if cycle.loops or cycle.sums or len(found) != 1 or not self._is_plain(node) or self.escapes(node):
                continue
            (target,) = found
            if target >= 0 and self.cycles[target].loops:
                self.cycles[target].sunk.insert(0, node)
                cycle.gone = True
                for origin in self.origins[node]:
                    if origin.kind == SAME:
                        readers[origin.node] = {target if one == number else one for one in readers[origin.node]}

    def _is_plain(self, node: int) -> bool:
        one = self.step[node]
        return (one.op.elementwise or one.op.view) and len(one.outputs) == 1 and not self._varies(node)

    def _unslices(self, node: int) -> bool:
        """Whether the steps write into different places of the same array, and nobody reads one by itself."""
        one = self.step[node]
        if one.op.name != "unslice" or not self._varies(node) or self.escapes(node):
            return False
        readers = sum(origin.node == node and origin.kind != OUTSIDE for origins in self.origins for origin in origins)
        return readers == 1 and moving_axis(self.attributes(node)) is not None

    def attributes(self, node: int) -> list[dict[str, Any]]:
        """The attributes of a node in every step, as they stand along axis 0."""
        found = [step[node].attrs for step in self.steps]
        return found[::-1] if self.reverse else found

    def _varies(self, node: int) -> bool:
        one = self.step[node]
        return one.op.name in VARYING and any(step[node].attrs != one.attrs for step in self.steps)

    # Whether -----------------------------------------------------------------------------------------------------

    def pays(self) -> bool:
        """Whether the loop can be written, copies little, and takes nothing from fusion."""
        for cycle in self.cycles:
            if not cycle.loops:
                continue
            nodes = [self.step[node] for node in (*cycle.sunk, *cycle.nodes)]
            if any(self._varies(node) for node in cycle.nodes) or not all(map(self.runs, nodes)):
                return False
            if not any(node.op.name == "matmul" for node in nodes) and self.period.length * self.size < MANY:
                return False
        made = sum(value.type.nbytes for node in self.step for value in node.outputs) * self.size
        return 2 * self._copied() <= made

    def _copied(self) -> int:
        """Bytes that are put together to sequences, or read one by one by those who are in no loop."""
        copied, seen = 0, set()
        for node, origins in enumerate(self.origins):
            for operand, origin in enumerate(origins):
                if origin.kind == OUTSIDE:
                    values = tuple(self.outside(node, operand))
                    if values not in seen and any(value is not values[0] for value in values):
                        seen.add(values)
                        copied += sum(value.type.nbytes for value in values if not self.stacks.knows(value))
        for step in self.steps:
            for one in step:
                copied += sum(value.type.nbytes for value in one.outputs if self.escaping.get(value, False))
        return copied

    # Writing -----------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Emit the nodes for all steps."""
        for cycle in self.cycles:
            if cycle.gone:
                continue
            with self.builder.at(self.step[cycle.nodes[0]].location):
                if cycle.sums:
                    self._sum(cycle)
                elif cycle.loops:
                    BodyWriter(self, cycle).write()
                elif cycle.nodes[0] not in self.unsliced:
                    self._at_once(cycle.nodes[0])

    def operand(self, node: int, operand: int) -> tuple[Value, bool]:
        """An operand for all steps along axis 0; or the one that all steps share, and False."""
        origin = self.origins[node][operand]
        if origin.kind == OUTSIDE:
            values = self.outside(node, operand)
            if all(value is values[0] for value in values):
                return self.stacks.value(values[0]), False
            return self.stacks.stack(values), True
        key = origin.node, origin.output
        if origin.kind == SAME:
            return (self.stacked[key], True) if key in self.stacked else (self.shared[key], False)
        return self.before(origin, self.step[node].inputs[operand]), True

    def before(self, origin: Origin, first: Value) -> Value:
        """What the steps before made, for all steps; `first` is for the first one."""
        found = self._before.get((origin, first))
        if found is None:
            made = [step[origin.node].outputs[origin.output] for step in self.steps[:-1]]
            values = [first, *made]
            found = self.stacks.stack(values[::-1] if self.reverse else values)
            self._before[origin, first] = found
        return found

    def made(self, node: int, results: Sequence[Value]) -> None:
        """The results of a node are there for all steps."""
        for output, stack in enumerate(results):
            self.stacked[node, output] = stack
            for number, step in enumerate(self.steps):
                self.stacks.put(step[node].outputs[output], stack, self.index(number))

    def _share(self, node: int, results: Sequence[Value]) -> None:
        for output, value in enumerate(results):
            self.shared[node, output] = value
            for step in self.steps:
                self.stacks.plain[step[node].outputs[output]] = value

    def _at_once(self, node: int) -> None:
        """A node of every step as one."""
        one = self.step[node]
        found = [self.operand(node, place) for place in range(len(one.inputs))]
        operands, mapped = tuple([value for value, _ in found]), tuple([each for _, each in found])
        if self._varies(node):
            stack = None
            if one.op.name == "strided_slice" and not mapped[0]:
                stack = self.stacks.slices(operands[0], self.attributes(node))
            if stack is None:
                for step in self.steps:
                    inputs = [self.stacks.value(value) for value in step[node].inputs]
                    emitted = self.builder.emit_node(one.op, inputs, step[node].attrs)
                    self.stacks.plain.update(zip(step[node].outputs, emitted.outputs))
                values = [step[node].outputs[0] for step in self.steps]
                stack = self.stacks.stack(values[::-1] if self.reverse else values)
            self.made(node, [stack])
        elif any(mapped):
            made = rule_of(one.op)(Call(one, self.size, operands, mapped))
            self.made(node, made if isinstance(made, tuple) else (made,))
        else:
            self._share(node, self.builder.emit_node(one.op, operands, one.attrs).outputs)

    def _sum(self, cycle: Cycle) -> None:
        found = self.sums[cycle.nodes[0]]
        node, operand = found.start
        result = self.stacks.value(self.step[node].inputs[operand])
        for term, negative in found.terms:
            added = self._over_time(term)
            result = result - added if negative else result + added
        last = self.steps[-1][found.last].outputs[0]
        self.stacks.plain[last] = result

    def _over_time(self, term: Origin) -> Value:
        """The sum over all steps; of products it is one product, of the steps' matrices side by side."""
        one = self.step[term.node]
        if one.op.name == "matmul" and one.outputs[0].ndim == 2:
            (x, x_each), (y, y_each) = self.operand(term.node, 0), self.operand(term.node, 1)
            if x_each and y_each:
                left = _side_by_side(x, one.attrs["transpose_x"])
                right = _side_by_side(y, not one.attrs["transpose_y"])
                product: Value = primitives["matmul"](left, right, transpose_x=True, transpose_y=False)
                return product
        if term.node in self.unsliced:
            stack, each = self.operand(term.node, 0)
            if not each:
                stack = spread(stack, self.size)
            return self.stacks.unsliced(stack, self.attributes(term.node))
        key = term.node, term.output
        if key in self.stacked:
            added: Value = primitives["sum"](self.stacked[key], axes=(0,))
            return added
        return self.shared[key] * float(self.size)


def _side_by_side(stack: Value, rows: bool) -> Value:
    """Matrices below each other, with what is summed up along axis 0; `rows`: there it is in each already."""
    if not rows:
        stack = primitives["transpose"](stack, axes=(0, 2, 1))
    size, length, rest = stack.shape
    found: Value = primitives["reshape"](stack, shape=(size * length, rest))
    return found
