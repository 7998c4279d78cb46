"""Support vector machine (beyond the book): CS231n's linear classifier, its gradient by hand and by dopegraph.

python -m examples.beyond.svm_classifier

The multiclass loss is that of the first assignment of Stanford's course CS231n: every wrong class whose score comes
within 1 of the right one's pays the difference.
"""

import numpy

import dopegraph
import dopegraph.numpy as np
from dopegraph.data import batches
from examples.chapter import compare, digits, options, picture, progress

# Small weights give all classes the same score: 9 wrong classes pay 1 each. The accuracies are those of NumPy with the
# gradient by hand, the same batches and rates (examples/torch_beside.py).
BOOK = {
    "first_loss": 9.0,
    "distance_of_gradients": 0.0,
    "best_rate_and_penalty": [0.03, 0.001],
    "validation_accuracy": 0.9276,
    "test_accuracy": 0.9111,
}

np.random.seed(1)

num_classes, batch_size, num_validation = 10, 200, 5000
learning_rates, penalties = (0.003, 0.01, 0.03), (0.0001, 0.001, 0.01)

W = np.zeros((785, num_classes))
start = 0.0001 * np.random.normal(size=W.shape)


def svm_loss_naive(W, X, y, reg):
    """The loss as it is explained: one example and one class after the other."""
    loss = 0.0
    for x, right in zip(X, y):
        scores = np.dot(x, W)
        for j in range(num_classes):
            margin = scores[j] - scores[right] + 1
            if j != right and margin > 0:
                loss = loss + margin
    return loss / len(X) + reg * np.sum(W * W)


def svm_loss(W, X, y, reg):
    """The same for all at once."""
    scores = np.dot(X, W)
    rows = np.arange(len(y))
    margins = np.maximum(scores - scores[rows, y][:, None] + 1, 0)
    return (np.sum(margins) - len(y)) / len(y) + reg * np.sum(W * W)  # the right class has paid 1, too


LOSSES = (svm_loss_naive, svm_loss)


def svm_gradient_by_hand(W, X, y, reg):
    """What the course has its students derive, in NumPy."""
    scores, rows = X @ W, numpy.arange(len(y))
    slopes = (scores - scores[rows, y][:, None] + 1 > 0).astype(W.dtype)
    slopes[rows, y] = 0
    slopes[rows, y] = -slopes.sum(axis=1)
    return X.T @ slopes / len(y) + 2 * reg * W


@dopegraph.compile
def train_step(X, y, learning_rate, reg):
    loss, gradient = dopegraph.value_and_grad(svm_loss)(W, X, y, reg)
    W[:] -= learning_rate * gradient
    return loss


@dopegraph.compile
def accuracy(X, y):
    return np.mean(np.argmax(np.dot(X, W), axis=1) == y)


def distance(one, other):
    """The largest relative difference, as the course measures it."""
    one, other = numpy.asarray(one), numpy.asarray(other)
    return float(numpy.max(abs(one - other) / numpy.maximum(1e-8, abs(one) + abs(other))))


def compared_gradients(X, y):
    """How far two losses' gradients are from the one by hand, in double precision."""
    X, W = X.astype("float64"), start.astype("float64")
    by_hand = svm_gradient_by_hand(W.asnumpy(), X, y, 0.1)
    return max(distance(dopegraph.grad(loss)(W, X, y, 0.1), by_hand) for loss in LOSSES)


def prepared(images, mean):
    """Images less the mean one, and a column of ones, whose weights are the bias."""
    return numpy.hstack([images - mean, numpy.ones((len(images), 1), images.dtype)])


def train(chosen, data, learning_rate, reg):
    """Begin anew: the losses."""
    W[:] = start
    losses = []
    for e in range(chosen.epochs):
        for X, y in progress(batches(*data, batch_size=batch_size, seed=e, last="discard"), e, chosen.steps):
            losses.append(float(train_step(X, y, learning_rate, reg)))
    return losses


def main(arguments=None):
    chosen = options(__doc__, epochs=3, arguments=arguments)
    images = digits()
    mean = images.train_images.mean(axis=0)
    X, y = prepared(images.train_images, mean), images.train_labels
    held_out = min(num_validation, len(X) // 5)
    training, validation = (X[:-held_out], y[:-held_out]), (X[-held_out:], y[-held_out:])
    found = {
        "first_loss": float(svm_loss(start, *training, 0.0)),
        "distance_of_gradients": compared_gradients(X[:5], y[:5]),
        "validation_accuracy": 0.0,
        "train_step": train_step,
    }
    for learning_rate in learning_rates:  # rates and penalties are arguments: nothing is compiled again
        for reg in penalties:
            losses = train(chosen, training, learning_rate, reg)
            right = float(accuracy(*validation))
            print(f"rate {learning_rate}, penalty {reg}: loss {losses[-1]:.4f}, validation accuracy {right:.4f}")
            if right > found["validation_accuracy"]:
                best, curve, found["best_rate_and_penalty"] = W.copy(), losses, [learning_rate, reg]
                found["validation_accuracy"] = right
    W[:] = best
    found["test_accuracy"] = float(accuracy(prepared(images.test_images, mean), images.test_labels))
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots / "svm_classifier.png", curve, best[:-1].asnumpy())
    return found


def draw(path, losses, weights):
    """The loss over the steps, and what each class looks for."""
    with picture(path, 2, 6, (14, 5), layout="constrained") as axes:
        figure, grid = axes[0, 0].figure, axes[0, 0].get_gridspec()
        for place in axes[:, 0]:
            place.remove()
        curve = figure.add_subplot(grid[:, 0])
        curve.plot(losses)
        curve.set_xlabel("step")
        curve.set_ylabel("loss")
        most = abs(weights).max()
        for number, place in enumerate(axes[:, 1:].flat):
            place.imshow(weights[:, number].reshape(28, 28), cmap="coolwarm", vmin=-most, vmax=most)
            place.set_title(str(number))
            place.axis("off")


if __name__ == "__main__":
    main()
