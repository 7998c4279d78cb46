"""CS231n's classifiers: a linear support vector machine on digits, a two-layer network on small colour images."""

from __future__ import annotations

from typing import Any

from benchmarks.data import labels, layers, normal, uniform
from benchmarks.problem import Problem, Training

DIGITS, IMAGES, HIDDEN, CLASSES = 785, 3 * 32 * 32, 100, 10
SVM_BATCH, NET_BATCH, PENALTY = 200, 100, 1e-3


def svm_parameters() -> list[Any]:
    return [normal("svm", DIGITS, CLASSES, scale=1e-4)]


def svm_data() -> list[Any]:
    return [uniform("digits", SVM_BATCH, DIGITS), labels("digits", SVM_BATCH, CLASSES)]


def svm(np: Any, nn: Any, params: Any, X: Any, y: Any) -> Any:
    """The multiclass hinge loss."""
    (W,) = params
    scores = np.dot(X, W)
    margins = np.maximum(scores - scores[np.arange(SVM_BATCH), y][:, None] + 1, 0)
    return (np.sum(margins) - SVM_BATCH) / SVM_BATCH + PENALTY * np.sum(W * W)


def svm_in_torch(torch: Any, params: Any, X: Any, y: Any) -> Any:
    (W,) = params
    # Its loss divides by the classes.
    return CLASSES * torch.nn.functional.multi_margin_loss(X @ W, y) + PENALTY * (W * W).sum()


def net_parameters() -> list[Any]:
    return layers("two layers", IMAGES, HIDDEN, CLASSES, scale=0.01)


def net_data() -> list[Any]:
    return [normal("images", NET_BATCH, IMAGES), labels("images", NET_BATCH, CLASSES)]


def net(np: Any, nn: Any, params: Any, X: Any, y: Any) -> Any:
    """Affine, rectified, affine, softmax."""
    W1, b1, W2, b2 = params
    scores = np.dot(np.maximum(np.dot(X, W1) + b1, 0), W2) + b2
    scores = scores - np.max(scores, axis=1, keepdims=True)
    logs = scores - np.log(np.sum(np.exp(scores), axis=1, keepdims=True))
    return -np.mean(logs[np.arange(NET_BATCH), y]) + PENALTY * (np.sum(W1**2) + np.sum(W2**2))


def net_in_torch(torch: Any, params: Any, X: Any, y: Any) -> Any:
    W1, b1, W2, b2 = params
    scores = torch.addmm(b2, torch.relu(torch.addmm(b1, X, W1)), W2)
    return torch.nn.functional.cross_entropy(scores, y) + PENALTY * ((W1**2).sum() + (W2**2).sum())


SVM = Training(svm_parameters, svm_data, svm, rate=0.003, torch=svm_in_torch)
NET = Training(net_parameters, net_data, net, rate=0.02, torch=net_in_torch)
PROBLEMS = [
    Problem("svm", f"Support vector machine, batch {SVM_BATCH}", SVM.contestants()),
    Problem("two_layer_net", f"Two-layer network on 32x32x3, batch {NET_BATCH}", NET.contestants()),
]
