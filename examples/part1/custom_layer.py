"""Designing a custom layer (the book's chapter 18): a layer without parameters, one with, and a gradient of one's own.

python -m examples.part1.custom_layer
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, metrics, nn, optim
from dopegraph.data import batches
from examples.chapter import compare, digits, options, progress

# The book's accuracies are cumulative: it never resets its metric. Without that, its own are 0.769 and 0.765.
BOOK = {
    "centered": [-2.0, -1.0, 0.0, 1.0, 2.0],
    "mean_of_output": -1.49012e-08,
    "train_accuracy_cumulative": 0.759571,
    "test_accuracy_cumulative": 0.75255,
    "train_accuracy": 0.768933,
    "test_accuracy": 0.7654,
}

np.random.seed(1)

batch_size, learning_rate = 64, 0.1


class CenteredLayer(nn.Block):
    def forward(self, x):
        return x - np.mean(x)


class MyDense(nn.Block):
    def __init__(self, units, in_units, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.weight = self.params.get("weight", init=init.Xavier(magnitude=2.24), shape=(in_units, units))
            self.bias = self.params.get("bias", shape=(units,))

    def forward(self, x):
        return nn.relu(np.dot(x, self.weight.data()) + self.bias.data())


@dopegraph.custom_vjp
def absolute(x):
    """|x| = sqrt(x^2): at 0 the chain rule divides by 0, and needs help."""
    return np.sqrt(x**2)


absolute.defvjp(lambda x: (absolute(x), x), lambda x, g: (g * np.sign(x),))

net = nn.Sequential()
with net.name_scope():
    net.add(MyDense(128, in_units=784))
    net.add(MyDense(64, in_units=128))
    net.add(MyDense(10, in_units=64))  # so that logits are not negative: what the accuracies suffer from
net.initialize()
loss = nn.SoftmaxCrossEntropyLoss()
trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate})


@dopegraph.compile
def train_step(data, label):
    with dopegraph.record():
        cross_entropy = loss(net(data), label)
    cross_entropy.backward()
    trainer.step(data.shape[0])
    return np.mean(cross_entropy)


predict = dopegraph.compile(net.__call__)
cumulative = metrics.Accuracy()


def evaluate_accuracy(images, labels):
    """What the book prints, and the accuracy."""
    output, once = predict(images), metrics.Accuracy()
    for metric in (cumulative, once):
        metric.update(preds=output, labels=labels)
    return cumulative.get()[1], once.get()[1]


def layers():
    """The cells before the training."""
    centered = dopegraph.compile(CenteredLayer().__call__)(np.array([1.0, 2, 3, 4, 5]))
    net2 = nn.Sequential()
    with net2.name_scope():
        net2.add(nn.Dense(128), nn.Dense(10), CenteredLayer())
    net2.initialize()
    mean = np.mean(dopegraph.compile(net2.__call__)(np.ones((4, 256))))

    my_param = nn.Parameter("exciting_parameter_yay", grad_req="write", shape=(5, 5))
    my_param.initialize(init.Xavier(magnitude=2.24))
    print(my_param, my_param.data(), sep="\n")
    pd = nn.ParameterDict(prefix="block1_")
    pd.get("exciting_parameter_yay", grad_req="write", shape=(5, 5))
    print(pd["block1_exciting_parameter_yay"])
    dense = MyDense(20, in_units=10)
    dense.initialize()
    print(dense(np.ones((2, 10))))
    print("derivative of |x| at -2, 0, 2:", dopegraph.grad(lambda x: np.sum(absolute(x)))(np.array([-2.0, 0, 2])))
    return centered, mean.item()


def main(arguments=None):
    chosen = options(__doc__, epochs=2, arguments=arguments)
    centered, mean = layers()
    mnist = digits()
    train_data = batches(mnist.train_images, mnist.train_labels, batch_size=batch_size, seed=1)
    for e in range(chosen.epochs):
        for data, label in progress(train_data, e, chosen.steps):
            train_step(data, label)
        test_sum, test = evaluate_accuracy(mnist.test_images, mnist.test_labels)
        train_sum, train = evaluate_accuracy(mnist.train_images, mnist.train_labels)
        print(f"Epoch {e}. Train_acc {train:.4f}, Test_acc {test:.4f}; cumulative {train_sum:.4f}, {test_sum:.4f}")
    found = {
        "centered": centered,
        "mean_of_output": mean,
        "train_accuracy_cumulative": train_sum,
        "test_accuracy_cumulative": test_sum,
        "train_accuracy": train,
        "test_accuracy": test,
        "train_step": train_step,
    }
    compare(BOOK, found)
    return found


if __name__ == "__main__":
    main()
