"""Object detection with SSD (the book's chapter 1): anchors, targets and suppression are traced with the network.

python -m examples.part3.ssd

The book finds 1000 rendered Pikachus of 256 pixels on a GPU; here creatures are drawn on textures, 128 pixels wide:
scikit-image's photographs where it is installed, else clouds of noise.
"""

import time

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, metrics, nn, optim
from dopegraph.data import augmented, batches, normalized, sprites, textures
from dopegraph.vision import FocalLoss, SmoothL1Loss, box_iou, multibox_detection, multibox_prior, multibox_target
from examples.boxes import rectangle, show_boxes
from examples.chapter import compare, on_device, options, picture

# The book's accuracy counts the background, which nearly all anchors are; it does not say how many creatures are found.
BOOK = {
    "parameters": 1012360,
    "anchors_at_256_pixels": 5444,
    "first_anchor": [-0.084375, -0.084375, 0.115625, 0.115625],
    "accuracy": 0.997692,
    "mae": 0.001789,
    "average_precision_at_half_overlap": "not in the book",
    "overlap_of_the_surest_box": "not in the book",
}

np.random.seed(1)

batch_size, data_shape, num_class = 32, 128, 1
by = 50  # pictures at once when nothing is learned
class_names, colors = ["creature"], ["blue", "green", "red", "black", "magenta"]
anchor_sizes = [[0.2, 0.272], [0.37, 0.447], [0.54, 0.619], [0.71, 0.79], [0.88, 0.961]]
anchor_ratios = [[1, 2, 0.5]] * 5
num_anchors = len(anchor_sizes[0]) + len(anchor_ratios[0]) - 1


def class_predictor(num_anchors, num_classes):
    """A number for each class and the background, for all anchors of a pixel."""
    return nn.Conv2D(num_anchors * (num_classes + 1), 3, padding=1)


def box_predictor(num_anchors):
    return nn.Conv2D(num_anchors * 4, 3, padding=1)


def down_sample(num_filters):
    """Two convolutions with normalization, then half the height and width."""
    out = nn.HybridSequential()
    for _ in range(2):
        out.add(nn.Conv2D(num_filters, 3, strides=1, padding=1))
        out.add(nn.BatchNorm())
        out.add(nn.Activation("relu"))
    out.add(nn.MaxPool2D(2))
    return out


def flatten_prediction(pred):
    return np.transpose(pred, (0, 2, 3, 1)).reshape((len(pred), -1))


class ToySSD(nn.Block):
    """Five maps, each of half the height and width; on each pixel of each of them classes and boxes of its anchors."""

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        with self.name_scope():
            self.body = nn.HybridSequential()
            self.body.add(*[down_sample(num_filters) for num_filters in (16, 32, 64)])
            self.downsamples = [*[down_sample(128) for _ in range(3)], nn.GlobalMaxPool2D()]
            self.class_preds = [class_predictor(num_anchors, num_classes) for _ in anchor_sizes]
            self.box_preds = [box_predictor(num_anchors) for _ in anchor_sizes]

    def forward(self, x):
        x = self.body(x)
        anchors, class_preds, box_preds = [], [], []
        for i, (sizes, ratios) in enumerate(zip(anchor_sizes, anchor_ratios)):
            anchors.append(multibox_prior(x, sizes, ratios))
            class_preds.append(flatten_prediction(self.class_preds[i](x)))
            box_preds.append(flatten_prediction(self.box_preds[i](x)))
            if i < len(self.downsamples):
                x = self.downsamples[i](x)
        anchors, class_preds, box_preds = (np.concatenate(one, axis=1) for one in (anchors, class_preds, box_preds))
        return anchors, class_preds.reshape((len(class_preds), -1, self.num_classes + 1)), box_preds


def anchors_of(size):
    """All anchors of square pictures; they follow from the size alone."""
    maps = [np.zeros((1, 1, length, length)) for length in (size // 8, size // 16, size // 32, size // 64, 1)]
    return np.concatenate([multibox_prior(*one) for one in zip(maps, anchor_sizes, anchor_ratios)], axis=1)


net = ToySSD(num_class, prefix="toyssd_")
net.initialize(init.Xavier(magnitude=2))
cls_loss, box_loss = FocalLoss(), SmoothL1Loss()
# Plain descent, as in the book, takes 150 epochs; half the rate after every five is enough here.
learning_rate = 0.002
trainer = optim.Trainer(net.collect_params(), "adam", {"learning_rate": learning_rate})


def training_targets(anchors, class_preds, labels):
    return multibox_target(anchors, labels, np.transpose(class_preds, (0, 2, 1)))


@dopegraph.compile
def train_step(x, y):
    """An update; the loss, and the sums that the metrics are made of."""
    with dopegraph.record():
        anchors, class_preds, box_preds = net(x)
        box_target, box_mask, cls_target = training_targets(anchors, class_preds, y)
        loss1 = cls_loss(class_preds, cls_target)
        loss2 = box_loss(box_preds, box_target, box_mask)
        loss = loss1 + loss2
    loss.backward()
    trainer.step(x.shape[0])
    right = np.mean(np.argmax(class_preds, axis=2) == cls_target)
    return np.mean(loss), right, np.mean(np.abs(box_target - box_preds * box_mask))


@dopegraph.compile
def detect(x):
    """Class, probability and box of what is found, the surest first."""
    anchors, class_preds, box_preds = net(x)
    cls_probs = nn.softmax(np.transpose(class_preds, (0, 2, 1)), axis=1)
    return multibox_detection(cls_probs, box_preds, anchors, force_suppress=True, clip=False)


def evaluate(images, labels):
    """The average precision, and what the surest box of a picture has in common with the creature."""
    ap, overlaps = metrics.AveragePrecision(iou=0.5), []
    for x, y in batches(images, labels, batch_size=by, shuffle=False):
        found = detect(on_device(normalized(x))).asnumpy()
        ap.update(y, found)
        overlaps.append(box_iou(found[:, :1, 2:], y[:, :, 1:]).asnumpy())
    return ap.get()[1], float(np.mean(np.array(overlaps)))


def main(arguments=None):
    chosen = options(__doc__, epochs=15, arguments=arguments)
    train_size, test_size, size = (96, 50, 64) if chosen.quick else (600, 200, data_shape)
    train_images, train_labels = sprites(train_size, size, seed=1)
    test_images, test_labels = sprites(test_size, size, seed=2)
    print(f"{train_size} pictures to train with, {test_size} to test with; textures: {textures()[0]}")
    anchors = anchors_of(256)
    found = {"anchors_at_256_pixels": anchors.shape[1], "first_anchor": anchors[0, 0], "train_step": train_step}
    train_data = batches(train_images, train_labels, batch_size=batch_size, seed=1, last="discard")
    history = []
    for e in range(chosen.epochs):
        trainer.set_learning_rate(learning_rate * 0.5 ** (e // 5))
        start, sums = time.perf_counter(), [0.0, 0.0, 0.0]
        for i, (images, labels) in enumerate(train_data):
            x, y = augmented(images, 1000 * e + i, labels)
            figures = train_step(on_device(normalized(x)), on_device(y))
            sums = [total + float(figure) for total, figure in zip(sums, figures)]
        took = time.perf_counter() - start
        loss, found["accuracy"], found["mae"] = (total / len(train_data) for total in sums)
        history.append((loss, found["accuracy"], found["mae"]))
        speed = len(train_data) * batch_size / took
        print(
            f"[Epoch {e}] {speed:.1f} samples/s loss={loss:.6f} accuracy={found['accuracy']:.6f} mae={found['mae']:.6f}"
        )
    precision, overlap = evaluate(test_images, test_labels)
    found["parameters"] = sum(param.data().size for param in net.collect_params().values())
    found.update(average_precision_at_half_overlap=precision, overlap_of_the_surest_box=overlap)
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots, test_images, test_labels, history)
    return found


def draw(folder, images, labels, history):
    """Anchors of a pixel; objects; the anchors that learn them; what is found; the curves."""
    with picture(folder / "ssd_anchors.png", size=(5, 5)) as axes:
        axes.imshow(np.ones((40, 40, 3)).asnumpy())
        boxes = multibox_prior(np.zeros((1, 3, 40, 40)), sizes=[0.5, 0.25, 0.1], ratios=[1, 2, 0.5])
        for box, color in zip(boxes.reshape((40, 40, -1, 4))[20, 20].asnumpy(), colors):
            rectangle(axes, box, color, 40)
        axes.set_title("the five anchors of pixel (20, 20)")
    x, y = on_device(normalized(images[:by])), on_device(labels[:by])
    anchors = anchors_of(images.shape[-1])
    matched = training_targets(anchors, np.zeros((len(y), anchors.shape[1], 2)), y)[2].asnumpy() > 0
    found, anchors = detect(x).asnumpy(), anchors[0].asnumpy()
    show_boxes(folder / "ssd_truth.png", images[:5], labels[:, :, 1:], "red")
    show_boxes(folder / "ssd_targets.png", images[:5], [anchors[one] for one in matched], "lime")
    sure = [one[(one[:, 0] >= 0) & (one[:, 1] > 0.45)][:5] for one in found]
    texts = [[f"{class_names[int(kind)]} {score:.3f}" for kind, score in one[:, :2]] for one in sure]
    show_boxes(folder / "ssd_detection.png", images[:5], [one[:, 2:] for one in sure], "blue", texts)
    with picture(folder / "ssd_curves.png", 1, 3, (13, 4), layout="constrained") as axes:
        for place, values, name in zip(axes, zip(*history), ("loss", "accuracy", "error of offsets")):
            place.plot(range(1, len(values) + 1), values, marker=".")
            place.set_xlabel("epoch")
            place.set_ylabel(name)
            place.grid(True)


if __name__ == "__main__":
    main()
