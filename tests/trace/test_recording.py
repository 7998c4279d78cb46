"""Recordings: arrays become values, are evaluated on demand, and keep what they held when somebody else writes."""

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.trace import Recording, active_recording, programs
from dopegraph.trace.active import outside_recordings


def test_operations_are_recorded_and_evaluated_when_looked_at() -> None:
    x = np.ones(2)
    with Recording() as recording:
        y = x * 2
        assert y._recording is recording
        assert y.tolist() == [2, 2]
        assert recording.known[y._value].array.tolist() == [2, 2]


def test_nothing_is_recorded_outside() -> None:
    with Recording() as recording:
        with outside_recordings():
            y = np.ones(2) * 2
        assert active_recording() is recording
    assert y._recording is None
    assert not recording.builder.nodes


def test_an_array_is_lifted_once() -> None:
    x = np.ones(2)
    with Recording() as recording:
        assert recording.value_of(x) is recording.value_of(x)
        assert len(recording.lifted) == 1


def test_a_written_array_gets_its_value_at_the_end() -> None:
    x = np.ones(2)
    with Recording() as recording:
        x += 1
        recording.finish()
    assert x.tolist() == [2, 2]
    assert x._recording is None


def test_an_abandoned_recording_leaves_arrays_as_they_were() -> None:
    x = np.ones(2)
    with Recording() as recording:
        x += 1
        recording.abandon()
    assert x.tolist() == [1, 1]


def test_two_handles_of_one_value_do_not_share_memory() -> None:
    x = np.ones(2)
    with Recording() as recording:
        y, z = x + 0, x + 0
        recording.finish()
    y[0] = 5
    assert (x.tolist(), z.tolist()) == ([1, 1], [1, 1])


def test_memory_that_numpy_changes_is_read_again() -> None:
    memory = numpy.ones(2, "float32")
    x = np.asarray(memory)
    with Recording() as recording:
        y = x * 2
        memory[0] = 7
        z = x * 2
        recording.finish()
    assert (y.tolist(), z.tolist()) == ([2, 2], [14, 2])


def test_a_write_through_a_view_keeps_what_was_recorded_before() -> None:
    x = np.ones((2, 2))
    row = x[0]
    with Recording() as recording:
        y = row * 2
        x += 1
        assert str(x)
        recording.finish()
    assert (y.tolist(), row.tolist()) == ([2, 2], [2, 2])


def test_equal_recordings_share_a_program() -> None:
    def run() -> None:
        with Recording("shared") as recording:
            np.ones(3) * 5
            y = np.full(3, 2.0) * 5
            recording.settle([y])

    run()
    before = programs.compiled
    run()
    assert programs.compiled == before


def test_constants_that_differ_by_sign_only_do_not_share_a_program() -> None:
    f = dopegraph.compile(lambda x: x * 0.0)
    g = dopegraph.compile(lambda x: x * -0.0)
    assert str(f(np.ones(1)).item()) == "0.0"
    assert str(g(np.ones(1)).item()) == "-0.0"


def test_values_that_an_operation_refuses_are_an_error_at_once_where_asked() -> None:
    with Recording(checks=True) as recording, pytest.raises(IndexError, match="out of bounds"):
        np.take(np.ones(2), np.array([5]))
    assert recording.escapes[0].reason == "error"
