"""MXNet's Gluon: hybridized with static memory, `gluon.Trainer`. MXNet is imported through our proxy of NumPy."""

from __future__ import annotations

from typing import Any

from benchmarks.problem import Step, Training


def load() -> Any:
    """MXNet."""
    from dopegraph.backends.mxnet import library

    return library.load()


def training(model: Training) -> Step:
    mx = load()
    assert model.gluon is not None
    block, arrays = model.gluon(mx)
    block.initialize()
    data = [mx.nd.array(array, dtype=array.dtype) for array in (model.gluon_data or model.data)()]
    block(*data)  # shapes
    given = [param for param in block.collect_params().values() if param.grad_req != "null"]
    if len(given) != len(arrays):
        raise ValueError(f"{len(arrays)} arrays for the parameters {[param.name for param in given]}")
    for param, array in zip(given, arrays):
        param.set_data(mx.nd.array(array))
    block.hybridize(static_alloc=True, static_shape=True)
    trainer = mx.gluon.Trainer(block.collect_params(), "sgd", {"learning_rate": model.rate})

    def step() -> float:
        with mx.autograd.record():
            loss = block(*data)
        loss.backward()
        trainer.step(1)
        return float(loss.sum().asscalar())

    return step


def with_loss(mx: Any, net: Any, reduced: str = "sum") -> Any:
    """A block of (x, integer labels) that gives the softmax cross entropy of a network, one graph for both."""

    class WithLoss(mx.gluon.HybridBlock):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            with self.name_scope():
                self.net = net
                self.loss = mx.gluon.loss.SoftmaxCrossEntropyLoss()

        def hybrid_forward(self, F: Any, x: Any, label: Any) -> Any:
            loss = self.loss(self.net(x), label)
            return F.sum(loss) if reduced == "sum" else F.mean(loss)

    return WithLoss()
