"""Recommender: biases and five factors of 200 users and 300 items, squares of errors and a penalty, batch 100."""

from __future__ import annotations

from typing import Any

from benchmarks.data import labels, uniform
from benchmarks.problem import Problem, Training

USERS, ITEMS, FACTORS, BATCH, PENALTY = 200, 300, 5, 100, 0.02


def parameters() -> list[Any]:
    shapes = {"user": (USERS, 1), "item": (ITEMS, 1), "taste": (USERS, FACTORS), "kind": (ITEMS, FACTORS)}
    return [uniform(f"recommender {name}", *shape) * 0.1 for name, shape in shapes.items()]


def data() -> list[Any]:
    ratings = uniform("recommender ratings", BATCH)
    return [labels("recommender users", BATCH, USERS), labels("recommender items", BATCH, ITEMS), ratings]


def naive(np: Any, nn: Any, params: Any, user: Any, item: Any, rating: Any) -> Any:
    parts = [params[0][user], params[1][item], params[2][user], params[3][item]]
    predicted = (parts[0] + parts[1])[:, 0] + np.sum(parts[2] * parts[3], axis=1)
    return np.sum((predicted - rating) ** 2) + PENALTY * sum([np.sum(part**2) for part in parts])


def in_torch(torch: Any, params: Any, user: Any, item: Any, rating: Any) -> Any:
    look_up = torch.nn.functional.embedding
    parts = [look_up(user, params[0]), look_up(item, params[1]), look_up(user, params[2]), look_up(item, params[3])]
    predicted = (parts[0] + parts[1])[:, 0] + torch.sum(parts[2] * parts[3], dim=1)
    return torch.sum((predicted - rating) ** 2) + PENALTY * sum([torch.sum(part**2) for part in parts])


MODEL = Training(parameters, data, naive, rate=0.001, torch=in_torch)
PROBLEMS = [Problem("recommenders", "Recommender of 5 factors, batch 100", MODEL.contestants())]
