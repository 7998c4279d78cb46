"""Whole random programs as text: state, helpers, a compiled function, and calls of it with changes between them.

A program is plain Python that a person can run. `compile` makes the function under test, and `call(f, ...)` calls it
and shows what came of it; both are given by `tests.fuzz.running`.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import tests.fuzz.effects
import tests.fuzz.inside  # noqa: F401 - these two register their statements
from tests.fuzz.changes import TURNS, changes_of_state, changes_of_structure, is_named, other_weights
from tests.fuzz.expressions import EXPRESSIONS
from tests.fuzz.head import HEAD
from tests.fuzz.scope import Draws, Name, Scope
from tests.fuzz.statements import STATEMENTS, Body

# Those that a program gets without a statement or an expression of that name.
OTHERS = frozenset([
    "dataclass", "named tuple", "break", "changing shapes", "aliased arguments", "views as arguments",
    "changing dtypes",
    "numpy arguments", "results kept", "results written", "state changed outside", "weights rebound outside",
    "real numbers as arguments", "containers as arguments", "method", "bound method", "factory", "keyword arguments",
    "static arguments", "empties as arguments", "second function", "quiet calls", "callable object", "0-d arguments",
    "star arguments", "training mode outside", "state as argument", "structure changed outside", "shared memory",
    "taking turns", "open record", "derived outside", "record outside",
])  # fmt: skip
CONSTRUCTS = frozenset(name for name, _, _ in STATEMENTS) | OTHERS
CONSTRUCTS |= {name for tables in EXPRESSIONS.values() for name in tables}
# Most Python that cannot be replayed, which would keep everything else from being tested if it were in every program.
LOUD = frozenset([
    "print", "log", "counter", "attribute counters", "python random", "numpy random", "iterator", "host arrays",
    "reading", "text", "raise",
])  # fmt: skip

# What is rarely together by chance, and goes wrong together: half of the programs have most of one of these.
FOCUSES = [
    frozenset(
        ["aliased arguments", "views as arguments", "state as argument", "writes", "augmented", "out=", "results kept"]
    ),
    frozenset(
        ["weights rebound outside", "state changed outside", "global arrays", "attributes", "state containers", "flags"]
    ),
    frozenset(["results kept", "results written", "views", "global arrays", "attributes", "writes", "quiet calls"]),
    frozenset(
        ["branch on a value", "while on a value", "early return", "state changed outside", "global arrays", "break"]
    ),
    frozenset(["structure", "functions in state", "structure changed outside", "attributes", "state changed outside"]),
    frozenset(["taking turns", "writes", "augmented", "attributes", "state containers", "global arrays", "structure"]),
    frozenset(["shared memory", "writes", "augmented", "views as arguments", "numpy arguments", "aliased arguments"]),
    frozenset(["record", "open record", "derived outside", "record outside", "global arrays", "results kept"]),
    frozenset(["training", "blocks", "training mode outside", "state changed outside", "taking turns", "record"]),
    frozenset(["gradient", "record", "second order", "branch on a value", "global arrays", "weights rebound outside"]),
]

GLOBALS = [
    [Name("W", "V", "global")], [Name("U", "M", "global")], [Name("RATE", "f", "global")], [Name("COUNT", "i",
    "global")],
    [Name("FLAG", "b", "global")], [Name("ITEMS", "list", None), Name("ITEMS[0]", "V", "path"), Name("ITEMS[1]",
    "V", "path")],
    [Name("TABLE", "dict", None), Name("TABLE['a']", "V", "path"), Name("TABLE['b']", "V", "path")],
    [Name("MODEL", "model", None), Name("MODEL.w", "V", "path"), Name("MODEL.m", "M", "path"), Name("MODEL.t",
    "i", "path"),
     Name("MODEL.scale", "f", "path"), Name("MODEL.child.w", "V", "path"), Name("MODEL.child.ready", "b", "path")],
    [Name("POINT.x", "V", "path"), Name("POINT.y", "S", "path")],
    [Name("Model.shared", "V", "path"), Name("Model.total", "i", "path")],
]  # fmt: skip


@dataclass(frozen=True)
class Program:
    """A program and the constructs that it was made of."""

    text: str
    constructs: frozenset[str]


def draw(seed: int, index: int) -> Program:
    """The program of a number: the same on every machine and Python."""
    random = Random(f"{seed}:{index}")
    quiet, focused = random.random() < 0.6, random.random() < 0.5
    focus = random.choice(FOCUSES)

    def probability(name: str) -> float:
        if focused:
            return 0.8 if name in focus else 0.06
        return 0.05 if quiet and name in LOUD else 0.3

    chosen = frozenset(name for name in sorted(CONSTRUCTS) if random.random() < probability(name))
    draws = Draws(random, chosen)
    return Program(_Writer(draws).program(), frozenset(draws.used))


class _Writer:
    """Puts a program together."""

    def __init__(self, draws: Draws) -> None:
        self.draws = draws
        self.random = draws.random
        self.lines: list[str] = []
        self.reached = [name for group in GLOBALS if draws.chance(0.45) for name in group]
        self.parameters: list[Name] = []
        self.calls = 0

    def used(self, construct: str, probability: float = 1.0) -> bool:
        """Whether to use a construct here; counts it."""
        if self.draws.has(construct) and self.draws.chance(probability):
            self.draws.used[construct] += 1
            return True
        return False

    def program(self) -> str:
        helpers = self.helpers()
        if self.draws.has("nested compile"):
            self.draws.inside_part = True
            self.lines += self.function(
                "@compile\ndef part({}):", [Name("v", "V"), Name("rate", "f")], ["v", "rate=0.5"], 2
            )
            self.draws.inside_part = False
        target = self.main(helpers)
        self.driver(target)
        return HEAD + "\n" + "\n".join(self.lines) + "\n"

    def function(self, head: str, names: list[Name], parameters: list[str], count: int, indent: int = 0,
                 helpers: list[str] | None = None, more: list[Name] | None = None) -> list[str]:  # fmt: skip
        """Lines of a function with random statements."""
        body = Body(self.draws, Scope(self.draws, [*self.reached, *(more or []), *names]), 0, helpers)
        body.statements(count)
        result = body.result()
        *decorators, last = head.format(", ".join(parameters)).split("\n")
        return [*("    " * indent + line for line in decorators), *body.text(last, indent, result), ""]

    def helpers(self) -> list[str]:
        if not self.draws.has("helper"):
            return []
        names = []
        for _ in range(self.random.randint(1, 2)):
            name = self.draws.fresh("helper")
            given = [Name("v", "V"), Name("k", "i")]
            body = Body(self.draws, Scope(self.draws, [*self.reached, *given]), 1, list(names))
            body.statements(self.random.randint(1, 2))
            self.lines += [*body.text(f"def {name}(v, k=1):", 0, body.expression("V")), ""]
            names.append(name)
        return names

    def main(self, helpers: list[str]) -> str:
        """The compiled function; how to name it in a call."""
        parameters = [Name("x", "V")]
        choices = [Name("y", "V"), Name("m", "M"), Name("s", "S"), Name("k", "i"), Name("r", "f"), Name("flag", "b"),
                   Name("idx", "I"), Name("bag", "V")]  # fmt: skip
        parameters += [name for name in choices if self.draws.chance(0.3)]
        if self.used("containers as arguments"):
            parameters.append(Name("items", "list"))
        if self.used("state as argument"):
            parameters.append(Name("model", "model"))
        if self.used("empties as arguments"):
            parameters.append(Name("e", "A"))
        self.parameters = parameters
        texts = [self._parameter(name) for name in parameters]
        texts.sort(key=lambda text: "=" in text)
        self.parameters.sort(key=lambda name: "=" in self._parameter(name))
        names = list(parameters)
        if any(name.text == "model" for name in parameters):
            names += [Name("model.w", "V", "path"), Name("model.t", "i", "path"), Name("model.scale", "f", "path")]
        if any(name.text == "items" for name in parameters):
            names += [Name("items[0]", "V", "path"), Name("items[1]", "V", "path")]
        if self.used("star arguments"):
            texts.append("*rest")
            names.append(Name("rest", "list", None))
        count = self.random.randint(2, 6)
        static = (
            f"(static_argnames={self._static()!r})" if self.used("static arguments", 0.5) and self._static() else ""
        )
        form = self.random.choice(
            [name for name in ("method", "bound method", "factory", "callable object") if self.draws.has(name)]
            or ["plain"]
        )
        head = f"@compile{static}\ndef f({{}}):"
        self.draws.used[form] += 1
        if form == "plain":
            self.lines += self.function(head, names, texts, count, helpers=helpers)
            return "f"
        if form == "factory":
            kept = [Name("kept", "V", "nonlocal"), Name("n", "i", "nonlocal"), Name("on", "b", "nonlocal")]
            self.lines += ["def make():", "    kept, n, on = np.array([1.0, -0.5, 0.25]), 1, True", ""]
            self.lines += self.function(head, names, texts, count, 1, helpers, kept)
            self.lines += ["    def change(w, m, o):", "        nonlocal kept, n, on",
            "        kept, n, on = w, m, o", "",
                           "    return f, change", "", "", "f, change = make()"]  # fmt: skip
            return "f"
        own = [Name("self", "model", None), Name("self.w", "V", "path"), Name("self.t", "i", "path"),
               Name("self.scale", "f", "path"), Name("self.child.w", "V", "path"), Name("self.m", "M",
               "path")]  # fmt: skip
        method = {"callable object": "__call__"}.get(form, "step")
        decorator = "@compile\n" if form == "method" else ""
        self.lines.append("class Machine(Model):")
        self.lines += self.function(f"{decorator}def {method}({{}}):", names, ["self", *texts], count, 1, helpers, own)
        self.lines += ["", "machine = Machine(np.array([0.5, 1.0, -0.5]))"]
        if form == "method":
            self.lines.append("other = Machine(W)")
            return "machine.step"
        self.lines.append("f = compile(machine.step)" if form == "bound method" else "f = compile(machine)")
        return "f"

    def _parameter(self, name: Name) -> str:
        defaults = {"bag": "bag=np.zeros(3)", "r": "r=0.5", "flag": "flag=True"}
        return defaults.get(name.text, name.text)

    def _static(self) -> str:
        return next((name.text for name in self.parameters if name.text in ("k", "flag")), "")

    # The calls ---------------------------------------------------------------------------------------------------

    def driver(self, target: str) -> None:
        """Calls of the function, and what happens between them."""
        self.shape, self.dtype, self.situation = 3, "", 0.5
        self.kept: list[str] = []
        turns = self.turns()
        arguments = self.arguments()
        for number in range(self.random.randint(4, 8)):
            if number and turns and self.draws.chance(0.6):
                self.lines.append(self.random.choice(turns))
            elif number and self.draws.chance(0.5):
                arguments = self.arguments()
            elif number and self.draws.chance(0.5):
                self.between(target)
            waits = number and self.used("record outside", 0.4)
            if waits:
                self.lines += self.waiting()
            name = "quiet" if self.used("quiet calls", 0.5) else "call"
            if target == "machine.step" and self.draws.chance(0.2):
                text = f"{name}(other.step, {arguments})"
            else:
                text = f"{name}({target}, {arguments})"
            if self.used("results kept", 0.5):
                kept = self.draws.fresh("result")
                text = f"{kept} = {text}"
                self.kept.append(kept)
            if self.used("training mode outside", 0.3):
                self.lines.append("with dopegraph.train_mode():")
                text = f"    {text}"
            self.lines.append(text)
            if "def part(" in "\n".join(self.lines) and self.used("second function", 0.4):
                self.lines.append(f"call(part, {self.array((3,))})")
            if self.kept and self.used("derived outside", 0.5):
                self.lines.append(f"derive({self.random.choice([self.kept[-1], *self.kept])})")
            if waits and self.draws.chance(0.6):
                self.lines.append("derive(waiting)")
            if self.kept and self.used("results written", 0.5):
                self.lines.append(f"scribble({self.random.choice(self.kept)})")

    def waiting(self) -> list[str]:
        """A `record()` that is open when the function is called, which may read what it computed."""
        leaf = "W" if "W" in "\n".join(self.lines) and self.draws.chance(0.7) else "leaf"
        lines = [f"{leaf} = {self.array((3,))}"] if leaf == "leaf" or self.draws.chance(0.3) else []
        if self.draws.chance(0.4):
            leaf, lines = "leaf", [*lines, f"leaf = {leaf}"]
        name = "W" if leaf == "leaf" and self.draws.chance(0.4) else "waiting"
        recorded = ["with dopegraph.record():", f"    {name} = {leaf} * {leaf} + 1"]
        return [
            *lines,
            f"{leaf} = np.asarray({leaf}).astype('float32', copy=False)",
            f"{leaf}.attach_grad()",
            *recorded,
            f"waiting = {name}",
        ]

    def turns(self) -> list[str]:
        """Two or three changes of one place that the program names, to be made by turns."""
        if not self.used("taking turns"):
            return []
        text = "\n".join(self.lines)
        known = [changes for changes in TURNS if is_named(changes[0], text)]
        changes = self.random.choice(known or TURNS)
        return self.random.sample(changes, min(len(changes), self.random.randint(2, 3)))

    def array(self, shape: tuple[int, ...], dtype: str = "") -> str:
        """A literal of multiples of 1/4."""
        size = 1
        for length in shape:
            size *= length
        numbers = [self.random.randint(-8, 8) / 4 for _ in range(size)]
        module = "numpy" if self.used("numpy arguments", 0.3) else "np"
        dtype = dtype or self.dtype
        text = str(numbers if len(shape) == 1 else numbers[0] if not shape else [])
        if len(shape) == 2:
            text = str([numbers[row * shape[1] : (row + 1) * shape[1]] for row in range(shape[0])])
        return f"{module}.array({text}" + (
            f", dtype='{dtype}')" if dtype or module == "numpy" or not size else ")"
        ).replace("dtype=''", "dtype='float32'")

    def arguments(self) -> str:
        """The arguments of a call: mostly other numbers in what the call before had, so that it can be replayed."""
        if self.draws.chance(0.3):
            self.situation = self.random.random()
        self.draws.random = Random(self.situation)
        try:
            return self._arguments()
        finally:
            self.draws.random = self.random

    def _arguments(self) -> str:
        self.shape, self.dtype = 3, ""
        if self.used("changing shapes", 0.4):
            self.shape = self.draws.random.choice([1, 2, 3, 4, 0])
        if self.used("changing dtypes", 0.3):
            self.dtype = self.draws.random.choice(["float64", "int32", "float32", "int64"])
        self.first = ""
        texts: list[str] = []
        by_name = False
        for name in self.parameters:
            optional = "=" in self._parameter(name)
            if optional and self.draws.chance(0.6):
                by_name = True  # those after it, too
                continue
            text = self.argument(name)
            by_name = by_name or self.used("keyword arguments", 0.3)
            texts.append(f"{name.text}={text}" if by_name else text)
        if not by_name and self.draws.has("star arguments") and self.draws.chance(0.5):
            texts.append(self.array((3,)))
        return ", ".join(texts)

    def argument(self, name: Name) -> str:
        random, n = self.draws.random, self.shape
        if name.kind == "V":
            return self.vector()
        if name.kind == "M":
            return "U" if self.used("state as argument", 0.2) else self.array((2, n))
        if name.kind == "S":
            if self.used("real numbers as arguments", 0.3):
                return random.choice(["0.75", "numpy.float32(0.5)", "2"])
            return f"{self.first}[0]" if self.first and self.used("views as arguments", 0.2) else self.array(())
        if name.kind == "A":
            return self.array(random.choice([(0,), (2, 0), (1,), (2, 2)]))
        if name.kind == "I":
            return f"np.array({[random.randint(0, 2) for _ in range(n)]}, dtype='{random.choice(['int32', 'int64'])}')"
        if name.kind == "list":
            return f"[{self.vector(True)}, {self.vector(True)}]".replace(
                "numpy.array", "np.array"
            )  # in place, only arguments are wrapped
        if name.kind == "model":
            return random.choice(["MODEL", "MODEL", "Model(np.ones(3))", "Model(W)"])
        choices = {
            "i": ["0", "1", "2", "2", "3", "True"],
            "f": ["0.5", "0.25", "-1.0", "0.1", "2"],
            "b": ["True", "False"],
        }
        return random.choice(choices[name.kind])

    def vector(self, contained: bool = False) -> str:
        """An argument, or an element of one; the first may be named, that others may be the same array, or views."""
        random = self.draws.random
        if self.first and self.used("aliased arguments", 0.4):
            return self.first
        if self.first and self.used("views as arguments", 0.3):
            return self.first + random.choice(["[:]", "[::-1]", "[:1]", " + 0"])
        if not contained and self.used("shared memory", 0.4):
            return random.choice(["HOST", "HOST[:2]", "HOST[1:]", "HOST[::-1]", "np.asarray(HOST)", "HOST[:]"])
        if self.used("state as argument", 0.2):
            state = random.choice(
                ["W", "W[:]", "U[0]", "ITEMS[0]", "TABLE['a']", "MODEL.w", "MODEL.child.w", "W[::-1]"]
            )
            return f"np.asarray({state})" if contained else state
        if self.used("0-d arguments", 0.15):
            return random.choice(["0.5", "2", "np.array(0.25)", "[0.5, 1.0, -1.0]", "True"])
        text = self.array((self.shape,))
        # In containers, NumPy's arrays stay what they are where the function is not compiled.
        if not self.first and text.startswith("np.") and self.draws.chance(0.6):
            self.first = self.draws.fresh("given")
            self.lines.append(f"{self.first} = {text}")
            return self.first
        return text

    def between(self, target: str) -> None:
        """Something changes outside."""
        text = "\n".join(self.lines)
        f, v = self.random.choice(["0.25", "1.5", "-0.5"]), self.array((3,))
        if self.used("structure changed outside", 0.5):
            changes = changes_of_structure(v)
        elif self.used("state changed outside", 0.7):
            changes = changes_of_state(f, v)
        elif self.used("weights rebound outside", 0.7):
            changes = other_weights(v, self.array((2,)), self.array((2, 3)))
        else:
            if target == "f" and "def change" in text:
                self.lines.append(f"change({v}, {self.random.randint(0, 3)}, {self.random.choice(['True', 'False'])})")
            return
        self.lines.append(self.random.choice([one for one in changes if is_named(one, text)] or changes))
