"""Long short-term memory from scratch (the book's chapter 8): the language model with memory cells.

python -m examples.part2.lstm_rnn
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


Wxg, Wxi, Wxf, Wxo = (weight(vocab_size, num_hidden) for _ in range(4))
Whg, Whi, Whf, Who = (weight(num_hidden, num_hidden) for _ in range(4))
bg, bi, bf, bo = (weight(num_hidden) for _ in range(4))
Why, by = weight(num_hidden, vocab_size), weight(vocab_size)
params = [Wxg, Wxi, Wxf, Wxo, Whg, Whi, Whf, Who, bg, bi, bf, bo, Why, by]
for param in params:
    param.attach_grad()


def softmax(y_linear, temperature=1.0):
    lin = (y_linear - np.max(y_linear)) / temperature
    exp = np.exp(lin)
    return exp / np.sum(exp, axis=-1, keepdims=True)


def lstm_rnn(inputs, h, c, temperature=1.0):
    outputs = []
    for X in inputs:
        g = np.tanh(np.dot(X, Wxg) + np.dot(h, Whg) + bg)
        i = sigmoid(np.dot(X, Wxi) + np.dot(h, Whi) + bi)
        f = sigmoid(np.dot(X, Wxf) + np.dot(h, Whf) + bf)
        o = sigmoid(np.dot(X, Wxo) + np.dot(h, Who) + bo)
        c = f * c + i * g
        h = o * np.tanh(c)
        outputs.append(softmax(np.dot(h, Why) + by, temperature=temperature))
    return outputs, h, c


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
def train_step(data, label, h, c, lr):
    with dopegraph.record():
        outputs, h, c = lstm_rnn(data, h, c)
        loss = average_ce_loss(outputs, label)
    loss.backward()
    SGD(params, lr)
    return loss, h, c


@dopegraph.compile
def read(data, h, c):
    outputs, h, c = lstm_rnn(data, h, c, temperature=0.1)
    return outputs[-1], h, c


def sample(prefix, num_chars):
    string, h, c = prefix, np.zeros((1, num_hidden)), np.zeros((1, num_hidden))
    sample_input = one_hots([characters.character_dict[c] for c in prefix])[:, None]
    for _ in range(num_chars):
        probabilities, h, c = read(sample_input, h, c)
        index = int(np.random.choice(vocab_size, p=probabilities[0]))
        string += characters.character_list[index]
        sample_input = one_hots([index])[:, None]
    return string


def main(arguments=None):
    chosen = options(__doc__, epochs=40, arguments=arguments)
    chosen.steps = 3 if chosen.quick else None
    found = characters.train(chosen, train_step, [num_hidden, num_hidden], sample, learning_rate)
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(chosen.plots / "lstm_rnn.png", found["losses"], "nats a character", "lstm_rnn")
    return found


if __name__ == "__main__":
    main()
