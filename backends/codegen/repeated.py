"""A recurrence as one C function: its body's calls inside a loop over the steps, on memory that moves along.

Nothing is copied between steps: what a step hands on is read where it was written, in the stack of all steps if there
is one, otherwise in one of two places that are used in turn.
"""

from __future__ import annotations

from dopegraph.backends.codegen.entry import pointer
from dopegraph.backends.codegen.source import File, Writer, by_library, prepared
from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ops.recurrence import body_of
from dopegraph.passes.fuse import is_array_constant, plan_fusion


def loop(node: Node, file: File) -> tuple[str, int]:
    """The statement that runs a recurrence: operands, results and workspace in braces; and bytes of the workspace."""
    writer = _LoopWriter(node, file)
    name = f"loop{len(file.loops)}"
    file.loops.append(writer.text(name))
    holes = ", ".join(f"{{{place}}}" for place in range(len(node.inputs) + len(node.outputs)))
    last = f"{{{len(node.inputs) + len(node.outputs)}}}"
    statement = f"{{{{ void *const own[] = {{{{{holes}}}}}; if ({name}(own, {last}, threads)) return 1; }}}}"
    return statement, writer.nbytes


class _LoopWriter:
    def __init__(self, node: Node, file: File) -> None:
        attrs = node.attrs
        self.length, self.reverse = attrs["length"], attrs["reverse"]
        first = attrs["constants"] + attrs["sequences"]
        inner = body_of(attrs["body"])
        carried = len(inner.inputs) - first
        self.first_stack = len(node.inputs)
        self.first_last = self.first_stack + len(inner.outputs) - carried
        self.lines: list[str] = []

        body, places = _without_doubles(inner, carried)
        fusion = plan_fusion(body, by_library)
        constants = [one.output for one in body.nodes if is_array_constant(one)]
        assert not constants, "constants of a loop come from outside"
        pointers = {value: -1 - place for place, value in enumerate(body.inputs)}
        for place, result in enumerate(body.outputs, len(body.inputs)):
            pointers[fusion.memory[result]] = -1 - place
        writer = Writer(fusion, pointers, file, set(body.inputs[: attrs["constants"]]))
        self.calls = writer.calls
        self.nbytes = writer.arena.size
        self.head = [
            statement.format(f"own[{-1 - array}]", pointer(place))
            for (statement, array), place in writer.packed.items()
        ]
        self.tail: list[str] = []

        for place in range(attrs["constants"]):
            self._pointer(place, f"own[{place}]")
        for place in range(attrs["constants"], first):
            self._pointer(place, self._element(place, inner.inputs[place].type.nbytes, "i"))
        before = "i + 1" if self.reverse else "i - 1"
        for number in range(carried):
            place, size = first + number, inner.inputs[first + number].type.nbytes
            target, last = places[number], self.first_last + number
            output = len(body.inputs) + target
            if target in places[carried:]:
                stack = self.first_stack + places[carried:].index(target)
                self._pointer(place, f"k ? {self._element(stack, size, before)} : own[{place}]")
                final = 0 if self.reverse else self.length - 1
                self.tail.append(f"memcpy(own[{last}], {self._element(stack, size, str(final))}, {size});")
            else:
                other = f"w + {self.nbytes}"
                self.nbytes += -(-max(size, 1) // 64) * 64
                self._pointer(place, f"!k ? own[{place}] : ({self.length} - k) & 1 ? {other} : own[{last}]")
                self._pointer(output, f"({self.length} - k) & 1 ? own[{last}] : {other}")
        for number, target in enumerate(places[carried:]):
            output, stack = len(body.inputs) + target, self.first_stack + number
            size = body.outputs[target].type.nbytes
            if places[carried:].index(target) == number:
                self._pointer(output, self._element(stack, size, "i"))
            else:
                source = self.first_stack + places[carried:].index(target)
                self.tail.append(f"memcpy(own[{stack}], own[{source}], {size * self.length});")

    def _pointer(self, place: int, text: str) -> None:
        self.lines.append(f"void *const a{place} = {text};")

    @staticmethod
    def _element(place: int, size: int, index: str) -> str:
        return f"(void *)((char *)own[{place}] + ({index}) * {size}L)"

    def text(self, name: str) -> str:
        """The C function."""
        calls = [call.statement.format(*(pointer(one, "a{}") for one in call.pointers)) for call in self.calls]
        index = f"{self.length - 1} - k" if self.reverse else "k"
        return "\n".join(
            [
                f"static int {name}(void *const *own, char *w, int threads) {{",
                *(f"  {line}" for line in self.head),
                f"  for (long k = 0; k < {self.length}; k++) {{",
                f"    const long i = {index};",
                *(f"    {line}" for line in (*self.lines, *calls)),
                "  }",
                *(f"  {line}" for line in self.tail),
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
