"""`RandomState`: the methods that ``dopegraph.numpy.random`` has as functions, on a state of its own."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.numpy.random.distributions import Distributions, bits_of
from dopegraph.runtime.location import here, located


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
