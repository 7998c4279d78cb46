"""`Generator` and `RandomState`: objects with a random state of their own, and NumPy's methods."""

from __future__ import annotations

import copy
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.numpy.assign import finish
from dopegraph.numpy.random.arguments import floating, into, shape_for
from dopegraph.numpy.random.continuous import Continuous
from dopegraph.numpy.random.discrete import Discrete
from dopegraph.numpy.random.gammas import Gammas
from dopegraph.numpy.random.permuting import Permuting, children
from dopegraph.numpy.random.state import BitGenerator, Philox
from dopegraph.numpy.random.vectors import Vectors
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located


class Distributions(Continuous, Gammas, Discrete, Permuting, Vectors):
    """What `Generator` and `RandomState` have in common."""

    def __init__(self, bits: Philox) -> None:
        self._bits = bits

    def __copy__(self) -> Any:
        """Another object that goes on drawing from the same state."""
        twin = object.__new__(type(self))
        twin._bits = self._bits
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        twin = object.__new__(type(self))
        twin._bits = copy.deepcopy(self._bits, memo)
        return twin

    def __reduce__(self) -> Any:
        return _restored, (type(self), self._bits)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(Philox)"


def _restored(kind: type, bits: Philox) -> Any:
    made = object.__new__(kind)
    made._bits = bits
    return made


def bits_of(seed: Any, name: str) -> Philox:
    """The bit generator that a seed, or what has one, stands for."""
    if isinstance(seed, Distributions):
        return seed._bits
    if isinstance(seed, Philox):
        return seed
    if isinstance(seed, (numpy.random.BitGenerator, numpy.random.Generator, numpy.random.RandomState, BitGenerator)):
        message = f"a {type(seed).__name__} of NumPy's keeps a state that graphs cannot; give a seed or a Philox of ours"
        raise DTypeError(located(f"random.{name}: {message}", here()))
    return Philox(seed)


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


class RandomState(Distributions):
    """Random numbers with a state of their own, with the methods that ``dopegraph.numpy.random`` has as functions.

    Parameters
    ----------
    seed : int, sequence of int or SeedSequence, optional
        From the operating system by default.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> rng = np.random.RandomState(3)
    >>> np.random.seed(3)
    >>> bool((rng.rand(4) == np.random.rand(4)).all())
    True
    """

    def __init__(self, seed: Any = None) -> None:
        super().__init__(bits_of(seed, "RandomState"))

    def seed(self, seed: Any = None) -> None:
        """Start the random numbers anew; without a number from the operating system's.

        Examples
        --------
        >>> import dopegraph.numpy as np
        >>> np.random.seed(1); a = np.random.normal(size=3)
        >>> np.random.seed(1); bool((a == np.random.normal(size=3)).all())
        True
        """
        self._bits._reseed(seed, "random.seed")

    def get_state(self, legacy: bool = True) -> Any:
        """Seed and number of draws, for `set_state`; with ``legacy=False`` in a dictionary that says what they are."""
        return self._bits._numbers("random.get_state") if legacy else self._bits.state

    def set_state(self, state: Any) -> None:
        """Go back to a state that `get_state` gave."""
        if isinstance(state, dict):
            self._bits.state = state
            return
        try:
            seed, counter = (int(number) for number in state)
        except (TypeError, ValueError) as cause:
            raise type(cause)(located("random.set_state: takes what get_state gave", here())) from cause
        self._bits._restart(seed, counter)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None, *, dtype: Any = None) -> ndarray:
        """Uniform numbers in [low, high); bounds may be arrays, and have derivatives.

        Parameters
        ----------
        low, high : array_like of float
        size : int or tuple of int, optional
            The shape; by default the one the bounds broadcast to.
        dtype : dtype, optional
            The default floating dtype.
        """
        return self._uniform(low, high, size, dtype)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None, *, dtype: Any = None) -> ndarray:
        """Normal numbers; mean and standard deviation may be arrays, and have derivatives.

        Parameters
        ----------
        loc, scale : array_like of float
        size : int or tuple of int, optional
            The shape; by default the one `loc` and `scale` broadcast to.
        dtype : dtype, optional
            The default floating dtype.
        """
        return self._normal("normal", loc, scale, size, dtype)

    def exponential(self, scale: Any = 1.0, size: Any = None, *, dtype: Any = None) -> ndarray:
        """Exponential numbers of mean `scale`, in which they are differentiable."""
        return self._exponential(scale, size, dtype)

    def standard_exponential(self, size: Any = None, *, dtype: Any = None) -> ndarray:
        """Exponential numbers of mean 1."""
        return self._exponential(1.0, () if size is None else size, dtype)

    def standard_normal(self, size: Any = None, *, dtype: Any = None) -> ndarray:
        """Normal numbers of mean 0 and standard deviation 1."""
        return self._normal("standard_normal", 0, 1, () if size is None else size, dtype)

    def standard_gamma(self, shape: Any, size: Any = None, *, dtype: Any = None) -> ndarray:
        """Gamma numbers of scale 1; see `gamma`."""
        return self._standard_gamma(shape, size, dtype)

    def random(self, size: Any = None, *, dtype: Any = None) -> ndarray:
        """Uniform numbers in [0, 1)."""
        return self._uniform(0, 1, () if size is None else size, dtype)

    def random_sample(self, size: Any = None, *, dtype: Any = None) -> ndarray:
        """Uniform numbers in [0, 1); the same as `random`."""
        return self.random(size, dtype=dtype)

    def rand(self, *args: int) -> ndarray:
        """Uniform numbers in [0, 1) of a shape given as separate integers."""
        return self.random(args)

    def randn(self, *args: int) -> ndarray:
        """Normal numbers of a shape given as separate integers."""
        return self.standard_normal(args)

    def randint(self, low: Any, high: Any = None, size: Any = None, dtype: Any = int) -> ndarray:
        """Uniform integers in [low, high), or in [0, low) when `high` is not given.

        Examples
        --------
        >>> import dopegraph.numpy as np
        >>> rolls = np.random.randint(1, 7, size=1000)
        >>> int(rolls.min()), int(rolls.max())
        (1, 6)
        """
        return self._integers("randint", low, high, size, numpy.int64 if dtype is int else dtype)

    def tomaxint(self, size: Any = None) -> ndarray:
        """Uniform integers from 0 to the largest that int64 holds."""
        return self._integers("tomaxint", 0, 2**63, size, numpy.int64)

    def multivariate_normal(
        self, mean: Any, cov: Any, size: Any = None, check_valid: str = "warn", tol: float = 1e-8
    ) -> ndarray:
        """Normal vectors of a mean of shape (n,) and a covariance of shape (n, n); see `Generator`'s method."""
        return self._multivariate_normal(mean, cov, size, check_valid, tol, "svd")

    def permutation(self, x: Any) -> ndarray:
        """The integers below a number, or the rows of an array, in random order.

        Examples
        --------
        >>> import dopegraph.numpy as np
        >>> sorted(np.random.permutation(4).tolist())
        [0, 1, 2, 3]
        """
        return self._permutation(x, 0)

    def shuffle(self, x: Any) -> None:
        """Put the rows of an array, or the items of a list, in random order, in place."""
        self._shuffle(x, 0)

    def choice(self, a: Any, size: Any = None, replace: bool = True, p: Any = None) -> ndarray:
        """Elements drawn from an array with one axis (rows from one with several), or integers below a number.

        Parameters
        ----------
        a : int or array_like
            What to draw from.
        size : int or tuple of int, optional
        replace : bool, optional
            Whether an element can be drawn twice.
        p : array_like of float, optional
            Probabilities; they must sum to 1.
        """
        return self._choice(a, size, replace, p, 0)


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
