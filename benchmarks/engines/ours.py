"""Our contestant: naive NumPy code through `dopegraph.compile`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.problem import Step, Training


def compiled(
    make: Callable[[Any, Any], Callable[[], Any]], policy: str = "prefer_mxnet", codegen: str = "auto"
) -> Step:
    """A step under a policy; `make` gets dopegraph and dopegraph.numpy and gives the step."""
    import dopegraph
    import dopegraph.numpy as np

    with dopegraph.policy(policy), dopegraph.codegen(codegen):
        body = make(dopegraph, np)
    if policy == "prefer_mxnet" and codegen == "auto":
        return body  # as a user has it

    def step() -> Any:
        with dopegraph.policy(policy), dopegraph.codegen(codegen):
            return body()

    return step


def training(model: Training, policy: str = "prefer_mxnet", codegen: str = "auto") -> Step:
    """Parameters are changed in place by a compiled step."""

    def make(dopegraph: Any, np: Any) -> Callable[[], float]:
        from dopegraph import nn

        params = [np.array(array) for array in model.parameters()]
        data = [np.array(array) for array in model.data()]
        naive, rate = model.naive, model.rate  # the model itself reaches too much to be guarded

        def loss_of(params: Any, *data: Any) -> Any:
            return naive(np, nn, params, *data)

        @dopegraph.compile
        def update(lr: float, *data: Any) -> Any:
            loss, gradients = dopegraph.value_and_grad(loss_of)(params, *data)
            for param, gradient in zip(params, gradients):
                param -= lr * gradient
            return loss

        return lambda: float(update(rate, *data))

    return compiled(make, policy, codegen)
