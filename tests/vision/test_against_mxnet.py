"""Anchors, targets and detections against MXNet's operators, and SqueezeNet against Gluon's, in another process."""

import json

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import vision
from dopegraph.backends.mxnet import library
from tests.plain_gluon import run_gluon

pytestmark = pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")

# Arguments of MultiBoxPrior, and the shape of the map.
PRIORS = [
    ({}, (1, 2, 3, 3)),
    ({"sizes": [0.5, 0.25, 0.1], "ratios": [1, 2, 0.5]}, (2, 3, 4, 4)),
    ({"sizes": [0.2, 0.272], "ratios": [2, 0.5, 3], "clip": True}, (1, 1, 5, 2)),
    ({"sizes": [0.3], "ratios": [0.5], "steps": [0.25, 0.2], "offsets": [0.0, 0.7]}, (1, 1, 2, 3)),
]
TARGETS = [
    {},
    {"overlap_threshold": 0.3, "variances": [0.2, 0.1, 0.4, 0.3]},
    {"overlap_threshold": 0},
    {"negative_mining_ratio": 3, "negative_mining_thresh": 0.4, "ignore_label": -2.0},
    {"negative_mining_ratio": 1},
]
DETECTIONS = [
    {},
    {"clip": False, "force_suppress": True, "nms_threshold": 0.3},
    {"threshold": 0.6, "variances": [0.2, 0.2, 0.1, 0.1]},
    {"nms_topk": 20},
    {"threshold": 2.0},
]

THEIRS = """
priors, targets, detections = json.load(open("arguments.json"))
given = {name: nd.array(array) for name, array in numpy.load("given.npz").items()}
found = {}
for i, (how, shape) in enumerate(priors):
    found[f"prior{i}"] = nd.contrib.MultiBoxPrior(nd.zeros(shape), **how)
for i, how in enumerate(targets):
    for j, one in enumerate(nd.contrib.MultiBoxTarget(given["anchors"], given["labels"], given["scores"], **how)):
        found[f"target{i}{j}"] = one
for i, how in enumerate(detections):
    found[f"detection{i}"] = nd.contrib.MultiBoxDetection(
        given["probabilities"], given["offsets"], given["anchors"], **how)
numpy.savez("found.npz", **{name: array.asnumpy() for name, array in found.items()})
"""


def given():
    rng = numpy.random.default_rng(3)
    anchors = vision.multibox_prior(np.zeros((1, 1, 5, 5)), [0.3, 0.5], [1, 2, 0.5]).asnumpy()
    labels = numpy.full((4, 3, 5), -1.0)  # three, one, no objects; the last image has one that fits no anchor well
    for image, count in enumerate((3, 1, 0, 2)):
        corner, size = rng.uniform(0, 0.6, (count, 2)), rng.uniform(0.1, 0.4, (count, 2))
        labels[image, :count] = numpy.concatenate([rng.integers(0, 3, (count, 1)), corner, corner + size], axis=1)
    labels[3, 1, 1:] = [5, 5, 6, 6]
    scores = rng.normal(size=(4, 4, anchors.shape[1]))
    e = numpy.exp(scores)
    arrays = {
        "anchors": anchors, "labels": labels, "scores": scores, "probabilities": e / e.sum(axis=1, keepdims=True),
        "offsets": rng.normal(size=(4, anchors.shape[1] * 4)),
    }  # fmt: skip
    return {name: array.astype("float32") for name, array in arrays.items()}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mxnet")
    (folder / "arguments.json").write_text(json.dumps([PRIORS, TARGETS, DETECTIONS]))
    numpy.savez(folder / "given.npz", **given())
    run_gluon(folder, THEIRS)
    return dict(numpy.load(folder / "found.npz"))


@pytest.mark.parametrize("number", range(len(PRIORS)))
def test_anchors(number, theirs):
    how, shape = PRIORS[number]
    ours = vision.multibox_prior(np.zeros(shape), **how)
    assert ours.dtype == "float32"
    numpy.testing.assert_allclose(ours.asnumpy(), theirs[f"prior{number}"], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("number", range(len(TARGETS)))
def test_targets(number, compiled, theirs):
    arrays = given()

    def function(anchors, labels, scores):
        return vision.multibox_target(anchors, labels, scores, **TARGETS[number])

    run = dopegraph.compile(function) if compiled else function
    for j, one in enumerate(run(*(np.array(arrays[name]) for name in ("anchors", "labels", "scores")))):
        wanted = theirs[f"target{number}{j}"]
        assert (one.dtype, one.shape) == (wanted.dtype, wanted.shape)
        numpy.testing.assert_allclose(one.asnumpy(), wanted, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("number", range(len(DETECTIONS)))
def test_detections(number, compiled, theirs):
    arrays = given()

    def function(probabilities, offsets, anchors):
        return vision.multibox_detection(probabilities, offsets, anchors, **DETECTIONS[number])

    run = dopegraph.compile(function) if compiled else function
    found = run(*(np.array(arrays[name]) for name in ("probabilities", "offsets", "anchors"))).asnumpy()
    wanted = theirs[f"detection{number}"]
    assert (found[..., 0] == -1).any()
    if "nms_topk" in DETECTIONS[number]:  # rows behind those that MXNet looks at hold what they held before sorting
        numpy.testing.assert_array_equal(wanted[:, 20:, 0], -1)
        found, wanted = found[:, :20], wanted[:, :20]
    numpy.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-6)


SQUEEZENET = """
from mxnet.gluon.model_zoo.vision import squeezenet1_1
net = squeezenet1_1(classes=2)
x = nd.array(numpy.load("x.npy"))
net.initialize(mx.init.Xavier(magnitude=2.24))
net(x)
net.save_parameters("theirs.params")
numpy.save("theirs.npy", net(x).asnumpy())
print(json.dumps([[name, list(one.shape)] for name, one in net.collect_params().items()]))
"""


def test_squeezenet_reads_gluons_file(tmp_path):
    x = numpy.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype("float32")
    numpy.save(tmp_path / "x.npy", x)
    printed = json.loads(run_gluon(tmp_path, SQUEEZENET))
    net = vision.squeezenet1_1(classes=2, prefix="squeezenet0_")
    net.load_parameters(tmp_path / "theirs.params")
    assert [[name, list(one.shape)] for name, one in net.collect_params().items()] == printed
    numpy.testing.assert_allclose(net(np.array(x)).asnumpy(), numpy.load(tmp_path / "theirs.npy"), rtol=1e-4, atol=1e-5)
