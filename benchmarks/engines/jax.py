"""JAX: `jax.jit` of a step that returns new parameters, whose buffers are donated; `nn` by `jax.lax`."""

from __future__ import annotations

from typing import Any

from benchmarks.problem import Step, Training


def training(model: Training, naive: bool = False) -> Step:
    import jax
    import jax.numpy as jnp

    params = [jnp.asarray(array) for array in model.parameters()]
    data = [jnp.asarray(array) for array in model.data()]

    def loss_of(params: Any, *data: Any) -> Any:
        if model.jax is None or naive:
            return model.naive(jnp, nn, params, *data)
        return model.jax(jax, params, *data)

    def update(params: Any, lr: float, *data: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(params, *data)
        return loss, [param - lr * gradient for param, gradient in zip(params, gradients)]

    compiled = jax.jit(update, donate_argnums=0)

    def step() -> float:
        nonlocal params
        loss, params = compiled(params, model.rate, *data)
        return float(loss)

    return step


class nn:
    """The functions of `dopegraph.nn` that models use, in JAX's words."""

    @staticmethod
    def relu(x: Any) -> Any:
        import jax

        return jax.nn.relu(x)

    @staticmethod
    def erf(x: Any) -> Any:
        import jax

        return jax.scipy.special.erf(x)

    @staticmethod
    def sigmoid(x: Any) -> Any:
        import jax

        return jax.nn.sigmoid(x)

    @staticmethod
    def log_softmax(x: Any, axis: int = -1) -> Any:
        import jax

        return jax.nn.log_softmax(x, axis)

    @staticmethod
    def count_sketch(x: Any, h: Any, s: Any, out_dim: int) -> Any:
        import jax.numpy as jnp

        return jnp.zeros((*x.shape[:-1], out_dim), x.dtype).at[..., h].add(x * s)

    @staticmethod
    def conv(x: Any, w: Any, b: Any = None, stride: int = 1, pad: int = 0) -> Any:
        from jax import lax

        y = lax.conv_general_dilated(
            x, w, (stride, stride), [(pad, pad)] * 2, dimension_numbers=("NCHW", "OIHW", "NCHW")
        )
        return y if b is None else y + b.reshape(1, -1, 1, 1)

    @staticmethod
    def conv_transpose(x: Any, w: Any, stride: int = 1, pad: int = 0) -> Any:
        from jax import lax

        pads = [(length - 1 - pad,) * 2 for length in w.shape[2:]]
        return lax.conv_general_dilated(
            x, w[:, :, ::-1, ::-1], (1, 1), pads, (stride, stride), dimension_numbers=("NCHW", "IOHW", "NCHW")
        )

    @staticmethod
    def max_pool(x: Any, kernel: int, stride: int | None = None) -> Any:
        import numpy
        from jax import lax

        step = stride or kernel
        return lax.reduce_window(x, -numpy.inf, lax.max, (1, 1, kernel, kernel), (1, 1, step, step), "VALID")

    @staticmethod
    def avg_pool(x: Any, kernel: int, stride: int | None = None) -> Any:
        from jax import lax

        step = stride or kernel
        total = lax.reduce_window(x, 0.0, lax.add, (1, 1, kernel, kernel), (1, 1, step, step), "VALID")
        return total / (kernel * kernel)
