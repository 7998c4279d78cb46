"""Runs what has no primitive by MXNet's own operator: one node, differentiated by MXNet, its states written back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dopegraph.numpy as np
from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.runtime.config import current_policy, is_training
from dopegraph.runtime.errors import BackendError, FallbackError
from dopegraph.runtime.location import here, located
from dopegraph.symbols.errors import SymbolError
from dopegraph.trace.active import active_recording

# Their numbers are MXNet's, which no graph can draw again.
_DRAWS = ("_random_", "_sample_", "sample_", "random_", "_npi_random", "_npi_uniform", "_npi_normal", "_npi_choice",
          "_npi_bernoulli", "_npi_gamma", "_npi_multinomial", "_npi_exponential", "_npi_gumbel", "_npi_laplace",
          "_npi_logistic", "_npi_pareto", "_npi_rayleigh", "_npi_weibull", "_shuffle", "_image_random")  # fmt: skip


def unavailable() -> str | None:
    """Why MXNet's own operators cannot run now, or None."""
    if current_policy() == "only_numpy":
        return "the policy is only_numpy"
    from dopegraph.backends.mxnet import library

    return library.why_missing()


def described(operator: str, attributes: tuple[tuple[str, str], ...]) -> Any:
    """What the operator takes and gives; MXNet is asked."""
    from dopegraph.backends.mxnet import operators

    try:
        return operators.describe(operator, attributes)
    except BackendError as cause:
        raise SymbolError(str(cause)) from cause.__cause__


def apply_operator(
    operator: str, attributes: tuple[tuple[str, str], ...], operands: Sequence[ndarray], why: str
) -> tuple[ndarray, ...]:
    """The outputs of one of MXNet's operators; `why` there is no primitive for it."""
    missing = unavailable()
    if missing is not None:
        raise FallbackError(located(f"{operator} has no primitive ({why}), and {missing}", here()))
    from dopegraph.backends.mxnet import operators

    found = described(operator, attributes)
    operands = [np.ascontiguousarray(one) for one in operands]
    try:
        types = operators.result_types(operator, attributes, tuple([one._type for one in operands]))
    except BackendError as cause:
        raise SymbolError(located(str(cause), here())) from cause.__cause__
    recording = active_recording()
    if recording is not None and operator.startswith(_DRAWS):
        recording.escape("host-call", f"{operator} draws MXNet's own random numbers")
    made = apply(
        ops.mxnet_operator, *operands, operator=operator, attributes=attributes, types=types, training=is_training()
    )
    results = made if isinstance(made, tuple) else (made,)
    for place, new in zip(found.auxiliary, results[found.outputs :]):
        operands[place][...] = apply(ops.stop_gradient, new)
    return results[: found.outputs]
