"""FizzBuzz (the book's chapter 0): when not to use machine learning, a rule of four lines and a network that learns it.

python -m examples.part1.fizzbuzz
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.data import batches
from examples.chapter import compare, options, plot_curve, progress

# Joel Grus' network, which the book tells of, "didn't have perfect accuracy".
BOOK = {"rule_15": "1 2 fizz 4 buzz fizz 7 8 fizz buzz 11 fizz 13 14 fizzbuzz", "learned_accuracy": "not perfect"}

np.random.seed(1)

num_digits, num_hidden, num_outputs = 10, 100, 4
batch_size, learning_rate, momentum = 128, 0.05, 0.9


def fizz_buzz(i):
    if i % 15 == 0:
        return "fizzbuzz"
    if i % 3 == 0:
        return "fizz"
    if i % 5 == 0:
        return "buzz"
    return str(i)


def binary(i):
    """The binary digits of numbers, the lowest first: all that the network sees."""
    return (i.reshape((-1, 1)) // 2 ** np.arange(num_digits)) % 2


def label(i):
    """0: the number itself, 1: fizz, 2: buzz, 3: fizzbuzz."""
    return (i % 3 == 0) + 2 * (i % 5 == 0)


W1 = np.random.normal(scale=0.3, size=(num_digits, num_hidden))
b1 = np.zeros(num_hidden)
W2 = np.random.normal(scale=0.1, size=(num_hidden, num_outputs))
b2 = np.zeros(num_outputs)
params = [W1, b1, W2, b2]
velocities = [np.zeros_like(param) for param in params]
for param in params:
    param.attach_grad()


def net(X):
    return np.dot(nn.relu(np.dot(X, W1) + b1), W2) + b2


@dopegraph.compile
def train_step(numbers, lr):
    with dopegraph.record():
        target = nn.one_hot(label(numbers), num_outputs)
        loss = -np.mean(np.sum(target * nn.log_softmax(net(binary(numbers))), axis=1))
    loss.backward()
    for param, velocity in zip(params, velocities):
        velocity[:] = momentum * velocity + param.grad
        param -= lr * velocity
    return loss


@dopegraph.compile
def predict(numbers):
    return np.argmax(net(binary(numbers)), axis=1)


def main(arguments=None):
    chosen = options(__doc__, epochs=2000, arguments=arguments)
    print(" ".join(fizz_buzz(i) for i in range(1, 101)))
    train_data = batches(np.arange(101, 2**num_digits).asnumpy(), batch_size=batch_size, seed=1)
    losses = []
    for e in range(chosen.epochs):
        for (numbers,) in progress(train_data, e, chosen.steps):
            losses.append(float(train_step(numbers, learning_rate)))
    asked = np.arange(1, 101)
    said = [(str(i), "fizz", "buzz", "fizzbuzz")[k] for i, k in zip(asked.tolist(), predict(asked).tolist())]
    print("learned: " + " ".join(said))
    right = [word == fizz_buzz(i) for i, word in zip(asked.tolist(), said)]
    found = {
        "rule_15": " ".join(map(fizz_buzz, range(1, 16))),
        "learned_accuracy": sum(right) / len(right),
        "train_step": train_step,
    }
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(chosen.plots / "fizzbuzz.png", losses, "loss", "FizzBuzz of binary digits")
    return found


if __name__ == "__main__":
    main()
