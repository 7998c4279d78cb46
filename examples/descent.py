"""What the two chapters on gradient descent share: linear regression from the start, with one batch size."""

from __future__ import annotations

import time
from typing import Any

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.data import batches
from examples.chapter import progress

np.random.seed(1)

num_inputs, num_examples = 2, 10000


def real_fn(X: Any) -> Any:
    return 2 * X[:, 0] - 3.4 * X[:, 1] + 4.2


X = np.random.normal(size=(num_examples, num_inputs))
Y = real_fn(X) + 0.01 * np.random.normal(size=num_examples)

square_loss = nn.L2Loss()


def descend(chosen: Any, batch_size: int, learning_rate: float, momentum: float) -> tuple[Any, Any, Any]:
    """Train for the chosen number of epochs: the weights with the bias, the losses, and the compiled step."""
    net = nn.Dense(1, in_units=num_inputs)
    net.initialize(init.Xavier(magnitude=2.24))
    trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate, "momentum": momentum})

    @dopegraph.compile
    def train_step(data, label):
        with dopegraph.record():
            output = net(data)
            loss = square_loss(output, label.reshape((-1, 1)))
        loss.backward()
        trainer.step(data.shape[0])
        return np.mean(loss)

    train_data = batches(X.asnumpy(), Y.asnumpy(), batch_size=batch_size, seed=1)
    losses: list[Any] = []
    start = time.perf_counter()
    for e in range(chosen.epochs):
        losses += [train_step(data, label) for data, label in progress(train_data, e, chosen.steps)]
    microseconds = (time.perf_counter() - start) / len(losses) * 1e6
    print(f"batch size {batch_size}, learning rate {learning_rate}: {len(losses)} steps of {microseconds:.0f} us")
    weights = [*net.weight.data().tolist()[0], *net.bias.data().tolist()]
    return weights, [max(float(loss), 1e-9) for loss in losses], train_step
