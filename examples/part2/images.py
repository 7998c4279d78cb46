"""What the chapters with images share and the book repeats in each: MNIST as images, accuracy, the loop over epochs."""

from __future__ import annotations

import time
from typing import Any

import dopegraph.numpy as np
from dopegraph.data import Digits, batches, digits_or_mnist
from examples.chapter import plot_curve, progress

quick_examples = 1000  # of training and test data that --quick evaluates


def mnist_images() -> Digits:
    """MNIST, or what stands in for it, of shape (n, 1, 28, 28) from 0 to 1."""
    digits = digits_or_mnist(flatten=False)
    train, test = digits.train_images[:, None], digits.test_images[:, None]
    return Digits(train, digits.train_labels, test, digits.test_labels, digits.name)


def accuracy(classify: Any, images: Any, labels: Any, batch_size: int) -> float:
    """Which part of the images get their label from `classify`."""
    right = 0.0
    for data, label in batches(images, labels, batch_size=batch_size, shuffle=False):
        right += float(np.sum(classify(data) == label))
    return right / len(labels)


def train(chosen: Any, step: Any, classify: Any, digits: Digits, batch_size: int = 64, **how: Any) -> dict[str, Any]:
    """Call ``step(data, label)`` for every batch, and print what the book prints after each epoch."""
    last, log_interval, smoothing = how.pop("last", "keep"), how.pop("log_interval", 0), how.pop("smoothing", 0.01)
    evaluate_by = how.pop("evaluate_by", 500)
    some = slice(quick_examples if chosen.quick else None)
    print(f"{len(digits.train_images)} images of {digits.name} to train with, {len(digits.test_images)} to test with")
    train_data = batches(digits.train_images, digits.train_labels, batch_size=batch_size, seed=1, last=last)
    losses: list[float] = []
    found: dict[str, Any] = {"train_step": step, "losses": losses, "batch_losses": []}
    for e in range(chosen.epochs):
        start = time.perf_counter()
        for i, (data, label) in enumerate(progress(train_data, e, chosen.steps), start=1):
            loss = float(step(data, label))
            found["batch_losses"].append(loss)
            losses.append(loss if not losses else (1 - smoothing) * losses[-1] + smoothing * loss)
            if log_interval and i % log_interval == 0:
                print(f"Batch {i}. Loss: {losses[-1]:.6f}")
        seconds = time.perf_counter() - start
        train_accuracy = accuracy(classify, digits.train_images[some], digits.train_labels[some], evaluate_by)
        test_accuracy = accuracy(classify, digits.test_images[some], digits.test_labels[some], evaluate_by)
        print(
            f"Epoch {e}. Loss: {losses[-1]:.4f}, Train_acc {train_accuracy:.4f}, Test_acc {test_accuracy:.4f} "
            f"({seconds:.1f} s)"
        )
        found.update(train_accuracy=train_accuracy, test_accuracy=test_accuracy, seconds=seconds)
    if chosen.plots:
        plot_curve(chosen.plots / f"{chosen.name}.png", losses, "moving loss", f"{chosen.name} on {digits.name}")
    return found
