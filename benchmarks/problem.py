"""What is measured: a problem names its contestants; `training` makes them of one loss function for each library."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

# A step does the work once and returns what must be the same for all: a loss, or arrays.
Step = Callable[[], Any]
Make = Callable[[], Step]

OURS = "dopegraph"
# Other ways to run the same code of ours; they take no part in the comparison with the peers.
OURS_TOO = ("dopegraph, MXNet symbols", "dopegraph, NumPy")


@dataclass(frozen=True)
class Problem:
    """One row of the table.

    Attributes
    ----------
    contestants : dict
        By name a function that makes the step; it runs in a process of its own.
    optional : tuple of str
        Contestants that take part only when they are asked for, as they need minutes to compile.
    repeat : int
        How often a step does what is reported.
    tolerance : float
        Relative difference from the median of all at which a contestant is said to compute something else.
    """

    name: str
    title: str
    contestants: dict[str, Make] = field(compare=False)
    optional: tuple[str, ...] = ()
    repeat: int = 1
    tolerance: float = 1e-3

    def smaller(self, names: Iterable[str]) -> Problem:
        """The same with those contestants only."""
        chosen = {name: self.contestants[name] for name in names if name in self.contestants}
        return Problem(self.name, self.title, chosen, (), self.repeat, self.tolerance)


@dataclass(frozen=True)
class Training:
    """A model that is trained by steps of SGD.

    Attributes
    ----------
    parameters, data : callable
        The NumPy arrays a step starts from: a list of parameters, and a list of arrays of one batch.
    naive : callable
        ``naive(np, nn, params, *data)``: the loss as NumPy code, as the book writes it. `nn` has conv, max_pool,
        avg_pool, sigmoid, relu, log_softmax for each library (`benchmarks/engines`).
    jax, torch : callable
        ``jax(jax, params, *data)``, ``torch(torch, params, *data)``: the loss in the library's own fast form.
    torch_naive : callable
        The book's code in PyTorch's words, where the fast form is something else.
    gluon : callable
        ``gluon(mx)``: a hybrid block of the data that gives the loss, and the arrays of its parameters in order.
    autograd : bool
        Whether HIPS autograd can run `naive`.
    """

    parameters: Callable[[], list[Any]]
    data: Callable[[], list[Any]]
    naive: Callable[..., Any]
    rate: float
    jax: Callable[..., Any] | None = None
    torch: Callable[..., Any] | None = None
    torch_naive: Callable[..., Any] | None = None
    gluon: Callable[..., Any] | None = None
    autograd: bool = True
    torch_data: Callable[[], list[Any]] | None = None
    gluon_data: Callable[[], list[Any]] | None = None
    compiles: bool = True  # whether torch.compile is asked to compile the fast form

    def contestants(self) -> dict[str, Make]:
        """A contestant for each library that has a form of the model."""
        from benchmarks.engines import gluon, hips, jax, ours, torch

        found: dict[str, Make] = {
            OURS: functools.partial(ours.training, self),
            OURS_TOO[0]: functools.partial(ours.training, self, codegen="never"),
            OURS_TOO[1]: functools.partial(ours.training, self, policy="only_numpy"),
            "JAX jit": functools.partial(jax.training, self),
        }
        if self.jax is not None:
            found["JAX jit, naive"] = functools.partial(jax.training, self, naive=True)
        if self.torch is not None:
            found["PyTorch"] = functools.partial(torch.training, self)
            if self.compiles:
                found["PyTorch compile"] = functools.partial(torch.training, self, compiled=True)
        if self.torch_naive is not None:
            found["PyTorch, naive"] = functools.partial(torch.training, self, naive=True)
            found["PyTorch compile, naive"] = functools.partial(torch.training, self, naive=True, compiled=True)
        if self.gluon is not None:
            found["Gluon hybridized"] = functools.partial(gluon.training, self)
        if self.autograd:
            found["HIPS autograd"] = functools.partial(hips.training, self)
        return found


def modules() -> Sequence[str]:
    """Names of the modules in `benchmarks/models`, in alphabetic order."""
    import benchmarks.models

    return sorted(one.name for one in pkgutil.iter_modules(benchmarks.models.__path__))


def problems(names: Iterable[str] = ()) -> list[Problem]:
    """All problems, or those whose name, group (the part before the slash) or module is given."""
    by_module = {name: importlib.import_module(f"benchmarks.models.{name}").PROBLEMS for name in modules()}
    everything = [one for group in by_module.values() for one in group]
    chosen: dict[str, Problem] = {}
    for name in names:
        found = [one for one in everything if one.name == name or one.name.startswith(f"{name}/")]
        found = found or by_module.get(name, [])
        if not found:
            raise SystemExit(f"no benchmark is named {name}; there are: {', '.join(one.name for one in everything)}")
        chosen.update((one.name, one) for one in found)
    return list(chosen.values()) or everything


def problem(name: str) -> Problem:
    """The problem of that name."""
    return next(one for one in problems() if one.name == name)
