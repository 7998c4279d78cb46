"""Statements of random programs: one method for each construct, which writes its lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable, Optional

from tests.fuzz.scope import ARRAYS, Draws, Name, Scope

# Where the derivative is taken at once, what refuses values raises its error at the end, not where Python catches it.
REFUSING = frozenset(["try", "gathering", "context manager", "helper"])

Construct = Callable[["Body"], Optional[bool]]
STATEMENTS: list[tuple[str, int, Construct]] = []


def statement(construct: str, weight: int = 2) -> Callable[[Construct], Construct]:
    """Register a method: for programs with a construct; it returns False when it cannot be used here."""

    def register(function: Construct) -> Construct:
        STATEMENTS.append((construct, weight, function))
        return function

    return register


class Body:
    """The body of one function."""

    def __init__(self, draws: Draws, scope: Scope, depth: int = 0, helpers: list[str] | None = None) -> None:
        self.draws = draws
        self.random = draws.random
        self.scope = scope
        self.lines: list[str] = []
        self.indent = 1
        self.depth = depth
        self.loops = 0
        self.helpers = helpers if helpers is not None else []
        self.declared: dict[str, str] = {}

    # Writing -----------------------------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        self.lines.append("    " * self.indent + text)

    def fill(self, template: str, depth: int = 1) -> str:
        return self.scope.fill(template, depth)

    def expression(self, kind: str, depth: int = 2) -> str:
        return self.scope.expression(kind, depth)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """An indented block; names that it makes are forgotten after it."""
        self.line(head)
        outer, self.scope = self.scope, self.scope.copy()
        self.indent += 1
        self.depth += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.line("pass")
        self.indent -= 1
        self.depth -= 1
        self.scope = outer

    def statements(self, count: int) -> None:
        for _ in range(count):
            self.one()

    def one(self, without: frozenset[str] = frozenset()) -> None:
        """Any statement."""
        fitting = [
            (construct, weight, write)
            for construct, weight, write in STATEMENTS
            if self.draws.has(construct) and construct not in without
        ]
        for _ in range(5):
            construct, _, write = self.random.choices(fitting, [weight for _, weight, _ in fitting])[0]
            before = len(self.lines)
            if write(self) is not False:
                self.draws.used[construct] += 1
                return
            del self.lines[before:]

    def new(self, kind: str, expression: str) -> str:
        """A new variable."""
        name = self.draws.fresh(kind.lower())
        self.line(f"{name} = {expression}")
        return self.scope.add(name, kind)

    def assign(self, name: Name, expression: str, operator: str = "=") -> None:
        """Assign to a variable that is there."""
        if name.binding in ("global", "nonlocal"):
            self.declared[name.text] = name.binding
        self.line(f"{name.text} {operator} {expression}")

    def text(self, head: str, indent: int = 0, result: str = "") -> list[str]:
        """The whole function."""
        lines = [head]
        for binding in ("global", "nonlocal"):
            names = sorted(name for name, kind in self.declared.items() if kind == binding)
            if names:
                lines.append(f"    {binding} {', '.join(names)}")
        lines += self.lines
        if result:
            lines.append(f"    return {result}")
        return ["    " * indent + line for line in lines]

    def nested(self, head: str, write: Callable[[Body], str], names: list[Name]) -> None:
        """A function inside this one: it sees what is visible here, and may rebind it if it says so."""
        seen = [Name(n.text, n.kind, {"local": None}.get(n.binding or "", n.binding)) for n in self.scope.names]
        inner = Body(self.draws, Scope(self.draws, [*seen, *names]), self.depth + 1, self.helpers)
        result = write(inner)
        for line in inner.text(head, self.indent, result):
            self.lines.append(line)

    # Assignments and writes --------------------------------------------------------------------------------------

    @statement("arithmetic", 8)
    def new_variable(self) -> None:
        kind = self.random.choices(["V", "S", "M", "P", "I", "B", "A", "Z"], [8, 4, 3, 1, 2, 1, 2, 1])[0]
        self.new(kind, self.expression(kind))

    @statement("arithmetic", 4)
    def rebind_variable(self) -> bool | None:
        name = self.scope.assignable("V", "S", "M")
        if name is None or name.binding in ("global", "nonlocal", "path"):
            return False
        self.assign(name, self.expression(name.kind))
        return None

    @statement("python numbers")
    def new_number(self) -> None:
        kind = self.random.choice("fib")
        self.new(kind, self.expression(kind))

    @statement("alias")
    def alias(self) -> None:
        name = self.scope.pick("V", "M", "S")
        if name is not None:
            self.new(name.kind, name.text)

    @statement("views", 3)
    def view(self) -> None:
        kind, template = self.random.choice(
            [("V", "{V}[:]"), ("V", "{V}[::-1]"), ("V", "{M}[0]"), ("P", "{M}[:, 1]"), ("A", "{V}[1:]"), ("A", "{M}.T"),
             ("A", "{M}[:, ::2]"), ("A", "{V}[None]"), ("A", "{V}.reshape(-1, 1)"), ("M", "{M}[::-1]"), ("V",
             "{M}[{i}]"),
             ("A", "{M}.ravel()"), ("A", "{A}[...]"), ("S", "{V}[...][1:][0:1].reshape(())")]
        )  # fmt: skip
        self.new(kind, self.fill(template, 0))

    @statement("writes", 5)
    def write(self) -> None:
        operator = self.random.choice(["=", "=", "+=", "*=", "-="])
        target, kind = self.random.choice(
            [("{V}[0]", "S"), ("{V}[-1]", "f"), ("{V}[1:]", "f"), ("{V}[:]", "V"), ("{V}[...]", "V"), ("{V}[::2]", "f"),
             ("{M}[0]", "V"), ("{M}[:, 1]", "P"), ("{M}[1, 0]", "S"), ("{M}[...]", "V"), ("{V}[::-1]", "V"),
             ("{A}[...]", "f"), ("{M}[0, 1:]", "f"), ("{V}[{i}]", "S"), ("{I}[0]", "i"), ("{V}[1]", "Z"),
             ("{M}.T[0]", "P")]
        )  # fmt: skip
        places = self.fill(target, 0)
        self.line(f"{places} {operator} {self.expression(kind, 1)}")

    @statement("masks")
    def masked_write(self) -> None:
        template = self.random.choice(
            ["{V}[{V} > {t}] = {f}", "{V}[{B}] = {S}", "{V}[{B}] *= 0.5", "{M}[{M} < {t}] = {f}", "{V}[{B}] += {f}"]
        )
        self.line(self.fill(template, 0))

    @statement("gathering")
    def write_at_positions(self) -> None:
        template = self.random.choice(
            ["{V}[{I} % 3] = {f}", "np.add.at({V}, {I} % 3, {f})", "{V}[{Z} % 3] += {S}", "{M}[{Z} % 2] = {V}",
             "{V}[[0, -1]] = {f}", "{V}[{I} % 3] += {V}"]
        )  # fmt: skip
        self.line(self.fill(template, 0))

    @statement("augmented", 3)
    def augmented(self) -> bool | None:
        name = self.scope.assignable("V", "M", "S")
        if name is None:
            return False
        kind = self.random.choice([name.kind, "f", "S"])
        self.assign(name, self.expression(kind, 1), self.random.choice(["+=", "*=", "-=", "+="]))
        return None

    @statement("out=")
    def into_memory(self) -> None:
        template = self.random.choice(
            ["np.add({V}, {V}, out={V})", "np.multiply({V}, {f}, out={M}[0])", "np.tanh({V}, out={V})",
             "np.sum({M}, axis=0, out={V})", "np.copyto({V}, {V})", "{V}.fill({f})", "np.negative({M}, out={M}[::-1])",
             "np.add({V}, 1, out={V}, where={B})"]
        )  # fmt: skip
        self.line(self.fill(template, 0))

    # Control flow ------------------------------------------------------------------------------------------------

    def _branches(self, condition: str) -> None:
        with self.block(f"if {condition}:"):
            self.statements(self.random.randint(1, 2))
        if self.draws.chance(0.3):
            with self.block(f"elif {self.scope.python_condition()}:"):
                self.statements(1)
        if self.draws.chance(0.5):
            with self.block("else:"):
                self.statements(self.random.randint(1, 2))

    @statement("branch on a value", 5)
    def branch_on_a_value(self) -> bool | None:
        if self.depth > 2:
            return False
        self._branches(self.scope.condition())
        return None

    @statement("branch on Python", 4)
    def branch_on_python(self) -> bool | None:
        if self.depth > 2:
            return False
        self._branches(self.scope.python_condition())
        return None

    @statement("while on a value", 3)
    def while_on_a_value(self) -> bool | None:
        if self.loops or self.depth > 2:
            return False
        name = self.scope.assignable("V", "S")
        if name is None:
            return False
        counter = self.draws.fresh("steps")
        self.line(f"{counter} = 0")
        target = name.text if name.kind == "S" else f"{name.text}.sum()"
        test = self.random.choice([f"{target} < 3.37", f"abs({target}) < 4.37", f"{target} > -1.37"])
        step = self.random.choice(["+ 0.61", "- 0.83", "* 1.9", "+ 1"])
        self.loops += 1
        with self.block(f"while {test} and {counter} < {self.random.randint(2, 5)}:"):
            self.line(f"{counter} += 1")
            self.assign(name, f"{name.text} {step}")
            if self.draws.chance(0.5):
                self.one()
            self._leave_loop()
        self.loops -= 1
        return None

    def _leave_loop(self) -> None:
        if self.draws.has("break") and self.draws.chance(0.5):
            self.draws.used["break"] += 1
            value = self.draws.has("branch on a value") and self.draws.chance(0.7)
            condition = self.scope.condition() if value else self.scope.python_condition()
            with self.block(f"if {condition}:"):
                self.line(self.random.choice(["break", "continue"]))

    def _loop(self, head: str, names: list[tuple[str, str]]) -> bool | None:
        if self.loops > 1 or self.depth > 2:
            return False
        self.loops += 1
        with self.block(head):
            for name, kind in names:
                self.scope.add(name, kind)
            self.statements(self.random.randint(1, 2))
            self._leave_loop()
            accumulated = self.scope.assignable("V")
            if accumulated is not None and accumulated.binding == "local":
                self.assign(accumulated, f"{accumulated.text} + {names[-1][0]} * 0.5")
        self.loops -= 1
        return None

    @statement("for over a range", 3)
    def for_range(self) -> bool | None:
        name = self.draws.fresh("i")
        bound = self.random.choice(["2", "3", "1, 3", "abs({i}) % 4", "len({V})"])
        return self._loop(f"for {name} in range({self.fill(bound, 0)}):", [(name, "i")])

    @statement("for over rows", 3)
    def for_rows(self) -> bool | None:
        name, number = self.draws.fresh("row"), self.draws.fresh("i")
        head, names = self.random.choice(
            [
                (f"for {name} in {{M}}:", [(name, "V")]),
                (f"for {number}, {name} in enumerate({{M}}):", [(number, "i"), (name, "V")]),
                (f"for {name} in {{V}}:", [(name, "S")]),
                (f"for {name}, {number} in zip({{V}}, range(2)):", [(number, "i"), (name, "S")]),
            ]
        )
        return self._loop(self.fill(head, 0), names)

    @statement("for over a container", 3)
    def for_container(self) -> bool | None:
        container = self.scope.pick("list", "dict")
        if container is None:
            return False
        name, key = self.draws.fresh("part"), self.draws.fresh("key")
        if container.kind == "list":
            return self._loop(f"for {name} in {container.text}:", [(name, "V")])
        return self._loop(f"for {key}, {name} in sorted({container.text}.items()):", [(name, "V")])

    @statement("for over a value", 2)
    def for_value(self) -> bool | None:
        name = self.draws.fresh("i")
        return self._loop(f"for {name} in range(int(abs({self.expression('S', 0)}) + 0.37) % 4):", [(name, "i")])

    @statement("early return", 2)
    def early_return(self) -> bool | None:
        if self.loops and self.draws.chance(0.5):
            return False
        value = self.draws.has("branch on a value")
        with self.block(f"if {self.scope.condition() if value else self.scope.python_condition()}:"):
            self.line(f"return {self.result()}")
        return None

    @statement("raise", 1)
    def raise_(self) -> None:
        value = self.draws.has("branch on a value")
        with self.block(f"if {self.scope.condition() if value else self.scope.python_condition()}:"):
            error = self.random.choice(
                ["ValueError('too large')", "KeyError('k')", "ZeroDivisionError", "Problem('no')"]
            )
            self.line(f"raise {error}")

    @statement("assert", 1)
    def assert_(self) -> None:
        value = self.draws.has("branch on a value")
        self.line(f"assert {self.scope.condition() if value else self.scope.python_condition()}, 'not so'")

    @statement("try", 3)
    def try_(self) -> bool | None:
        if self.depth > 2:
            return False
        with self.block("try:"):
            self.statements(self.random.randint(1, 2))
            self.line(
                self.fill(
                    self.random.choice(
                        ["{V} @ np.ones(4)", "{V}[7]", "{V}[{I} + 2]", "raise Problem('inside')",
                        "np.linalg.inv(np.zeros((2, 2)))",
                         "TABLE['missing']", "1 / ({i} - 1)", "{V}.nothing", "np.concatenate([{M}, {V}])",
                         "assert {S} > {t}"]
                    ),
                    0,
                )
            )  # fmt: skip
        caught = self.random.choice(["Exception", "(ValueError, IndexError, Problem)", "Problem", "ArithmeticError"])
        with self.block(f"except {caught} as error:"):
            self.statements(1)
            if self.draws.chance(0.2):
                self.line("raise")
        if self.draws.chance(0.3):
            with self.block("finally:"):
                self.statements(1)
        return None

    # What is returned --------------------------------------------------------------------------------------------

    def result(self, depth: int = 2) -> str:
        """A nested container of what is there."""
        kind = self.random.random()
        if depth == 0 or kind < 0.45:
            return self.scope.expression(self.random.choice("VVVSMAIfib"), 1 if depth == 2 else 0)
        parts = [self.result(depth - 1) for _ in range(self.random.randint(1, 3))]
        if kind < 0.7:
            return f"({', '.join(parts)},)"
        if kind < 0.8:
            return f"[{', '.join(parts)}]"
        if kind < 0.9:
            return "{" + ", ".join(f"'{key}': {part}" for key, part in zip("abc", parts)) + "}"
        if self.draws.has("dataclass") and kind < 0.95:
            self.draws.used["dataclass"] += 1
            return f"Point({parts[0]}, {parts[-1]})"
        if self.draws.has("named tuple"):
            self.draws.used["named tuple"] += 1
            return f"Pair({parts[0]}, {parts[-1]})"
        container = self.scope.pick("list", "dict", "model", *ARRAYS)
        return container.text if container is not None else "None"
