"""The book's toy SSD on 64x64 images, batch 4: forward over five scales, focal and smooth L1 loss, and their gradients.

Targets are given; batch normalization is by the batch's own mean and variance, as in training.
"""

from __future__ import annotations

from typing import Any

import numpy

from benchmarks.data import labels, normal, one_hot, uniform, zeros
from benchmarks.models.cnn_batch_norm import EPSILON, batch_norm
from benchmarks.problem import Problem, Training

BATCH, SIZE, CLASSES, BOXES = 4, 64, 2, 4  # classes with the background
BODY = (16, 32, 64)  # filters of its three halvings
SCALES = (64, 128, 128, 128, 128)  # channels that the predictors see: 8x8, 4x4, 2x2, 1x1, and their maximum
ANCHORS = BOXES * (8 * 8 + 4 * 4 + 2 * 2 + 1 + 1)


def blocks() -> list[tuple[int, int]]:
    """Channels and filters of all blocks that halve the image."""
    widths = (3, *BODY, *SCALES[1:4])
    return list(zip(widths, widths[1:]))


def parameters() -> list[Any]:
    found = []
    for number, (channels, filters) in enumerate(blocks()):
        for part, inputs in enumerate((channels, filters)):
            weight = normal(f"ssd{number}{part}", filters, inputs, 3, 3, scale=(2 / (9 * inputs)) ** 0.5)
            found += [weight, zeros(filters), numpy.ones(filters, numpy.float32), zeros(filters)]
    for number, channels in enumerate(SCALES):
        for part, outputs in enumerate((BOXES * CLASSES, BOXES * 4)):
            found += [normal(f"ssd predictor{number}{part}", outputs, channels, 3, 3, scale=0.02), zeros(outputs)]
    return found


def data() -> list[Any]:
    classes = labels("ssd", BATCH * ANCHORS, CLASSES).reshape(BATCH, ANCHORS)
    mask = numpy.repeat(classes > 0, 4, axis=1).astype(numpy.float32)
    return [
        uniform("ssd", BATCH, 3, SIZE, SIZE), one_hot(classes, CLASSES), normal("ssd boxes", BATCH, ANCHORS * 4), mask,
    ]  # fmt: skip


def forward(params: Any, x: Any, words: Any) -> tuple[Any, Any]:
    """Class scores (batch, anchors, classes) and box offsets; `words` has the functions of a library."""
    rest, h, seen = list(params), x, []
    for number in range(len(blocks())):
        for _ in range(2):
            w, b, gamma, beta = (rest.pop(0) for _ in range(4))
            h = words.relu(words.norm(words.conv(h, w, b, pad=1), gamma, beta))
        h = words.max_pool(h, 2)
        if number >= len(BODY) - 1:
            seen.append(h)
    seen.append(h)  # the maximum over an image of one point is that point
    scores, offsets = [], []
    for h in seen:
        for found in (scores, offsets):
            w, b = rest.pop(0), rest.pop(0)
            found.append(words.flat(words.conv(h, w, b, pad=1)))
    return words.join(scores).reshape(BATCH, ANCHORS, CLASSES), words.join(offsets)


class NumpyWords:
    """The layers in NumPy's names."""

    def __init__(self, np: Any, nn: Any) -> None:
        self.np, self.conv, self.max_pool, self.relu = np, nn.conv, nn.max_pool, nn.relu

    def norm(self, x: Any, gamma: Any, beta: Any) -> Any:
        return batch_norm(self.np, x, gamma, beta)

    def flat(self, x: Any) -> Any:
        return self.np.transpose(x, (0, 2, 3, 1)).reshape(BATCH, -1)

    def join(self, arrays: Any) -> Any:
        return self.np.concatenate(arrays, axis=1)


def naive(np: Any, nn: Any, params: Any, x: Any, classes: Any, boxes: Any, mask: Any) -> Any:
    scores, offsets = forward(params, x, NumpyWords(np, nn))
    p = np.sum(classes * np.exp(nn.log_softmax(scores)), axis=2)
    focal = np.mean(-0.25 * (1 - p) ** 2 * np.log(p), axis=1)
    difference = np.abs((offsets - boxes) * mask)
    smooth = np.where(difference > 1, difference - 0.5, 0.5 * difference**2)
    return np.sum(focal + np.mean(smooth, axis=1))


class TorchWords:
    """The layers in PyTorch's names."""

    def __init__(self, torch: Any) -> None:
        self.torch, self.f, self.relu = torch, torch.nn.functional, torch.relu
        self.max_pool = torch.nn.functional.max_pool2d

    def conv(self, x: Any, w: Any, b: Any, pad: int) -> Any:
        return self.f.conv2d(x, w, b, padding=pad)

    def norm(self, x: Any, gamma: Any, beta: Any) -> Any:
        return self.f.batch_norm(x, None, None, gamma, beta, True, 0.1, EPSILON)

    def flat(self, x: Any) -> Any:
        return x.permute(0, 2, 3, 1).reshape(BATCH, -1)

    def join(self, arrays: Any) -> Any:
        return self.torch.cat(arrays, dim=1)


def in_torch(torch: Any, params: Any, x: Any, classes: Any, boxes: Any, mask: Any) -> Any:
    scores, offsets = forward(params, x, TorchWords(torch))
    p = (classes * scores.softmax(-1)).sum(2)
    focal = (-0.25 * (1 - p) ** 2 * p.log()).mean(1)
    smooth = torch.nn.functional.smooth_l1_loss(offsets * mask, boxes * mask, reduction="none")
    return (focal + smooth.mean(1)).sum()


def in_gluon(mx: Any) -> Any:
    nn = mx.gluon.nn

    class SSD(mx.gluon.HybridBlock):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            with self.name_scope():
                self.stages = nn.HybridSequential()
                for _, filters in blocks():
                    stage = nn.HybridSequential()
                    for _ in range(2):
                        stage.add(
                            nn.Conv2D(filters, 3, padding=1), nn.BatchNorm(epsilon=EPSILON), nn.Activation("relu")
                        )
                    stage.add(nn.MaxPool2D(2))
                    self.stages.add(stage)
                self.predictors = nn.HybridSequential()
                for _ in SCALES:
                    for outputs in (BOXES * CLASSES, BOXES * 4):
                        self.predictors.add(nn.Conv2D(outputs, 3, padding=1))

        def hybrid_forward(self, F: Any, x: Any, classes: Any, boxes: Any, mask: Any) -> Any:
            seen = []
            for number in range(len(blocks())):
                x = self.stages[number](x)
                if number >= len(BODY) - 1:
                    seen.append(x)
            seen.append(x)
            flat = [
                F.flatten(F.transpose(predictor(seen[number // 2]), axes=(0, 2, 3, 1)))
                for number, predictor in enumerate(self.predictors)
            ]
            scores = F.reshape(F.concat(*flat[::2], dim=1), shape=(0, -1, CLASSES))
            p = F.sum(classes * F.softmax(scores), axis=2)
            focal = F.mean(-0.25 * F.square(1 - p) * F.log(p), axis=1)
            smooth = F.smooth_l1((F.concat(*flat[1::2], dim=1) - boxes) * mask, scalar=1.0)
            return F.sum(focal + F.mean(smooth, axis=1))

    return SSD(), parameters()


MODEL = Training(parameters, data, naive, rate=0.01, torch=in_torch, gluon=in_gluon, autograd=False)
PROBLEMS = [Problem("ssd", "Toy SSD on 64x64, batch 4: forward, loss, gradients", MODEL.contestants(), tolerance=5e-3)]
