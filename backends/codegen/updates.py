"""Finds products that are only taken away from an array, as weights are updated: one function can do both.

The product is as large as the weights, and need not go through memory then.
"""

from __future__ import annotations

from collections.abc import Container

from dopegraph.backends.codegen import packed
from dopegraph.ir.graph import Node, Value
from dopegraph.passes.cells import without_reshapes
from dopegraph.passes.fuse import Fusion
from dopegraph.passes.kernels import Kernel


def updates_of(fusion: Fusion, fixed: Container[Value]) -> dict[int, Node]:
    """Steps of a plan that do nothing but take a product from an array, by number, with the product.

    Second operands in `fixed` are packed once for many products, which stay as they are.
    """
    readers: dict[Value, list[int]] = {}
    for number, step in enumerate(fusion.steps):
        for value in step.loaded if isinstance(step, Kernel) else map(without_reshapes, step.inputs):
            readers.setdefault(value, []).append(number)
    results = set(fusion.memory.values())
    found = {}
    for node in fusion.steps:
        if isinstance(node, Kernel) or node.op.name != "matmul" or node.output in results:
            continue
        numbers = readers.get(node.output, [])
        if len(numbers) != 1 or node.inputs[1] in fixed or not packed.is_large(node):
            continue
        kernel = fusion.steps[numbers[0]]
        if isinstance(kernel, Kernel) and _takes_away(kernel, node.output):
            found[numbers[0]] = node
    return found


def _takes_away(kernel: Kernel, product: Value) -> bool:
    """Whether a kernel takes a product from an array of its shape, and does nothing else."""
    roots = [root for root in kernel.roots if root.stored]
    if len(roots) != 1 or len(kernel.loaded) != 2:
        return False
    request = roots[0].request
    node = request.target.node
    if node is None or request.starts is not None or request.source is not request.target or node.op.name != "sub":
        return False
    array, taken = node.inputs
    return taken is product and array in kernel.loaded and array is not product and array.shape == product.shape
