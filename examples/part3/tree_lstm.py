"""Tree LSTM modeling for semantic relatedness (the book's chapter 4): recursion over trees, and levels of many trees.

python -m examples.part3.tree_lstm

The book's network calls itself for each child of a word, for one pair of sentences at a time; the program of such a
call is cached by the shapes of the trees. By levels (words without children first, then those whose children are known)
a batch of any trees is the same program. The sentences are made up, in the form of SICK, which the book uses.
"""

import numpy

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, metrics, nn, optim
from dopegraph.data import VOCABULARY, Tree, sentence_pairs, word_vectors
from examples.chapter import compare, options, progress
from examples.trees import draw, in_batches, sentence, timed

# The book trains for an epoch of ten batches, each time with the gradients of the batch's last pair alone, which
# overwrite those of the others. Below, the epoch has twenty batches, and gradients are of all pairs. The recursion's
# rate is that of trees of middle size whose program is there; the others are those of all.
BOOK = {
    "train_pearson": 0.096197,
    "train_mse": 1.138699,
    "validation_pearson": 0.490352,
    "validation_mse": 1.237509,
    "last_validation_pearson": "not in the book",
    "training_pairs_a_second": 21.48,
    "validation_pairs_a_second": 51.57,
    "recursive_pairs_a_second": 21.48,
    "distance_from_recursion": 0,
    "shapes_of_pairs": "not in the book",
    "programs_of_the_step": "not in the book",
}

np.random.seed(123)

rnn_hidden_size, sim_hidden_size, num_classes, embedding_size = 150, 50, 5, 150
batch_size, learning_rate, weight_decay = 25, 0.01, 0.0001


class ChildSumLSTMCell(nn.Block):
    """One word of each of some trees: its vector and the states of its children become its state."""

    def __init__(self, hidden_size, input_size, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.i2h = nn.Dense(4 * hidden_size, in_units=input_size)  # input gate, forget gate, update, output gate
            self.hs2h = nn.Dense(3 * hidden_size, in_units=hidden_size)
            self.hc2h = nn.Dense(hidden_size, in_units=hidden_size, flatten=False)

    def forward(self, x, hc, cc):
        """Vectors (words, input), states (words, children, hidden); the states (words, hidden)."""
        is_leaf = hc.shape[1] == 0
        i, f, u, o = np.split(self.i2h(x), 4, axis=1)
        iuo = np.concatenate([i, u, o], axis=1)
        iuo = iuo + (self.hs2h.bias.data() if is_leaf else self.hs2h(np.sum(hc, axis=1)))
        i, u, o = np.split(iuo, 3, axis=1)
        c = nn.sigmoid(i) * np.tanh(u)
        if not is_leaf:
            c = c + np.sum(nn.sigmoid(f[:, None] + self.hc2h(hc)) * cc, axis=1)
        return nn.sigmoid(o) * np.tanh(c), c


class Similarity(nn.Block):
    """Logarithms of the probabilities that two sentences are related so much, of the states of their trees' roots."""

    def __init__(self, sim_hidden_size, rnn_hidden_size, num_classes, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.wh = nn.Dense(sim_hidden_size, in_units=2 * rnn_hidden_size)
            self.wp = nn.Dense(num_classes, in_units=sim_hidden_size)

    def forward(self, left, right):
        both = np.concatenate([left * right, np.abs(left - right)], axis=1)
        return nn.log_softmax(self.wp(nn.sigmoid(self.wh(both))))


class SimilarityTreeLSTM(nn.Block):
    def __init__(self, sim_hidden_size, rnn_hidden_size, embed_in_size, embed_dim, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.hidden_size = rnn_hidden_size
        with self.name_scope():
            self.embed = nn.Embedding(embed_in_size, embed_dim)
            self.childsumtreelstm = ChildSumLSTMCell(rnn_hidden_size, embed_dim)
            self.similarity = Similarity(sim_hidden_size, rnn_hidden_size, num_classes)

    def forward(self, levels, left, right):
        """Of a batch: its words by levels, and which of them are the roots."""
        h = c = np.zeros((1, self.hidden_size))  # the first state stands for children that are not there
        for words, children in levels:
            new_h, new_c = self.childsumtreelstm(self.embed(words), h[children], c[children])
            h, c = np.concatenate([h, new_h]), np.concatenate([c, new_c])
        return self.similarity(c[left], c[right])

    def recursive(self, left_words, left, right_words, right):
        """Of one pair, as the book has it."""
        return self.similarity(self.of_tree(left_words, left)[1], self.of_tree(right_words, right)[1])

    def of_tree(self, words, tree):
        """The state of a tree's root."""
        states = [self.of_tree(words, child) for child in tree.children]
        none = np.zeros((1, 0, self.hidden_size))
        hc, cc = (np.stack(each, axis=1) for each in zip(*states)) if states else (none, none)
        return self.childsumtreelstm(self.embed(words[tree.idx][None]), hc, cc)


net = SimilarityTreeLSTM(sim_hidden_size, rnn_hidden_size, len(VOCABULARY), embedding_size, num_classes)
net.initialize(init.Xavier(magnitude=2.24))
net.embed.weight.set_data(word_vectors(embedding_size))
trainer = optim.Trainer(net.collect_params(), "adagrad", {"learning_rate": learning_rate, "wd": weight_decay})
loss_of = nn.KLDivLoss()


def target_of(score):
    """A score as probabilities of the two classes beside it: 4.5 is [0, 0, 0, 0.5, 0.5]."""
    return np.maximum(0, 1 - np.abs(score[:, None] - np.arange(1, num_classes + 1)))


def score_of(logs):
    return np.sum(np.exp(logs) * np.arange(1, num_classes + 1), axis=1)


@dopegraph.compile
def train_step(levels, left, right, score):
    with dopegraph.record():
        logs = net(levels, left, right)
        loss = loss_of(logs, target_of(score))
    loss.backward()
    trainer.step(batch_size)
    return np.sum(loss), score_of(logs)


@dopegraph.compile
def predict(levels, left, right):
    return score_of(net(levels, left, right))


@dopegraph.compile
def recursive_step(left_words, left, right_words, right, score):
    """An update for one pair; recorded again for trees of other shapes."""
    with dopegraph.record():
        loss = loss_of(net.recursive(left_words, left, right_words, right), target_of(score))
    loss.backward()
    trainer.step(1)
    return loss


@dopegraph.compile
def predict_recursively(left_words, left, right_words, right):
    return score_of(net.recursive(left_words, left, right_words, right))


def evaluate(predicted, batches):
    """Pearson's correlation and the mean squared error."""
    both = metrics.create(["pearsonr", "mse"])
    both.update(numpy.concatenate([one[-1] for one in batches]), np.concatenate(predicted))
    return both.get()[1]


def recursion(pairs, batch):
    """A pair of middle length: how far the recursion is from the levels, and how many such pairs a second takes."""
    lengths = [len(one.left_words) + len(one.right_words) for one in pairs[:batch_size]]
    place = numpy.argsort(lengths, kind="stable")[batch_size // 2]
    p = pairs[place]
    arguments = (numpy.array(p.left_words), p.left, numpy.array(p.right_words), p.right)
    far = float(np.abs(predict_recursively(*arguments)[0] - predict(*batch[:3])[place]))
    _, rate = timed(recursive_step, [(*arguments, numpy.array([p.score], "float32"))] * 50)
    return {"recursive_pairs_a_second": rate, "distance_from_recursion": far}


def main(arguments=None):
    chosen = options(__doc__, epochs=10, arguments=arguments, quick=2)
    print("A tree:", Tree(0, [Tree(1), Tree(2, [Tree(4)]), Tree(3)]))
    pairs, held_out = sentence_pairs(500, seed=1), sentence_pairs(100, seed=2)
    print(*(f"{one.score}: {sentence(one.left_words)} | {sentence(one.right_words)}" for one in pairs[:3]), sep="\n")
    training, validation = (list(in_batches(one, batch_size)) for one in (pairs, held_out))
    history = []
    for e in range(chosen.epochs):
        results, rate = timed(train_step, progress(training, e))
        predicted, validation_rate = timed(predict, [one[:3] for one in validation])
        history.append((*evaluate([one[1] for one in results], training), *evaluate(predicted, validation)))
        print(f"Epoch {e}: r {history[-1][0]:.4f}, mse {history[-1][1]:.4f};", end=" ")
        print(f"validation r {history[-1][2]:.4f}, mse {history[-1][3]:.4f}; {batch_size * rate:.0f} pairs/s")
    found = dict(zip(list(BOOK)[:5], (*history[0], history[-1][2])))
    found.update(training_pairs_a_second=batch_size * rate, validation_pairs_a_second=batch_size * validation_rate)
    shapes = {(one.left.shape, one.right.shape) for one in pairs}
    found.update(recursion(held_out, validation[0]), shapes_of_pairs=len(shapes))
    found.update(programs_of_the_step=len(train_step.plans), train_step=train_step)
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots / "tree_lstm.png", pairs[2], history, np.concatenate(predicted).asnumpy(), validation)
    return found


if __name__ == "__main__":
    main()
