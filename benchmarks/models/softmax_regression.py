"""The book's multiclass logistic regression: 784-10, summed cross entropy, batch 64."""

from __future__ import annotations

from typing import Any

from benchmarks.data import labels, layers, one_hot, uniform
from benchmarks.engines import gluon
from benchmarks.problem import Problem, Training

BATCH = 64
LABELS = labels("softmax", BATCH, 10)


def parameters() -> list[Any]:
    return layers("softmax", 784, 10)


def data() -> list[Any]:
    return [uniform("softmax", BATCH, 784), one_hot(LABELS, 10)]


def data_with_labels() -> list[Any]:
    return [uniform("softmax", BATCH, 784), LABELS]


def naive(np: Any, nn: Any, params: Any, x: Any, y: Any) -> Any:
    w, b = params
    z = np.dot(x, w) + b
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return -np.sum(y * np.log(e / np.sum(e, axis=1, keepdims=True)))


def in_torch(torch: Any, params: Any, x: Any, label: Any) -> Any:
    w, b = params
    return torch.nn.functional.cross_entropy(torch.addmm(b, x, w), label, reduction="sum")


def in_gluon(mx: Any) -> Any:
    return gluon.with_loss(mx, mx.gluon.nn.Dense(10)), [parameters()[0].T, parameters()[1]]


MODEL = Training(
    parameters, data, naive, rate=0.0005, torch=in_torch, torch_data=data_with_labels,
    gluon=in_gluon, gluon_data=data_with_labels,
)  # fmt: skip
PROBLEMS = [Problem("softmax_regression", "Softmax regression 784-10, batch 64", MODEL.contestants())]
