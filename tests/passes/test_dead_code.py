from __future__ import annotations

from dopegraph.ir import parse
from dopegraph.passes.dead_code import DeadCode
from tests.reference import after, body, lines


def test_nodes_that_no_result_needs_go() -> None:
    text = "%0: f32[2] = exp(%x) %1: f32[2] = neg(%0) %2: f32[2] = abs(%x) return %0"
    assert lines(after(DeadCode(), body(text))) == ["%0: f32[2] = exp(%x)", "return %0"]


def test_the_new_value_of_state_is_needed() -> None:
    text = "graph f(; state %w: f32[]) {\n  %0: f32[] = exp(%w)\n  return; %w <- %0\n}"
    assert after(DeadCode(), text) == text


def test_inputs_stay_even_if_nobody_reads_them() -> None:
    assert after(DeadCode(), body("return")) == str(parse(body("return")))
