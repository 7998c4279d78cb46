"""Two-layer network (beyond the book): CS231n's class with a loss of its own, on small colour images.

python -m examples.beyond.two_layer_net

Stanford's course CS231n has its students write the backward pass; here `value_and_grad` records it, as in MinPy. The
images are CIFAR-10's, or drawn shapes, of which a linear classifier learns nothing: shape and ground have any colour.
"""

import numpy

import dopegraph
import dopegraph.numpy as np
from dopegraph.data import batches, cifar10_or_shapes
from examples.chapter import compare, learning_curves, on_device, options, picture, progress

# Small weights give ten classes the same probability: log 10. The others are those of PyTorch on the drawn shapes, with
# the same first weights, batches and rates (examples/torch_beside.py).
BOOK = {
    "first_loss": 2.302585,
    "distance_of_gradients": 0.0,
    "last_loss": 0.0344564,
    "train_accuracy": 1.0,
    "test_accuracy": 0.9835,
}

np.random.seed(1)

num_inputs, num_hidden, num_classes, batch_size = 3 * 32 * 32, 100, 10, 100
learning_rate, decay, momentum, reg = 0.02, 0.8, 0.9, 1e-4


class TwoLayerNet:
    """Affine, rectified, affine: the parameters in a dict, and how a batch's loss comes from them."""

    def __init__(self, inputs, hidden, classes, std=0.01):
        self.params = {
            "W1": std * np.random.normal(size=(inputs, hidden)),
            "b1": np.zeros(hidden),
            "W2": std * np.random.normal(size=(hidden, classes)),
            "b2": np.zeros(classes),
        }

    def scores(self, params, X):
        hidden = np.maximum(np.dot(X, params["W1"]) + params["b1"], 0)
        return np.dot(hidden, params["W2"]) + params["b2"]

    def loss(self, params, X, y, reg):
        scores = self.scores(params, X)
        scores = scores - np.max(scores, axis=1, keepdims=True)
        logs = scores - np.log(np.sum(np.exp(scores), axis=1, keepdims=True))
        weights = np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2)
        return -np.mean(logs[np.arange(len(y)), y]) + reg * weights


net = TwoLayerNet(num_inputs, num_hidden, num_classes)
velocities = {name: np.zeros_like(param) for name, param in net.params.items()}


@dopegraph.compile
def train_step(X, y, learning_rate):
    """An update with momentum; what it changes, the dicts and the arrays in them, is found by itself."""
    loss, grads = dopegraph.value_and_grad(net.loss)(net.params, X, y, reg)
    for name in net.params:
        velocities[name] = momentum * velocities[name] - learning_rate * grads[name]
        net.params[name] += velocities[name]
    return loss


@dopegraph.compile
def evaluate(X, y):
    """The loss, and how many of the images are recognized."""
    return net.loss(net.params, X, y, reg), np.mean(np.argmax(net.scores(net.params, X), axis=1) == y)


def compared_gradients():
    """The course's check: a small network's gradients beside differences of its losses, in double precision."""
    toy = TwoLayerNet(4, 6, 3, std=0.5)
    params = {name: param.astype("float64") for name, param in toy.params.items()}
    X, y, step, worst = np.random.normal(size=(5, 4), dtype="float64"), np.array([0, 1, 2, 2, 1]), 1e-6, 0.0
    for name, grad in dopegraph.grad(toy.loss)(params, X, y, 0.05).items():
        for place in np.ndindex(*grad.shape):
            ends = []
            for sign in (1, -1):
                moved = params[name].copy()
                moved[place] += sign * step
                ends.append(float(toy.loss({**params, name: moved}, X, y, 0.05)))
            numerical = (ends[0] - ends[1]) / (2 * step)
            worst = max(worst, abs(numerical - float(grad[place])) / max(1e-4, abs(numerical)))
    return worst


def prepared(images, mean):
    """Rows of numbers about 0."""
    return (images.reshape(len(images), -1).astype("float32") - mean) / 60


def main(arguments=None):
    chosen = options(__doc__, epochs=10, arguments=arguments)
    images = cifar10_or_shapes(*((2000, 500) if chosen.quick else (20000, 2000)))
    print(f"{len(images.train_images)} {images.name} to train with, {len(images.test_images)} to test with")
    mean = images.train_images.reshape(len(images.train_images), -1).mean(axis=0, dtype="float32")
    training = prepared(images.train_images, mean), images.train_labels
    test = [on_device(one) for one in (prepared(images.test_images, mean), images.test_labels)]
    seen = [on_device(one[:2000]) for one in training]
    found = {"distance_of_gradients": compared_gradients(), "train_step": train_step}
    found["first_loss"], history = float(evaluate(*test)[0]), []
    for e in range(chosen.epochs):
        for X, y in progress(batches(*training, batch_size=batch_size, seed=e), e, chosen.steps):
            train_step(X, y, learning_rate * decay**e)
        (train_loss, train_accuracy), (test_loss, test_accuracy) = evaluate(*seen), evaluate(*test)
        history.append([float(one) for one in (train_loss, test_loss, train_accuracy, test_accuracy)])
        print(f"Epoch {e}. Loss: {history[-1][0]:.4f}, Train_acc {history[-1][2]:.4f}, Test_acc {history[-1][3]:.4f}")
    found["last_loss"], _, found["train_accuracy"], found["test_accuracy"] = history[-1]
    compare(BOOK, found)
    if chosen.plots:
        learning_curves(chosen.plots / "two_layer_net.png", history)
        draw(chosen.plots / "two_layer_net_weights.png", net.params["W1"].asnumpy())
    return found


def draw(path, weights):
    """What the hidden units look for, as colour images."""
    with picture(path, 10, 10, (8, 8), layout="constrained") as axes:
        for place, unit in zip(axes.flat, weights.T):
            low, high = numpy.min(unit), numpy.max(unit)
            place.imshow(((unit - low) / (high - low)).reshape(3, 32, 32).transpose(1, 2, 0))
            place.axis("off")


if __name__ == "__main__":
    main()
