"""Import rules of MXNet's layers: convolution, pooling, normalization, activations, softmax, dropout, embedding.

A rule is a function of arrays (positional) and attributes (keywords, read as annotated), with MXNet's defaults.
"""

from __future__ import annotations

import math
from typing import Any

import dopegraph.numpy as np
from dopegraph import ops
from dopegraph.dispatch import apply
from dopegraph.ir.types import DType
from dopegraph.nn import functional as nn
from dopegraph.runtime.config import is_training
from dopegraph.symbols.arithmetic import floats
from dopegraph.symbols.attributes import Shape
from dopegraph.symbols.errors import SymbolError, Unsupported

_CHANNELS_SECOND = (None, "None", "NCW", "NCHW", "NCDHW")


def _spatial(given: Shape, space: int, default: int, what: str) -> Shape:
    if len(given) not in (0, space):
        raise SymbolError(f"{what} {given} for data with {space} spatial axes")
    return given or (default,) * space


def _supported_data(x: Any, layout: str | None) -> None:
    if layout not in _CHANNELS_SECOND:
        raise Unsupported(f"the layout {layout} has no primitive")
    if x.dtype.name not in ("float32", "float64") or x.ndim < 3:
        raise Unsupported(f"data of {x.dtype} with {x.ndim} axes has no primitive")


def _with_bias(y: Any, bias: Any, no_bias: bool, axis: int = 1) -> Any:
    if no_bias or bias is None:
        if not no_bias:
            raise SymbolError("the bias is missing; no_bias is not set")
        return y
    return y + np.reshape(bias, (-1,) + (1,) * (y.ndim - 1 - axis))


def _counted(what: str, said: int, found: int) -> None:
    if said != found:
        raise SymbolError(f"{what}={said}, but the weight has {found}")


def convolution(
    x: Any, weight: Any, bias: Any = None, *, kernel: Shape, num_filter: int, stride: Shape = (), dilate: Shape = (),
    pad: Shape = (), num_group: int = 1, no_bias: bool = False, layout: str | None = None,
) -> Any:  # fmt: skip
    _supported_data(x, layout)
    floats(x, weight, *((bias,) if bias is not None else ()))
    space = x.ndim - 2
    _counted("num_filter", num_filter, weight.shape[0])
    if weight.shape[2:] != kernel:
        raise SymbolError(f"kernel={kernel}, but the weight has the shape {weight.shape}")
    y = nn.conv(
        x,
        weight,
        stride=_spatial(stride, space, 1, "stride"),
        pad=_spatial(pad, space, 0, "pad"),
        dilate=_spatial(dilate, space, 1, "dilate"),
        groups=num_group,
    )
    return _with_bias(y, bias, no_bias)


def deconvolution(
    x: Any, weight: Any, bias: Any = None, *, kernel: Shape, num_filter: int, stride: Shape = (), dilate: Shape = (),
    pad: Shape = (), adj: Shape = (), target_shape: Shape = (), num_group: int = 1, no_bias: bool = True,
    layout: str | None = None,
) -> Any:  # fmt: skip
    _supported_data(x, layout)
    floats(x, weight, *((bias,) if bias is not None else ()))
    space = x.ndim - 2
    if any(target_shape) or weight.ndim != x.ndim or weight.shape[2:] != kernel:
        raise Unsupported(f"target_shape={target_shape} or a weight of shape {weight.shape} has no primitive")
    _counted("num_filter", num_filter, weight.shape[1] * num_group)
    stride, pad = _spatial(stride, space, 1, "stride"), _spatial(pad, space, 0, "pad")
    dilate, adj = _spatial(dilate, space, 1, "dilate"), _spatial(adj, space, 0, "adj")
    lengths = [
        s * (n - 1) + d * (k - 1) + 1 - 2 * p + a
        for n, s, d, k, p, a in zip(x.shape[2:], stride, dilate, kernel, pad, adj)
    ]
    how = {"stride": stride, "pad": pad, "dilate": dilate, "groups": num_group}
    shape = (x.shape[0], num_filter, *lengths)
    ops.conv_grad_data.result_types([x._type, weight._type], {"shape": shape, **how})
    return _with_bias(apply(ops.conv_grad_data, x, weight, shape=shape, **how), bias, no_bias)


def fully_connected(
    x: Any, weight: Any, bias: Any = None, *, num_hidden: int, no_bias: bool = False, flatten: bool = True
) -> Any:
    _counted("num_hidden", num_hidden, weight.shape[0])
    floats(x, weight, *((bias,) if bias is not None else ()))
    rows = np.reshape(x, (x.shape[0], -1)) if flatten else x
    if rows.shape[-1] != weight.shape[-1]:
        raise SymbolError(f"FullyConnected: data of shape {x.shape} for a weight of shape {weight.shape}")
    y = np.matmul(rows, weight.T)
    return _with_bias(y, bias, no_bias, axis=y.ndim - 1)


def pooling(
    x: Any, *, kernel: Shape = (), pool_type: str = "max", global_pool: bool = False,
    pooling_convention: str = "valid", stride: Shape = (), pad: Shape = (), p_value: int | None = None,
    count_include_pad: bool | None = None, layout: str | None = None,
) -> Any:  # fmt: skip
    _supported_data(x, layout)
    space = x.ndim - 2
    if pool_type not in ("max", "avg", "sum"):
        raise Unsupported(f"pool_type={pool_type} has no primitive")
    if global_pool:
        reduce = {"max": np.max, "avg": np.mean, "sum": np.sum}[pool_type]
        return reduce(x, axis=tuple(range(2, x.ndim)), keepdims=True)
    if len(kernel) != space or min(kernel) < 1:
        raise SymbolError(f"Pooling: kernel={kernel} for data with {space} spatial axes")
    stride, pad = _spatial(stride, space, 1, "stride"), _spatial(pad, space, 0, "pad")
    if any(p >= k for p, k in zip(pad, kernel)) or min(stride) < 1 or min(pad) < 0:
        raise Unsupported(f"Pooling with kernel={kernel}, stride={stride}, pad={pad} has no primitive")
    if pooling_convention == "full":
        x, pad = _padded_for_all(x, kernel, stride, pad, pool_type)
    elif pooling_convention != "valid":
        raise Unsupported(f"pooling_convention={pooling_convention} has no primitive")
    if pool_type == "max":
        return nn.max_pool(x, kernel, stride, pad)
    # Of a sum nothing is divided, so that it does not matter how padding counts.
    include = pool_type == "sum" or count_include_pad is not False
    mean = nn.avg_pool(x, kernel, stride, pad, include)
    return mean * math.prod(kernel) if pool_type == "sum" else mean


def _padded_for_all(x: Any, kernel: Shape, stride: Shape, pad: Shape, pool_type: str) -> tuple[Any, Shape]:
    """Padding at the far end until windows cover all data: what a ceiling in place of a floor does."""
    over = [(n + 2 * p - k) % s for n, p, k, s in zip(x.shape[2:], pad, kernel, stride)]
    if not any(over):
        return x, pad
    if pool_type != "max" or any(s > k for s, k in zip(stride, kernel)):
        raise Unsupported("pooling_convention=full has primitives for maxima of windows without gaps only")
    extra = [(0, 0), (0, 0), *((p, p + s - o if o else p) for p, s, o in zip(pad, stride, over))]
    return np.pad(x, extra, constant_values=-math.inf), (0,) * len(pad)


def batch_norm(
    x: Any, gamma: Any, beta: Any, moving_mean: Any, moving_var: Any, *, eps: float = 1e-3, momentum: float = 0.9,
    fix_gamma: bool = True, use_global_stats: bool = False, output_mean_var: bool = False, axis: int = 1,
    min_calib_range: float | None = None, max_calib_range: float | None = None,
) -> Any:  # fmt: skip
    if output_mean_var or x.dtype.name not in ("float32", "float64") or not -x.ndim <= axis < x.ndim:
        raise Unsupported("BatchNorm that also gives its statistics, or of half precision, has no primitive")
    axis %= x.ndim
    others = tuple([one for one in range(x.ndim) if one != axis])
    shape = tuple([-1 if one == axis else 1 for one in range(x.ndim)])
    mean, var = np.reshape(moving_mean, shape), np.reshape(moving_var, shape)
    if is_training() and not use_global_stats:
        mean = np.mean(x, axis=others, keepdims=True)
        var = np.mean(np.square(x - mean), axis=others, keepdims=True)
        for moving, now in ((moving_mean, mean), (moving_var, var)):
            flat = apply(ops.stop_gradient, np.reshape(now, moving.shape))
            moving[...] = momentum * moving + (1 - momentum) * flat
    normal = (x - mean) / np.sqrt(var + eps)
    scaled = normal if fix_gamma else normal * np.reshape(gamma, shape)
    return scaled + np.reshape(beta, shape)


def layer_norm(
    x: Any, gamma: Any, beta: Any, *, axis: int = -1, eps: float = 1e-5, output_mean_var: bool = False
) -> Any:
    if output_mean_var or x.dtype.name not in ("float32", "float64"):
        raise Unsupported("LayerNorm that also gives its statistics, or of half precision, has no primitive")
    shape = tuple([-1 if one == axis % x.ndim else 1 for one in range(x.ndim)])
    centred = x - np.mean(x, axis=axis, keepdims=True)
    normal = centred / np.sqrt(np.mean(np.square(centred), axis=axis, keepdims=True) + eps)
    return normal * np.reshape(gamma, shape) + np.reshape(beta, shape)


def instance_norm(x: Any, gamma: Any, beta: Any, *, eps: float = 1e-3) -> Any:
    if x.dtype.name not in ("float32", "float64") or x.ndim < 3:
        raise Unsupported(f"InstanceNorm of {x.dtype} with {x.ndim} axes has no primitive")
    space, shape = tuple(range(2, x.ndim)), (-1,) + (1,) * (x.ndim - 2)
    centred = x - np.mean(x, axis=space, keepdims=True)
    normal = centred / np.sqrt(np.mean(np.square(centred), axis=space, keepdims=True) + eps)
    return normal * np.reshape(gamma, shape) + np.reshape(beta, shape)


def l2_normalization(x: Any, *, eps: float = 1e-10, mode: str = "instance") -> Any:
    axes = {"instance": tuple(range(1, x.ndim)), "channel": (1,), "spatial": tuple(range(2, x.ndim))}
    if mode not in axes or x.dtype.kind != "f" or x.ndim < 2:
        raise Unsupported(f"L2Normalization with mode={mode} has no primitive")
    return x / np.sqrt(np.sum(np.square(x), axis=axes[mode], keepdims=True) + eps)


def activation(x: Any, *, act_type: str) -> Any:
    if act_type not in _ACTIVATIONS or x.dtype.kind != "f":
        raise Unsupported(f"Activation {act_type} of {x.dtype} has no primitive")
    return _ACTIVATIONS[act_type](x)


_ACTIVATIONS: dict[str, Any] = {
    "relu": nn.relu,
    "sigmoid": nn.sigmoid,
    "tanh": np.tanh,
    "softrelu": lambda x: np.logaddexp(x, 0.0),
    "softsign": lambda x: x / (1 + abs(x)),
}


def leaky_relu(
    x: Any, gamma: Any = None, *, act_type: str = "leaky", slope: float = 0.25, lower_bound: float = 0.125,
    upper_bound: float = 0.334,
) -> Any:  # fmt: skip
    below = np.minimum(x, 0.0)
    if x.dtype.kind != "f":
        raise Unsupported(f"LeakyReLU {act_type} of {x.dtype} has no primitive")
    if act_type == "leaky":
        return np.where(x > 0, x, slope * x)
    if act_type == "rrelu":  # here, not in MXNet, whose own ends the process in training mode
        middle = 0.5 * (lower_bound + upper_bound)
        slopes = np.random.uniform(lower_bound, upper_bound, x.shape).astype(x.dtype) if is_training() else middle
        mask = np.where(x > 0, np.ones_like(x), slopes)
        return x * mask, mask
    if act_type == "elu":
        return np.where(x > 0, x, slope * np.expm1(below))
    if act_type == "selu":  # Klambauer et al., Self-Normalizing Neural Networks (2017), equation 2
        return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(below))
    if act_type == "gelu":
        return 0.5 * x * (1 + nn.erf(x * math.sqrt(0.5)))
    if act_type == "prelu" and gamma is not None:
        shaped = np.reshape(gamma, (-1,) + (1,) * (x.ndim - 2)) if gamma.size > 1 else gamma
        return np.where(x > 0, x, shaped * x)
    raise Unsupported(f"LeakyReLU {act_type} has no primitive")


def softmax(
    x: Any, *, axis: int = -1, temperature: float | None = None, dtype: DType | None = None,
    use_length: bool = False,
) -> Any:  # fmt: skip
    return nn.softmax(_scores(x, temperature, dtype, use_length), axis)


def log_softmax(
    x: Any, *, axis: int = -1, temperature: float | None = None, dtype: DType | None = None,
    use_length: bool = False,
) -> Any:  # fmt: skip
    return nn.log_softmax(_scores(x, temperature, dtype, use_length), axis)


def softmin(
    x: Any, *, axis: int = -1, temperature: float | None = None, dtype: DType | None = None,
    use_length: bool = False,
) -> Any:  # fmt: skip
    return nn.softmax(-_scores(x, temperature, dtype, use_length), axis)


def _scores(x: Any, temperature: float | None, dtype: Any, use_length: bool) -> Any:
    if use_length or dtype is not None or x.dtype.kind != "f":
        raise Unsupported("softmax with lengths or another dtype has no primitive")
    return x if temperature is None else x / temperature


def softmax_activation(x: Any, *, mode: str = "instance") -> Any:
    if mode == "channel":
        return nn.softmax(x, 1)
    return np.reshape(nn.softmax(np.reshape(x, (x.shape[0], -1)), -1), x.shape)


def softmax_output(
    x: Any, label: Any = None, *, multi_output: bool = False, preserve_shape: bool = False, grad_scale: float = 1.0,
    ignore_label: float = -1.0, use_ignore: bool = False, normalization: str = "null", out_grad: bool = False,
    smooth_alpha: float = 0.0,
) -> Any:  # fmt: skip
    """Without a label it is the prediction; with one MXNet's operator has to give its own gradient."""
    _prediction(label)
    if multi_output:
        return nn.softmax(x, 1)
    if preserve_shape:
        return nn.softmax(x, -1)
    return np.reshape(nn.softmax(np.reshape(x, (x.shape[0], -1)), -1), x.shape)


def linear_output(x: Any, label: Any = None, *, grad_scale: float = 1.0) -> Any:
    _prediction(label)
    return x


def logistic_output(x: Any, label: Any = None, *, grad_scale: float = 1.0) -> Any:
    _prediction(label)
    return nn.sigmoid(x)


def _prediction(label: Any) -> None:
    if label is not None:
        raise Unsupported("an output with a label has the gradient of its loss, which MXNet knows")


def dropout(x: Any, *, p: float = 0.5, mode: str = "training", axes: Shape = ()) -> Any:
    if not 0 <= p < 1 or x.dtype.kind != "f":
        raise Unsupported(f"Dropout of p={p} has no primitive")
    if not (is_training() or mode == "always") or p == 0:
        return x
    shape = tuple([1 if axis in axes else length for axis, length in enumerate(x.shape)])
    kept = np.random.uniform(size=shape) >= p
    return x * kept.astype(x.dtype) / (1 - p)


def embedding(
    x: Any, weight: Any, *, input_dim: int, output_dim: int, dtype: DType | None = None,
    sparse_grad: bool = False,
) -> Any:  # fmt: skip
    if weight.shape != (input_dim, output_dim):
        raise SymbolError(f"Embedding: {(input_dim, output_dim)}, but the weight has the shape {weight.shape}")
    # Positions outside are those of the ends.
    return np.take(weight, np.clip(x.astype("int64"), 0, input_dim - 1), axis=0)


RULES = {
    "Convolution": convolution,
    "Deconvolution": deconvolution,
    "FullyConnected": fully_connected,
    "Pooling": pooling,
    "BatchNorm": batch_norm,
    "LayerNorm": layer_norm,
    "InstanceNorm": instance_norm,
    "L2Normalization": l2_normalization,
    "Activation": activation,
    "LeakyReLU": leaky_relu,
    "softmax": softmax,
    "log_softmax": log_softmax,
    "softmin": softmin,
    "SoftmaxActivation": softmax_activation,
    "SoftmaxOutput": softmax_output,
    "Softmax": softmax_output,
    "LinearRegressionOutput": linear_output,
    "MAERegressionOutput": linear_output,
    "LogisticRegressionOutput": logistic_output,
    "Dropout": dropout,
    "Embedding": embedding,
}
