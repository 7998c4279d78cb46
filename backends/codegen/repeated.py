"""A recurrence as one C function: its body's calls inside a loop over the steps, on memory that moves along.

Nothing is copied between steps: what a step hands on is read where it was written, in the stack of all steps if there
is one, otherwise in one of two places that are used in turn. Where the rows of a batch never meet, each thread takes
some of them through all steps.
"""

from __future__ import annotations

from dopegraph.backends.codegen import support, threads
from dopegraph.backends.codegen.entry import pointer
from dopegraph.backends.codegen.sections import Division, division, sections
from dopegraph.backends.codegen.source import File, Writer, by_library, prepared
from dopegraph.backends.codegen.team import SECTIONS
from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ops.recurrence import body_of
from dopegraph.passes.fuse import is_array_constant, plan_fusion

# Work, in additions, from which threads share the rows: a quarter of a millisecond. Waking one takes 40 microseconds.
SHARED = 1 << 21


def loop(node: Node, file: File) -> tuple[str, int]:
    """The statement that runs a recurrence: operands, results and workspace in braces; and bytes of the workspace."""
    name = f"loop{len(file.loops)}"
    whole = body_of(node.attrs["body"])
    carried = len(whole.inputs) - node.attrs["constants"] - node.attrs["sequences"]
    divided = division(whole, carried) if threads.number > 1 and support.work([node]) >= SHARED else None
    parts = sections(divided.rows, threads.number) if divided is not None else []
    if len(parts) < 2:
        divided, parts = None, [(0, 0)]
    writers = {
        rows: _LoopWriter(node, file, divided, rows, f"{name}_{rows}")
        for rows in dict.fromkeys(rows for _, rows in parts)
    }
    one = writers[parts[0][1]]
    before, each = one.before, -(-max(writer.nbytes for writer in writers.values()) // 64) * 64
    calls = [
        f"      case {number}: failed |= {writers[rows].name}(own, w, w + {before + number * each}, {row}, "
        f"{1 if divided else 'threads'}); break;"
        for number, (row, rows) in enumerate(parts)
    ]
    begin = [
        f"  if (threads > {len(parts)}) threads = {len(parts)};",
        "  const int here = PROCESSOR();",
        f"{SECTIONS} reduction(|:failed)",
    ]
    lines = [
        *(writer.text() for writer in writers.values()),
        f"static int {name}(void *const *own, char *w, int threads) {{",
        *(f"  {line}" for line in one.head),
        "  int failed = 0;",
        *(begin if divided else []),
        f"  for (int section = 0; section < {len(parts)}; section++) {{",
        *(["    apart(here);"] if divided else []),
        "    switch (section) {",
        *calls,
        "    }",
        "  }",
        *(f"  {line}" for line in one.tail),
        "  return failed;",
        "}",
    ]
    file.loops.append("\n".join(lines))
    holes = ", ".join(f"{{{place}}}" for place in range(len(node.inputs) + len(node.outputs)))
    last = f"{{{len(node.inputs) + len(node.outputs)}}}"
    statement = f"{{{{ void *const own[] = {{{{{holes}}}}}; if ({name}(own, {last}, threads)) return 1; }}}}"
    return statement, before + each * len(parts)


class _LoopWriter:
    """The C function that takes some rows, or all there is, through the steps.

    Attributes
    ----------
    name : str
    nbytes : int
        Bytes of workspace of its own.
    before : int
        Bytes of workspace that all have together.
    head, tail : list of str
        What is done once before, and once after.
    """

    def __init__(self, node: Node, file: File, divided: Division | None, rows: int, name: str) -> None:
        attrs = node.attrs
        self.name = name
        self.length, self.reverse = attrs["length"], attrs["reverse"]
        first = attrs["constants"] + attrs["sequences"]
        whole = body_of(attrs["body"])
        inner = whole if divided is None else divided.of(rows)
        carried = len(inner.inputs) - first
        self.first_stack = len(node.inputs)
        self.first_last = self.first_stack + len(inner.outputs) - carried
        self.lines: list[str] = []
        # Bytes of a step of each array, and of each of its rows where it is divided.
        sizes = [value.type.nbytes for value in node.inputs]
        for place in range(attrs["constants"], first):
            sizes[place] = whole.inputs[place].type.nbytes
        sizes += [value.type.nbytes for value in (*whole.outputs[carried:], *whole.outputs[:carried])]
        self.sizes = sizes
        self.rows = [0] * len(sizes)
        if divided is not None:
            values = (*whole.inputs, *whole.outputs[carried:], *whole.outputs[:carried])
            self.rows = [size // divided.rows * (value in divided.values) for size, value in zip(sizes, values)]

        body, places = _without_doubles(inner, carried)
        fusion = plan_fusion(body, by_library)
        constants = [one.output for one in body.nodes if is_array_constant(one)]
        assert not constants, "constants of a loop come from outside"
        pointers = {value: -1 - place for place, value in enumerate(body.inputs)}
        for place, result in enumerate(body.outputs, len(body.inputs)):
            pointers[fusion.memory[result]] = -1 - place
        fixed = {value for place, value in enumerate(body.inputs[: attrs["constants"]]) if not self.rows[place]}
        writer = Writer(fusion, pointers, file, fixed)
        self.calls = writer.calls
        self.nbytes = writer.arena.size
        self.before = 0
        self.head: list[str] = []
        self.tail: list[str] = []
        for (statement, array), (to, nbytes) in writer.packed.items():
            self.head.append(statement.format(f"own[{-1 - array}]", f"w + {self.before}"))
            self.lines.append(f"void *const a{-1 - to} = p + {self.before};")
            self.before += -(-nbytes // 64) * 64

        for place in range(attrs["constants"]):
            self._pointer(place, self._first(place))
        for place in range(attrs["constants"], first):
            self._pointer(place, self._step(place, "i"))
        before = "i + 1" if self.reverse else "i - 1"
        for number in range(carried):
            place, size = first + number, inner.inputs[first + number].type.nbytes
            target, last = places[number], self.first_last + number
            output = len(body.inputs) + target
            if target in places[carried:]:
                stack = self.first_stack + places[carried:].index(target)
                self._pointer(place, f"k ? {self._step(stack, before)} : {self._first(place)}")
                final = f"(char *)own[{stack}] + {0 if self.reverse else self.length - 1} * {sizes[stack]}L"
                self.tail.append(f"memcpy(own[{last}], {final}, {sizes[stack]});")
            else:
                other, there = f"(void *)(w + {self.nbytes})", self._first(last)
                self.nbytes += -(-max(size, 1) // 64) * 64
                self._pointer(place, f"!k ? {self._first(place)} : ({self.length} - k) & 1 ? {other} : {there}")
                self._pointer(output, f"({self.length} - k) & 1 ? {there} : {other}")
        for number, target in enumerate(places[carried:]):
            output, stack = len(body.inputs) + target, self.first_stack + number
            if places[carried:].index(target) == number:
                self._pointer(output, self._step(stack, "i"))
            else:
                source = self.first_stack + places[carried:].index(target)
                self.tail.append(f"memcpy(own[{stack}], own[{source}], {sizes[stack] * self.length});")

    def _pointer(self, place: int, text: str) -> None:
        self.lines.append(f"void *const a{place} = {text};")

    def _first(self, place: int) -> str:
        """Where the rows of an array begin."""
        return f"(void *)((char *)own[{place}] + row * {self.rows[place]}L)" if self.rows[place] else f"own[{place}]"

    def _step(self, place: int, index: str) -> str:
        """The same in a step of a stack."""
        row = f" + row * {self.rows[place]}L" if self.rows[place] else ""
        return f"(void *)((char *)own[{place}] + ({index}) * {self.sizes[place]}L{row})"

    def text(self) -> str:
        """The C function."""
        calls = [call.statement.format(*(pointer(one, "a{}") for one in call.pointers)) for call in self.calls]
        index = f"{self.length - 1} - k" if self.reverse else "k"
        return "\n".join(
            [
                f"static int {self.name}(void *const *own, char *p, char *w, long row, int threads) {{",
                f"  for (long k = 0; k < {self.length}; k++) {{",
                f"    const long i = {index};",
                *(f"    {line}" for line in (*self.lines, *calls)),
                "  }",
                "  return 0;",
                "}",
            ]
        )


def _without_doubles(inner: Graph, carried: int) -> tuple[Graph, list[int]]:
    """The body with every output once, and for every output of the given one which of these it is.

    Two that are handed on, and are no stacks, need memory of their own.
    """
    body = inner.copy()
    outputs: list[Value] = []
    places: list[int] = []
    stacked = set(body.outputs[carried:])
    for number, value in enumerate(body.outputs):
        if value in outputs and (number >= carried or value in stacked):
            places.append(outputs.index(value))
        else:
            places.append(len(outputs))
            outputs.append(value)
    body.outputs = outputs
    return prepared(body), places
