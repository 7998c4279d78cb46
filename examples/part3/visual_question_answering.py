"""Visual question answering (the book's chapter 3): vectors of questions and pictures, side by side and multiplied.

python -m examples.part3.visual_question_answering

Compact bilinear pooling (Fukui et al., *Multimodal Compact Bilinear Pooling for Visual Question Answering and Visual
Grounding*, 2016): the Fourier transform of a sketch of all products of two vectors' numbers is the product of the
transforms of their sketches. The scenes are made up; the question decides which part of them is the answer.
"""

import math

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.data import ANSWERS, batches, questions
from examples.chapter import compare, each, options, progress
from examples.scenes import draw

# The book trains the first network, as MXNet's operators for the second need a GPU. It never resets the metric: what it
# prints at the end (0.6669) is of all epochs, training and evaluation together; to the left, what the last evaluation
# was by that. Of the second network: its product takes real and imaginary parts for themselves; its ones are so long
# that what the vectors themselves say is lost beside them; it draws places and signs anew in each call.
BOOK = {
    "accuracy_side_by_side": 0.40039,
    "accuracy_multiplied": "not in the book",
    "accuracy_with_the_books_product": "not in the book",
    "accuracy_with_the_books_ones": "not in the book",
    "accuracy_with_the_books_drawing": "not in the book",
    "distance_from_all_products": 0,
    "distance_of_the_books_product": "not in the book",
    "multiplied_is_better": True,
}

np.random.seed(1)

text_size, image_size = 1024, 2048
batch_size, learning_rate, hidden, out_dim = 64, 0.01, 512, 4000


def l2_normalization(x):
    return x / np.sqrt(np.sum(x**2, axis=1, keepdims=True) + 1e-10)


def with_ones(x, count, of):
    """Equal numbers beside each row: the products with them are what the other vector itself says."""
    return np.concatenate([x, np.full((x.shape[0], count), of)], axis=1)


class Net1(nn.Block):
    """Both vectors side by side."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.fc1 = nn.Dense(hidden, activation="relu")
            self.bn = nn.BatchNorm()
            self.dropout = nn.Dropout(0.3)
            self.fc2 = nn.Dense(len(ANSWERS))

    def forward(self, text, image):
        z = self.joined(l2_normalization(text), l2_normalization(image))
        return self.fc2(self.dropout(self.bn(self.fc1(z))))

    def joined(self, text, image):
        return np.concatenate([text, image], axis=1)


class Net2(Net1):
    """A sketch of their products."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.places_and_signs = [
            self.params.get_constant(f"{name}{number}", draw())
            for number in range(2)
            for name, draw in (("places", places), ("signs", signs))
        ]

    def joined(self, text, image):
        ones = self.ones()
        text, image = with_ones(text, image_size, ones), with_ones(image, text_size, ones)
        return pooled(text, image, *self.drawn(), product=self.product)

    def ones(self):
        return 0.3 / math.sqrt(text_size + image_size)  # of 0.3 or less length; the vectors have 1

    def drawn(self):
        return [one.data() for one in self.places_and_signs]

    def product(self, f, g):
        return f * g


class BooksProduct(Net2):
    def product(self, f, g):
        return f.real * g.real + 1j * (f.imag * g.imag)


class BooksOnes(Net2):
    def ones(self):
        return 1.0


class BooksDrawing(Net2):
    def drawn(self):
        return places(), signs(), places(), signs()


def places(count=text_size + image_size):
    return np.random.randint(0, out_dim, count)


def signs(count=text_size + image_size):
    return 2 * np.random.randint(0, 2, count) - 1


def pooled(x, y, h1, s1, h2, s2, product=np.multiply):
    """The sketch of all products of two rows' numbers: places and signs are sums and products of those given."""
    sketches = nn.count_sketch(x, h1, s1, out_dim), nn.count_sketch(y, h2, s2, out_dim)
    return np.fft.irfft(product(*map(np.fft.rfft, sketches)), n=out_dim)


def distances():
    """How far the products of transforms, ours and the book's, are from the sketch of all products of short rows."""
    n = 50
    x, y = np.random.normal(0, 1, (2, 4, n))
    h1, s1, h2, s2 = places(n), signs(n), places(n), signs(n)
    at, sign = (h1[:, None] + h2) % out_dim, s1[:, None] * s2
    products = (x[:, :, None] * y[:, None]).reshape(4, -1)
    exact = nn.count_sketch(products, at.reshape(-1), sign.reshape(-1), out_dim)
    found = (pooled(x, y, h1, s1, h2, s2, product) for product in (np.multiply, BooksProduct().product))
    return [float(np.max(np.abs(one - exact))) for one in found]


loss_of = nn.SoftmaxCrossEntropyLoss()


def make_steps(net):
    net.initialize(init.Xavier())
    trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate})

    @dopegraph.compile
    def train_step(text, image, answer):
        with dopegraph.record():
            output = net(text, image)
            loss = loss_of(output, answer)
        loss.backward()
        trainer.step(text.shape[0])
        return np.mean(loss), np.sum(np.argmax(output, axis=1) == answer)

    @dopegraph.compile
    def predict(text, image):
        return np.argmax(net(text, image), axis=1)

    return train_step, predict


def train(net, training, test, epochs):
    """The step, the accuracies of the test after each epoch, and the last answers."""
    train_step, predict = make_steps(net)
    accuracies = []
    for e in range(epochs):
        moving_loss, right = 0.0, 0
        data = batches(training.text, training.image, training.answer, batch_size=batch_size, seed=e)
        for i, (text, image, answer) in enumerate(progress(data, e)):
            loss, correct = train_step(text, image, answer)
            moving_loss = float(loss) if i == 0 else 0.99 * moving_loss + 0.01 * float(loss)
            right += int(correct)
        parts = batches(test.text, test.image, batch_size=250, shuffle=False)
        answers = np.concatenate([predict(*part) for part in each(parts)]).asnumpy()
        accuracies.append(float((answers == test.answer).mean()))
        print(
            f"{type(net).__name__}, epoch {e}: loss {moving_loss:.4f}, "
            f"train acc {right / len(training.answer):.4f}, test acc {accuracies[-1]:.4f}"
        )
    return train_step, accuracies, answers


def main(arguments=None):
    chosen = options(__doc__, epochs=10, arguments=arguments, quick=1)
    training, test = (
        (questions(640, 1), questions(250, 2)) if chosen.quick else (questions(5000, 1), questions(1000, 2))
    )
    curves, found = {}, {}
    for name, kind in zip(list(BOOK)[:5], (Net1, Net2, BooksProduct, BooksOnes, BooksDrawing)):
        train_step, curves[name], answers = train(kind(), training, test, chosen.epochs)
        found[name] = curves[name][-1]
        if kind is Net2:
            best, found["train_step"] = answers, train_step
    found["distance_from_all_products"], found["distance_of_the_books_product"] = distances()
    found["multiplied_is_better"] = found["accuracy_multiplied"] > found["accuracy_side_by_side"]
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots, curves, test, [ANSWERS[number] for number in best])
    return found


if __name__ == "__main__":
    main()
