"""What the two chapters on gradient descent share: linear regression with one batch size and rate after another."""

from __future__ import annotations

import time
from typing import Any

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.data import batches
from examples.chapter import plot_curve, progress

np.random.seed(1)

num_inputs, num_examples = 2, 10000


def real_fn(X: Any) -> Any:
    return 2 * X[:, 0] - 3.4 * X[:, 1] + 4.2


X = np.random.normal(size=(num_examples, num_inputs))
Y = real_fn(X) + 0.01 * np.random.normal(size=num_examples)

net = nn.Dense(1, in_units=num_inputs)
square_loss = nn.L2Loss()


def new_step(learning_rate: float, momentum: float) -> Any:
    """A compiled step of training from the beginning."""
    net.initialize(init.Xavier(magnitude=2.24), force_reinit=True)
    trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate, "momentum": momentum})

    @dopegraph.compile
    def train_step(data, label):
        with dopegraph.record():
            output = net(data)
            loss = square_loss(output, label.reshape((-1, 1)))
        loss.backward()
        trainer.step(data.shape[0])
        return np.mean(loss)

    return train_step


def compare(chosen: Any, rates: dict[int, float], books: dict[int, Any], momentum: float) -> dict[str, Any]:
    """Train with each batch size and its rate; print what was found, and how long a step took."""
    found: dict[str, Any] = {"weights": {}, "train_steps": []}
    for batch_size, learning_rate in rates.items():
        step = new_step(learning_rate, momentum)
        train_data = batches(X.asnumpy(), Y.asnumpy(), batch_size=batch_size, seed=1)
        losses = []
        start = time.perf_counter()
        for e in range(chosen.epochs):
            losses += [step(data, label) for data, label in progress(train_data, e, chosen.steps)]
        microseconds = (time.perf_counter() - start) / len(losses) * 1e6
        w, b = net.weight.data().asnumpy().ravel(), float(net.bias.data()[0])
        found["weights"][batch_size] = (w.tolist(), b)
        found["train_steps"].append(step)
        print(f"batch size {batch_size}, learning rate {learning_rate}: w {w} b {b:.5f} ({microseconds:.0f} us a step)")
        print(f"  the book's: w {books[batch_size][0]} b {books[batch_size][1]}")
        if chosen.plots:
            curve = [max(float(loss), 1e-9) for loss in losses]
            plot_curve(chosen.plots / f"{chosen.name}_{batch_size}.png", curve, "loss", f"batch size {batch_size}")
    return found
