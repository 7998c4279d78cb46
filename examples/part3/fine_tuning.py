"""Transferring knowledge through finetuning (the book's chapter 2): a pretrained SqueezeNet looks for a rare class.

python -m examples.part3.fine_tuning

The book's network knows ImageNet and looks for hot dogs. Here it learns bright digits on dark grounds first; then it
looks for sevens among digits on textures, where one picture in ten has one: scikit-image's photographs where it is
installed, else clouds of noise. Beside the book's way: with nothing but new numbers in its last layer, and in all.
"""

import tempfile
import time
from pathlib import Path

import numpy

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, metrics, nn, optim
from dopegraph.data import augmented, batches, center_crop, normalized, resized, resized_short, textures
from dopegraph.data.sprites import piece
from dopegraph.vision import squeezenet1_1
from examples.chapter import compare, digits, on_device, options, picture

BOOK = {
    "parameters": 723522,
    "first_accuracy": 0.185938,
    "first_f1": 0.286732,
    "accuracy": [0.6125, 0.611719, 0.64375, 0.735156, 0.810937],
    "f1": [0.360263, 0.418568, 0.446779, 0.496402, 0.556719],
    "best_f1": 0.556719,
    "f1_with_a_new_head": "not in the book",
    "f1_of_a_new_network": "not in the book",
    "best_f1_with_a_new_head": "not in the book",
    "best_f1_of_a_new_network": "not in the book",
}

np.random.seed(1)

batch_size, size, positive_class_weight, seven = 32, 48, 5, 7
softmax_cross_entropy = nn.SoftmaxCrossEntropyLoss()


def coloured(digits, seed, textured):
    """Digits (n, 28, 28) as pictures, uint8 (n, 3, 48, 64): in a bright colour, on a dark one or on a texture."""
    rng, count = numpy.random.default_rng(seed), len(digits)
    grounds = rng.uniform(0, 120, (count, 1, 1, 3)) * numpy.ones((1, size, 64, 1))
    if textured:
        grounds = numpy.stack([piece(64, rng)[:size] * 0.5 for _ in range(count)])
    ink = numpy.zeros((count, size, 64, 1))
    ink[:, 4:-4, 12:-12, 0] = resized(digits, (40, 40))
    found = grounds * (1 - ink) + rng.uniform(130, 255, (count, 1, 1, 3)) * ink
    return found.clip(0, 255).astype("uint8").transpose(0, 3, 1, 2)


def make_steps(net, trainer, weight=None):
    @dopegraph.compile
    def train_step(data, label):
        with dopegraph.record():
            loss = softmax_cross_entropy(net(data), label)
            if weight:  # those that are rare count more
                loss = loss * (1 + label * weight) / weight
        loss.backward()
        trainer.step(data.shape[0])
        return np.mean(loss)

    @dopegraph.compile
    def predict(data):
        return nn.softmax(net(data))

    return train_step, predict


def prepared(images):
    """As the network sees pictures of which nothing is learned: a little larger, and of that the middle."""
    return normalized(center_crop(resized_short(images, size * 9 // 8), (size, size)))


def evaluate(predict, images, labels):
    """Accuracy, and for two classes F1, of all pictures at once."""
    parts = batches(prepared(images), batch_size=50, shuffle=False)
    probs = [predict(on_device(data)).asnumpy() for (data,) in parts]
    wanted = metrics.CompositeEvalMetric(["acc"] + [metrics.F1(average="micro")] * (probs[0].shape[1] == 2))
    wanted.update(labels, numpy.concatenate(probs))
    return wanted.get()[1]


def train(net, training, test, epochs, optimizer, how, weight=None, path=None):
    """The compiled functions, and the metrics before the first and after each epoch; the best parameters in a file."""
    train_step, predict = make_steps(net, optim.Trainer(net.collect_params(), optimizer, how), weight)
    train_data = batches(*training, batch_size=batch_size, seed=1, last="discard")
    history = [evaluate(predict, *test)]
    for e in range(epochs):
        start, loss = time.perf_counter(), 0.0
        for i, (images, labels) in enumerate(train_data):
            data, _ = augmented(center_crop(images, (size, size)), 1000 * e + i, mirror=False)
            loss += float(train_step(on_device(normalized(data)), on_device(labels))) / len(train_data)
        history.append(evaluate(predict, *test))
        took = time.perf_counter() - start
        print(
            f"[Epoch {e}] loss={loss:.4f} {dict(zip(['accuracy', 'f1'], history[-1]))} time: {took:.1f} s", flush=True
        )
        if path is not None and history[-1][-1] >= max(one[-1] for one in history[1:]):
            net.save_parameters(path)
    return train_step, predict, history


def deep_dog(pretrained, what):
    """A network of two classes: new, or of pretrained features; the second row of its last layer may be the sevens'."""
    deep_dog_net = squeezenet1_1(classes=2, prefix="deep_dog_")
    deep_dog_net.initialize(init.Xavier("gaussian", "in", 2))
    if what != "a new network":
        net = squeezenet1_1(classes=10)
        net.load_parameters(pretrained)
        deep_dog_net.features = net.features
        last, new = net.output[0], deep_dog_net.output[0]
        weights = list(np.random.normal(scale=0.02, size=(2, *last.weight.shape[1:])))
        biases = list(np.zeros((2, 1)))
        if what == "the row of the sevens":
            weights[1], biases[1] = np.split(last.weight.data(), 10)[seven][0], np.split(last.bias.data(), 10)[seven]
        new.weight.set_data(np.stack(weights))
        new.bias.set_data(np.concatenate(biases))
    return deep_dog_net


def main(arguments=None):
    chosen = options(__doc__, epochs=5, arguments=arguments)
    source, target, tested = (160, 64, 50) if chosen.quick else (6000, 600, 1000)
    mnist = digits(flatten=False)
    if len(mnist.train_images) < source + target:  # those that stand in for MNIST are few
        source = target = len(mnist.train_images) // 2
    images, labels, wanted = mnist.train_images, mnist.train_labels, mnist.train_labels == seven
    print(f"{source} digits to learn, then {target} on textures: {textures()[0]}")
    pictures = coloured(images[:source], 1, False), labels[:source]
    there = slice(source, source + target)
    training = coloured(images[there], 2, True), wanted[there].astype("float32")
    test = coloured(mnist.test_images[:tested], 3, True), (mnist.test_labels[:tested] == seven).astype("float32")
    histories = {}
    with tempfile.TemporaryDirectory() as folder:
        first, best = Path(folder) / "squeezenet.params", Path(folder) / "deep_dog.params"
        net = squeezenet1_1(classes=10)
        net.initialize(init.Xavier("gaussian", "in", 2))
        net.output[0].weight.initialize(init.Normal(0.01), force_reinit=True)
        how = {"learning_rate": 3e-4}
        train(net, pictures, [one[:500] for one in pictures], 1 if chosen.quick else 6, "adam", how, path=first)
        how = {"learning_rate": 0.02, "wd": 0.002}
        for what in ("a new network", "a new head", "the row of the sevens"):
            print(what)
            deep_dog_net = deep_dog(first, what)
            train_step, predict, histories[what] = train(
                deep_dog_net, training, test, chosen.epochs, "sgd", how, positive_class_weight, best
            )
        deep_dog_net.load_parameters(best)
    (first_accuracy, first_f1), *after = histories["the row of the sevens"]
    found = {
        "parameters": sum(param.data().size for param in deep_dog_net.collect_params().values()),
        "first_accuracy": first_accuracy,
        "first_f1": first_f1,
        "accuracy": [accuracy for accuracy, _ in after],
        "f1": [f1 for _, f1 in after],
        "best_f1": evaluate(predict, *test)[1],
        "f1_with_a_new_head": [f1 for _, f1 in histories["a new head"][1:]],
        "f1_of_a_new_network": [f1 for _, f1 in histories["a new network"][1:]],
        "best_f1_with_a_new_head": max(f1 for _, f1 in histories["a new head"][1:]),
        "best_f1_of_a_new_network": max(f1 for _, f1 in histories["a new network"][1:]),
        "train_step": train_step,
    }
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots, histories, predict, *test)
    return found


def draw(folder, histories, predict, images, labels):
    """F1 over the epochs; pictures, what the network sees of them, and what it says."""
    with picture(folder / "fine_tuning.png", size=(7, 5)) as axes:
        for what, history in histories.items():
            axes.plot(range(len(history)), [f1 for _, f1 in history], marker=".", label=what)
        axes.set_xlabel("epoch")
        axes.set_ylabel("F1 of sevens on textures")
        axes.grid(True)
        axes.legend()
    probs = predict(on_device(prepared(images[:50]))).asnumpy()[:, 1]
    some = numpy.argsort(-labels[:50], kind="stable")[[0, 1, 2, -1, -2, -3]]
    seen = center_crop(resized_short(images[some], size * 9 // 8), (size, size))
    with picture(folder / "fine_tuning_verdicts.png", 2, 6, (14, 5), layout="constrained") as axes:
        for (above, below), whole, part, prob in zip(axes.T, images[some], seen, probs[some]):
            for place, one in ((above, whole), (below, part)):
                place.imshow(one.transpose(1, 2, 0))
                place.axis("off")
            below.set_title(f"{'Seven!' if prob > 0.5 else 'Not a seven!'} {prob:.3f}")


if __name__ == "__main__":
    main()
