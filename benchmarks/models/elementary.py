"""Operations by themselves: elementwise chains, softmax, reductions, products of matrices, random numbers.

Results are arrays; JAX and MXNet are waited for. PyTorch's eager form allocates, as everyone's does.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from benchmarks.data import normal
from benchmarks.engines.gluon import load
from benchmarks.engines.ours import compiled
from benchmarks.problem import OURS, OURS_TOO, Make, Problem

SIZES = (10**3, 10**5, 10**7)
MATRICES = ((32, 256, 1024), (64, 784, 256), (512, 512, 512), (1024, 1024, 1024))


def square(size: int) -> tuple[int, int]:
    """About `size` elements in rows of 100."""
    return size // 100, 100


# Bodies in the names that NumPy, JAX, autograd and (with `dim`) PyTorch share.
def chain(np: Any, x: Any) -> Any:
    """Four operations without a function of a library: what is measured is memory."""
    return np.abs(x * 2 + 1) - x


def functions(np: Any, x: Any) -> Any:
    return np.log1p(np.exp(np.tanh(x) * 2 + 1)) * x - np.sin(x)


def softmax(np: Any, x: Any) -> Any:
    """As the book writes it; PyTorch and MXNet have their own."""
    if hasattr(np, "softmax"):
        return np.softmax(x)
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def total(np: Any, x: Any) -> Any:
    return np.sum(x * x)


def columns(np: Any, x: Any) -> Any:
    return np.mean(x, axis=0)


BODIES: dict[str, tuple[str, Callable[..., Any], Callable[[int], tuple[int, ...]]]] = {
    "chain": ("|2x+1|-x", chain, lambda size: (size,)),
    "functions": ("log1p(exp(tanh(x)*2+1))*x-sin(x)", functions, lambda size: (size,)),
    "softmax": ("softmax of rows of 100", softmax, square),
    "sum": ("sum of squares", total, lambda size: (size,)),
    "columns": ("mean over 100 columns", columns, square),
}


class TorchNames:
    """NumPy's names for PyTorch's functions."""

    def __init__(self) -> None:
        import torch

        self.abs, self.exp, self.log1p, self.tanh, self.sin = torch.abs, torch.exp, torch.log1p, torch.tanh, torch.sin

    @staticmethod
    def softmax(x: Any) -> Any:
        return x.softmax(1)

    @staticmethod
    def sum(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        return x.sum() if axis is None else x.sum(axis, keepdim=keepdims)

    @staticmethod
    def mean(x: Any, axis: int) -> Any:
        return x.mean(axis)


class MXNames(TorchNames):
    """NumPy's names for MXNet's operators, imperative or symbolic."""

    def __init__(self, F: Any) -> None:
        self.abs, self.exp, self.log1p, self.tanh, self.sin = F.abs, F.exp, F.log1p, F.tanh, F.sin
        self.dot = F.dot

    @staticmethod
    def softmax(x: Any) -> Any:
        return x.softmax(axis=1)

    @staticmethod
    def sum(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        return x.sum() if axis is None else x.sum(axis=axis, keepdims=keepdims)

    @staticmethod
    def mean(x: Any, axis: int) -> Any:
        return x.mean(axis=axis)


def of_arrays(body: Callable[..., Any], arrays: Callable[[], list[Any]]) -> dict[str, Make]:
    """Contestants for a function of (np, *arrays)."""
    return {
        OURS: functools.partial(ours, body, arrays),
        OURS_TOO[0]: functools.partial(ours, body, arrays, codegen="never"),
        OURS_TOO[1]: functools.partial(ours, body, arrays, policy="only_numpy"),
        "NumPy": functools.partial(with_numpy, body, arrays),
        "JAX jit": functools.partial(jax, body, arrays),
        "PyTorch": functools.partial(torch, body, arrays),
        "PyTorch compile": functools.partial(torch, body, arrays, is_compiled=True),
        "Gluon hybridized": functools.partial(gluon, body, arrays),
    }


def ours(body: Any, arrays: Any, policy: str = "prefer_mxnet", codegen: str = "auto") -> Any:
    def make(dopegraph: Any, np: Any) -> Any:
        function, given = dopegraph.compile(functools.partial(body, np)), [np.array(one) for one in arrays()]
        return lambda: function(*given)

    return compiled(make, policy, codegen)


def with_numpy(body: Any, arrays: Any) -> Any:
    import numpy

    given = arrays()
    return lambda: body(numpy, *given)


def jax(body: Any, arrays: Any) -> Any:
    import jax

    function, given = jax.jit(functools.partial(body, jax.numpy)), [jax.numpy.asarray(one) for one in arrays()]
    return lambda: function(*given).block_until_ready()


def torch(body: Any, arrays: Any, is_compiled: bool = False) -> Any:
    import torch

    names, given = TorchNames(), [torch.tensor(one) for one in arrays()]

    def function(*given: Any) -> Any:
        return body(names, *given)

    called = torch.compile(function) if is_compiled else function
    return lambda: called(*given)


def gluon(body: Any, arrays: Any) -> Any:
    mx = load()

    class Function(mx.gluon.HybridBlock):  # type: ignore[misc, name-defined]
        def hybrid_forward(self, F: Any, *given: Any) -> Any:
            return body(MXNames(F), *given)

    block, given = Function(), [mx.nd.array(one) for one in arrays()]
    block.hybridize(static_alloc=True, static_shape=True)

    def step() -> Any:
        result = block(*given)
        result.wait_to_read()
        return _Read(result)

    return step


class _Read:
    """An array of MXNet's that NumPy can read when somebody looks at it."""

    def __init__(self, result: Any) -> None:
        self.result = result

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.result.asnumpy().astype(dtype or "float32")


def random_contestants(size: int) -> dict[str, Make]:
    return {
        OURS: functools.partial(random_ours, size),
        OURS_TOO[1]: functools.partial(random_ours, size, policy="only_numpy"),
        "NumPy": functools.partial(random_numpy, size),
        "JAX jit": functools.partial(random_jax, size),
        "PyTorch": functools.partial(random_torch, size),
        "MXNet": functools.partial(random_mxnet, size),
    }


def random_ours(size: int, policy: str = "prefer_mxnet") -> Any:
    def make(dopegraph: Any, np: Any) -> Any:
        return dopegraph.compile(lambda: np.random.normal(1, 1, size=size))

    return compiled(make, policy)


def random_numpy(size: int) -> Any:
    import numpy

    generator = numpy.random.default_rng(0)
    return lambda: generator.standard_normal(size, dtype=numpy.float32) + numpy.float32(1)


def random_jax(size: int) -> Any:
    import jax

    key = jax.random.key(0)

    @jax.jit
    def draw(key: Any) -> Any:
        key, now = jax.random.split(key)
        return key, 1 + jax.random.normal(now, (size,))

    def step() -> Any:
        nonlocal key
        key, drawn = draw(key)
        return drawn.block_until_ready()

    return step


def random_torch(size: int) -> Any:
    import torch

    return lambda: torch.normal(1.0, 1.0, (size,))


def random_mxnet(size: int) -> Any:
    mx = load()

    def step() -> Any:
        drawn = mx.nd.random.normal(1, 1, shape=(size,))
        drawn.wait_to_read()
        return _Read(drawn)

    return step


def vector(shape: tuple[int, ...]) -> list[Any]:
    return [normal("elementary", *shape)]


def factors(m: int, k: int, n: int) -> list[Any]:
    return [normal("left", m, k), normal("right", k, n)]


def product(np: Any, x: Any, y: Any) -> Any:
    return np.dot(x, y) if isinstance(np, MXNames) else x @ y


def power(size: int) -> str:
    return f"1e{len(str(size)) - 1}"


PROBLEMS = [
    Problem(
        f"{name}/{power(size)}", f"{title}, {power(size)} elements",
        of_arrays(body, functools.partial(vector, shape(size))),
    )
    for name, (title, body, shape) in BODIES.items()
    for size in SIZES
] + [
    Problem(
        f"matmul/{m}x{k}x{n}", f"Product {m}x{k} by {k}x{n}", of_arrays(product, functools.partial(factors, m, k, n)),
    )
    for m, k, n in MATRICES
] + [
    Problem(f"random/{power(size)}", f"{power(size)} normal numbers", random_contestants(size), tolerance=0.2)
    for size in SIZES
]  # fmt: skip
