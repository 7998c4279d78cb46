"""AlexNet (the book's: 224x224 without padding, batch 4) and the book's small VGG (28x28, batch 8, without dropout)."""

from __future__ import annotations

import functools
from typing import Any

from benchmarks.data import labels, normal, one_hot, uniform, zeros
from benchmarks.engines import gluon
from benchmarks.problem import Problem, Training

# A layer: channels, kernel, stride, padding; then whether pooling (window, stride) follows.
ALEXNET = [
    (3, 96, 11, 4, 0, (3, 2)), (96, 192, 5, 1, 0, (3, 2)), (192, 384, 3, 1, 0, None), (384, 384, 3, 1, 0, None),
    (384, 256, 3, 1, 0, (3, 2)),
]  # fmt: skip
VGG = [
    (1, 64, 3, 1, 1, (2, 2)), (64, 128, 3, 1, 1, (2, 2)), (128, 256, 3, 1, 1, None), (256, 256, 3, 1, 1, (2, 2)),
    (256, 512, 3, 1, 1, None), (512, 512, 3, 1, 1, (2, 2)),
]  # fmt: skip
NETS: dict[str, Any] = {
    "alexnet": ("AlexNet, batch 4", ALEXNET, (256, 4096, 4096, 10), (4, 3, 224, 224), 1e-4),
    "vgg": ("VGG of 6 convolutions, batch 8", VGG, (512, 512, 512, 10), (8, 1, 28, 28), 1e-3),
}


def parameters(name: str) -> list[Any]:
    _, convolutions, dense, _, _ = NETS[name]
    found = []
    for number, (channels, filters, kernel, *_) in enumerate(convolutions):
        scale = (2 / (channels * kernel * kernel)) ** 0.5
        found += [normal(f"{name}{number}", filters, channels, kernel, kernel, scale=scale), zeros(filters)]
    for number, (m, n) in enumerate(zip(dense, dense[1:])):
        found += [normal(f"{name} dense{number}", m, n, scale=(2 / m) ** 0.5 * (0.3 if n == 10 else 1)), zeros(n)]
    return found


def data(name: str) -> list[Any]:
    images, classes = data_with_labels(name)
    return [images, one_hot(classes, 10)]


def data_with_labels(name: str) -> list[Any]:
    shape = NETS[name][3]
    return [uniform(name, *shape), labels(name, shape[0], 10)]


def naive(name: str, np: Any, nn: Any, params: Any, x: Any, y: Any) -> Any:
    _, convolutions, dense, _, _ = NETS[name]
    h = x
    for number, (_, _, _, stride, pad, pooled) in enumerate(convolutions):
        h = nn.relu(nn.conv(h, params[2 * number], params[2 * number + 1], stride=stride, pad=pad))
        if pooled:
            h = nn.max_pool(h, pooled[0], pooled[1])
    h = h.reshape(h.shape[0], -1)
    rest = params[2 * len(convolutions) :]
    for number in range(len(dense) - 1):
        h = np.dot(h, rest[2 * number]) + rest[2 * number + 1]
        if number < len(dense) - 2:
            h = nn.relu(h)
    return -np.mean(np.sum(y * nn.log_softmax(h), axis=1))


def in_torch(name: str, torch: Any, params: Any, x: Any, label: Any) -> Any:
    _, convolutions, dense, _, _ = NETS[name]
    f, h = torch.nn.functional, x
    for number, (_, _, _, stride, pad, pooled) in enumerate(convolutions):
        h = torch.relu(f.conv2d(h, params[2 * number], params[2 * number + 1], stride, pad))
        if pooled:
            h = f.max_pool2d(h, *pooled)
    h = h.flatten(1)
    rest = params[2 * len(convolutions) :]
    for number in range(len(dense) - 1):
        h = torch.addmm(rest[2 * number + 1], h, rest[2 * number])
        if number < len(dense) - 2:
            h = torch.relu(h)
    return f.cross_entropy(h, label)


def in_gluon(name: str, mx: Any) -> Any:
    _, convolutions, dense, _, _ = NETS[name]
    nn = mx.gluon.nn
    net = nn.HybridSequential()
    for _, filters, kernel, stride, pad, pooled in convolutions:
        net.add(nn.Conv2D(filters, kernel, stride, pad, activation="relu"))
        if pooled:
            net.add(nn.MaxPool2D(*pooled))
    net.add(nn.Flatten())
    for n in dense[1:-1]:
        net.add(nn.Dense(n, activation="relu"))
    net.add(nn.Dense(dense[-1]))
    arrays = [array.T if array.ndim == 2 else array for array in parameters(name)]
    return gluon.with_loss(mx, net, "mean"), arrays


def model(name: str) -> Training:
    with_labels = functools.partial(data_with_labels, name)
    return Training(
        functools.partial(parameters, name), functools.partial(data, name), functools.partial(naive, name),
        rate=NETS[name][4], torch=functools.partial(in_torch, name), torch_data=with_labels,
        gluon=functools.partial(in_gluon, name), gluon_data=with_labels, autograd=False,
    )  # fmt: skip


PROBLEMS = [Problem(name, net[0], model(name).contestants(), tolerance=5e-3) for name, net in NETS.items()]
