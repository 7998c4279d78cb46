"""A Kalman filter: position and velocity of a thrown ball from inexact measurements of its position.

python -m examples.numpy_scripts.kalman_filter
"""

import dopegraph.numpy as np

DT, GRAVITY, NOISE = 0.1, 9.81, 0.5

TRANSITION = np.eye(4) + DT * np.eye(4, k=2)
CONTROL = -GRAVITY * np.array([0, DT**2 / 2, 0, DT])
OBSERVATION = np.eye(2, 4)
PROCESS_COVARIANCE = 1e-3 * np.eye(4)
MEASUREMENT_COVARIANCE = NOISE**2 * np.eye(2)


def flight(count):
    """Where the ball is, one row (x, y) for each time, and measurements with errors that look random."""
    t = DT * np.arange(1, count + 1)
    path = np.column_stack([12 * t, 15 * t - GRAVITY * t**2 / 2])
    n = np.arange(2 * count).reshape(count, 2)
    return path, path + NOISE * np.sqrt(2) * np.sin(1.7 * n**2 + n)


def predict(state, covariance):
    """The state after one time step, and what is known of it."""
    return TRANSITION @ state + CONTROL, TRANSITION @ covariance @ TRANSITION.T + PROCESS_COVARIANCE


def update(state, covariance, measured):
    """What a measurement tells of the state."""
    innovation = measured - OBSERVATION @ state
    uncertainty = OBSERVATION @ covariance @ OBSERVATION.T + MEASUREMENT_COVARIANCE
    gain = np.linalg.solve(uncertainty, OBSERVATION @ covariance).T
    return state + gain @ innovation, (np.eye(4) - gain @ OBSERVATION) @ covariance


def main():
    path, measurements = flight(30)
    state, covariance = np.array([0.0, 0.0, 10.0, 10.0]), 25.0 * np.eye(4)
    estimates = np.empty((len(path), 4))
    for k, measured in enumerate(measurements):
        state, covariance = predict(state, covariance)
        state, covariance = update(state, covariance, measured)
        estimates[k] = state

    lines = ["  time      measured       estimated        speed"]
    for k in range(4, 30, 5):
        speed = np.hypot(*estimates[k, 2:])
        (mx, my), (x, y) = measurements[k], estimates[k, :2]
        lines.append(f"{DT * (k + 1):6.1f}  {mx:6.2f} {my:6.2f}   {x:6.2f} {y:6.2f}   {speed:8.2f}")
    before = np.sqrt(((measurements - path)[10:] ** 2).mean())
    after = np.sqrt(((estimates[:, :2] - path)[10:] ** 2).mean())
    lines.append(f"error of the measurements {before:.3f}, of the estimates {after:.3f}")
    deviations = np.sqrt(np.diag(covariance))
    lines.append("standard deviations " + " ".join(f"{deviation:.3f}" for deviation in deviations))
    lines.append(f"symmetric: {np.allclose(covariance, covariance.T, atol=1e-4)}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(main())
