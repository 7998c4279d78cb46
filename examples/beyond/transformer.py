"""Transformer (beyond the book): a language model of The Time Machine's letters, of causal attention.

python -m examples.beyond.transformer

Vaswani et al., *Attention Is All You Need*, 2017, in the form with layer norm before each part (Xiong et al., *On Layer
Normalization in the Transformer Architecture*, 2020).
"""

import numpy

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.data import batches
from examples.chapter import compare, on_device, options, picture, progress
from examples.characters import character_dict, character_list, prefixes, time_numerical, vocab_size

# Nats a letter, of the last epoch and of the text's last tenth, which is not trained on: PyTorch's, with the same first
# weights and batches (examples/torch_beside.py).
BOOK = {"vocabulary": 77, "training_loss": 1.38827, "validation_loss": 1.59387}

np.random.seed(1)

context, batch_size, width, heads, layers = 64, 32, 64, 4, 2
learning_rate, all_epochs = 0.003, 25

cut = len(time_numerical) * 9 // 10
training, validation = time_numerical[:cut], time_numerical[cut:]


def windows(text, first):
    """All pieces of the text that follow each other from `first` on, and the letters that come next."""
    count = (len(text) - 1 - first) // context
    return tuple(text[start : start + count * context].reshape(-1, context) for start in (first, first + 1))


class Attention(nn.Block):
    """Each letter looks at itself and at those before it, with several heads."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.queries_keys_values = nn.Dense(3 * width, flatten=False, in_units=width)
            self.joined = nn.Dense(width, flatten=False, in_units=width)

    def looks(self, x):
        """Where each head looks, shape (batch, heads, letters, letters), and what it sees there."""
        batch, length, _ = x.shape
        parts = self.queries_keys_values(x).reshape(batch, length, 3, heads, width // heads)
        q, k, v = np.transpose(parts, (2, 0, 3, 1, 4))
        scores = np.matmul(q, np.swapaxes(k, 2, 3)) / (width // heads) ** 0.5
        later = np.triu(np.ones((length, length), dtype=bool), 1)
        return nn.softmax(np.where(later, -1e9, scores)), v

    def forward(self, x):
        attention, v = self.looks(x)
        return self.joined(np.swapaxes(np.matmul(attention, v), 1, 2).reshape(x.shape))


class Layer(nn.Block):
    """Attention, then a network for each letter by itself; both are added to what came in."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.norm1, self.norm2 = nn.LayerNorm(in_channels=width), nn.LayerNorm(in_channels=width)
            self.attention = Attention()
            self.wider = nn.Dense(4 * width, flatten=False, in_units=width)
            self.gelu = nn.GELU()
            self.narrower = nn.Dense(width, flatten=False, in_units=4 * width)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.narrower(self.gelu(self.wider(self.norm2(x))))


class Transformer(nn.Block):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.letters = nn.Embedding(vocab_size, width, weight_initializer=init.Normal(0.1))
            self.places = nn.Embedding(context, width, weight_initializer=init.Normal(0.1))
            self.layers = [Layer() for _ in range(layers)]
            self.norm = nn.LayerNorm(in_channels=width)
            self.output = nn.Dense(vocab_size, flatten=False, in_units=width)

    def hidden(self, x, count=layers):
        """After so many layers."""
        h = self.letters(x) + self.places(np.arange(x.shape[1]))
        for layer in self.layers[:count]:
            h = layer(h)
        return h

    def forward(self, x):
        return self.output(self.norm(self.hidden(x)))


net = Transformer()
net.initialize(init.Xavier())
softmax_cross_entropy = nn.SoftmaxCrossEntropyLoss()
steps_of_epoch = -(-len(windows(training, context - 1)[0]) // batch_size)
schedule = optim.CosineScheduler(all_epochs * steps_of_epoch, learning_rate)
trainer = optim.Trainer(net.collect_params(), "adam", {"lr_scheduler": schedule})


@dopegraph.compile
def train_step(x, y):
    with dopegraph.record():
        loss = np.mean(softmax_cross_entropy(net(x), y))
    loss.backward()
    trainer.step(1)
    return loss


@dopegraph.compile
def evaluate(x, y):
    return np.mean(softmax_cross_entropy(net(x), y))


@dopegraph.compile
def next_letter(window, place, temperature):
    """Drawn after the letter at `place`; what stands behind it plays no part."""
    return np.random.categorical(net(window)[0, place] / temperature)


@dopegraph.compile
def looks(window):
    """The last layer's attention."""
    last = net.layers[-1]
    return last.attention.looks(last.norm1(net.hidden(window, layers - 1)))[0][0]


def numbers_of(string):
    """The string's end in a window."""
    found = numpy.zeros((1, context), "int64")
    numbers = [character_dict[letter] for letter in string[-context:]]
    found[0, : len(numbers)] = numbers
    return on_device(found)


def sample(string, count, temperature=0.5):
    for _ in range(count):
        place = min(len(string), context) - 1
        string += character_list[int(next_letter(numbers_of(string), np.array(place), temperature))]
    return string


def main(arguments=None):
    chosen = options(__doc__, epochs=all_epochs, arguments=arguments)
    chosen.steps = 3 if chosen.quick else None
    held_out = [on_device(one[: 10 if chosen.quick else None]) for one in windows(validation, 0)]
    history = []
    for e in range(chosen.epochs):
        pieces = windows(training, e * 7 % context)  # other pieces in every epoch
        some = batches(*pieces, batch_size=batch_size, seed=e)
        losses = [float(train_step(*batch)) for batch in progress(some, e, chosen.steps)]
        history.append((sum(losses) / len(losses), float(evaluate(*held_out))))
        print(f"Epoch {e}. Loss: {history[-1][0]:.4f}, of the held-out text {history[-1][1]:.4f}")
    print(repr(sample(prefixes[0], 20 if chosen.quick else 300)))
    found = {"vocabulary": vocab_size, "train_step": train_step}
    found["training_loss"], found["validation_loss"] = history[-1]
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots / "transformer.png", history, looks(numbers_of(prefixes[1])).asnumpy())
    return found


def draw(path, history, attention):
    """The losses over the epochs, and where the heads of the last layer look."""
    text = prefixes[1]
    with picture(path, 1, 1 + heads, (20, 4.5), layout="constrained") as (left, *others):
        for values, name in zip(zip(*history), ("training", "held-out text")):
            left.plot(range(1, len(values) + 1), values, label=name)
        left.set_xlabel("epoch")
        left.set_ylabel("nats a letter")
        left.legend()
        for number, (place, head) in enumerate(zip(others, attention)):
            place.imshow(head[: len(text), : len(text)] ** 0.5, cmap="gray_r")
            place.set_title(f"head {number}")
            place.set_xticks(range(len(text)), list(text), fontsize=6)
            place.set_yticks(range(len(text)), list(text), fontsize=6)


if __name__ == "__main__":
    main()
