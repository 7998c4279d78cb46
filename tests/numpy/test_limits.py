"""What `clip` refuses, on every NumPy."""

import pytest

import dopegraph.numpy as np


@pytest.mark.parametrize(
    ("limits", "keywords", "error", "message"),
    [
        ((0, 1), {"min": 2}, ValueError, "either a_min and a_max, or min= and max="),
        ((0,), {}, TypeError, "missing a_max; use min= or max= for one limit alone"),
        ((0, 1), {"nonsense": 3}, TypeError, "unexpected keyword argument 'nonsense'"),
        ((0.5, 1.5), {"dtype": "int64"}, TypeError, "maximum: cannot compute in int64"),
        ((300, None), {}, OverflowError, "300 is out of bounds for uint8"),
    ],
)
def test_limits_that_clip_refuses(limits, keywords, error, message):
    with pytest.raises(error, match=rf"{message}[\s\S]*test_limits\.py"):
        np.clip(np.array([1, 2, 3], "uint8"), *limits, **keywords)


def test_limits_beyond_the_dtype_do_nothing():
    x = np.array([1, 200], "uint8")
    assert np.clip(x, -5, 300).tolist() == [1, 200]
    assert np.clip(x, min=-5, max=100).tolist() == [1, 100]
    assert np.clip(x).tolist() == [1, 200]
