"""Gated recurrent units from scratch (the book's chapter 9): the language model with two gates.

python -m examples.part2.gru_rnn
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph.nn import sigmoid
from examples import characters
from examples.chapter import compare, options, plot_curve
from examples.characters import one_hots, vocab_size

# It goes on for 2000 epochs, and finds readable words after 175.
BOOK = {"characters": 179533, "vocabulary": 77, "last_epoch_loss": "not printed"}

np.random.seed(1)

num_hidden, learning_rate = 256, 2.0


def weight(*shape):
    return np.random.normal(size=shape) * 0.01


Wxz, Wxr, Wxh = (weight(vocab_size, num_hidden) for _ in range(3))
Whz, Whr, Whh = (weight(num_hidden, num_hidden) for _ in range(3))
bz, br, bh = (weight(num_hidden) for _ in range(3))
Why, by = weight(num_hidden, vocab_size), weight(vocab_size)
params = [Wxz, Wxr, Wxh, Whz, Whr, Whh, bz, br, bh, Why, by]
for param in params:
    param.attach_grad()


def softmax(y_linear, temperature=1.0):
    lin = (y_linear - np.max(y_linear)) / temperature
    exp = np.exp(lin)
    return exp / np.sum(exp, axis=-1, keepdims=True)


def gru_rnn(inputs, h, temperature=1.0):
    outputs = []
    for X in inputs:
        z = sigmoid(np.dot(X, Wxz) + np.dot(h, Whz) + bz)
        r = sigmoid(np.dot(X, Wxr) + np.dot(h, Whr) + br)
        g = np.tanh(np.dot(X, Wxh) + np.dot(r * h, Whh) + bh)
        h = z * h + (1 - z) * g
        outputs.append(softmax(np.dot(h, Why) + by, temperature=temperature))
    return outputs, h


def cross_entropy(yhat, y):
    return -np.mean(np.sum(y * np.log(yhat), axis=-1))


def average_ce_loss(outputs, labels):
    total_loss = 0.0
    for output, label in zip(outputs, labels):
        total_loss = total_loss + cross_entropy(output, label)
    return total_loss / len(outputs)


def SGD(params, lr):
    for param in params:
        param[:] = param - lr * param.grad


@dopegraph.compile
def train_step(data, label, state, lr):
    with dopegraph.record():
        outputs, state = gru_rnn(data, state)
        loss = average_ce_loss(outputs, label)
    loss.backward()
    SGD(params, lr)
    return loss, state


@dopegraph.compile
def read(data, state):
    outputs, state = gru_rnn(data, state, temperature=0.1)
    return outputs[-1], state


def sample(prefix, num_chars):
    string, state = prefix, np.zeros((1, num_hidden))
    sample_input = one_hots([characters.character_dict[c] for c in prefix])[:, None]
    for _ in range(num_chars):
        probabilities, state = read(sample_input, state)
        index = int(np.random.choice(vocab_size, p=probabilities[0]))
        string += characters.character_list[index]
        sample_input = one_hots([index])[:, None]
    return string


def main(arguments=None):
    chosen = options(__doc__, epochs=40, arguments=arguments)
    chosen.steps = 3 if chosen.quick else None
    found = characters.train(chosen, train_step, [num_hidden], sample, learning_rate)
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(chosen.plots / "gru_rnn.png", found["losses"], "nats a character", "gru_rnn")
    return found


if __name__ == "__main__":
    main()
