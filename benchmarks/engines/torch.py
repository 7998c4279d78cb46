"""PyTorch: eager, or the loss by `torch.compile`; parameters are changed in place, all in one foreach call."""

from __future__ import annotations

from typing import Any

from benchmarks.problem import Step, Training


def training(model: Training, compiled: bool = False, naive: bool = False) -> Step:
    import torch

    params = [torch.tensor(array, requires_grad=True) for array in model.parameters()]
    data = [torch.tensor(array) for array in (model.torch_data or model.data)()]
    form = model.torch_naive if naive else model.torch
    assert form is not None

    def loss_of(params: Any, *data: Any) -> Any:
        return form(torch, params, *data)

    if compiled:
        loss_of = torch.compile(loss_of)

    def step() -> float:
        loss = loss_of(params, *data)
        gradients = torch.autograd.grad(loss, params)
        with torch.no_grad():
            torch._foreach_add_(params, gradients, alpha=-model.rate)
        return float(loss.detach())

    return step
