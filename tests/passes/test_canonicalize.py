from __future__ import annotations

import pytest

from dopegraph.passes.canonicalize import Canonicalize
from tests.reference import after, body, lines

EXAMPLES = {
    "identity goes": ("%0: f32[2] = identity(%x) return %0", ["return %x"]),
    "stop_gradient goes": ("%0: f32[2] = stop_gradient(%x) return %0", ["return %x"]),
    "identities in a row go": ("%0: f32[2] = identity(%x) %1: f32[2] = identity(%0) return %1, %0", ["return %x, %x"]),
    "operands keep their order": (
        "%0: f32[2] = exp(%x) %1: f32[2] = add(%0, %y) %2: f32[2] = mul(%y, %x) return %1, %2",
        ["%0: f32[2] = exp(%x)", "%1: f32[2] = add(%0, %y)", "%2: f32[2] = mul(%y, %x)", "return %1, %2"],
    ),
    "numbers stand on the right": (
        "%0: f32[] = full() {value=2.0, shape=(), dtype=f32} %1: f32[2] = exp(%x) %2: f32[2] = mul(%0, %1) return %2",
        [
            "%0: f32[] = full() {value=2.0, shape=(), dtype=f32}",
            "%1: f32[2] = exp(%x)",
            "%2: f32[2] = mul(%1, %0)",
            "return %2",
        ],
    ),
    "arrays of one number become the number": (
        "%0: f32[2] = full() {value=2.0, shape=(2,), dtype=f32} %1: f32[2] = add(%x, %0) return %1",
        [
            "%0: f32[2] = full() {value=2.0, shape=(2,), dtype=f32}",
            "%1: f32[] = full() {value=2.0, shape=(), dtype=f32}",
            "%2: f32[2] = add(%x, %1)",
            "return %2",
        ],
    ),
    "broadcasts that an elementwise operator does anyway go": (
        "%0: f32[3,2] = broadcast_to(%x) {shape=(3, 2)} %1: f32[3,2] = broadcast_to(%y) {shape=(3, 2)}"
        " %2: f32[3,2] = add(%0, %1) return %2",
        [
            "%0: f32[3,2] = broadcast_to(%x) {shape=(3, 2)}",
            "%1: f32[3,2] = broadcast_to(%y) {shape=(3, 2)}",
            "%2: f32[3,2] = add(%x, %1)",
            "return %2",
        ],
    ),
    "broadcasts that give a result its shape stay": (
        "%0: f32[3,2] = broadcast_to(%x) {shape=(3, 2)} %1: f32[3,2] = exp(%0) return %1",
        ["%0: f32[3,2] = broadcast_to(%x) {shape=(3, 2)}", "%1: f32[3,2] = exp(%0)", "return %1"],
    ),
    "broadcasts for other operators stay": (
        "%0: f32[2,2] = broadcast_to(%x) {shape=(2, 2)} %1: f32[2,2] = matmul(%0, %0) return %1",
        ["%0: f32[2,2] = broadcast_to(%x) {shape=(2, 2)}", "%1: f32[2,2] = matmul(%0, %0)", "return %1"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), EXAMPLES.values(), ids=EXAMPLES)
def test_things_take_one_form(text: str, expected: list[str]) -> None:
    assert lines(after(Canonicalize(), body(text))) == expected
