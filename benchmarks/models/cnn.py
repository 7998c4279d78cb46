"""The CNN of the book's chapter from scratch: convolutions 20x3x3, 50x5x5, average pooling, 800-128-10, batch 64."""

from __future__ import annotations

from typing import Any

from benchmarks.data import labels, normal, one_hot, uniform, zeros
from benchmarks.engines import gluon
from benchmarks.problem import Problem, Training

BATCH = 64
LABELS = labels("cnn", BATCH, 10)


def parameters() -> list[Any]:
    return [
        normal("W1", 20, 1, 3, 3, scale=0.2), zeros(20), normal("W2", 50, 20, 5, 5, scale=0.05), zeros(50),
        normal("W3", 800, 128, scale=0.05), zeros(128), normal("W4", 128, 10, scale=0.1), zeros(10),
    ]  # fmt: skip


def data() -> list[Any]:
    return [uniform("cnn", BATCH, 1, 28, 28), one_hot(LABELS, 10)]


def data_with_labels() -> list[Any]:
    return [uniform("cnn", BATCH, 1, 28, 28), LABELS]


def naive(np: Any, nn: Any, params: Any, x: Any, y: Any) -> Any:
    W1, b1, W2, b2, W3, b3, W4, b4 = params
    h1 = nn.avg_pool(nn.relu(nn.conv(x, W1, b1)), 2)
    h2 = nn.avg_pool(nn.relu(nn.conv(h1, W2, b2)), 2)
    h3 = nn.relu(np.dot(h2.reshape(BATCH, -1), W3) + b3)
    return -np.sum(y * nn.log_softmax(np.dot(h3, W4) + b4))


def in_torch(torch: Any, params: Any, x: Any, label: Any) -> Any:
    W1, b1, W2, b2, W3, b3, W4, b4 = params
    f = torch.nn.functional
    h1 = f.avg_pool2d(torch.relu(f.conv2d(x, W1, b1)), 2)
    h2 = f.avg_pool2d(torch.relu(f.conv2d(h1, W2, b2)), 2)
    h3 = torch.relu(torch.addmm(b3, h2.flatten(1), W3))
    return f.cross_entropy(torch.addmm(b4, h3, W4), label, reduction="sum")


def in_gluon(mx: Any) -> Any:
    nn = mx.gluon.nn
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(20, 3, activation="relu"), nn.AvgPool2D(2), nn.Conv2D(50, 5, activation="relu"), nn.AvgPool2D(2),
        nn.Flatten(), nn.Dense(128, activation="relu"), nn.Dense(10),
    )  # fmt: skip
    return gluon.with_loss(mx, net), [array.T if array.ndim == 2 else array for array in parameters()]


MODEL = Training(
    parameters, data, naive, rate=0.0005, torch=in_torch, torch_data=data_with_labels,
    gluon=in_gluon, gluon_data=data_with_labels,
)  # fmt: skip
PROBLEMS = [Problem("cnn", "CNN of the scratch chapter, batch 64", MODEL.contestants())]
