"""The book's chapter on overfitting, complete: 2 x 1000 epochs, 32,000 training steps, 64,000 evaluations of batches.

    python -m benchmarks.overfitting [--epochs 1000]

What is timed is examples/part1/regularization_scratch.py as it is, and the same code for JAX, each in a process of its
own. They do some epochs in turns, so that a busy machine is equally unfair to both. Compiling is included.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.alternate import machine

BLOCK = 20
# After each epoch: losses and accuracies, as in the chapter.
Epochs = Iterator[tuple[float, float, float, float]]


def with_dopegraph(epochs: int) -> Epochs:
    from examples.part1 import regularization_scratch as chapter

    np = chapter.np
    train_data, test_data = _data(chapter)
    for strength in (0.0, chapter.l2_strength):
        for param in chapter.params:
            param[:] = np.random.normal(size=param.shape)
        for _ in range(epochs):
            yield chapter.train(train_data, test_data, strength, 1, quiet=True)[-1]


def with_jax(epochs: int) -> Epochs:
    import jax
    import jax.numpy as jnp

    from examples.part1 import regularization_scratch as chapter

    train_data, test_data = _data(chapter)

    def net(params: Any, X: Any) -> Any:
        W, b = params
        return jax.nn.softmax(jnp.dot(X, W) + b, axis=1)

    def cross_entropy(yhat: Any, y: Any) -> Any:
        # Probabilities that are 0 in float32 would give 0 log 0; dopegraph makes a log_softmax of it, JAX does not.
        return -jnp.sum(y * jnp.log(yhat + 1e-30), axis=1)

    def losses(params: Any, data: Any, label: Any, strength: float) -> Any:
        loss = cross_entropy(net(params, data), jax.nn.one_hot(label, chapter.num_outputs))
        penalty = sum(jnp.sum(param**2) for param in params)
        return jnp.sum(loss) + strength * penalty, jnp.mean(loss)

    @jax.jit
    def train_step(params: Any, data: Any, label: Any, strength: float) -> Any:
        (_, loss), gradients = jax.value_and_grad(losses, has_aux=True)(params, data, label, strength)
        return loss, [param - chapter.learning_rate * gradient for param, gradient in zip(params, gradients)]

    @jax.jit
    def evaluate(params: Any, data: Any, label: Any) -> Any:
        output = net(params, data)
        loss = cross_entropy(output, jax.nn.one_hot(label, chapter.num_outputs))
        return jnp.sum(jnp.argmax(output, axis=1) == label), jnp.sum(loss)

    def evaluate_accuracy(params: Any, data: Any) -> tuple[float, float]:
        right, loss = 0, 0.0
        for images, labels in data:
            counted, summed = evaluate(params, images, labels)
            right, loss = right + int(counted), loss + float(summed)
        return right / chapter.num_examples, loss / chapter.num_examples

    key = jax.random.PRNGKey(1)
    for strength in (0.0, chapter.l2_strength):
        key, one, other = jax.random.split(key, 3)
        shapes = [(chapter.num_inputs, chapter.num_outputs), (chapter.num_outputs,)]
        params = [jax.random.normal(k, shape) for k, shape in zip((one, other), shapes)]
        for _ in range(epochs):
            for data, label in train_data:
                _, params = train_step(params, data, label, strength)
            train_accuracy, train_loss = evaluate_accuracy(params, train_data)
            test_accuracy, test_loss = evaluate_accuracy(params, test_data)
            yield train_loss, test_loss, train_accuracy, test_accuracy


def _data(chapter: Any) -> tuple[Any, Any]:
    mnist = chapter.digits(train=chapter.num_examples, test=chapter.num_examples)
    images = [(mnist.train_images, mnist.train_labels), (mnist.test_images, mnist.test_labels)]
    train_data, test_data = (chapter.batches(*pair, batch_size=chapter.batch_size, seed=1) for pair in images)
    return train_data, test_data


MAKERS: dict[str, Callable[[int], Epochs]] = {"dopegraph": with_dopegraph, "JAX jit": with_jax}


def _serve(make: Callable[[int], Epochs], epochs: int, pipe: Connection) -> None:
    """Do so many epochs as are asked for; the clock and the processor's time that they took, and the last figures."""
    run = make(epochs)
    while asked := pipe.recv():
        wall, used = time.perf_counter(), time.process_time()
        for _ in range(asked):
            figures = next(run)
        pipe.send((time.perf_counter() - wall, time.process_time() - used, figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=1000, help="of each of the two trainings (default 1000)")
    epochs = parser.parse_args().epochs
    context, pipes = multiprocessing.get_context("spawn"), {}
    for name, make in MAKERS.items():
        pipes[name], other = context.Pipe()
        context.Process(target=_serve, args=(make, epochs, other), daemon=True).start()
    walls, used = dict.fromkeys(MAKERS, 0.0), dict.fromkeys(MAKERS, 0.0)
    accuracies: dict[str, list[float]] = {name: [] for name in MAKERS}
    done = 0
    while done < 2 * epochs:
        block = min(BLOCK, epochs - done % epochs)
        for name, pipe in pipes.items():
            pipe.send(block)
            wall, cpu, figures = pipe.recv()
            walls[name] += wall
            used[name] += cpu
            if (done + block) % epochs == 0:
                accuracies[name].append(figures[3])
        done += block
    for pipe in pipes.values():
        pipe.send(0)
    print(f"Overfitting, 2 x {epochs} epochs: {32 * epochs} steps, {64 * epochs} evaluations; {machine()}\n")
    print("| | s | s of the processor | ratio | test accuracy without, with penalty |\n|---|---:|---:|---:|---|")
    first = next(iter(MAKERS))
    for name in MAKERS:
        plain, penalized = accuracies[name]
        ratio = walls[name] / walls[first]
        print(f"| {name} | {walls[name]:.1f} | {used[name]:.1f} | {ratio:.2f} | {plain:.3f}, {penalized:.3f} |")


if __name__ == "__main__":
    main()
