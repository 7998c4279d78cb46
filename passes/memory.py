"""Plans where intermediate results live: liveness, reuse of dead buffers, in-place elementwise nodes, donated inputs.

Linear scan over the nodes in order; a dead buffer goes to the next value that fits best (Poletto and Sarkar, Linear
scan register allocation, 1999, with sizes).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.passes.workspace import workspace

if TYPE_CHECKING:
    from dopegraph.passes.timeline import Timeline

# A slot above SMALL bytes is not given to a value that needs less than one part in WASTE of it.
SMALL, WASTE = 1 << 16, 8


@dataclass
class Slot:
    """A buffer of the plan.

    `argument` is the donated input that it is; `result`: it leaves with the caller; `fresh`: a kernel that cannot
    write into given memory makes it, and it is there only while it is needed.
    """

    nbytes: int
    argument: Value | None = None
    result: bool = False
    fresh: bool = False


@dataclass
class MemoryPlan:
    """For every planned value its slot; views and arguments have none."""

    slots: list[Slot] = field(default_factory=list)
    slot_of: dict[Value, int] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes of all slots that are not the caller's own."""
        return sum(slot.nbytes for slot in self.slots if slot.argument is None)


@dataclass(frozen=True)
class MemoryReport:
    """Bytes of a graph with one buffer for every value, and as planned, arguments included.

    `workspace` is what kernels need for themselves at the fullest moment, which `planned` includes. `running` is what
    the call would take as it runs here, with generated kernels, arguments included; None for a graph alone.
    """

    imperative: int
    planned: int
    arguments: int
    plan: MemoryPlan
    graph: Graph = field(repr=False)
    workspace: int = 0
    running: int | None = None

    @property
    def timeline(self) -> Timeline:
        """Bytes while each node runs: with an array for every value, freed as soon as possible, and as planned."""
        from dopegraph.passes.timeline import Timeline

        return Timeline.of(self.graph, self.plan)

    def plot(self, path: Any = None) -> Any:
        """Draw the timeline, as `dopegraph.show.timeline.plot` does: a figure, or text where matplotlib is missing."""
        from dopegraph.show.timeline import plot

        return plot(self.timeline, self.graph.name, path)

    def __str__(self) -> str:
        return (
            f"{self.imperative} bytes with an array for every value, {self.planned} planned "
            f"({self.arguments} of them arguments, {len(self.plan.slots)} buffers)"
            + (f", {self.running} as it runs" if self.running is not None else "")
        )


def storage_of(value: Value) -> Value:
    """The value whose memory this one is a view of."""
    while value.node is not None and value.node.op.view:
        value = value.node.inputs[0]
    return value


def is_planned(value: Value) -> bool:
    """Whether a value needs memory of its own: not an argument, a view or a number."""
    return value.node is not None and not value.node.op.view and not is_number(value)


def is_number(value: Value) -> bool:
    return value.node is not None and (
        value.node.op.name == "constant" or (value.node.op.name == "full" and value.shape == ())
    )


def plan_memory(graph: Graph, donated: Iterable[Value] = ()) -> MemoryPlan:
    """Assign a slot to every planned value; memory of `donated` arguments may be overwritten once they are dead."""
    plan = MemoryPlan()
    last_use = last_uses(graph)
    free: list[tuple[int, int]] = []  # sorted: bytes, slot
    free_fresh: list[tuple[int, int]] = []
    for argument in donated:
        plan.slot_of[argument] = len(plan.slots)
        plan.slots.append(Slot(argument.type.nbytes, argument))
        if argument not in last_use:
            insort(free, (argument.type.nbytes, plan.slot_of[argument]))
    for position, node in enumerate(graph.nodes):
        dying = [
            storage
            for storage in dict.fromkeys(map(storage_of, node.inputs))
            if last_use.get(storage) == position and storage in plan.slot_of
        ]
        for value in node.outputs:
            if is_planned(value):
                fresh = not node.op.out
                taken = _in_place(node, value, [one for one in dying if not plan.slots[plan.slot_of[one]].fresh])
                if taken is not None:
                    dying.remove(taken)
                    plan.slot_of[value] = plan.slot_of[taken]
                else:
                    plan.slot_of[value] = _allocate(plan, free_fresh if fresh else free, value.type.nbytes, fresh)
                if value not in last_use:  # nobody reads it
                    dying.append(value)
        for storage in dying:
            slot = plan.slot_of[storage]
            insort(free_fresh if plan.slots[slot].fresh else free, (plan.slots[slot].nbytes, slot))
    for value in graph.results:
        if storage_of(value) in plan.slot_of:
            plan.slots[plan.slot_of[storage_of(value)]].result = True
    return plan


def last_uses(graph: Graph) -> dict[Value, int]:
    """The position of the last node that reads a value's memory; beyond the end for results."""
    last: dict[Value, int] = {}
    for position, node in enumerate(graph.nodes):
        for value in node.inputs:
            last[storage_of(value)] = position
            # A view reads its operand's memory as long as it lives itself: storage_of sees through it.
    for value in graph.results:
        last[storage_of(value)] = len(graph.nodes)
    return last


def _in_place(node: Node, value: Value, dying: list[Value]) -> Value | None:
    """A dying operand whose memory an elementwise node can write its result into.

    A view of that memory beside it, a transpose say, would be read after it was overwritten.
    """
    if node.op.elementwise and node.op.out:
        for operand in node.inputs:
            if operand in dying and operand.type == value.type:
                others = [other for other in node.inputs if other is not operand]
                if operand not in map(storage_of, others):
                    return operand
    return None


def _allocate(plan: MemoryPlan, free: list[tuple[int, int]], nbytes: int, fresh: bool) -> int:
    """The smallest free slot that is large enough, otherwise a new one; a small value leaves large ones to others."""
    place = bisect_left(free, (nbytes, 0))
    if place < len(free) and free[place][0] <= max(WASTE * nbytes, SMALL):
        return free.pop(place)[1]
    plan.slots.append(Slot(nbytes, fresh=fresh))
    return len(plan.slots) - 1


def memory_report(graph: Graph, donate: Iterable[str] = ()) -> MemoryReport:
    """Bytes before and after planning.

    Examples
    --------
    The example of the book's chapter on hybrid blocks: a, b, c and d of ten doubles.

    >>> from dopegraph.ir import parse
    >>> graph = parse('''graph f(%a: f64[10], %b: f64[10]) {
    ...   %c: f64[10] = mul(%b, %a)
    ...   %one: f64[] = full() {value=1.0, shape=(), dtype=f64}
    ...   %d: f64[10] = add(%c, %one)
    ...   return %d
    ... }''')
    >>> report = memory_report(graph, donate=["b"])
    >>> report.imperative, report.planned
    (320, 160)
    """
    names = set(donate)
    donated = [value for value in graph.arguments if value.name in names]
    unknown = names - {value.name for value in donated}
    if unknown:
        raise ValueError(f"memory: {graph.name} has no input named {', '.join(sorted(map(str, unknown)))}")
    plan = plan_memory(graph, donated)
    arguments = sum(value.type.nbytes for value in graph.arguments)
    planned = [value for node in graph.nodes for value in node.outputs if is_planned(value)]
    kept = sum(slot.nbytes for slot in plan.slots if slot.argument is None and not slot.fresh)
    passing, needed = _fullest(graph, plan)
    return MemoryReport(
        imperative=arguments
        + sum(value.type.nbytes for value in planned)
        + max(map(workspace, graph.nodes), default=0),
        planned=arguments + kept + passing + needed,
        arguments=arguments,
        plan=plan,
        graph=graph,
        workspace=needed,
    )


def _fullest(graph: Graph, plan: MemoryPlan) -> tuple[int, int]:
    """Bytes of what kernels make and of what they need for themselves, when both together are the most."""
    last = last_uses(graph)
    leaving: dict[int, int] = {}
    alive, most = 0, (0, 0)
    for position, node in enumerate(graph.nodes):
        for value in node.outputs:
            if value in plan.slot_of and plan.slots[plan.slot_of[value]].fresh:
                alive += value.type.nbytes
                end = last.get(value, position)
                leaving[end] = leaving.get(end, 0) + value.type.nbytes
        most = max(most, (alive, workspace(node)), key=sum)
        alive -= leaving.get(position, 0)
    return most
