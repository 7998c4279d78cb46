"""SqueezeNet 1.1 on 64x64 images, two classes, batch 16: the step of fine-tuning, with weighted examples."""

from __future__ import annotations

from typing import Any

import numpy

from benchmarks.data import labels, normal, one_hot, zeros
from benchmarks.problem import Problem, Training

BATCH, SIZE, CLASSES = 16, 64, 2
WEIGHT = 5  # of what is rare
# Filters that squeeze, and of each of the two kinds that expand; before some the height and width are halved.
FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
HALVED = (0, 2, 4)


def parameters() -> list[Any]:
    shapes, channels = [(64, 3, 3)], 64
    for squeeze, expand in FIRES:
        shapes += [(squeeze, channels, 1), (expand, squeeze, 1), (expand, squeeze, 3)]
        channels = 2 * expand
    shapes.append((CLASSES, channels, 1))
    found = []
    for number, (filters, inputs, size) in enumerate(shapes):
        scale = (2 / (size * size * inputs)) ** 0.5
        found += [normal(f"squeeze{number}", filters, inputs, size, size, scale=scale), zeros(filters) + 0.1]
    return found


def kinds() -> Any:
    return labels("squeeze", BATCH, CLASSES)


def weights() -> Any:
    return ((1 + WEIGHT * kinds()) / WEIGHT).astype(numpy.float32)


def data() -> list[Any]:
    return [normal("squeeze images", BATCH, 3, SIZE, SIZE), one_hot(kinds(), CLASSES) * weights()[:, None]]


def torch_data() -> list[Any]:
    return [normal("squeeze images", BATCH, 3, SIZE, SIZE), kinds(), weights()]


def forward(params: Any, x: Any, conv: Any, relu: Any, halve: Any, join: Any, mean: Any) -> Any:
    """Numbers of the classes, with the functions of a library."""
    rest = list(params)

    def layer(x: Any, **how: Any) -> Any:
        w, b = rest.pop(0), rest.pop(0)
        return relu(conv(x, w, b, **how))

    x = layer(x, stride=2)
    for number in range(len(FIRES)):
        x = halve(x) if number in HALVED else x
        x = layer(x)
        x = join([layer(x), layer(x, pad=1)])
    return mean(layer(x))


def naive(np: Any, nn: Any, params: Any, x: Any, y: Any) -> Any:
    # On 64 pixels all windows of 3, 2 apart, end where maps of 31, 15 and 7 do.
    z = forward(
        params, x, nn.conv, nn.relu, lambda x: nn.max_pool(x, 3, 2),
        lambda parts: np.concatenate(parts, axis=1), lambda x: np.mean(x, axis=(2, 3)),
    )  # fmt: skip
    return -np.sum(y * nn.log_softmax(z))


def in_torch(torch: Any, params: Any, x: Any, label: Any, weight: Any) -> Any:
    f = torch.nn.functional
    z = forward(
        params, x, lambda x, w, b, stride=1, pad=0: f.conv2d(x, w, b, stride, pad), torch.relu,
        lambda x: f.max_pool2d(x, 3, 2), lambda parts: torch.cat(parts, dim=1), lambda x: x.mean((2, 3)),
    )  # fmt: skip
    return (weight * f.cross_entropy(z, label, reduction="none")).sum()


MODEL = Training(
    parameters, data, naive, rate=0.001, torch=in_torch, torch_data=torch_data, autograd=False,
)  # fmt: skip
PROBLEMS = [
    Problem("squeezenet", "SqueezeNet 1.1 on 64x64, two classes, batch 16", MODEL.contestants(), tolerance=5e-3),
]
