"""What the chapters with images share and the book repeats in each: MNIST as images, accuracy, the loop over epochs."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import dopegraph.numpy as np
from dopegraph.data import Digits, batches
from examples.chapter import digits, on_device, progress

quick_examples = 1000  # of training and test data that --quick evaluates


def mnist_images() -> Digits:
    """MNIST, or what stands in for it, of shape (n, 1, 28, 28) from 0 to 1."""
    found = digits(flatten=False)
    return replace(found, train_images=found.train_images[:, None], test_images=found.test_images[:, None])


def accuracy(classify: Any, images: Any, labels: Any, batch_size: int) -> float:
    """Which part of the images get their label from `classify`."""
    right = 0.0
    for data, label in batches(images, labels, batch_size=batch_size, shuffle=False):
        right += float(np.sum(classify(on_device(data)) == on_device(label)))
    return right / len(labels)


def train(
    chosen: Any,
    train_step: Any,
    classify: Any,
    images: Any,
    batch_size: int = 64,
    last: str = "keep",
    log_interval: int = 0,
    evaluate_by: int = 500,
    prepared: Any = lambda images: images,
) -> dict[str, Any]:
    """Call ``train_step(data, label)`` for every batch, and print what the book prints after each epoch.

    `prepared` is done to the images of a batch on their way in.
    """
    some = slice(quick_examples if chosen.quick else None)
    train_data = batches(images.train_images, images.train_labels, batch_size=batch_size, seed=1, last=last)
    found: dict[str, Any] = {"train_step": train_step, "losses": []}
    logged = found[f"loss_every_{log_interval}_batches"] = []
    for e in range(chosen.epochs):
        start = time.perf_counter()
        for i, (data, label) in enumerate(progress(train_data, e, chosen.steps), start=1):
            loss = float(train_step(prepared(data), label))
            moving_loss = 0.99 * found["moving_loss"] + 0.01 * loss if found["losses"] else loss
            found["moving_loss"] = moving_loss
            found["losses"].append(moving_loss)
            if log_interval and i % log_interval == 0:
                logged.append(moving_loss)
        found["epoch_seconds"] = time.perf_counter() - start
        found["train_accuracy"], found["test_accuracy"] = (
            accuracy(lambda data: classify(prepared(data)), x[some], y[some], evaluate_by)
            for x, y in ((images.train_images, images.train_labels), (images.test_images, images.test_labels))
        )
        print(
            f"Epoch {e}. Loss: {found['moving_loss']:.4f}, Train_acc {found['train_accuracy']:.4f}, "
            f"Test_acc {found['test_accuracy']:.4f} ({found['epoch_seconds']:.1f} s)"
        )
    return found
