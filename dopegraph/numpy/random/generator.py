"""`Generator`: NumPy's present interface to random numbers, on a state of its own; `default_rng` makes one."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.numpy.assign import finish
from dopegraph.numpy.random.arguments import floating, into, shape_for
from dopegraph.numpy.random.distributions import Distributions, bits_of
from dopegraph.numpy.random.permuting import children
from dopegraph.numpy.random.state import Philox
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located


class Generator(Distributions):
    """Random numbers with a state of their own; made by `default_rng`.

    The state is an array: a compiled function that reaches a generator draws other numbers at every call, the same as
    it would uncompiled.

    Parameters
    ----------
    bit_generator : Philox

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> rng = np.random.default_rng(3)
    >>> x = rng.normal(size=(2, 3))
    >>> x.shape, x.dtype
    ((2, 3), dtype('float32'))
    """

    def __init__(self, bit_generator: Philox) -> None:
        if isinstance(bit_generator, type) or not isinstance(bit_generator, (Philox, numpy.random.BitGenerator)):
            raise DTypeError(located("random.Generator: takes a Philox; see default_rng for seeds", here()))
        super().__init__(bits_of(bit_generator, "Generator"))

    @property
    def bit_generator(self) -> Philox:
        """The `Philox` that numbers are drawn from."""
        return self._bits

    def spawn(self, n_children: int) -> list[Generator]:
        """New generators whose numbers do not depend on those of this one; others at every call."""
        return [Generator(bits) for bits in self._bits.spawn(children("spawn", n_children))]

    def random(self, size: Any = None, dtype: Any = None, out: ndarray | None = None) -> ndarray:
        """Uniform numbers in [0, 1)."""
        size, dtype = into("random", out, size, dtype)
        shape, chosen = shape_for("random", size), floating("random", dtype)
        return finish(self._draw(ops.random_uniform, shape=shape, dtype=chosen), out)

    def standard_normal(self, size: Any = None, dtype: Any = None, out: ndarray | None = None) -> ndarray:
        """Normal numbers of mean 0 and standard deviation 1."""
        size, dtype = into("standard_normal", out, size, dtype)
        return finish(self._normal("standard_normal", 0, 1, () if size is None else size, dtype), out)

    def standard_exponential(
        self, size: Any = None, dtype: Any = None, method: str = "zig", out: ndarray | None = None
    ) -> ndarray:
        """Exponential numbers of mean 1; by the inverse distribution function, whatever `method` says."""
        if method not in ("zig", "inv"):
            raise ValueError(located("random.standard_exponential: method must be 'zig' or 'inv'", here()))
        size, dtype = into("standard_exponential", out, size, dtype)
        shape = shape_for("standard_exponential", size)
        return finish(self._standard_exponential(shape, floating("standard_exponential", dtype)), out)

    def standard_gamma(self, shape: Any, size: Any = None, dtype: Any = None, out: ndarray | None = None) -> ndarray:
        """Gamma numbers of scale 1; see `gamma`."""
        size, dtype = into("standard_gamma", out, size, dtype)
        return finish(self._standard_gamma(shape, size, dtype), out)

    def integers(
        self, low: Any, high: Any = None, size: Any = None, dtype: Any = numpy.int64, endpoint: bool = False
    ) -> ndarray:
        """Uniform integers in [low, high), or in [low, high] with `endpoint`; from 0 on if `high` is not given.

        Examples
        --------
        >>> import dopegraph.numpy as np
        >>> rolls = np.random.default_rng(1).integers(1, 6, 1000, endpoint=True)
        >>> int(rolls.min()), int(rolls.max())
        (1, 6)
        """
        return self._integers("integers", low, high, size, dtype, bool(endpoint))

    def multivariate_hypergeometric(
        self, colors: Any, nsample: int, size: Any = None, method: str = "marginals"
    ) -> ndarray:
        """How many of each colour are among `nsample` items drawn without putting back.

        Parameters
        ----------
        colors : array_like of int, shape (k,)
            How many items of each colour there are.
        nsample : int
        size : int or tuple of int, optional
        method : {"marginals", "count"}

        Returns
        -------
        ndarray
            Of int64 and shape ``(*size, k)``.
        """
        return self._multivariate_hypergeometric(colors, nsample, size, method)

    def multivariate_normal(
        self, mean: Any, cov: Any, size: Any = None, check_valid: str = "warn", tol: float = 1e-8, *,
        method: str = "svd",
    ) -> ndarray:  # fmt: skip
        """Normal vectors of a mean of shape (n,) and a covariance of shape (n, n).

        Parameters
        ----------
        mean : array_like of float, shape (n,)
            Has derivatives.
        cov : array_like of float, shape (n, n)
        size : int or tuple of int, optional
        check_valid : {"warn", "raise", "ignore"}
            What to do about a covariance that is known, and none.
        tol : float
        method : {"svd", "eigh", "cholesky"}
            How the covariance is factored.

        Returns
        -------
        ndarray
            Of shape ``(*size, n)``.
        """
        return self._multivariate_normal(mean, cov, size, check_valid, tol, method)

    def permutation(self, x: Any, axis: int = 0) -> ndarray:
        """The integers below a number, or an array with its slices along an axis in random order."""
        return self._permutation(x, axis)

    def shuffle(self, x: Any, axis: int = 0) -> None:
        """Put the slices of an array along an axis, or the items of a list, in random order, in place."""
        self._shuffle(x, axis)

    def permuted(self, x: Any, *, axis: int | None = None, out: ndarray | None = None) -> ndarray:
        """The elements in random order: of the whole array, or along an axis in another order for each slice."""
        return self._permuted(x, axis, out)

    def choice(
        self, a: Any, size: Any = None, replace: bool = True, p: Any = None, axis: int = 0, shuffle: bool = True
    ) -> ndarray:
        """Slices of an array along an axis, or integers below a number, drawn at random.

        Parameters
        ----------
        a : int or array_like
        size : int or tuple of int, optional
        replace : bool, optional
            Whether one can be drawn twice.
        p : array_like of float, optional
            Probabilities; they must sum to 1.
        axis : int, optional
        shuffle : bool, optional
            Taken for NumPy's sake: the order is always random.
        """
        return self._choice(a, size, replace, p, axis)


def default_rng(seed: Any = None) -> Generator:
    """A generator with a state of its own.

    Parameters
    ----------
    seed : int, sequence of int, SeedSequence, Philox, Generator or RandomState, optional
        From the operating system by default. A generator is returned as it is; with a `Philox` or a `RandomState` the
        new one shares the state.

    Returns
    -------
    Generator

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> first, second = np.random.default_rng(5), np.random.default_rng(5)
    >>> bool((first.normal(size=3) == second.normal(size=3)).all())
    True
    """
    if isinstance(seed, Generator):
        return seed
    return Generator(bits_of(seed, "default_rng"))
