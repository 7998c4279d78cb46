"""Recurrent neural networks with gluon (the book's chapter 10): a language model of words, four kinds of cells.

python -m examples.part2.rnns_gluon
"""

import math
import tempfile
import time
from pathlib import Path

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from examples.chapter import compare, options, plot_curve, progress
from examples.words import batchify, corpus, get_batch

# Of the book's repository, after two epochs of an LSTM with bptt 35 on the Penn Treebank. The text here is another.
BOOK = {
    "validation_perplexity": 178.54,
    "test_perplexity": 173.07,
    "rnn_relu_perplexity": "not printed",
    "rnn_tanh_perplexity": "not printed",
    "gru_perplexity": "not printed",
}

np.random.seed(1)

args_emsize, args_nhid, args_nlayers = 100, 100, 2
args_lr, args_clip, args_dropout = 1.0, 0.2, 0.2
args_batch_size, args_bptt, args_tied = 32, 5, True
modes = ("rnn_relu", "rnn_tanh", "lstm", "gru")


class RNNModel(nn.Block):
    """An encoder, a recurrent network, and a decoder, which shares the encoder's weight."""

    def __init__(self, mode, vocab_size, num_embed, num_hidden, num_layers, dropout=0.5, tie_weights=False, **kwargs):
        super().__init__(**kwargs)
        layers = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn_relu": nn.RNN, "rnn_tanh": nn.RNN}
        if mode not in layers:
            raise ValueError(f"Invalid mode {mode}. Options are rnn_relu, rnn_tanh, lstm, and gru")
        how = {"activation": mode[4:]} if mode.startswith("rnn") else {}
        with self.name_scope():
            self.drop = nn.Dropout(dropout)
            self.encoder = nn.Embedding(vocab_size, num_embed, weight_initializer=init.Uniform(0.1))
            self.rnn = layers[mode](num_hidden, num_layers, dropout=dropout, input_size=num_embed, **how)
            shared = {"params": self.encoder.params} if tie_weights else {}
            self.decoder = nn.Dense(vocab_size, in_units=num_hidden, **shared)
            self.num_hidden = num_hidden

    def forward(self, inputs, hidden):
        emb = self.drop(self.encoder(inputs))
        output, hidden = self.rnn(emb, hidden)
        output = self.drop(output)
        decoded = self.decoder(output.reshape((-1, self.num_hidden)))
        return decoded, hidden

    def begin_state(self, batch_size):
        return self.rnn.begin_state(batch_size)


loss = nn.SoftmaxCrossEntropyLoss()


class Training:
    """A model with its compiled steps: they begin each segment with the states that the last one ended with."""

    def __init__(self, mode, vocab_size):
        self.model = RNNModel(mode, vocab_size, args_emsize, args_nhid, args_nlayers, args_dropout, args_tied)
        self.model.collect_params().initialize(init.Xavier())
        self.trainer = optim.Trainer(self.model.collect_params(), "sgd", {"learning_rate": args_lr})
        model, trainer = self.model, self.trainer

        @dopegraph.compile
        def train_step(data, target, hidden):
            with dopegraph.record():
                output, hidden = model(data, hidden)
                losses = loss(output, target)
            losses.backward()  # truncated: what was before this segment is an input, like its words
            grads = [param.grad() for param in model.collect_params().values()]
            optim.clip_global_norm(grads, args_clip * args_bptt * args_batch_size)
            trainer.step(args_batch_size)
            return np.sum(losses), hidden

        @dopegraph.compile
        def evaluate_step(data, target, hidden):
            output, hidden = model(data, hidden)
            return np.sum(loss(output, target)), hidden

        self.train_step, self.evaluate_step = train_step, evaluate_step

    def run(self, step, source, chosen, e=0):
        """Mean loss of a word, with states that begin with zeros; and the losses of the segments."""
        hidden = self.model.begin_state(args_batch_size)
        total, words, losses = 0.0, 0, []
        segments = [get_batch(source, i, args_bptt) for i in range(0, source.shape[0] - 1, args_bptt)]
        for data, target in progress(segments, e, chosen.steps):
            found, hidden = step(data, target, hidden)
            losses.append(float(found) / target.size)
            total, words = total + float(found), words + target.size
        return total / words, losses

    def train(self, chosen, splits):
        """The book's loop: keep the best parameters; where validation finds no better ones, slow down to a quarter."""
        best, rate, curve, test = math.inf, args_lr, [], math.inf
        with tempfile.TemporaryDirectory() as folder:
            save = Path(folder) / "model.params"
            for e in range(chosen.epochs):
                start = time.perf_counter()
                train, losses = self.run(self.train_step, splits["train"], chosen, e)
                curve += losses
                seconds = time.perf_counter() - start
                valid, _ = self.run(self.evaluate_step, splits["valid"], chosen, e)
                print(
                    f"  epoch {e} ({seconds:.1f} s): training loss {train:.2f}, perplexity {math.exp(train):.2f}; "
                    f"validation loss {valid:.2f}, perplexity {math.exp(valid):.2f}"
                )
                if valid < best:
                    best = valid
                    test, _ = self.run(self.evaluate_step, splits["test"], chosen, e)
                    self.model.save_parameters(save)
                else:
                    rate = rate * 0.25
                    self.trainer.set_learning_rate(rate)  # the step is not compiled again
                    self.model.load_parameters(save)
        return math.exp(best), math.exp(test), curve


def main(arguments=None):
    chosen = options(__doc__, epochs=2, arguments=arguments)
    chosen.steps = 10 if chosen.quick else None
    splits, vocab_size, name = corpus(chosen.quick)
    splits = {split: batchify(words, args_batch_size) for split, words in splits.items()}
    print(f"{name}: {vocab_size} different words; a model that knows nothing has the perplexity {vocab_size}")
    found = {}
    for mode in modes:
        print(mode)
        training = Training(mode, vocab_size)
        validation, test, losses = training.train(chosen, splits)
        found[f"{mode}_perplexity"] = test
        if mode == "lstm":
            found.update(validation_perplexity=validation, test_perplexity=test, train_step=training.train_step)
            curve = losses
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(chosen.plots / "rnns_gluon.png", curve, "nats a word", "LSTM")
    return found


if __name__ == "__main__":
    main()
