"""House prices on Kaggle (the book's chapter 13): a table of pandas, k-fold cross-validation, a file to submit.

python -m examples.part3.kaggle_house_prices

The tables are Kaggle's: train.csv and test.csv in $DOPEGRAPH_DATA/kaggle_house. Without them, one is made up.
"""

import os
from pathlib import Path

import numpy
import pandas

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn, optim
from dopegraph.data import batches
from examples.chapter import compare, each, on_device, options, picture

# Root mean squared errors of the logarithms: of each fold's test set, their average, and after the fit to all houses.
BOOK = {
    "test_losses": [0.188469, 0.211287, 0.201556, 0.178427, 0.206326],
    "average_train_loss": 0.193289,
    "average_test_loss": 0.197213,
    "train_loss_of_all": 0.169546,
    "houses_in_the_submission": 1459,
}

k, batch_size, learning_rate, weight_decay = 5, 100, 5.0, 0.0

np.random.seed(1)

net = nn.Sequential()
with net.name_scope():
    net.add(nn.Dense(1))
square_loss = nn.L2Loss()
trainer = optim.Trainer(net.collect_params(), "adam", {"learning_rate": learning_rate, "wd": weight_decay})


@dopegraph.compile
def train_step(data, label):
    with dopegraph.record():
        loss = square_loss(net(data), label)
    loss.backward()
    trainer.step(batch_size)  # the last batch of an epoch is smaller, and is divided by as much
    return np.mean(loss)


@dopegraph.compile
def rmse_log(data, label):
    """The root mean squared error of the logarithms; a price is at least 1."""
    price = np.clip(net(data), 1, np.inf)
    return np.sqrt(2 * np.mean(square_loss(np.log(price), np.log(label))))


predict = dopegraph.compile(net.__call__)


# The tables -----------------------------------------------------------------------------------------------------------


def tables():
    """The houses with prices and those without, as pandas has them."""
    folder = Path(os.environ.get("DOPEGRAPH_DATA", "")) / "kaggle_house"
    if (folder / "train.csv").exists():
        return pandas.read_csv(folder / "train.csv"), pandas.read_csv(folder / "test.csv")
    print("Kaggle's tables are not in $DOPEGRAPH_DATA/kaggle_house; these houses are made up")
    houses = made_up_houses(1460 + 1459)
    return houses[:1460], houses[1460:].drop(columns="SalePrice").reset_index(drop=True)


def made_up_houses(n):
    """Numbers, classes, gaps and log-normal prices, as in Kaggle's table."""
    random = numpy.random.default_rng(1)
    size, age = random.lognormal(7.3, 0.33, n).round(), random.integers(0, 130, n)
    quality, place = random.integers(1, 11, n), random.integers(0, 25, n)
    logarithm = 8.3 + 0.36 * numpy.log(size) + 0.1 * quality - 0.002 * age + random.normal(0, 0.15, 25)[place]
    lot = numpy.where(random.random(n) < 0.2, numpy.nan, random.lognormal(4.2, 0.3, n).round())
    alley = numpy.where(random.random(n) < 0.9, None, random.choice(["Grvl", "Pave"], n))
    return pandas.DataFrame(
        {
            "Id": range(1, n + 1), "LotFrontage": lot, "GrLivArea": size, "YearBuilt": 2010 - age,
            "OverallQual": quality, "Neighborhood": [f"N{one}" for one in place], "Alley": alley,
            "SalePrice": numpy.exp(logarithm + random.normal(0, 0.12, n)).round(),
        }
    )  # fmt: skip


def prepared(train, test):
    """Numbers standardized, classes as zeros and ones, gaps filled with means: houses with prices, the others."""
    every = pandas.concat([train.drop(columns=["Id", "SalePrice"]), test.drop(columns="Id")])
    numeric = every.select_dtypes("number").columns
    every[numeric] = (every[numeric] - every[numeric].mean()) / every[numeric].std()
    every = pandas.get_dummies(every, dummy_na=True).astype("float32")
    every = every.fillna(every.mean()).to_numpy()
    return every[: len(train)], every[len(train) :], train["SalePrice"].to_numpy("float32")


# Training -------------------------------------------------------------------------------------------------------------


def train(data, label, epochs, test_data=None, test_label=None):
    """Train from new parameters; the errors after each epoch, of these houses and of the test's."""
    global trainer
    net.initialize(force_reinit=True)
    trainer = optim.Trainer(net.collect_params(), "adam", {"learning_rate": learning_rate, "wd": weight_decay})
    data_iter, losses = batches(data, label, batch_size=batch_size, seed=1), []
    whole, test = (on_device(data), on_device(label)), None
    if test_data is not None:
        test = on_device(test_data), on_device(test_label)
    for _ in range(epochs):
        for x, y in each(data_iter):
            train_step(x, y)
        losses.append((float(rmse_log(*whole)), float(rmse_log(*test)) if test else None))
    return losses


def folds(data, label):
    """Training and test houses of each fold; the last houses are left over if they do not fill one."""
    size = len(data) // k
    for i in range(k):
        test = slice(i * size, (i + 1) * size)
        rest = [slice(0, i * size), slice((i + 1) * size, k * size)]
        training = [numpy.concatenate([array[part] for part in rest]) for array in (data, label)]
        yield (*training, data[test], label[test])


def main(arguments=None):
    chosen = options(__doc__, epochs=100, arguments=arguments, quick=2)
    train_table, test_table = tables()
    print(train_table.iloc[:4, [0, 1, 2, 3, -3, -2, -1]])
    data, test, price = prepared(train_table, test_table)
    print(f"{data.shape[0]} houses with prices, {test.shape[0]} without, {data.shape[1]} columns")
    of_folds = []
    for i, (x, y, test_x, test_y) in enumerate(folds(data, price), 1):
        of_folds.append(train(x, y, chosen.epochs, test_x, test_y))
        print("fold {}: train loss {:.6f}, test loss {:.6f}".format(i, *of_folds[-1][-1]))
    of_all = train(data, price, chosen.epochs)
    prices = predict(on_device(test)).asnumpy()[:, 0]
    submission = pandas.DataFrame({"Id": test_table["Id"], "SalePrice": prices})
    found = {
        "test_losses": [losses[-1][1] for losses in of_folds],
        "average_train_loss": sum(losses[-1][0] for losses in of_folds) / k,
        "average_test_loss": sum(losses[-1][1] for losses in of_folds) / k,
        "train_loss_of_all": of_all[-1][0],
        "houses_in_the_submission": len(submission),
        "train_step": train_step,
    }
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots, of_folds, of_all)
        submission.to_csv(chosen.plots / "submission.csv", index=False)
    return found


def draw(folder, of_folds, of_all):
    with picture(folder / "kaggle_house_prices.png", 2, 3, (13, 7), sharey=True, layout="constrained") as axes:
        for place, losses in zip(axes.flat, [*of_folds, of_all]):
            epochs = range(1, len(losses) + 1)
            place.semilogy(epochs, [train for train, _ in losses], label="train")
            if losses is not of_all:
                place.semilogy(epochs, [test for _, test in losses], "--", label="test")
            place.set_title("all houses" if losses is of_all else f"fold {of_folds.index(losses) + 1}")
            place.set_xlabel("epoch")
            place.set_ylabel("RMSE of log prices")
            place.grid(True, which="both")
            place.legend()


if __name__ == "__main__":
    main()
