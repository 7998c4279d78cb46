"""Recommender systems (the book's chapter 5): the average, biases, and factors of users and items.

python -m examples.part3.recommenders

The book loads Amazon's reviews and stops at a list of models to come; here are all three. The reviews are made up, in
the form of Amazon's. Koren, Bell, Volinsky, *Matrix Factorization Techniques for Recommender Systems*, 2009, has the
models.
"""

import numpy

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.data import batches
from examples.chapter import compare, on_device, options, picture, progress

# The book has no figures; to the left, the root mean squared error of who knows everything but the noise and rounding.
NOISE = 0.4
BOOK = {
    "users": 200,
    "items": 300,
    "rmse_of_the_average": "not in the book",
    "rmse_with_biases": "not in the book",
    "rmse_with_factors": "not in the book",
    "in_this_order": True,
}

np.random.seed(1)

num_users, num_items, num_reviews, rank = 200, 300, 10000, 5
batch_size, learning_rate, penalty, num_factors = 100, 0.01, 0.02, 5


def reviews():
    """Made-up reviews with the fields of Amazon's that the models use; no user reviews an item twice."""
    random = numpy.random.default_rng(1)
    users, items = (0.4 * random.normal(size=n) for n in (num_users, num_items))
    tastes, kinds = (0.6 * random.normal(size=(n, rank)) for n in (num_users, num_items))
    liked = 3.5 + users[:, None] + items + tastes @ kinds.T + NOISE * random.normal(size=(num_users, num_items))
    for pair in random.choice(num_users * num_items, num_reviews, replace=False):
        user, item = divmod(int(pair), num_items)
        overall = float(numpy.clip(numpy.round(liked[user, item]), 1, 5))
        yield {"reviewerID": f"A{user:05d}", "asin": f"B{item:05d}", "overall": overall}


def numbered(names):
    """Names as integers, and how many there are."""
    number = {name: i for i, name in enumerate(sorted(set(names)))}
    return numpy.array([number[name] for name in names]), len(number)


class Biases(nn.Block):
    """The average, and how much each user gives and each item gets beside it."""

    def __init__(self, average, users, items, **kwargs):
        super().__init__(**kwargs)
        self.average = average
        with self.name_scope():
            self.user = nn.Embedding(users, 1, weight_initializer=init.Zero())
            self.item = nn.Embedding(items, 1, weight_initializer=init.Zero())

    def parts(self, user, item):
        return [self.user(user), self.item(item)]

    def forward(self, user, item):
        """The ratings, and the sum of the squares of what was looked up for them."""
        parts = self.parts(user, item)
        return self.average + (parts[0] + parts[1])[:, 0], sum(np.sum(part**2) for part in parts)


class Factors(Biases):
    """Besides, the product of what a user likes and what an item has."""

    def __init__(self, average, users, items, factors, **kwargs):
        super().__init__(average, users, items, **kwargs)
        with self.name_scope():
            self.taste = nn.Embedding(users, factors, weight_initializer=init.Normal(0.1))
            self.kind = nn.Embedding(items, factors, weight_initializer=init.Normal(0.1))

    def forward(self, user, item):
        rating, squares = super().forward(user, item)
        taste, kind = self.taste(user), self.kind(item)
        return rating + np.sum(taste * kind, axis=1), squares + np.sum(taste**2) + np.sum(kind**2)


def make_steps(net):
    trainer = optim.Trainer(net.collect_params(), "adam", {"learning_rate": learning_rate})

    @dopegraph.compile
    def train_step(user, item, rating):
        with dopegraph.record():
            predicted, squares = net(user, item)
            loss = np.sum((predicted - rating) ** 2) + penalty * squares
        loss.backward()
        trainer.step(user.shape[0])
        return loss

    @dopegraph.compile
    def rmse(user, item, rating):
        return np.sqrt(np.mean((net(user, item)[0] - rating) ** 2))

    return train_step, rmse


def train(net, training, test, epochs):
    """The step, and the errors of the test's reviews after each epoch."""
    net.initialize()
    train_step, rmse = make_steps(net)
    errors, test = [], [on_device(one) for one in test]
    for e in range(epochs):
        for user, item, rating in progress(batches(*training, batch_size=batch_size, seed=e), e):
            train_step(user, item, rating)
        errors.append(float(rmse(*test)))
    print(f"{type(net).__name__}: {errors[-1]:.4f}")
    return train_step, errors


def main(arguments=None):
    chosen = options(__doc__, epochs=30, arguments=arguments, quick=6)
    read = list(reviews())
    print(read[0])
    users, count_of_users = numbered([one["reviewerID"] for one in read])
    items, count_of_items = numbered([one["asin"] for one in read])
    ratings = numpy.array([one["overall"] for one in read], dtype="float32")
    held_out = numpy.arange(len(read)) % 5 == 0
    test = [one[held_out] for one in (users, items, ratings)]
    training = [one[~held_out] for one in (users, items, ratings)]
    average = float(training[2].mean())
    of_average = float(np.sqrt(np.mean((np.array(test[2]) - average) ** 2)))
    _, of_biases = train(Biases(average, count_of_users, count_of_items), training, test, chosen.epochs)
    factors = Factors(average, count_of_users, count_of_items, num_factors)
    train_step, of_factors = train(factors, training, test, chosen.epochs)
    found = {
        "users": count_of_users,
        "items": count_of_items,
        "rmse_of_the_average": of_average,
        "rmse_with_biases": of_biases[-1],
        "rmse_with_factors": of_factors[-1],
        "in_this_order": of_average > of_biases[-1] > of_factors[-1],
        "train_step": train_step,
    }
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots / "recommenders.png", users, items, ratings, of_average, of_biases, of_factors)
    return found


def draw(path, users, items, ratings, of_average, of_biases, of_factors):
    """How many ratings users give and items get, which they are, and the errors over the epochs."""
    with picture(path, 2, 2, (12, 8), layout="constrained") as axes:
        for place, numbers, name in zip(axes.flat, (users, items), ("user", "item")):
            place.hist(numpy.bincount(numbers), bins=20)
            place.set_xlabel(f"ratings of {'a ' if name == 'user' else 'an '}{name}")
        axes[1, 0].hist(ratings, bins=numpy.arange(0.5, 6))
        axes[1, 0].set_xlabel("rating")
        epochs = range(1, len(of_biases) + 1)
        for errors, name in (([of_average] * len(epochs), "average"), (of_biases, "biases"), (of_factors, "factors")):
            axes[1, 1].plot(epochs, errors, label=name)
        axes[1, 1].set_xlabel("epoch")
        axes[1, 1].set_ylabel("RMSE")
        axes[1, 1].legend()


if __name__ == "__main__":
    main()
