"""HIPS autograd: the naive code as it is."""

from __future__ import annotations

from typing import Any

from benchmarks.problem import Step, Training


def training(model: Training) -> Step:
    import autograd
    import autograd.numpy as anp
    import numpy

    params, data = [array.copy() for array in model.parameters()], model.data()
    rate = numpy.float32(model.rate)
    both = autograd.value_and_grad(lambda params: model.naive(anp, nn, params, *data))

    def step() -> float:
        loss, gradients = both(params)
        for param, gradient in zip(params, gradients):
            param -= rate * gradient
        return float(loss)

    return step


class nn:
    """The functions of `dopegraph.nn` that models use, as autograd's users write them."""

    @staticmethod
    def relu(x: Any) -> Any:
        import autograd.numpy as anp

        return anp.maximum(x, 0)

    @staticmethod
    def erf(x: Any) -> Any:
        from autograd.scipy.special import erf

        return erf(x)

    @staticmethod
    def sigmoid(x: Any) -> Any:
        import autograd.numpy as anp

        return 0.5 * (anp.tanh(0.5 * x) + 1)

    @staticmethod
    def log_softmax(x: Any, axis: int = -1) -> Any:
        import autograd.numpy as anp

        x = x - anp.max(x, axis=axis, keepdims=True)
        return x - anp.log(anp.sum(anp.exp(x), axis=axis, keepdims=True))

    @staticmethod
    def conv(x: Any, w: Any, b: Any = None, stride: int = 1, pad: int = 0) -> Any:
        import autograd.numpy as anp
        from autograd.scipy.signal import convolve

        if pad:
            x = anp.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), "constant")
        y = convolve(x, w[:, :, ::-1, ::-1], axes=([2, 3], [2, 3]), dot_axes=([1], [1]), mode="valid")
        y = y[:, :, ::stride, ::stride]
        return y if b is None else y + anp.reshape(b, (1, -1, 1, 1))

    @staticmethod
    def _windows(x: Any, kernel: int) -> Any:
        n, c, h, w = x.shape
        h, w = h // kernel * kernel, w // kernel * kernel
        return x[:, :, :h, :w].reshape(n, c, h // kernel, kernel, w // kernel, kernel)

    @staticmethod
    def max_pool(x: Any, kernel: int, stride: int | None = None) -> Any:
        import autograd.numpy as anp

        if stride not in (None, kernel):
            raise NotImplementedError("autograd has no pooling with windows that overlap")
        return anp.max(anp.max(nn._windows(x, kernel), axis=5), axis=3)

    @staticmethod
    def avg_pool(x: Any, kernel: int, stride: int | None = None) -> Any:
        import autograd.numpy as anp

        if stride not in (None, kernel):
            raise NotImplementedError("autograd has no pooling with windows that overlap")
        return anp.mean(nn._windows(x, kernel), axis=(3, 5))
