"""Sequence to sequence with attention (beyond the book): dates as people write them, letter by letter to ISO's form.

python -m examples.beyond.seq2seq_attention

Encoder, decoder and attention are those of Bahdanau, Cho and Bengio, *Neural Machine Translation by Jointly Learning to
Align and Translate*, 2015, with Gluon's GRU.
"""

import datetime

import numpy

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.data import batches
from examples.chapter import compare, on_device, options, picture, progress

# Right in every letter, of dates that training has not seen: beside PyTorch's, with the same first weights and batches
# (examples/torch_beside.py).
BOOK = {"last_loss": 0.000115259, "letters_right": 1.0, "dates_right": 1.0, "the_example": "1895-05-07"}

np.random.seed(1)

num_embed, num_hidden, batch_size, learning_rate = 16, 64, 50, 0.005
num_train, num_test = 5000, 500
example = "Tuesday May 7, 1895"  # The Time Machine comes out

MONTHS = [
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
]  # fmt: skip
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
FORMS = ("{month} {day}, {year}", "{day} {month} {year}", "{weekday} {month} {day}, {year}", "{short} {day} {year}")
source_length, target_length = 28, 10
source_letters = sorted(set(" ,0123456789".join(MONTHS + WEEKDAYS)))
target_letters = "0123456789-"
start_letter = len(target_letters)


def dates(count, seed):
    """Dates of two centuries as people write them, and in ISO's form."""
    random = numpy.random.default_rng(seed)
    first = datetime.date(1850, 1, 1).toordinal()
    for number in random.integers(first, first + 200 * 365, count):
        date = datetime.date.fromordinal(int(number))
        month = MONTHS[date.month - 1]
        names = {"month": month, "short": month[:3], "weekday": WEEKDAYS[date.weekday()]}
        yield FORMS[random.integers(len(FORMS))].format(**names, day=date.day, year=date.year), date.isoformat()


def numbered(texts, letters, length):
    """Numbers of letters, filled up with -1."""
    found = numpy.full((len(texts), length), -1)
    for row, text in zip(found, texts):
        row[: len(text)] = [letters.index(letter) for letter in text]
    return found


class Encoder(nn.Block):
    """A state for every letter, of two recurrent networks that read from the left and from the right."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.embedding = nn.Embedding(len(source_letters), num_embed)
            self.rnn = nn.GRU(num_hidden, layout="NTC", bidirectional=True, input_size=num_embed)

    def forward(self, source):
        there = (source >= 0)[:, :, None]
        return self.rnn(self.embedding(source) * there)


class Decoder(nn.Block):
    """One letter after the other: where to look, what comes next."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.embedding = nn.Embedding(len(target_letters) + 1, num_embed)
            self.begin = nn.Dense(num_hidden, "tanh", in_units=num_hidden)
            self.of_state = nn.Dense(num_hidden, use_bias=False, in_units=num_hidden)
            self.of_letters = nn.Dense(num_hidden, use_bias=False, flatten=False, in_units=2 * num_hidden)
            self.score = nn.Dense(1, use_bias=False, flatten=False, in_units=num_hidden)
            self.cell = nn.GRUCell(num_hidden, input_size=num_embed + 2 * num_hidden)
            self.output = nn.Dense(len(target_letters), in_units=3 * num_hidden)

    def prepare(self, source, encoded):
        """What all steps need: the letters' part of the scores, the mask of what is no letter, and the first state."""
        mask = np.where(source >= 0, 0.0, -1e9)
        return encoded, self.of_letters(encoded), mask, self.begin(encoded[:, 0, num_hidden:])

    def step(self, letter, state, encoded, keys, mask):
        scores = self.score(np.tanh(keys + self.of_state(state)[:, None]))[:, :, 0] + mask
        attention = nn.softmax(scores)
        seen = np.sum(attention[:, :, None] * encoded, axis=1)
        output, (state,) = self.cell(np.concatenate([self.embedding(letter), seen], axis=1), [state])
        return self.output(np.concatenate([output, seen], axis=1)), state, attention

    def forward(self, source, encoded, target):
        """Scores of each next letter, after the right ones before."""
        *known, state = self.prepare(source, encoded)
        letter, found = np.full(len(source), start_letter), []
        for t in range(target_length):
            scores, state, _ = self.step(letter, state, *known)
            found.append(scores)
            letter = target[:, t]
        return np.stack(found, axis=1)

    def write(self, source, encoded):
        """The most probable letters, each after those before, and where each looked."""
        *known, state = self.prepare(source, encoded)
        letter, letters, looks = np.full(len(source), start_letter), [], []
        for _ in range(target_length):
            scores, state, attention = self.step(letter, state, *known)
            letter = np.argmax(scores, axis=1)
            letters.append(letter)
            looks.append(attention)
        return np.stack(letters, axis=1), np.stack(looks, axis=1)


encoder, decoder = Encoder(prefix="encoder_"), Decoder(prefix="decoder_")
parameters = {**encoder.collect_params(), **decoder.collect_params()}
for net in (encoder, decoder):
    net.initialize(init.Xavier())
softmax_cross_entropy = nn.SoftmaxCrossEntropyLoss()
trainer = optim.Trainer(parameters, "adam", {"learning_rate": learning_rate})


@dopegraph.compile
def train_step(source, target):
    with dopegraph.record():
        loss = np.mean(softmax_cross_entropy(decoder(source, encoder(source), target), target))
    loss.backward()
    trainer.step(1)
    return loss


@dopegraph.compile
def translate(source):
    return decoder.write(source, encoder(source))


def main(arguments=None):
    chosen = options(__doc__, epochs=8, arguments=arguments)
    chosen.steps = 5 if chosen.quick else None
    pairs = [zip(*dates(count, seed)) for seed, count in enumerate((num_train, num_test))]
    (source, target), (test_source, test_target) = (
        (numbered(texts, source_letters, source_length), numbered(forms, target_letters, target_length))
        for texts, forms in pairs
    )
    losses, every = [], batches(source, target, batch_size=batch_size, seed=1)
    for e in range(chosen.epochs):
        losses += [float(train_step(*batch)) for batch in progress(every, e, chosen.steps)]
        right = numpy.asarray(translate(on_device(test_source))[0]) == test_target
        print(f"Epoch {e}. Loss: {losses[-1]:.4f}, letters {right.mean():.4f}, dates {right.all(axis=1).mean():.4f}")
    letters, looks = translate(on_device(numbered([example], source_letters, source_length)))
    written = "".join(target_letters[letter] for letter in letters[0].tolist())
    found = {
        "last_loss": sum(losses[-100:]) / len(losses[-100:]),
        "letters_right": float(right.mean()),
        "dates_right": float(right.all(axis=1).mean()),
        "the_example": written,
        "train_step": train_step,
    }
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots / "seq2seq_attention.png", losses, written, looks[0].asnumpy())
    return found


def draw(path, losses, written, looks):
    """The loss over the steps, and where each letter looked."""
    with picture(path, 1, 2, (13, 5), layout="constrained") as (left, right):
        left.semilogy(range(1, len(losses) + 1), losses)
        left.set_xlabel("step")
        left.set_ylabel("nats a letter")
        left.grid(True, which="both")
        right.imshow(looks[:, : len(example)], cmap="gray", vmin=0, vmax=1)
        right.set_xticks(range(len(example)), list(example))
        right.set_yticks(range(len(written)), list(written))
        right.set_xlabel("read")
        right.set_ylabel("written")


if __name__ == "__main__":
    main()
