"""ResNet-20 on images of 32x32 pixels, batch 16: batch normalization by the batch's own mean and variance."""

from __future__ import annotations

from typing import Any

import numpy

from benchmarks.data import labels, normal, one_hot, zeros
from benchmarks.engines import gluon
from benchmarks.models.cnn_batch_norm import EPSILON, batch_norm
from benchmarks.problem import Problem, Training

BATCH, CLASSES, BLOCKS = 16, 10, 3


def stages() -> list[tuple[int, int, int]]:
    """Channels in, channels out and strides of each residual block."""
    found, inputs = [], 16
    for stage, channels in enumerate((16, 32, 64)):
        for block in range(BLOCKS):
            found.append((inputs, channels, 2 if stage and not block else 1))
            inputs = channels
    return found


def layer(name: str, inputs: int, channels: int) -> list[Any]:
    weight = normal(name, channels, inputs, 3, 3, scale=(2 / (9 * inputs)) ** 0.5)
    return [weight, numpy.ones(channels, numpy.float32), zeros(channels)]


def parameters() -> list[Any]:
    """Of each convolution the weight, and factor and sum of its normalization; those of the dense layer."""
    found = layer("first", 3, 16)
    for number, (inputs, channels, _) in enumerate(stages()):
        found += [*layer(f"a{number}", inputs, channels), *layer(f"b{number}", channels, channels)]
    return [*found, normal("dense", 64, CLASSES, scale=0.1), zeros(CLASSES)]


def images() -> Any:
    return normal("images", BATCH, 3, 32, 32)


def data() -> list[Any]:
    return [images(), one_hot(labels("images", BATCH, CLASSES), CLASSES)]


def data_with_labels() -> list[Any]:
    return [images(), labels("images", BATCH, CLASSES)]


def naive(np: Any, nn: Any, params: Any, x: Any, y: Any) -> Any:
    rest = list(params)

    def normalized(h: Any, strides: int = 1) -> Any:
        w, gamma, beta = (rest.pop(0) for _ in range(3))
        return batch_norm(np, nn.conv(h, w, stride=strides, pad=1), gamma, beta)

    h = nn.relu(normalized(x))
    for inputs, channels, strides in stages():
        shortcut = h[:, :, ::strides, ::strides]
        if channels > inputs:
            zeros = np.zeros((*shortcut.shape[:1], channels - inputs, *shortcut.shape[2:]), h.dtype)
            shortcut = np.concatenate([shortcut, zeros], axis=1)
        h = nn.relu(normalized(nn.relu(normalized(h, strides))) + shortcut)
    w, b = rest
    return -np.mean(np.sum(y * nn.log_softmax(np.dot(np.mean(h, axis=(2, 3)), w) + b), axis=1))


def in_torch(torch: Any, params: Any, x: Any, label: Any) -> Any:
    f, rest = torch.nn.functional, list(params)

    def normalized(h: Any, strides: int = 1) -> Any:
        w, gamma, beta = (rest.pop(0) for _ in range(3))
        return f.batch_norm(f.conv2d(h, w, None, strides, 1), None, None, gamma, beta, True, 0.1, EPSILON)

    h = torch.relu(normalized(x))
    for inputs, channels, strides in stages():
        shortcut = f.pad(h[:, :, ::strides, ::strides], (0, 0, 0, 0, 0, channels - inputs))
        h = torch.relu(normalized(torch.relu(normalized(h, strides))) + shortcut)
    w, b = rest
    return f.cross_entropy(torch.addmm(b, h.mean((2, 3)), w), label)


def in_gluon(mx: Any) -> Any:
    nn = mx.gluon.nn

    def norm(inputs: int, channels: int, strides: int = 1) -> list[Any]:
        return [
            nn.Conv2D(channels, 3, strides, 1, use_bias=False, in_channels=inputs),
            nn.BatchNorm(epsilon=EPSILON, in_channels=channels),
        ]

    class Residual(mx.gluon.HybridBlock):  # type: ignore[misc, name-defined]
        def __init__(self, inputs: int, channels: int, strides: int) -> None:
            super().__init__()
            self.new, self.strides = channels - inputs, strides
            with self.name_scope():
                self.body = nn.HybridSequential()
                self.body.add(
                    *norm(inputs, channels, strides), nn.Activation("relu"), *norm(channels, channels)
                )  # fmt: skip

        def hybrid_forward(self, F: Any, x: Any) -> Any:
            shortcut = F.slice(x, begin=(None,) * 4, end=(None,) * 4, step=(1, 1, self.strides, self.strides))
            if self.new:
                nothing = F.zeros_like(F.slice_axis(shortcut, axis=1, begin=0, end=self.new))
                shortcut = F.concat(shortcut, nothing, dim=1)
            return F.relu(self.body(x) + shortcut)

    net = nn.HybridSequential()
    net.add(*norm(3, 16), nn.Activation("relu"), *(Residual(*one) for one in stages()))
    net.add(nn.GlobalAvgPool2D(), nn.Flatten(), nn.Dense(CLASSES))
    return gluon.with_loss(mx, net, "mean"), [array.T if array.ndim == 2 else array for array in parameters()]


MODEL = Training(
    parameters, data, naive, rate=0.05, torch=in_torch, torch_data=data_with_labels,
    gluon=in_gluon, gluon_data=data_with_labels, autograd=False,
)  # fmt: skip
TITLE = f"ResNet-20 on 32x32 images, batch {BATCH}"
PROBLEMS = [Problem("resnet20", TITLE, MODEL.contestants(), ("PyTorch compile",), tolerance=1e-2)]
