"""Policy gradient (beyond the book): a pole learns to stand on a cart, episodes and update in one compiled step.

python -m examples.beyond.cart_pole

The cart is that of Barto, Sutton and Anderson, *Neuronlike Adaptive Elements That Can Solve Difficult Learning Control
Problems*, 1983, with the numbers of OpenAI Gym's CartPole-v0, many of them at once; the policy learns by REINFORCE
(Williams, 1992).
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.nn import log_softmax, softmax
from examples.chapter import compare, options, picture

# Gym counts CartPole-v0 as solved where the pole stands for 195 of 200 steps on average.
BOOK = {"steps_at_first": "not in the book", "steps_while_learning": 195.0, "steps_of_the_best_actions": 195.0}

np.random.seed(1)

num_carts, num_steps, num_hidden, learning_rate, discount = 32, 200, 32, 0.01, 0.99

gravity, mass_cart, mass_pole, half_length, force, seconds = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
mass = mass_cart + mass_pole
farthest, steepest = 2.4, 12 * 2 * np.pi / 360


def start(carts):
    """Place, velocity, angle and angular velocity: nearly zero."""
    return np.random.uniform(-0.05, 0.05, (carts, 4))


def move(state, action):
    """Pushed to the left (0) or to the right (1), 20 milliseconds later, by Euler's method."""
    x, v, angle, turning = state.T
    push = np.where(action == 1, force, -force)
    sine, cosine = np.sin(angle), np.cos(angle)
    pull = (push + mass_pole * half_length * turning**2 * sine) / mass
    lever = half_length * (4 / 3 - mass_pole * cosine**2 / mass)
    turns_faster = (gravity * sine - cosine * pull) / lever
    faster = pull - mass_pole * half_length * turns_faster * cosine / mass
    return np.stack(
        [x + seconds * v, v + seconds * faster, angle + seconds * turning, turning + seconds * turns_faster], axis=1
    )


def stands(state):
    return (np.abs(state[:, 0]) <= farthest) & (np.abs(state[:, 2]) <= steepest)


policy = nn.Sequential()
with policy.name_scope():
    policy.add(nn.Dense(num_hidden, activation="tanh", in_units=4))
    policy.add(nn.Dense(2, in_units=num_hidden))
policy.initialize(init.Xavier())
trainer = optim.Trainer(policy.collect_params(), "adam", {"learning_rate": learning_rate})


def episodes(choose, state):
    """Let all carts run: states, actions, and 1 where a pole still stood, each of shape (steps, carts)."""
    states, actions, alive = [], [], []
    standing = np.ones(len(state))
    for t in range(num_steps):
        action = choose(t, policy(state))
        states.append(state)
        actions.append(action)
        alive.append(standing)
        state = move(state, action)
        standing = standing * stands(state)
    return np.stack(states), np.stack(actions), np.stack(alive)


def returns(alive):
    """From each step on, one for every step that the pole stands, discounted."""
    total, found = np.zeros(alive.shape[1]), []
    for reward in alive[::-1]:
        total = reward + discount * total
        found.append(total)
    return np.stack(found[::-1])


@dopegraph.compile
def train_step():
    """New episodes with actions of chance; those that were followed by more than others become more probable."""
    chances = np.random.uniform(size=(num_steps, num_carts))
    states, actions, alive = episodes(lambda t, scores: chances[t] < softmax(scores)[:, 1], start(num_carts))
    gained = returns(alive)
    count = np.sum(alive)
    # Compared with all carts that still stand at this step, and scaled.
    mean = np.sum(gained * alive, axis=1, keepdims=True) / np.maximum(np.sum(alive, axis=1, keepdims=True), 1)
    advantage = (gained - mean) * alive
    advantage = advantage / (np.sqrt(np.sum(advantage**2) / count) + 1e-6)
    with dopegraph.record():
        logs = log_softmax(policy(states.reshape(-1, 4)))
        chosen = np.where(actions.reshape(-1), logs[:, 1], logs[:, 0])
        loss = -np.sum(chosen * advantage.reshape(-1)) / count
    loss.backward()
    trainer.step(1)
    return np.mean(np.sum(alive, axis=0)), loss


@dopegraph.compile
def run_greedily():
    """The more probable action each time: states, and how long each pole stood."""
    states, _, alive = episodes(lambda t, scores: scores[:, 1] > scores[:, 0], start(num_carts))
    return states, np.sum(alive, axis=0)


def main(arguments=None):
    chosen = options(__doc__, epochs=100, arguments=arguments, quick=3)
    steps = []
    for e in range(chosen.epochs):
        steps.append(float(train_step()[0]))
        if (e + 1) % 10 == 0:
            print(f"Epoch {e}. The poles stood for {steps[-1]:.1f} steps")
    states, stood = run_greedily()
    found = {
        "steps_at_first": steps[0],
        "steps_while_learning": sum(steps[-10:]) / len(steps[-10:]),
        "steps_of_the_best_actions": float(np.mean(stood)),
        "train_step": train_step,
    }
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots / "cart_pole.png", steps, states[:, 0].asnumpy())
    return found


def draw(path, steps, states):
    """How long the poles stand, and one cart's episode after learning."""
    with picture(path, 1, 2, (12, 5), layout="constrained") as (left, right):
        left.plot(range(1, len(steps) + 1), steps)
        left.set_xlabel("update")
        left.set_ylabel("steps that the poles stand")
        left.grid(True)
        for column, name in ((0, "place in m"), (2, "angle in rad")):
            right.plot(states[:, column], label=name)
        right.set_xlabel("step")
        right.legend()
        right.grid(True)


if __name__ == "__main__":
    main()
