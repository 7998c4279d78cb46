"""``dopegraph.numpy.random``: random numbers from one seeded state, or from generators with one of their own.

They are the same eagerly and compiled, on every CPU backend, float32 by default. Each draw takes the state's key and
advances it; in a compiled function the state is read and written like any other array. The functions are methods of a
`RandomState`; `Generator` has the same distributions, with the signatures of NumPy's.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

from numpy.random import SeedSequence

from dopegraph.numpy.placement import placed
from dopegraph.numpy.random.generator import Generator, default_rng
from dopegraph.numpy.random.legacy import RandomState
from dopegraph.numpy.random.state import STATE, BitGenerator, Philox, global_bits

_FUNCTIONS = (
    "beta", "binomial", "bytes", "categorical", "chisquare", "choice", "dirichlet", "exponential", "f", "gamma",
    "geometric", "get_state", "gumbel", "hypergeometric", "laplace", "logistic", "lognormal", "logseries",
    "multinomial", "multivariate_normal", "negative_binomial", "noncentral_chisquare", "noncentral_f", "normal",
    "pareto", "permutation", "poisson", "power", "rand", "randint", "randn", "random", "random_sample", "rayleigh",
    "seed", "set_state", "shuffle", "standard_cauchy", "standard_exponential", "standard_gamma", "standard_normal",
    "standard_t", "triangular", "uniform", "vonmises", "wald", "weibull", "zipf",
)  # fmt: skip

# What NumPy has and this module has not, and why.
LEFT_OUT = {
    "random_integers": "NumPy took it back; use randint(low, high + 1)",
    "get_bit_generator": "the state of the functions is always a Philox; see get_state",
    "set_bit_generator": "the state of the functions is always a Philox; see set_state",
    **dict.fromkeys(
        ("MT19937", "PCG64", "PCG64DXSM", "SFC64"),
        "their numbers depend on a hidden state, which graphs cannot read and write; use Philox or default_rng(seed)",
    ),
}


# Numbers are drawn where the arrays among the parameters are.
for _kind in (Generator, RandomState):
    for _name in dir(_kind):
        if not _name.startswith("_") and isinstance(getattr(_kind, _name), FunctionType):
            setattr(_kind, _name, placed(getattr(_kind, _name)))


def _function(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def function(*args: Any, **kwargs: Any) -> Any:
        return method(*args, **kwargs)

    function.__module__, function.__qualname__ = __name__, name
    function.__signature__ = inspect.signature(method)  # type: ignore[attr-defined]
    return function


def _functions() -> dict[str, Callable[..., Any]]:
    state = RandomState(global_bits())
    return {name: _function(name, getattr(state, name)) for name in _FUNCTIONS}


globals().update(_functions())
ranf = sample = globals()["random_sample"]

__all__ = [
    *_FUNCTIONS, "STATE", "BitGenerator", "Generator", "Philox", "RandomState", "SeedSequence", "default_rng", "ranf",
    "sample",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    reason = LEFT_OUT.get(name)
    raise AttributeError(f"dopegraph.numpy.random has no {name}" + (f": {reason}" if reason else ""))
