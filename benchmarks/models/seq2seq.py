"""Sequence to sequence with Bahdanau's attention: a GRU in two directions over 28 letters, another that writes 10.

Parameters lie as in the example (`examples/beyond/seq2seq_attention.py`), so that its figures can be compared, too. JAX
has `lax.scan` over the steps, PyTorch its fused GRU for the encoder and its cell for the decoder.
"""

from __future__ import annotations

from typing import Any

from benchmarks.data import labels, normal, zeros
from benchmarks.problem import Problem, Training

BATCH, EMBEDDING, HIDDEN = 50, 16, 64
READ, WRITTEN, LETTERS, WRITTEN_LETTERS = 28, 10, 41, 11


def gru(name: str, inputs: int) -> list[Any]:
    """Weights of inputs and states for the gates reset, update, new; their biases."""
    weights = [normal(f"{name} {part}", 3 * HIDDEN, width, scale=0.1) for part, width in enumerate((inputs, HIDDEN))]
    return [*weights, zeros(3 * HIDDEN), zeros(3 * HIDDEN)]


def parameters() -> list[Any]:
    return [
        normal("letters", LETTERS, EMBEDDING, scale=0.3), *gru("from left", EMBEDDING), *gru("from right", EMBEDDING),
        normal("written", WRITTEN_LETTERS + 1, EMBEDDING, scale=0.3), normal("begin", HIDDEN, HIDDEN, scale=0.1),
        zeros(HIDDEN), normal("of state", HIDDEN, HIDDEN, scale=0.1),
        normal("of letters", HIDDEN, 2 * HIDDEN, scale=0.1),
        normal("score", 1, HIDDEN, scale=0.1), *gru("cell", EMBEDDING + 2 * HIDDEN),
        normal("output", WRITTEN_LETTERS, 3 * HIDDEN, scale=0.1), zeros(WRITTEN_LETTERS),
    ]  # fmt: skip


def data() -> list[Any]:
    source = labels("read", BATCH * READ, LETTERS).reshape(BATCH, READ)
    source[:, READ // 2 :][::2] = -1  # half of the texts are shorter
    return [source, labels("write", BATCH * WRITTEN, WRITTEN_LETTERS).reshape(BATCH, WRITTEN)]


def cell(np: Any, nn: Any, from_input: Any, h: Any, Wh: Any, bh: Any) -> Any:
    """A GRU's new state (Cho et al., 2014), reset after the product."""
    from_state = np.dot(h, Wh.T) + bh
    r = nn.sigmoid(from_input[:, :HIDDEN] + from_state[:, :HIDDEN])
    z = nn.sigmoid(from_input[:, HIDDEN : 2 * HIDDEN] + from_state[:, HIDDEN : 2 * HIDDEN])
    new = np.tanh(from_input[:, 2 * HIDDEN :] + r * from_state[:, 2 * HIDDEN :])
    return (1 - z) * new + z * h


def run(np: Any, nn: Any, weights: Any, x: Any) -> list[Any]:
    """All states over the letters, as a Python loop; x of shape (letters, batch, embedding)."""
    Wx, Wh, bx, bh = weights
    from_input, h, states = np.dot(x, Wx.T) + bx, np.zeros((BATCH, HIDDEN), x.dtype), []
    for number in range(len(x)):
        h = cell(np, nn, from_input[number], h, Wh, bh)
        states.append(h)
    return states


def attended(np: Any, nn: Any, state: Any, encoded: Any, keys: Any, mask: Any, Ws: Any, v: Any) -> Any:
    """What is seen of the letters."""
    scores = np.dot(np.tanh(keys + np.dot(state, Ws.T)[:, None]), v[0]) + mask
    return np.sum(np.exp(nn.log_softmax(scores))[:, :, None] * encoded, axis=1)


def written(np: Any, nn: Any, rest: Any, encoded: Any, mask: Any, target: Any) -> Any:
    """The decoder's loss, as a Python loop."""
    letters, Wb, bb, Ws, Wl, v, Wx, Wh, bx, bh, Wo, bo = rest
    state, keys = np.tanh(np.dot(encoded[:, 0, HIDDEN:], Wb.T) + bb), np.dot(encoded, Wl.T)
    rows, loss = np.arange(BATCH), 0.0
    letter = np.full(BATCH, WRITTEN_LETTERS)
    for t in range(WRITTEN):
        seen = attended(np, nn, state, encoded, keys, mask, Ws, v)
        state = cell(np, nn, np.dot(np.concatenate([letters[letter], seen], axis=1), Wx.T) + bx, state, Wh, bh)
        logs = nn.log_softmax(np.dot(np.concatenate([state, seen], axis=1), Wo.T) + bo)
        letter = target[:, t]
        loss = loss - np.mean(logs[rows, letter])
    return loss / WRITTEN


def naive(np: Any, nn: Any, params: Any, source: Any, target: Any) -> Any:
    letters, left, right, rest = params[0], params[1:5], params[5:9], params[9:]
    there = source >= 0
    x = np.swapaxes(letters[np.maximum(source, 0)] * there[:, :, None], 0, 1)
    states = zip(run(np, nn, left, x), run(np, nn, right, x[::-1])[::-1])
    encoded = np.stack([np.concatenate(both, axis=1) for both in states], axis=1)
    return written(np, nn, rest, encoded, np.where(there, 0.0, -1e9), target)


def in_jax(jax: Any, params: Any, source: Any, target: Any) -> Any:
    from benchmarks.engines.jax import nn

    np = jax.numpy
    letters, left, right, rest = params[0], params[1:5], params[5:9], params[9:]
    there = source >= 0
    x = np.swapaxes(letters[np.maximum(source, 0)] * there[:, :, None], 0, 1)

    def scanned(weights: Any, reverse: bool) -> Any:
        Wx, Wh, bx, bh = weights

        def advance(h: Any, from_input: Any) -> Any:
            h = cell(np, nn, from_input, h, Wh, bh)
            return h, h

        return jax.lax.scan(advance, np.zeros((BATCH, HIDDEN)), x @ Wx.T + bx, reverse=reverse)[1]

    encoded = np.swapaxes(np.concatenate([scanned(left, False), scanned(right, True)], axis=2), 0, 1)
    letters, Wb, bb, Ws, Wl, v, Wx, Wh, bx, bh, Wo, bo = rest
    keys, mask = encoded @ Wl.T, np.where(there, 0.0, -1e9)

    def advance(state: Any, letter: Any) -> Any:
        seen = attended(np, nn, state, encoded, keys, mask, Ws, v)
        state = cell(np, nn, np.concatenate([letters[letter], seen], axis=1) @ Wx.T + bx, state, Wh, bh)
        return state, np.concatenate([state, seen], axis=1) @ Wo.T + bo

    first = np.full((BATCH, 1), WRITTEN_LETTERS)
    before = np.concatenate([first, target[:, :-1]], axis=1).T
    _, scores = jax.lax.scan(advance, np.tanh(encoded[:, 0, HIDDEN:] @ Wb.T + bb), before)
    logs = jax.nn.log_softmax(scores)
    return -np.mean(np.take_along_axis(logs, target.T[:, :, None], axis=2))


def encode_in_torch(torch: Any, params: Any, source: Any) -> tuple[Any, ...]:
    letters, left, right, rest = params[0], params[1:5], params[5:9], params[9:]
    there = source >= 0
    x = torch.nn.functional.embedding(source.clamp(min=0), letters) * there[:, :, None]
    state = x.new_zeros(2, len(x), HIDDEN)
    encoded, _ = torch.gru(x, state, [*left, *right], True, 1, 0.0, True, True, True)
    _, Wb, bb, _, Wl, *_ = rest
    mask = torch.where(there, 0.0, -1e9)
    return torch.tanh(torch.addmm(bb, encoded[:, 0, HIDDEN:], Wb.T)), encoded, encoded @ Wl.T, mask


def step_in_torch(torch: Any, rest: Any, letter: Any, state: Any, encoded: Any, keys: Any, mask: Any) -> Any:
    letters, _, _, Ws, _, v, Wx, Wh, bx, bh, Wo, bo = rest
    scores = torch.tanh(keys + (state @ Ws.T)[:, None]) @ v[0] + mask
    seen = (scores.softmax(1)[:, None] @ encoded)[:, 0]
    state = torch.gru_cell(torch.cat([letters[letter], seen], 1), state, Wx, Wh, bx, bh)
    return torch.addmm(bo, torch.cat([state, seen], 1), Wo.T), state


def in_torch(torch: Any, params: Any, source: Any, target: Any) -> Any:
    state, *known = encode_in_torch(torch, params, source)
    letter, found = torch.full((len(source),), WRITTEN_LETTERS), []
    for t in range(WRITTEN):
        scores, state = step_in_torch(torch, params[9:], letter, state, *known)
        found.append(scores)
        letter = target[:, t]
    return torch.nn.functional.cross_entropy(torch.stack(found, 1).flatten(0, 1), target.flatten())


MODEL = Training(parameters, data, naive, rate=0.1, jax=in_jax, torch=in_torch)
TITLE = f"Attention between {READ} letters read and {WRITTEN} written, batch {BATCH}"
# Compilers that unroll the loops need minutes.
PROBLEMS = [
    Problem("seq2seq", TITLE, MODEL.contestants(), ("JAX jit, naive", "PyTorch compile"), tolerance=2e-3),
]
