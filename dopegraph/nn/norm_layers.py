"""Layers that bring numbers to mean 0 and variance 1: over a batch, over channels of each example."""

from __future__ import annotations

from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.nn.block import Block
from dopegraph.nn.parameter import Parameter
from dopegraph.runtime.config import is_training


class BatchNorm(Block):
    """Normalize each channel over the batch: ``gamma * (x - mean) / sqrt(var + epsilon) + beta``.

    In training mode mean and variance are those of the batch, and the running averages move towards them, in place:
    ``running = momentum * running + (1 - momentum) * batch``. Otherwise the running averages are used.

    Ioffe and Szegedy, *Batch Normalization*, 2015. The variance is that of the batch (divided by its size), as in MXNet
    on the CPU.

    Parameters
    ----------
    axis : int
        The channels.
    momentum, epsilon : float
    center, scale : bool
        Whether `beta` is learned, and whether there is a factor `gamma`.
    use_global_stats : bool
        Whether the running averages are used in training mode, too.
    in_channels : int
        By default found out in the first call.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> layer = nn.BatchNorm()
    >>> layer.initialize()
    >>> with dopegraph.train_mode():
    ...     y = layer(np.array([[1.0, 7.0], [5.0, 4.0], [6.0, 10.0]]))
    >>> np.round(y, 3)
    array([[-1.389,  0.   ],
           [ 0.463, -1.225],
           [ 0.926,  1.225]], dtype=float32)
    >>> layer.running_mean.data()
    array([0.4, 0.7], dtype=float32)
    """

    def __init__(
        self,
        axis: int = 1,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = True,
        use_global_stats: bool = False,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        running_mean_initializer: Any = "zeros",
        running_variance_initializer: Any = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.use_global_stats = use_global_stats

        def parameter(name: str, init: Any, learned: bool, differentiable: bool = True) -> Parameter:
            return self.params.get(
                name,
                grad_req="write" if learned else "null",
                shape=(in_channels,),
                init=init,
                allow_deferred_init=True,
                differentiable=differentiable,
            )

        self.gamma = parameter("gamma", gamma_initializer, scale, scale)
        self.beta = parameter("beta", beta_initializer, center, center)
        self.running_mean = parameter("running_mean", running_mean_initializer, False, False)
        self.running_var = parameter("running_var", running_variance_initializer, False, False)

    def infer_shape(self, x: Any) -> None:
        """One number for each channel."""
        channels = np.shape(x)[self.axis]
        for _, parameter in self.own_parameters():
            parameter.shape = (channels,)

    def cast(self, dtype: Any) -> None:
        """Change the dtype; statistics stay float32 where it would be float16."""
        super().cast("float32" if np.dtype(dtype) == np.dtype("float16") else dtype)

    def forward(self, x: Any) -> ndarray:
        """Normalize; in training mode, move the running averages."""
        x = np.asarray(x)
        axis = self.axis % x.ndim
        others = tuple(one for one in range(x.ndim) if one != axis)
        along = tuple(-1 if one == axis else 1 for one in range(x.ndim))
        running_mean, running_var = self.running_mean.data(), self.running_var.data()
        if is_training() and not self.use_global_stats:
            mean = np.mean(x, axis=others, keepdims=True)
            centered = x - mean
            var = np.mean(np.square(centered), axis=others, keepdims=True)
            for running, batch in ((running_mean, mean), (running_var, var)):
                seen = batch.detach().reshape(-1).astype(running.dtype)
                running[...] = self.momentum * running + (1 - self.momentum) * seen
        else:
            centered, var = x - running_mean.reshape(along), running_var.reshape(along)
        y = centered / np.sqrt(var + self.epsilon)
        if self.scale:
            y = y * self.gamma.data().reshape(along)
        # Also where it is not learned, as in Gluon: a file may give it values.
        return y + self.beta.data().reshape(along)

    def __repr__(self) -> str:
        assert self.gamma.shape is not None
        settings = f"axis={self.axis}, eps={self.epsilon}, momentum={self.momentum}"
        return f"BatchNorm({settings}, in_channels={self.gamma.shape[0] or None})"


class _ExampleNorm(Block):
    """What layers share that normalize each example by itself."""

    def __init__(
        self,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        in_channels: int,
        prefix: str | None,
        params: Any,
    ) -> None:
        super().__init__(prefix, params)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.gamma = self.params.get(
            "gamma",
            grad_req="write" if scale else "null",
            shape=(in_channels,),
            init=gamma_initializer,
            allow_deferred_init=True,
        )
        self.beta = self.params.get(
            "beta",
            grad_req="write" if center else "null",
            shape=(in_channels,),
            init=beta_initializer,
            allow_deferred_init=True,
        )

    def _normalized(self, x: ndarray, over: tuple[int, ...], channels: int) -> ndarray:
        centered = x - np.mean(x, axis=over, keepdims=True)
        y = centered / np.sqrt(np.mean(np.square(centered), axis=over, keepdims=True) + self.epsilon)
        along = tuple(-1 if one == channels % x.ndim else 1 for one in range(x.ndim))
        # Also where they are not learned, as in Gluon: a file may give them values.
        return y * self.gamma.data().reshape(along) + self.beta.data().reshape(along)


class LayerNorm(_ExampleNorm):
    """Normalize along one axis of each example: Ba et al., *Layer Normalization*, 2016.

    Parameters
    ----------
    axis : int
        What is normalized over, and what `gamma` and `beta` have numbers for.
    epsilon : float
    center, scale : bool
        Whether `beta`, which is added, and the factor `gamma` are learned.
    in_channels : int
        By default found out in the first call.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> layer = nn.LayerNorm(in_channels=3)
    >>> layer.initialize()
    >>> np.round(layer([[1.0, 2.0, 3.0]]), 3)
    array([[-1.225,  0.   ,  1.225]], dtype=float32)
    """

    def __init__(
        self,
        axis: int = -1,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(epsilon, center, scale, beta_initializer, gamma_initializer, in_channels, prefix, params)
        self.axis = axis

    def infer_shape(self, x: Any) -> None:
        """One number for each place on the axis."""
        self.gamma.shape = self.beta.shape = (np.shape(x)[self.axis],)

    def forward(self, x: Any) -> ndarray:
        """Normalize."""
        return self._normalized(np.asarray(x), (self.axis,), self.axis)

    def __repr__(self) -> str:
        assert self.gamma.shape is not None
        return f"LayerNorm(eps={self.epsilon}, axis={self.axis}, in_channels={self.gamma.shape[0] or None})"


class InstanceNorm(_ExampleNorm):
    """Normalize each channel of each example over space: Ulyanov et al., *Instance Normalization*, 2016."""

    def __init__(
        self,
        axis: int = 1,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = False,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(epsilon, center, scale, beta_initializer, gamma_initializer, in_channels, prefix, params)
        self.axis = axis

    def infer_shape(self, x: Any) -> None:
        """One number for each channel."""
        self.gamma.shape = self.beta.shape = (np.shape(x)[self.axis],)

    def forward(self, x: Any) -> ndarray:
        """Normalize."""
        x = np.asarray(x)
        space = tuple(one for one in range(1, x.ndim) if one != self.axis % x.ndim)
        return self._normalized(x, space, self.axis)
