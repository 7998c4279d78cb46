"""Distributed training with multiple machines (the book's chapter 17): a key-value store, workers, servers.

python -m examples.part2.distributed_training

It starts itself as two workers with a server; `python -m dopegraph.parallel -H hosts -n 2 ...` would do so on
other machines.
"""

import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim, parallel
from dopegraph.backends.mxnet import library
from dopegraph.data import batches
from examples.chapter import compare, options, plot_curve
from examples.images import accuracy, mnist_images

BOOK = {
    "first_pulled": [[0.54881352, 0.59284461, 0.71518934], [0.84426576, 0.60276335, 0.85794562]],
    "pulled_sum": [[3.0, 3.0, 3.0], [3.0, 3.0, 3.0]],
    "of_two_machines": [[6.0, 6.0, 6.0], [6.0, 6.0, 6.0]],
    "rank_alone": 0,
    "workers_alone": 1,
}

batch_size, learning_rate = 128, 0.1


def the_store_of_one_machine():
    store = parallel.create_store("local")
    shape, devices = (2, 3), [dopegraph.cpu(0), dopegraph.cpu(1)]
    store.init("weight", np.array(BOOK["first_pulled"]))
    y = [np.zeros(shape).to(device) for device in devices]
    store.pull("weight", out=y)
    found = {"first_pulled": y[1].to("cpu"), "rank_alone": store.rank, "workers_alone": store.num_workers}
    store.push("weight", [np.ones(shape).to(devices[0]), (np.ones(shape) + 1).to(devices[1])])
    store.pull("weight", out=y)
    return {**found, "pulled_sum": y[1].to("cpu")}


def network():
    np.random.seed(1)
    net = nn.Sequential(prefix="mlp_")
    with net.name_scope():
        net.add(nn.Flatten(), nn.Dense(128, activation="relu", in_units=784), nn.Dense(10, in_units=128))
    net.initialize(init.Xavier(magnitude=2.24))
    return net


def train(store, chosen, checkpoint=None):
    """Train with this worker's part of the examples; with a checkpoint, go on after the last epoch it holds."""
    images, net, loss = mnist_images(), network(), nn.SoftmaxCrossEntropyLoss()
    begin = 0
    if checkpoint is not None and (checkpoint / "epoch.json").exists():
        begin = json.loads((checkpoint / "epoch.json").read_text())["epoch"] + 1
        net.load_parameters(checkpoint / f"{begin - 1}.params")
    trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate}, kvstore=store)

    @dopegraph.compile
    def gradients(data, label):
        with dopegraph.record():
            losses = loss(net(data), label)
        losses.backward()
        return np.mean(losses)

    classify = dopegraph.compile(lambda data: np.argmax(net(data), axis=1))
    some = slice(2000 if chosen.quick else None)
    losses, right = [], 0.0
    # All workers go through the same batches of the whole, and each takes its part of every batch.
    train_data = batches(
        images.train_images[some], images.train_labels[some], batch_size=batch_size, seed=1, last="discard"
    )
    for e in range(chosen.epochs):
        start = time.perf_counter()
        for data, label in train_data:
            if e >= begin:
                losses.append(float(gradients(*store.shard(data, label))))
                trainer.step(batch_size)
        if e < begin:
            continue
        right = accuracy(classify, images.test_images[some], images.test_labels[some], 500)
        seconds = time.perf_counter() - start
        print(f"worker {store.rank} of {store.num_workers}, epoch {e}: {seconds:.1f} s, test accuracy {right:.4f}")
        if checkpoint is not None and store.rank == 0:
            net.save_parameters(checkpoint / f"{e}.params")
            (checkpoint / "epoch.json").write_text(json.dumps({"epoch": e, "accuracy": right, "losses": losses}))
    return net, right, losses, gradients


def as_worker(chosen):
    store = parallel.create_store("dist")
    store.init("weight", np.zeros((2, 3)))
    store.push("weight", [np.ones((2, 3)), np.ones((2, 3)) + 1])
    y = np.zeros((2, 3))
    store.pull("weight", out=y)
    folder = Path(os.environ["CHAPTER_FOLDER"])
    (folder / f"pulled_{store.rank}.json").write_text(json.dumps(y.tolist()))
    train(store, chosen, folder)


def main(arguments=None):
    chosen = options(__doc__, epochs=2, arguments=arguments)
    if os.environ.get("DMLC_ROLE") == "worker":
        return as_worker(chosen)
    found = the_store_of_one_machine()
    net, right, losses, step = train(parallel.create_store("local"), chosen)
    found.update(accuracy_alone=right, train_step=step)
    if not library.installed():
        print("The stores of several machines are MXNet's, which is not installed.")
        return {**found, "of_two_machines": None}
    with TemporaryDirectory() as folder:
        os.environ["CHAPTER_FOLDER"] = folder
        command = [sys.executable, "-m", "examples.part2.distributed_training", "--epochs", str(chosen.epochs)]
        parallel.launch([*command, *(["--quick"] if chosen.quick else [])], workers=2, servers=1, timeout=1200)
        pulled = [json.loads((Path(folder) / f"pulled_{rank}.json").read_text()) for rank in range(2)]
        assert pulled[0] == pulled[1]
        last = json.loads((Path(folder) / "epoch.json").read_text())
        together = network()
        together.load_parameters(Path(folder) / f"{last['epoch']}.params")
    differences = [
        float(np.max(np.abs(one.data() - other.data())))
        for one, other in zip(net.collect_params().values(), together.collect_params().values())
    ]
    print(f"two workers' parameters differ from those of one with the whole batches by {max(differences):.1e}")
    found.update(of_two_machines=pulled[0], accuracy_together=last["accuracy"], difference=max(differences))
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(chosen.plots / "distributed_training.png", losses, "loss", "one worker")
    return found


if __name__ == "__main__":
    main()
