"""State space models with the gradient of their likelihood: a Kalman filter of 50 steps and a level-trend ISSM of 100.

The naive form is the book's loop; JAX's fast form is `lax.scan`. PyTorch has nothing but the loop; Gluon's is left out,
as MXNet's symbols cannot be iterated.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy

from benchmarks.data import normal
from benchmarks.problem import Problem, Training

T_KALMAN, T_ISSM = 50, 100
RATE = 1e-4


def kalman_parameters() -> list[Any]:
    """A (a rotation), B, and the logarithms of the noises' variances."""
    theta = math.pi / 6
    rotation = [[math.cos(theta), -math.sin(theta)], [math.sin(theta), math.cos(theta)]]
    numbers = (rotation, [[1.0, 0.0]], math.log(0.25), math.log(0.25))
    return [numpy.asarray(one, numpy.float32) for one in numbers]


def kalman_data() -> list[Any]:
    t = numpy.arange(T_KALMAN, dtype=numpy.float32)
    v = numpy.cos(math.pi / 6 * t)[:, None] + normal("kalman", T_KALMAN, 1, scale=0.5)
    return [v.astype(numpy.float32), numpy.zeros(2, numpy.float32), numpy.zeros((2, 2), numpy.float32), eye()]


def eye() -> Any:
    return numpy.eye(2, dtype=numpy.float32)


def kalman_step(np: Any, A: Any, B: Any, Sh: Any, Sv: Any, one: Any, f: Any, F: Any, v: Any) -> Any:
    """Prediction, gain by a linear system, and the update in Joseph's form; the log density of the observation."""
    mu_h = A @ f
    S_hh = A @ F @ A.T + Sh * one
    mu_v = B @ mu_h
    S_vv = B @ S_hh @ B.T + Sv
    K = np.linalg.solve(S_vv, B @ S_hh).T  # both are symmetric
    delta = v - mu_v
    f = mu_h + K @ delta
    rest = one - K @ B
    F = rest @ S_hh @ rest.T + Sv * (K @ K.T)
    density = -0.5 * (delta @ np.linalg.solve(S_vv, delta) + np.log(np.linalg.det(S_vv)) + math.log(2 * math.pi))
    return f, F, density


def kalman(np: Any, nn: Any, params: Any, v: Any, f: Any, F: Any, one: Any) -> Any:
    A, B, log_h, log_v = params
    Sh, Sv = np.exp(log_h), np.exp(log_v)
    total = 0.0
    for t in range(T_KALMAN):
        f, F, density = kalman_step(np, A, B, Sh, Sv, one, f, F, v[t])
        total = total + density
    return -total / T_KALMAN


def kalman_scanned(jax: Any, params: Any, v: Any, f: Any, F: Any, one: Any) -> Any:
    np = jax.numpy
    A, B, log_h, log_v = params
    Sh, Sv = np.exp(log_h), np.exp(log_v)

    def advance(state: Any, v: Any) -> Any:
        f, F, density = kalman_step(np, A, B, Sh, Sv, one, *state, v)
        return (f, F), density

    return -jax.lax.scan(advance, (f, F), v)[1].mean()


def issm_parameters() -> list[Any]:
    """Logarithms of alpha, beta, sigma, and the prior's mean."""
    return [numpy.asarray(math.log(one), numpy.float32) for one in (0.5, 0.1, 0.5)] + [numpy.zeros(2, numpy.float32)]


def issm_data() -> list[Any]:
    t = numpy.arange(T_ISSM, dtype=numpy.float32)
    z = 0.02 * t + normal("issm", T_ISSM, scale=0.3)
    forward = numpy.array([[1, 1], [0, 1]], numpy.float32)
    return [z.astype(numpy.float32), forward, numpy.ones(2, numpy.float32), eye()]


def issm_step(np: Any, F: Any, a: Any, g: Any, variance: Any, one: Any, m: Any, S: Any, z: Any) -> Any:
    """One innovation: its variance is a number, so the gain is a division."""
    mu_h = F @ m
    S_hh = F @ S @ F.T + g.reshape(2, 1) * g
    S_vv = a @ S_hh @ a + variance
    delta = z - a @ mu_h
    gain = S_hh @ a / S_vv
    rest = one - gain.reshape(2, 1) * a
    S = rest @ S_hh @ rest.T + variance * (gain.reshape(2, 1) * gain)
    density = -0.5 * (delta * delta / S_vv + math.log(2 * math.pi) + np.log(S_vv))
    return mu_h + gain * delta, S, density


def issm(np: Any, nn: Any, params: Any, z: Any, F: Any, a: Any, one: Any) -> Any:
    log_alpha, log_beta, log_sigma, m = params
    g, variance = np.stack([np.exp(log_alpha), np.exp(log_beta)]), np.exp(2 * log_sigma)
    S, total = one, 0.0
    for t in range(T_ISSM):
        m, S, density = issm_step(np, F, a, g, variance, one, m, S, z[t])
        total = total + density
    return -total / T_ISSM


def issm_scanned(jax: Any, params: Any, z: Any, F: Any, a: Any, one: Any) -> Any:
    np = jax.numpy
    log_alpha, log_beta, log_sigma, m = params
    g, variance = np.stack([np.exp(log_alpha), np.exp(log_beta)]), np.exp(2 * log_sigma)

    def advance(state: Any, z: Any) -> Any:
        m, S, density = issm_step(np, F, a, g, variance, one, *state, z)
        return (m, S), density

    return -jax.lax.scan(advance, (m, one), z)[1].mean()


def in_torch(loss: Any, torch: Any, params: Any, *data: Any) -> Any:
    """PyTorch has the same names here."""
    return loss(torch, None, params, *data)


def model(parameters: Any, data: Any, loss: Any, scanned: Any) -> Training:
    return Training(parameters, data, loss, RATE, jax=scanned, torch=functools.partial(in_torch, loss))


OPTIONAL = ("PyTorch compile", "JAX jit, naive")
KALMAN = model(kalman_parameters, kalman_data, kalman, kalman_scanned).contestants()
ISSM = model(issm_parameters, issm_data, issm, issm_scanned).contestants()
PROBLEMS = [
    Problem("kalman", f"Kalman filter of {T_KALMAN} steps with its gradient", KALMAN, OPTIONAL),
    Problem("issm", f"ISSM of {T_ISSM} steps with its gradient", ISSM, OPTIONAL),
]
