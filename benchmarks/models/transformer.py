"""A small transformer on letters: two layers of causal attention with four heads, width 64, 64 letters, batch 32.

Parameters lie as in the example (`examples/beyond/transformer.py`), so that its figures can be compared, too.
"""

from __future__ import annotations

from typing import Any

import numpy

from benchmarks.data import labels, normal, zeros
from benchmarks.problem import Problem, Training

BATCH, CONTEXT, VOCABULARY, WIDTH, HEADS, LAYERS = 32, 64, 77, 64, 4, 2
EPSILON = 1e-5
MASK = numpy.triu(numpy.ones((CONTEXT, CONTEXT), bool), 1)


def dense(name: str, outputs: int, inputs: int) -> list[Any]:
    return [normal(name, outputs, inputs, scale=inputs**-0.5), zeros(outputs)]


def norm() -> list[Any]:
    return [numpy.ones(WIDTH, numpy.float32), zeros(WIDTH)]


def parameters() -> list[Any]:
    """Letters, places; for each layer two norms, queries+keys+values, joined, wider, narrower; norm, output."""
    found = [normal("letters", VOCABULARY, WIDTH, scale=0.1), normal("places", CONTEXT, WIDTH, scale=0.1)]
    for layer in range(LAYERS):
        found += [*norm(), *norm(), *dense(f"qkv{layer}", 3 * WIDTH, WIDTH), *dense(f"joined{layer}", WIDTH, WIDTH)]
        found += [*dense(f"wider{layer}", 4 * WIDTH, WIDTH), *dense(f"narrower{layer}", WIDTH, 4 * WIDTH)]
    return [*found, *norm(), *dense("output", VOCABULARY, WIDTH)]


def data() -> list[Any]:
    return [labels(name, BATCH * CONTEXT, VOCABULARY).reshape(BATCH, CONTEXT) for name in ("letters", "next")]


def normalized(np: Any, x: Any, gamma: Any, beta: Any) -> Any:
    x = x - np.mean(x, axis=-1, keepdims=True)
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + EPSILON) * gamma + beta


def softmax(np: Any, scores: Any) -> Any:
    e = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def naive(np: Any, nn: Any, params: Any, x: Any, y: Any) -> Any:
    rest = list(params)

    def affine(h: Any) -> Any:
        w, b = rest.pop(0), rest.pop(0)
        return np.dot(h, w.T) + b

    h = rest.pop(0)[x] + rest.pop(0)
    for _ in range(LAYERS):
        first, second = [rest.pop(0), rest.pop(0)], [rest.pop(0), rest.pop(0)]
        parts = affine(normalized(np, h, *first)).reshape(BATCH, CONTEXT, 3, HEADS, WIDTH // HEADS)
        q, k, v = (np.swapaxes(parts[:, :, number], 1, 2) for number in range(3))
        scores = np.where(MASK, -1e9, np.matmul(q, np.swapaxes(k, 2, 3)) / (WIDTH // HEADS) ** 0.5)
        attention = softmax(np, scores)
        h = h + affine(np.swapaxes(np.matmul(attention, v), 1, 2).reshape(BATCH, CONTEXT, WIDTH))
        wide = affine(normalized(np, h, *second))
        h = h + affine(0.5 * wide * (1 + nn.erf(wide * 0.5**0.5)))
    logs = nn.log_softmax(affine(normalized(np, h, rest.pop(0), rest.pop(0))))
    return -np.mean(logs.reshape(-1, VOCABULARY)[np.arange(y.size), y.reshape(-1)])


def scores_in_torch(torch: Any, params: Any, x: Any, heads: int = HEADS, layers: int = LAYERS) -> Any:
    """PyTorch: its own attention, layer norm and GELU."""
    f, rest = torch.nn.functional, list(params)

    def affine(h: Any) -> Any:
        return f.linear(h, rest.pop(0), rest.pop(0))

    h = f.embedding(x, rest.pop(0)) + rest.pop(0)[: x.shape[1]]
    batch, length, width = h.shape
    for _ in range(layers):
        first, second = [rest.pop(0), rest.pop(0)], [rest.pop(0), rest.pop(0)]
        parts = affine(f.layer_norm(h, (width,), *first, EPSILON)).view(batch, length, 3, heads, width // heads)
        seen = f.scaled_dot_product_attention(*parts.permute(2, 0, 3, 1, 4), is_causal=True)
        h = h + affine(seen.transpose(1, 2).reshape(batch, length, width))
        h = h + affine(f.gelu(affine(f.layer_norm(h, (width,), *second, EPSILON))))
    return affine(f.layer_norm(h, (width,), rest.pop(0), rest.pop(0), EPSILON))


def in_torch(torch: Any, params: Any, x: Any, y: Any) -> Any:
    return torch.nn.functional.cross_entropy(scores_in_torch(torch, params, x).flatten(0, 1), y.flatten())


MODEL = Training(parameters, data, naive, rate=0.05, torch=in_torch)
TITLE = f"Transformer of {LAYERS} layers, {CONTEXT} letters, batch {BATCH}"
PROBLEMS = [Problem("transformer", TITLE, MODEL.contestants(), tolerance=2e-3)]
