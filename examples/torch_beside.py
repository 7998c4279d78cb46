"""What NumPy or PyTorch reach with the settings of the chapters beyond the book, for the column of the book.

python -m examples.torch_beside two_layer_net

Each function begins with the chapter's first weights and takes its batches, so that only the library differs.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy

from dopegraph.data import batches, cifar10_or_shapes, digits_or_mnist


def svm_classifier(chapter: ModuleType) -> dict[str, Any]:
    """NumPy with the gradient by hand."""
    images = digits_or_mnist()
    mean = images.train_images.mean(axis=0)
    X, y = chapter.prepared(images.train_images, mean), images.train_labels
    held_out = chapter.num_validation
    found: dict[str, Any] = {"validation_accuracy": 0.0}

    def accuracy(W: Any, X: Any, y: Any) -> float:
        return float(numpy.mean(numpy.argmax(X @ W, axis=1) == y))

    for rate in chapter.learning_rates:
        for reg in chapter.penalties:
            W = chapter.start.asnumpy()
            for e in range(3):
                for some in batches(X[:-held_out], y[:-held_out], batch_size=200, seed=e, last="discard"):
                    W -= numpy.float32(rate) * chapter.svm_gradient_by_hand(W, *some, numpy.float32(reg))
            right = accuracy(W, X[-held_out:], y[-held_out:])
            if right > found["validation_accuracy"]:
                test = accuracy(W, chapter.prepared(images.test_images, mean), images.test_labels)
                found.update(validation_accuracy=right, test_accuracy=test, best_rate_and_penalty=[rate, reg])
    return found


def two_layer_net(chapter: ModuleType) -> dict[str, Any]:
    """PyTorch: the loss by its own functions, SGD with momentum."""
    import torch

    images = cifar10_or_shapes(20000, 2000)
    mean = images.train_images.reshape(len(images.train_images), -1).mean(axis=0, dtype="float32")
    X, y = chapter.prepared(images.train_images, mean), images.train_labels
    W1, b1, W2, b2 = params = [torch.tensor(one.asnumpy(), requires_grad=True) for one in chapter.net.params.values()]
    optimizer = torch.optim.SGD(params, chapter.learning_rate, momentum=chapter.momentum)

    def loss_and_scores(X: Any, y: Any) -> tuple[Any, Any]:
        scores = torch.addmm(b2, torch.relu(torch.addmm(b1, X, W1)), W2)
        weights = (W1**2).sum() + (W2**2).sum()
        return torch.nn.functional.cross_entropy(scores, y) + chapter.reg * weights, scores

    for e in range(10):
        for group in optimizer.param_groups:
            group["lr"] = chapter.learning_rate * chapter.decay**e
        for some in batches(X, y, batch_size=chapter.batch_size, seed=e):
            loss, _ = loss_and_scores(*map(torch.tensor, some))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    found = {}
    test = chapter.prepared(images.test_images, mean), images.test_labels
    for name, some in (("test", test), ("train", (X[:2000], y[:2000]))):
        loss, scores = loss_and_scores(*map(torch.tensor, some))
        found[f"{name}_accuracy"] = float((scores.argmax(1) == torch.tensor(some[1])).float().mean())
    return {**found, "last_loss": float(loss.detach())}


PEERS: dict[str, Callable[[ModuleType], dict[str, Any]]] = {
    one.__name__: one for one in (svm_classifier, two_layer_net)
}


def main() -> None:
    for name in sys.argv[1:] or PEERS:
        print(name, PEERS[name](importlib.import_module(f"examples.beyond.{name}")))


if __name__ == "__main__":
    main()
