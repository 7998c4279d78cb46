"""Names that a random program may use where a statement stands, and expressions over them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from random import Random

from tests.fuzz.expressions import EXPRESSIONS, LITERALS, PYTHON_CONDITIONS, SMOOTH, VALUE_CONDITIONS

ARRAYS = ("V", "M", "P", "S", "A", "I", "B", "Z")
ALWAYS = {"arithmetic", "numbers"}


@dataclass(frozen=True)
class Name:
    """A name or a path such as ``self.w``, what it stands for, and how it can be assigned to.

    `binding` is "local", "global", "nonlocal" (which need a declaration), "path" (which needs none) or None.
    """

    text: str
    kind: str
    binding: str | None = "local"


class Draws:
    """What all parts of one program share: the source of chance, the constructs it may use, and those it used."""

    def __init__(self, random: Random, constructs: frozenset[str]) -> None:
        self.random = random
        self.constructs = constructs | ALWAYS
        self.used: Counter[str] = Counter()
        self.inside_part = False  # of the function that others call, which must not call itself
        self._numbers: Counter[str] = Counter()

    def has(self, construct: str) -> bool:
        """Whether the program may use a construct; it is counted when it does."""
        return construct in self.constructs

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def fresh(self, stem: str) -> str:
        """A name that nothing else in the program has."""
        self._numbers[stem] += 1
        return f"{stem}{self._numbers[stem]}"


class Scope:
    """The names that are visible at one place of a program."""

    def __init__(self, draws: Draws, names: list[Name]) -> None:
        self.draws = draws
        self.names = list(names)

    def copy(self) -> Scope:
        return Scope(self.draws, self.names)

    def add(self, text: str, kind: str, binding: str | None = "local") -> str:
        self.names.append(Name(text, kind, binding))
        return text

    def of(self, *kinds: str) -> list[Name]:
        return [name for name in self.names if name.kind in kinds]

    def pick(self, *kinds: str) -> Name | None:
        """A name of one of the kinds, recent ones more often."""
        found = self.of(*kinds)
        return self.draws.random.choice([*found, *found[-2:]]) if found else None

    def assignable(self, *kinds: str) -> Name | None:
        found = [name for name in self.of(*kinds) if name.binding is not None]
        return self.draws.random.choice(found) if found else None

    # Expressions -------------------------------------------------------------------------------------------------

    def expression(self, kind: str, depth: int = 2) -> str:
        """Python of a kind."""
        random = self.draws.random
        if kind == "c":
            return f"({self.condition(depth)})"
        if kind == "q":
            return f"({self.fill(random.choice(PYTHON_CONDITIONS), 0)})"
        if kind == "k":
            return random.choice("0123")
        tables = {name: rows for name, rows in EXPRESSIONS.get(kind, {}).items() if self.draws.has(name)}
        if tables and depth > 0 and random.random() < 0.75:
            name = random.choice(list(tables))
            self.draws.used[name] += 1
            text = self.fill(random.choice(tables[name]), depth - 1)
            return f"({text})" if depth < 2 else text
        return self.leaf(kind)

    def leaf(self, kind: str) -> str:
        """A name, or a literal; for any array, a name of any kind of array."""
        random = self.draws.random
        name = self.pick(*("V", "M", "P", "S", "A") if kind == "A" else kind)
        if name is not None and random.random() < 0.9:
            return name.text
        text = random.choice(LITERALS[kind])
        return f"({text})" if text.startswith("-") else text

    def fill(self, template: str, depth: int) -> str:
        """A template with expressions in its places."""
        return re.sub(r"\{([A-Za-z])\}", lambda match: self.expression(match.group(1), depth), template)

    def condition(self, depth: int = 1) -> str:
        """Something that Python decides by looking at a value."""
        return self.fill(self.draws.random.choice(VALUE_CONDITIONS), depth)

    def python_condition(self) -> str:
        return self.fill(self.draws.random.choice(PYTHON_CONDITIONS), 0)

    def smooth(self, variable: str) -> str:
        """A smooth function of a variable."""
        random = self.draws.random
        text = variable
        for _ in range(random.randint(1, 3)):
            text = self.fill(random.choice(SMOOTH).replace("{v}", f"({text})"), 0)
        return text
