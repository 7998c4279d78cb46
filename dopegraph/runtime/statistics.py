"""Counts what ran where: primitives by engine, calls of NumPy's functions on the host, fallbacks with their reasons.

`dopegraph.op_stats` is what MinPy's ``show_op_stat`` was. Those who run things ask `recorders` first, an empty list
unless somebody counts; operations take no shortcuts then.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dopegraph.runtime.direct import hold, release

ENGINES = ("mxnet", "numpy", "codegen")

recorders: list[OpStats] = []
"""Those who are counting now, each in its thread."""


@dataclass(eq=False)
class OpStats:
    """Counts what a thread runs where, between `start` and `stop` or inside a ``with`` block.

    Attributes
    ----------
    mxnet, numpy, codegen : Counter of str
        How often each primitive ran on the engine (the last is generated code), eagerly and as a node of a compiled
        graph (after its optimization).
    host : Counter of str
        Calls of NumPy's functions for which there is no primitive.
    fallbacks : Counter
        Nodes of graphs that NumPy ran although MXNet was preferred, with `operation`, `reason`, `detail` and
        `location` as `dopegraph.explain` has them; they are counted in `numpy`, too.
    programs : int
        How many compiled graphs were run.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> with dopegraph.policy("only_numpy"), dopegraph.op_stats() as stats:
    ...     x = np.exp(np.ones(3)) + 1
    >>> stats.numpy["exp"], stats.numpy["add"], stats.total
    (1, 1, 2)
    """

    mxnet: Counter[str] = field(default_factory=Counter)
    numpy: Counter[str] = field(default_factory=Counter)
    codegen: Counter[str] = field(default_factory=Counter)
    host: Counter[str] = field(default_factory=Counter)
    fallbacks: Counter[Any] = field(default_factory=Counter)
    programs: int = 0
    _thread: int | None = field(default=None, repr=False)

    def start(self) -> OpStats:
        """Count from now on what this thread runs."""
        if self._thread is None:
            self._thread = threading.get_ident()
            hold()
            recorders.append(self)
        return self

    def stop(self) -> OpStats:
        """Count no longer; the counts stay."""
        if self._thread is not None:
            if self._thread != threading.get_ident():
                raise RuntimeError("op_stats: stop() belongs into the thread that called start()")
            self._thread = None
            release()
            recorders[:] = [one for one in recorders if one is not self]
        return self

    def reset(self) -> None:
        """Begin again at zero."""
        for counter in (self.mxnet, self.numpy, self.codegen, self.host, self.fallbacks):
            counter.clear()
        self.programs = 0

    def __enter__(self) -> OpStats:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def total(self) -> int:
        """All that was counted, host calls included."""
        return sum(sum(counter.values()) for counter in (self.mxnet, self.numpy, self.codegen, self.host))

    def __str__(self) -> str:
        """The counts as a table, the most frequent first."""
        shares = [("MXNet", self.mxnet), ("NumPy", self.numpy), ("host calls", self.host)]
        if self.codegen:
            shares.insert(0, ("C kernels", self.codegen))
        whole = max(self.total, 1)
        lines = [f"{self.total} operations, {self.programs} runs of compiled graphs"]
        for title, counter in shares:
            count = sum(counter.values())
            lines.append(f"{title:<12}{count:>10}{100 * count / whole:>7.1f} %")
            lines += [f"  {name:<24}{times:>8}" for name, times in _sorted(counter)]
        if self.fallbacks:
            lines.append("fallbacks to NumPy")
            counted = sorted(self.fallbacks.items(), key=lambda item: (-item[1], item[0].operation))
            lines += [f"  {times:>8} x {one}" for one, times in counted]
        return "\n".join(lines)

    def show(self) -> None:
        """Print the table."""
        print(self)


def _sorted(counter: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))


def op_stats() -> OpStats:
    """A new counter of what runs where; count with ``with``, or between its `start` and `stop`.

    See Also
    --------
    dopegraph.explain : where and why one function falls back.
    """
    return OpStats()


def count(engine: str, names: Iterable[str]) -> None:
    """Primitives ran on an engine."""
    for one in _mine():
        getattr(one, engine).update(names)


def count_host_call(name: str) -> None:
    """A function of NumPy ran on the host."""
    for one in _mine():
        one.host[name] += 1


def count_program(by_engine: dict[str, Counter[str]], fallbacks: Iterable[Any]) -> None:
    """A compiled graph ran: its primitives by engine, and those of them that MXNet lacks."""
    for one in _mine():
        one.programs += 1
        for engine, names in by_engine.items():
            getattr(one, engine).update(names)
        one.fallbacks.update(fallbacks)


def _mine() -> list[OpStats]:
    thread = threading.get_ident()
    return [one for one in recorders if one._thread == thread]
