"""Initializers that look at the shape: random numbers whose size fits the number of inputs and outputs of a layer."""

from __future__ import annotations

import math

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.init.initializer import Initializer, InitializerError, register
from dopegraph.runtime.location import here, located


@register()
class Xavier(Initializer):
    """Random numbers of variance ``magnitude / fan`` (normal), or within ``sqrt(magnitude / fan)`` (uniform).

    Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural networks*, 2010.

    Parameters
    ----------
    rnd_type : {"uniform", "gaussian"}
    factor_type : {"avg", "in", "out"}
        Whether `fan` is the mean of a layer's inputs and outputs, its inputs, or its outputs; a convolution has so many
        for each element of its kernel.
    magnitude : float
    """

    def __init__(self, rnd_type: str = "uniform", factor_type: str = "avg", magnitude: float = 3) -> None:
        if rnd_type not in ("uniform", "gaussian"):
            message = f"Xavier: rnd_type must be 'uniform' or 'gaussian', not {rnd_type!r}"
            raise InitializerError(located(message, here()))
        if factor_type not in ("avg", "in", "out"):
            message = f"Xavier: factor_type must be 'avg', 'in' or 'out', not {factor_type!r}"
            raise InitializerError(located(message, here()))
        super().__init__(rnd_type=rnd_type, factor_type=factor_type, magnitude=magnitude)
        self.rnd_type = rnd_type
        self.factor_type = factor_type
        self.magnitude = float(magnitude)

    def _init_weight(self, name: str, array: ndarray) -> None:
        shape = array.shape
        if len(shape) < 2:
            message = f"{type(self).__name__}: {name} has shape {shape}; it needs at least two axes, outputs and inputs"
            raise InitializerError(located(message, here()))
        kernel = math.prod(shape[2:])
        fans = {"in": shape[1] * kernel, "out": shape[0] * kernel, "avg": (shape[0] + shape[1]) * kernel / 2}
        scale = math.sqrt(self.magnitude / max(fans[self.factor_type], 1e-30))
        if self.rnd_type == "uniform":
            array[...] = np.random.uniform(-scale, scale, shape)
        else:
            array[...] = np.random.normal(0.0, scale, shape)


@register()
class MSRAPrelu(Xavier):
    """Normal random numbers for layers before rectifiers that pass negative numbers with a slope.

    He et al., *Delving Deep into Rectifiers*, 2015: ``Xavier("gaussian", factor_type, 2 / (1 + slope ** 2))``.
    """

    def __init__(self, factor_type: str = "avg", slope: float = 0.25) -> None:
        super().__init__("gaussian", factor_type, 2 / (1 + slope**2))
        self._arguments = {"factor_type": factor_type, "slope": slope}


@register()
class Orthogonal(Initializer):
    """A random matrix with orthogonal rows or columns, times `scale`; axes after the first count as one.

    Saxe et al., *Exact solutions to the nonlinear dynamics of learning in deep linear neural networks*, 2013.

    Parameters
    ----------
    scale : float
    rand_type : {"uniform", "normal"}
        Of the matrix whose singular vectors are taken.
    """

    def __init__(self, scale: float = 1.414, rand_type: str = "uniform") -> None:
        if rand_type not in ("uniform", "normal"):
            message = f"Orthogonal: rand_type must be 'uniform' or 'normal', not {rand_type!r}"
            raise InitializerError(located(message, here()))
        super().__init__(scale=scale, rand_type=rand_type)
        self.scale = scale
        self.rand_type = rand_type

    def _init_weight(self, name: str, array: ndarray) -> None:
        shape = (array.shape[0], math.prod(array.shape[1:]))
        uniform = self.rand_type == "uniform"
        drawn = np.random.uniform(-1.0, 1.0, shape) if uniform else np.random.normal(0.0, 1.0, shape)
        left, _, right = np.linalg.svd(drawn, full_matrices=False)
        array[...] = self.scale * (left if left.shape == shape else right).reshape(array.shape)


@register()
class Bilinear(Initializer):
    """The kernel that makes a transposed convolution interpolate between pixels linearly in both directions."""

    def _init_weight(self, name: str, array: ndarray) -> None:
        if array.ndim != 4:
            message = f"Bilinear: {name} has shape {array.shape}; it is for weights of two-dimensional convolutions"
            raise InitializerError(located(message, here()))
        half = math.ceil(array.shape[3] / 2)
        center = (2 * half - 1 - half % 2) / (2 * half)
        rows, columns = (1 - np.abs(np.arange(float(length)) / half - center) for length in array.shape[2:])
        array[...] = rows.reshape((-1, 1)) * columns
