"""Boxes, targets and detections at their edges, derivatives, errors; suppression in C against the kernel in NumPy."""

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn, ops, vision
from dopegraph.dispatch import apply
from dopegraph.runtime.errors import ShapeError
from dopegraph.transform.plan import ReplayPlan

rng = numpy.random.default_rng(0)


def boxes(*shape, dtype="float64"):
    corner = rng.uniform(0, 0.7, (*shape, 2))
    return np.array(numpy.concatenate([corner, corner + rng.uniform(0.1, 0.5, (*shape, 2))], axis=-1).astype(dtype))


def test_what_boxes_have_in_common():
    found = vision.box_iou(boxes(2, 3), boxes(2, 5))
    assert found.shape == (2, 3, 5) and found.dtype == "float64"
    one = boxes(4)
    assert np.allclose(np.diag(vision.box_iou(one, one)), 1)
    assert vision.box_iou([[0, 0, 0, 0]], [[0, 0, 0, 0]]).tolist() == [[0]]
    assert vision.box_iou(np.zeros((0, 4)), np.zeros((3, 4))).shape == (0, 3)


def test_offsets_and_back():
    anchors, to = boxes(7), boxes(7)
    offsets = vision.offsets_of_boxes(anchors, to)
    numpy.testing.assert_allclose(vision.boxes_of_offsets(anchors, offsets).asnumpy(), to.asnumpy(), rtol=1e-12)


@pytest.mark.parametrize(
    "function",
    [
        vision.box_iou,
        vision.offsets_of_boxes,
        vision.boxes_of_offsets,
        lambda a, b: nn.smooth_l1(3 * (a - b), 1.5),
        lambda a, b: vision.FocalLoss(weight=3.0)(3 * a - b, [0, -1, 3]),
        lambda a, b: vision.FocalLoss(axis=0, gamma=3, batch_axis=1)(a - b, [2, 0, 1, 1]),
        lambda a, b: vision.SmoothL1Loss(2.0)(3 * a, b, [[1.0], [0.0], [1.0]]),
    ],
    ids=["iou", "offsets", "boxes", "smooth_l1", "focal", "focal_axis", "smooth_l1_loss"],
)
def test_first_and_second_derivatives(function):
    a, b = boxes(3), boxes(3)
    weights = np.array(rng.normal(size=function(a, b).shape))

    def value(a, b):
        return np.sum(weights * function(a, b))

    slope = dopegraph.grad(value, argnums=(0, 1))
    for of in (value, lambda a, b: np.sum(np.sin(slope(a, b)[0] + 2 * slope(a, b)[1]))):
        found = dopegraph.grad(of, argnums=(0, 1))(a, b)
        for position, gradient in enumerate(found):
            for index in numpy.ndindex(3, 4):
                ends = []
                for sign in (1, -1):
                    moved = [a.copy(), b.copy()]
                    moved[position][index] += sign * 1e-6
                    ends.append(float(of(*moved)))
                assert float(gradient[index]) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-6)


def test_smooth_l1_is_huber_and_its_slope_is_bounded():
    x = np.array([-3.0, -0.1, 0.0, 0.3, 5.0])
    assert np.allclose(nn.smooth_l1(x), [2.5, 0.005, 0, 0.045, 4.5])
    assert dopegraph.grad(lambda x: np.sum(nn.smooth_l1(x)))(x).tolist() == pytest.approx([-1, -0.1, 0, 0.3, 1])


ANCHORS = np.array([[[0.0, 0.0, 0.5, 0.5], [0.5, 0.0, 1.0, 0.5], [0.1, 0.0, 0.6, 0.5], [0.5, 0.5, 1.0, 1.0]]])


def targets(objects, **how):
    label = np.array([objects])
    return vision.multibox_target(ANCHORS, label, np.zeros((1, 3, 4)), **how)


def test_an_object_has_its_best_anchor_even_if_that_is_bad():
    offsets, mask, classes = targets([[1, 0.8, 0.8, 1.0, 1.0]])
    assert classes.tolist() == [[0, 0, 0, 2]]
    assert mask.reshape((4, 4))[:, 0].tolist() == [0, 0, 0, 1]
    assert offsets[0, 12:].tolist() == pytest.approx([3, 3, numpy.log(0.4) / 0.2, numpy.log(0.4) / 0.2], rel=1e-5)


def test_two_objects_do_not_share_an_anchor():
    same = [0, 0.0, 0.0, 0.5, 0.5]
    classes = targets([same, [1, *same[1:]]])[2]
    assert classes.tolist() == [[1, 0, 2, 0]]


def test_no_objects():
    for objects in ([[-1, 0, 0, 0, 0]], [[-1, 0, 0, 0, 0], [0, 0, 0, 1, 1]]):  # what stands behind a -1 does not count
        offsets, mask, classes = targets(objects)
        assert not offsets.any() and not mask.any()
        assert classes.tolist() == [[-1] * 4]
    empty = vision.multibox_target(ANCHORS, np.zeros((2, 0, 5)), np.zeros((2, 3, 4)))
    assert [one.shape for one in empty] == [(2, 16), (2, 16), (2, 4)]


def test_the_worst_predicted_background_is_mined():
    scores = np.array([[[0.0, 3.0, 2.0, 1.0], [0.0] * 4, [0.0] * 4]])
    for least, wanted in ((0, [1, -1, -1, 0]), (2, [1, -1, 0, 0]), (9, [1, 0, 0, 0])):
        how = {"negative_mining_ratio": 1, "negative_mining_thresh": 1, "minimum_negative_samples": least}
        label = np.array([[[0, 0.0, 0.0, 0.4, 0.4]]])
        found = vision.multibox_target(ANCHORS, label, scores, overlap_threshold=0.9, **how)[2]
        assert found.tolist() == [wanted]


def test_no_derivatives_go_through_targets():
    def loss(anchors, label, scores):
        found = vision.multibox_target(anchors, label, scores, negative_mining_ratio=1)
        return sum(np.sum(one) for one in found) + 0 * (np.sum(anchors) + np.sum(label) + np.sum(scores))

    arguments = ANCHORS, np.array([[[0, 0.0, 0.0, 0.4, 0.4]]]), np.zeros((1, 3, 4))
    assert all(not one.any() for one in dopegraph.grad(loss, argnums=(0, 1, 2))(*arguments))


def test_mapped_targets_are_those_of_the_batch():
    label, scores = np.concatenate([np.zeros((5, 2, 1)), boxes(5, 2, dtype="float32")], axis=2), np.zeros((5, 3, 4))
    each = dopegraph.vmap(lambda one, scores: vision.multibox_target(ANCHORS, one[None], scores[None])[0][0])
    wanted = vision.multibox_target(ANCHORS, label, scores)[0]
    numpy.testing.assert_allclose(each(label, scores).asnumpy(), wanted.asnumpy(), rtol=1e-6)


def many(dtype, index, count=300):
    found = boxes(2, count, dtype=dtype).asnumpy()
    found[0, 5], found[1, 7, 2], found[0, 9] = numpy.nan, numpy.inf, 0  # neither is ever suppressed
    return np.array(found), np.array(rng.integers(-1, 3, (2, count)).astype(index))


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize(("dtype", "index"), [("float32", "int64"), ("float64", "int32"), ("float32", "uint8")])
def test_compiled_suppression_is_the_kernels(dtype, index, threshold):
    found, groups = many(dtype, index)
    run = dopegraph.compile(lambda found, groups: apply(ops.suppress, found, groups, threshold=threshold))
    wanted = ops.suppress.kernel(found.asnumpy(), groups.asnumpy(), threshold=threshold)
    for _ in range(2):
        numpy.testing.assert_array_equal(run(found, groups).asnumpy(), wanted)
    assert wanted.any() and wanted.all() == (index == "uint8" and threshold == 1)


def test_suppression_by_its_definition():
    found, groups = (one.asnumpy() for one in many("float64", "int64", 60))
    kept = ops.suppress.kernel(found, groups, threshold=0.4)
    with numpy.errstate(all="ignore"):
        shared = vision.box_iou(found, found).asnumpy()
    for image in range(2):
        for i, one in enumerate(kept[image]):
            rivals = kept[image, :i] & (groups[image, :i] == groups[image, i]) & (shared[image, :i, i] >= 0.4)
            assert one == (groups[image, i] >= 0 and not rivals.any())


def test_detection_is_one_plan():
    probabilities = np.array(rng.dirichlet(numpy.ones(3), (2, 500)).transpose(0, 2, 1).astype("float32"))
    offsets = np.array(rng.normal(size=(2, 2000)).astype("float32"))
    run = dopegraph.compile(vision.multibox_detection)
    anchors = boxes(1, 500, dtype="float32")
    wanted = vision.multibox_detection(probabilities, offsets, anchors)
    for _ in range(2):
        numpy.testing.assert_allclose(
            run(probabilities, offsets, anchors).asnumpy(), wanted.asnumpy(), rtol=1e-5, atol=1e-6
        )
    assert [type(plan) for plan in run.plans] == [ReplayPlan]
    assert {one.operation for one in run.plans[0].fallbacks} <= {"argsort"}


@pytest.mark.parametrize(
    "call",
    [
        lambda: vision.multibox_prior(np.zeros((3, 3))),
        lambda: vision.box_iou(np.zeros((3, 5)), np.zeros((3, 4))),
        lambda: vision.box_iou(np.zeros(4), np.zeros((3, 4))),
        lambda: vision.multibox_target(ANCHORS, np.zeros((1, 5)), np.zeros((1, 3, 4))),
        lambda: vision.multibox_target(ANCHORS, np.zeros((1, 1, 5)), np.zeros((1, 3, 5))),
        lambda: vision.multibox_detection(np.zeros((1, 2, 4)), np.zeros((1, 12)), ANCHORS),
        lambda: vision.multibox_detection(np.zeros((1, 1, 4)), np.zeros((1, 16)), ANCHORS),
    ],
)
def test_what_does_not_fit_is_an_error_at_the_users_line(call):
    with pytest.raises(ShapeError, match=r"test_vision\.py"):
        call()


def test_a_network_of_blocks_side_by_side():
    both = nn.Concurrent(axis=1)
    both.add(nn.Dense(2, in_units=3), nn.Dense(4, in_units=3))
    both.initialize()
    x = np.ones((5, 3))
    assert both(x).shape == (5, 6)
    assert np.array_equal(both[1:](x), both(x)[:, 2:])
    assert set(both.structural_parameters()) == {"0.weight", "0.bias", "1.weight", "1.bias"}
