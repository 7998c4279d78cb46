"""Training with multiple devices from scratch (the book's chapter 15): copies of LeNet, split batches, all-reduce.

python -m examples.part2.multiple_devices_scratch
"""

import time

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.data import batches
from examples.chapter import compare, options, plot_curve
from examples.images import accuracy, mnist_images

# The accuracies after five epochs on one GPU and on two, on the book's machine.
BOOK = {"accuracy_1": 0.9859, "accuracy_2": 0.9824, "allreduced": [3.0, 3.0]}

np.random.seed(1)

weight_scale = 0.01
W1, b1 = np.random.normal(scale=weight_scale, size=(20, 1, 3, 3)), np.zeros(20)
W2, b2 = np.random.normal(scale=weight_scale, size=(50, 20, 5, 5)), np.zeros(50)
W3, b3 = np.random.normal(scale=weight_scale, size=(800, 128)), np.zeros(128)
W4, b4 = np.random.normal(scale=weight_scale, size=(128, 10)), np.zeros(10)
params = [W1, b1, W2, b2, W3, b3, W4, b4]


def lenet(X, params):
    W1, b1, W2, b2, W3, b3, W4, b4 = params
    h1 = nn.max_pool(nn.relu(nn.conv(X, W1, b1)), 2)
    h2 = nn.max_pool(nn.relu(nn.conv(h1, W2, b2)), 2)
    h3 = nn.relu(np.dot(h2.reshape((h2.shape[0], -1)), W3) + b3)
    return np.dot(h3, W4) + b4


loss = nn.SoftmaxCrossEntropyLoss()


def get_params(params, device):
    """Copies of the parameters on a device, with places for gradients."""
    new_params = [np.array(param).to(device) for param in params]
    for param in new_params:
        param.attach_grad()
    return new_params


def allreduce(data):
    """Every device's array becomes the sum of all: added up on the first, and sent back."""
    for i in range(1, len(data)):
        data[0][:] += data[i].to(data[0].device)
    for i in range(1, len(data)):
        data[i][:] = data[0].to(data[i].device)


def split_and_load(data, devices):
    """Equal parts of a batch, one on each device."""
    n, k = data.shape[0], len(devices)
    assert n % k == 0, f"{n} examples are not divisible by {k} devices"
    return [np.array(data[i * n // k : (i + 1) * n // k]).to(devices[i]) for i in range(k)]


def forward_backward(data, label, params):
    with dopegraph.record():
        losses = loss(lenet(data, params), label)
    losses.backward()
    return np.mean(losses)


def SGD(params, lr):
    for param in params:
        param[:] = param - lr * param.grad


def train(devices, batch_size, learning_rate, images, chosen):
    """Train on some devices from the same beginning: accuracies and seconds of each epoch, losses, gradient steps."""
    dev_params = [get_params(params, device) for device in devices]
    # One compiled graph for each device's part of the batch, and one for its update.
    steps = [dopegraph.compile(forward_backward) for _ in devices]
    updates = [dopegraph.compile(SGD) for _ in devices]
    classify = dopegraph.compile(lambda data: np.argmax(lenet(data, dev_params[0]), axis=1))
    train_data = batches(images.train_images, images.train_labels, batch_size=batch_size, seed=1, last="discard")
    some = slice(1000 if chosen.quick else None)
    found, losses = [], []
    for e in range(chosen.epochs):
        start = time.perf_counter()
        for number, (data, label) in enumerate(train_data):
            if number == chosen.steps:
                break
            parts = zip(split_and_load(data, devices), split_and_load(label, devices), dev_params, steps)
            # The last device first: the first is the host's, which computes while it is called.
            losses.append([step(*part) for *part, step in reversed(list(parts))])
            for i in range(len(params)):
                allreduce([dev_params[d][i].grad for d in range(len(devices))])
            for d, update in enumerate(updates):
                update(dev_params[d], learning_rate / batch_size)
        seconds = time.perf_counter() - start
        right = accuracy(classify, images.test_images[some], images.test_labels[some], 500)
        print(f"{len(devices)} device(s), epoch {e}: {seconds:.1f} s, test accuracy {right:.4f}")
        found.append(right)
    return found, [float(sum(float(part) for part in one)) / len(devices) for one in losses], steps[0]


def main(arguments=None):
    chosen = options(__doc__, epochs=5, arguments=arguments)
    chosen.steps = 20 if chosen.quick else None
    devices = [dopegraph.cpu(0), dopegraph.cpu(1)]
    data = [np.ones(2).to(devices[0]), np.array([2.0, 2.0]).to(devices[1])]
    allreduce(data)
    found = {"allreduced": data[1]}
    images = mnist_images()
    for count, batch_size, learning_rate in ((1, 64, 0.3), (2, 128, 0.3)):
        right, losses, step = train(devices[:count], batch_size, learning_rate, images, chosen)
        found[f"accuracy_{count}"], found[f"accuracies_{count}"] = right[-1], right
        found.setdefault("train_step", step)
        if chosen.plots:
            plot_curve(chosen.plots / f"multiple_devices_scratch_{count}.png", losses, "loss", f"{count} device(s)")
    compare(BOOK, found)
    return found


if __name__ == "__main__":
    main()
