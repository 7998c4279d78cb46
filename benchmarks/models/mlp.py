"""The book's multilayer perceptron: 784-256-256-10, relu, summed cross entropy, batch 64."""

from __future__ import annotations

from typing import Any

from benchmarks.data import labels, layers, one_hot, uniform
from benchmarks.engines import gluon
from benchmarks.problem import Problem, Training

SIZES = (784, 256, 256, 10)
BATCH = 64
LABELS = labels("mlp", BATCH, SIZES[-1])


def parameters() -> list[Any]:
    return layers("mlp", *SIZES)


def data() -> list[Any]:
    return [uniform("mlp", BATCH, SIZES[0]), one_hot(LABELS, SIZES[-1])]


def data_with_labels() -> list[Any]:
    return [uniform("mlp", BATCH, SIZES[0]), LABELS]


def naive(np: Any, nn: Any, params: Any, x: Any, y: Any) -> Any:
    W1, b1, W2, b2, W3, b3 = params
    h1 = np.maximum(np.dot(x, W1) + b1, 0)
    h2 = np.maximum(np.dot(h1, W2) + b2, 0)
    z = np.dot(h2, W3) + b3
    z = z - np.max(z, axis=1, keepdims=True)
    return -np.sum(y * (z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))))


def in_torch(torch: Any, params: Any, x: Any, label: Any) -> Any:
    W1, b1, W2, b2, W3, b3 = params
    h1 = torch.relu(torch.addmm(b1, x, W1))
    h2 = torch.relu(torch.addmm(b2, h1, W2))
    return torch.nn.functional.cross_entropy(torch.addmm(b3, h2, W3), label, reduction="sum")


def in_gluon(mx: Any) -> Any:
    net = mx.gluon.nn.HybridSequential()
    for n, activation in zip(SIZES[1:], ("relu", "relu", None)):
        net.add(mx.gluon.nn.Dense(n, activation=activation))
    return gluon.with_loss(mx, net), [array.T for array in parameters()]


MODEL = Training(
    parameters, data, naive, rate=0.001, torch=in_torch, torch_data=data_with_labels,
    gluon=in_gluon, gluon_data=data_with_labels,
)  # fmt: skip
PROBLEMS = [Problem("mlp", "Multilayer perceptron 784-256-256-10, batch 64", MODEL.contestants())]
