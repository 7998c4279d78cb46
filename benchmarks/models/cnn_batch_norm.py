"""The book's CNN with batch normalization from scratch, batch 64; only Gluon has moving averages."""

from __future__ import annotations

from typing import Any

import numpy

from benchmarks.data import normal
from benchmarks.engines import gluon
from benchmarks.models import cnn
from benchmarks.problem import Problem, Training

EPSILON = 1e-5


def parameters() -> list[Any]:
    W1, b1, W2, b2, W3, b3, W4, b4 = cnn.parameters()
    norms = [(numpy.ones(n, numpy.float32), normal(f"beta{n}", n, scale=0.01)) for n in (20, 50, 128)]
    return [W1, b1, *norms[0], W2, b2, *norms[1], W3, b3, *norms[2], W4, b4]


def batch_norm(np: Any, X: Any, gamma: Any, beta: Any) -> Any:
    if len(X.shape) == 2:
        mean = np.mean(X, axis=0)
        variance = np.mean((X - mean) ** 2, axis=0)
        return gamma * (X - mean) / np.sqrt(variance + EPSILON) + beta
    channels = (1, X.shape[1], 1, 1)
    mean = np.mean(X, axis=(0, 2, 3)).reshape(channels)
    variance = np.mean((X - mean) ** 2, axis=(0, 2, 3)).reshape(channels)
    return gamma.reshape(channels) * (X - mean) / np.sqrt(variance + EPSILON) + beta.reshape(channels)


def naive(np: Any, nn: Any, params: Any, x: Any, y: Any) -> Any:
    W1, b1, g1, d1, W2, b2, g2, d2, W3, b3, g3, d3, W4, b4 = params
    h1 = nn.avg_pool(nn.relu(batch_norm(np, nn.conv(x, W1, b1), g1, d1)), 2)
    h2 = nn.avg_pool(nn.relu(batch_norm(np, nn.conv(h1, W2, b2), g2, d2)), 2)
    h3 = nn.relu(batch_norm(np, np.dot(h2.reshape(cnn.BATCH, -1), W3) + b3, g3, d3))
    return -np.sum(y * nn.log_softmax(np.dot(h3, W4) + b4))


def in_torch(torch: Any, params: Any, x: Any, label: Any) -> Any:
    W1, b1, g1, d1, W2, b2, g2, d2, W3, b3, g3, d3, W4, b4 = params
    f = torch.nn.functional

    def norm(x: Any, gamma: Any, beta: Any) -> Any:
        return torch.relu(f.batch_norm(x, None, None, gamma, beta, True, 0.1, EPSILON))

    h1 = f.avg_pool2d(norm(f.conv2d(x, W1, b1), g1, d1), 2)
    h2 = f.avg_pool2d(norm(f.conv2d(h1, W2, b2), g2, d2), 2)
    h3 = norm(torch.addmm(b3, h2.flatten(1), W3), g3, d3)
    return f.cross_entropy(torch.addmm(b4, h3, W4), label, reduction="sum")


def in_gluon(mx: Any) -> Any:
    nn = mx.gluon.nn
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(20, 3), nn.BatchNorm(epsilon=EPSILON), nn.Activation("relu"), nn.AvgPool2D(2),
        nn.Conv2D(50, 5), nn.BatchNorm(epsilon=EPSILON), nn.Activation("relu"), nn.AvgPool2D(2),
        nn.Flatten(), nn.Dense(128), nn.BatchNorm(epsilon=EPSILON), nn.Activation("relu"), nn.Dense(10),
    )  # fmt: skip
    return gluon.with_loss(mx, net), [array.T if array.ndim == 2 else array for array in parameters()]


MODEL = Training(
    parameters, cnn.data, naive, rate=0.0005, torch=in_torch, torch_data=cnn.data_with_labels,
    gluon=in_gluon, gluon_data=cnn.data_with_labels,
)  # fmt: skip
PROBLEMS = [
    Problem("cnn_batch_norm", "CNN with batch normalization, batch 64", MODEL.contestants(), tolerance=5e-3),
]
