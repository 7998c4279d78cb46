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


def resnet20(chapter: ModuleType) -> dict[str, Any]:
    """PyTorch's layers with the chapter's weights."""
    import torch

    nn, f = torch.nn, torch.nn.functional

    def convolution(inputs: int, channels: int, strides: int = 1) -> Any:
        return nn.Conv2d(inputs, channels, 3, strides, 1, bias=False)

    class Residual(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self, inputs: int, channels: int, strides: int) -> None:
            super().__init__()
            self.conv1, self.norm1 = convolution(inputs, channels, strides), nn.BatchNorm2d(channels)
            self.conv2, self.norm2 = convolution(channels, channels), nn.BatchNorm2d(channels)
            self.new, self.strides = channels - inputs, strides

        def forward(self, x: Any) -> Any:
            y = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x)))))
            return torch.relu(y + f.pad(x[:, :, :: self.strides, :: self.strides], (0, 0, 0, 0, 0, self.new)))

    layers, inputs = [convolution(3, 16), nn.BatchNorm2d(16), nn.ReLU()], 16
    for stage, channels in enumerate((16, 32, 64)):
        for block in range(chapter.blocks):
            layers.append(Residual(inputs, channels, 2 if stage and not block else 1))
            inputs = channels
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))
    given = [one.data() for one in chapter.net.collect_params().values() if "running" not in one.name]
    with torch.no_grad():
        for own, array in zip(net.parameters(), given):
            own.copy_(torch.tensor(array.asnumpy()))
    optimizer = torch.optim.SGD(
        net.parameters(), chapter.learning_rate, chapter.momentum, weight_decay=chapter.weight_decay
    )
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, chapter.slower_after, 0.1)
    images, moving = cifar10_or_shapes(5000, 1000), None
    order = batches(images.train_images, images.train_labels, batch_size=chapter.batch_size, seed=1, last="discard")
    for _ in range(10):
        net.train()
        for data, label in order:
            loss = f.cross_entropy(net(torch.tensor(chapter.prepared(data))), torch.tensor(label))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            value = float(loss.detach())
            moving = value if moving is None else 0.99 * moving + 0.01 * value
    net.eval()

    def accuracy(images: Any, labels: Any) -> float:
        with torch.no_grad():
            right = [
                (net(torch.tensor(chapter.prepared(x))).argmax(1) == torch.tensor(y)).sum()
                for x, y in batches(images, labels, batch_size=50, shuffle=False)
            ]
        return float(sum(right)) / len(labels)

    return {
        "moving_loss": moving,
        "train_accuracy": accuracy(images.train_images, images.train_labels),
        "test_accuracy": accuracy(images.test_images, images.test_labels),
    }


def in_torch(params: Any) -> list[Any]:
    """A chapter's parameters."""
    import torch

    return [torch.tensor(one.data().asnumpy(), requires_grad=True) for one in params.values()]


def seq2seq_attention(chapter: ModuleType) -> dict[str, Any]:
    """PyTorch: its fused GRU, its cell, Adam."""
    import torch

    from benchmarks.models.seq2seq import encode_in_torch, step_in_torch
    from benchmarks.models.seq2seq import in_torch as loss_of

    params = in_torch(chapter.parameters)
    optimizer = torch.optim.Adam(params, chapter.learning_rate)
    pairs = [zip(*chapter.dates(count, seed)) for seed, count in enumerate((chapter.num_train, chapter.num_test))]
    training, test = (
        (
            chapter.numbered(texts, chapter.source_letters, chapter.source_length),
            chapter.numbered(forms, chapter.target_letters, chapter.target_length),
        )
        for texts, forms in pairs
    )
    losses, every = [], batches(*training, batch_size=chapter.batch_size, seed=1)
    for _ in range(8):
        for some in every:
            loss = loss_of(torch, params, *map(torch.tensor, some))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))

    def write(source: Any) -> Any:
        with torch.no_grad():
            state, *known = encode_in_torch(torch, params, torch.tensor(source))
            letter, found = torch.full((len(source),), chapter.start_letter), []
            for _ in range(chapter.target_length):
                scores, state = step_in_torch(torch, params[9:], letter, state, *known)
                letter = scores.argmax(1)
                found.append(letter)
            return torch.stack(found, 1).numpy()

    right = write(test[0]) == test[1]
    (written,) = write(chapter.numbered([chapter.example], chapter.source_letters, chapter.source_length))
    return {
        "last_loss": sum(losses[-100:]) / 100,
        "letters_right": float(right.mean()),
        "dates_right": float(right.all(axis=1).mean()),
        "the_example": "".join(chapter.target_letters[letter] for letter in written),
    }


def transformer(chapter: ModuleType) -> dict[str, Any]:
    """PyTorch: its own attention, layer norm and GELU, Adam."""
    import torch

    from benchmarks.models.transformer import scores_in_torch

    params = in_torch(chapter.net.collect_params())
    optimizer = torch.optim.Adam(params, chapter.learning_rate)
    steps = chapter.all_epochs * chapter.steps_of_epoch
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)

    def loss_of(x: Any, y: Any) -> Any:
        scores = scores_in_torch(torch, params, torch.tensor(x), chapter.heads, chapter.layers)
        return torch.nn.functional.cross_entropy(scores.flatten(0, 1), torch.tensor(y).flatten())

    for e in range(chapter.all_epochs):
        pieces, losses = chapter.windows(chapter.training, e * 7 % chapter.context), []
        for some in batches(*pieces, batch_size=chapter.batch_size, seed=e):
            loss = loss_of(*some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
    with torch.no_grad():
        held_out = float(loss_of(*chapter.windows(chapter.validation, 0)))
    return {"training_loss": sum(losses) / len(losses), "validation_loss": held_out}


def vae(chapter: ModuleType) -> dict[str, Any]:
    """PyTorch: Adam, noise of its own."""
    import torch

    f, digits = torch.nn.functional, digits_or_mnist()
    params = in_torch(chapter.params)
    optimizer = torch.optim.Adam(params, chapter.learning_rate)
    torch.manual_seed(1)

    def forward(x: Any) -> tuple[Any, ...]:
        W1, b1, W2, b2, W3, b3, W4, b4 = params
        mean, log_var = f.linear(f.relu(f.linear(x, W1, b1)), W2, b2).chunk(2, 1)
        z = mean + (log_var / 2).exp() * torch.randn_like(mean)
        logits = f.linear(f.relu(f.linear(z, W3, b3)), W4, b4)
        return mean, log_var, z, -f.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)

    def elbo(x: Any) -> Any:
        mean, log_var, _, log_likelihood = forward(torch.tensor(x))
        return log_likelihood - (log_var.exp() + mean**2 - 1 - log_var).sum(1) / 2

    def weight(x: Any) -> Any:
        mean, log_var, z, log_likelihood = forward(torch.tensor(x))
        return log_likelihood + (-(z**2) + (z - mean) ** 2 / log_var.exp() + log_var).sum(1) / 2

    train_data = batches(digits.train_images, batch_size=chapter.batch_size, seed=1)
    for _ in range(chapter.all_epochs):
        total = 0.0
        for (x,) in train_data:
            loss = -elbo(x).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total -= float(loss.detach()) * len(x)
    with torch.no_grad():
        weights = torch.stack([weight(digits.test_images[:1000]) for _ in range(64)])
        test = float(elbo(digits.test_images).mean())
    likelihood = float((weights.logsumexp(0) - numpy.log(64)).mean())
    return {"train_elbo": total / len(digits.train_images), "test_elbo": test, "log_likelihood": likelihood}


PEERS: dict[str, Callable[[ModuleType], dict[str, Any]]] = {
    one.__name__: one for one in (svm_classifier, two_layer_net, resnet20, seq2seq_attention, transformer, vae)
}


def main() -> None:
    for name in sys.argv[1:] or PEERS:
        print(name, PEERS[name](importlib.import_module(f"examples.beyond.{name}")))


if __name__ == "__main__":
    main()
