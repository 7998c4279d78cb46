"""Kaggle's house prices: a linear model of 331 features, the half square of the error, batch 100."""

from __future__ import annotations

from typing import Any

from benchmarks.data import layers, uniform
from benchmarks.problem import Problem, Training

BATCH, FEATURES = 100, 331


def parameters() -> list[Any]:
    return layers("kaggle", FEATURES, 1)


def data() -> list[Any]:
    return [uniform("kaggle features", BATCH, FEATURES), uniform("kaggle prices", BATCH, 1)]


def naive(np: Any, nn: Any, params: Any, x: Any, y: Any) -> Any:
    w, b = params
    return np.sum((np.dot(x, w) + b - y) ** 2) / 2


def in_torch(torch: Any, params: Any, x: Any, y: Any) -> Any:
    w, b = params
    return torch.nn.functional.mse_loss(torch.addmm(b, x, w), y, reduction="sum") / 2


MODEL = Training(parameters, data, naive, rate=0.0001, torch=in_torch)
PROBLEMS = [Problem("kaggle_house_prices", "House prices of 331 features, batch 100", MODEL.contestants())]
