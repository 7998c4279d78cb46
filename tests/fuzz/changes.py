"""What happens between the calls of a random program: its state changes in value, in structure, or by turns."""

from __future__ import annotations

import re

# What a place may hold by turns: a plan for what it held before is still there when it holds it again.
TURNS = [
    ["W = U[0]", "W = U[1]", "W = U[0] + 0", "W = ITEMS[0]", "W = TABLE['a']", "W = MODEL.w", "W = MODEL.w[:]"],
    ["MODEL.w = W", "MODEL.w = W[:]", "MODEL.w = W * 1", "MODEL.w = MODEL.m[0]", "MODEL.w = MODEL.child.w"],
    ["MODEL.child.w = MODEL.w", "MODEL.child.w = MODEL.w[:]", "MODEL.child.w = MODEL.w + 0"],
    ["TABLE['a'] = TABLE['b']", "TABLE['a'] = TABLE['b'][:]", "TABLE['a'] = TABLE['b'][::-1]", "TABLE['a'] = U[1]"],
    ["ITEMS[0] = ITEMS[1]", "ITEMS[0] = ITEMS[1][:]", "ITEMS[0] = ITEMS[1] + 0", "ITEMS[0] = W"],
    ["U = np.stack([W, W])", "U[0] = W", "U = U[::-1]", "U = U + 0"],
    ["TABLE['c'] = W", "TABLE['c'] = W + 0", "TABLE.pop('c', None)", "TABLE = dict(reversed(list(TABLE.items())))"],
    ["ITEMS.append(W)", "ITEMS.pop()", "ITEMS = ITEMS[:2]", "ITEMS.append(ITEMS[0])"],
    ["MODEL.extra = W", "MODEL.extra = W + 1", "MODEL.__dict__.pop('extra', None)", "MODEL.extra = MODEL.w"],
    ["MODEL.__class__ = Special", "MODEL.__class__ = Model"],
    ["MODEL.doubled = tripled", "MODEL.__dict__.pop('doubled', None)", "MODEL.doubled = np.tanh"],
    ["chosen = tripled", "chosen = np.tanh", "chosen = lambda v: v - 1"],
    ["TRAINER.set_learning_rate(0.01)", "TRAINER.set_learning_rate(0.03)", "TRAINER.set_learning_rate(0.05)"],
    ["NET[3].bias.grad_req = 'null'", "NET[3].bias.grad_req = 'write'", "NET[3].bias.grad_req = 'add'"],
    ["NET.add(NET[3])", "NET = dopegraph.nn.Sequential(); NET.add(dopegraph.nn.Dense(3)); NET.initialize()"],
    ["RATE = 2", "RATE = 2.0", "RATE = True", "RATE = np.array(2.0)", "RATE = np.float32(2)"],
    ["FLAG = True", "FLAG = 1", "FLAG = None", "FLAG = False"],
    ["POINT = Pair(POINT.x, POINT.y)", "POINT = Point(POINT.x, POINT.y)", "POINT.x = W", "POINT.x = W[:]"],
]


def is_named(change: str, text: str) -> bool:
    """Whether a program names what is changed."""
    return re.split(r"\W", change)[0] in text


def changes_of_structure(v: str) -> list[str]:
    """Other types, keys, functions and views, with the text of a vector."""
    return [
        f"MODEL.extra = {v}", "MODEL.__dict__.pop('extra', None)", f"TABLE['c'] = {v}", "TABLE.pop('c', None)",
        "TABLE = dict(reversed(list(TABLE.items())))", "TABLE = {**TABLE}", "TABLE['a'] = TABLE['b'][:]",
        "TABLE['a'] = TABLE['b'][::-1]", f"ITEMS = [*ITEMS, {v}]", "ITEMS = ITEMS[:1]",
        "ITEMS[0] = ITEMS[0][:]",
        "MODEL.scale = 2", "MODEL.scale = True", "MODEL.scale = np.array(0.5)", "RATE = 2", "FLAG = None",
        "RATE = np.float32(0.25)", "RATE = np.array(0.75)", "COUNT = 1.0", "MODEL.child.ready = 1",
        "MODEL.__class__ = Special", "MODEL.__class__ = Model", "MODEL.child = Child()",
        "MODEL.child.extra = 1", f"Model.extra = {v}", "Special.kind = 'other'", "POINT.z = 1",
        "POINT = Pair(POINT.x, POINT.y)", "MODEL.doubled = tripled", "Model.doubled = Special.doubled",
        "NET[0].activation = None", "NET.hybridize()",
        "TRAINER = dopegraph.optim.Trainer(NET.collect_params(), 'sgd', {'learning_rate': 0.01, 'momentum': 0.5})",
        "chosen = tripled", "chosen = lambda v: v - 1", "chosen = np.tanh", "W = W.reshape(1, 3)[0]",
        "W = U[0]", "W = U[1]", "W = U[0] + 0", "MODEL.w = MODEL.m[0]", "MODEL.w = MODEL.m[1]",
    ]  # fmt: skip


def changes_of_state(f: str, v: str) -> list[str]:
    """Other numbers and contents, with the text of a number and of a vector."""
    return [
        f"RATE = {f}", "COUNT += 1", "COUNT = 2", "FLAG = not FLAG", "FLAG = True", f"MODEL.scale = {f}",
        "MODEL.t = 0",
        "LOG.clear()", f"ITEMS.append({v})", f"TABLE['c'] = {v}", f"W[1] = {f}", f"U[0] *= {f}",
        "MODEL.child.ready = True",
        f"HOST[0] = {f}", "random.seed(3)", "np.random.seed(5)", f"POINT.x[:] = {f}", f"ITEMS[0][0] = {f}",
        "ITEMS.pop() if len(ITEMS) > 2 else None",
        "TRAINER.set_learning_rate(0.01)", "NET.initialize(force_reinit=True)",
        f"NET[3].bias.set_data({v})", "NET[3].weight.data()[0] *= 2", "NET[2].rate = 0.5",
        "Model.total = 5", "MODEL.half_ready = 1", f"SCALE[0] = {f}",
    ]  # fmt: skip


def other_weights(v: str, short: str, matrix: str) -> list[str]:
    """Other arrays in the places of weights, with the text of a vector, a shorter one and a matrix."""
    return [
        f"W = {v}", f"W = {short}", f"U = {matrix}", f"MODEL.w = {v}",
        "MODEL.w = W", "W = ITEMS[0]",
        f"MODEL = Model({v})", f"TABLE['a'] = {v}", "TABLE['a'] = TABLE['b']", "ITEMS[0] = ITEMS[1]",
        f"ITEMS = [{v}, {v}]",
        "W = U[0]", "MODEL.child.w = MODEL.w[:]", f"Model.shared = {v}", f"POINT = Point({v}, np.array(1.0))",
        "W = W.astype('float64')", "MODEL.child = Child()", f"W = numpy.asarray({v})", "W = 2.0",
    ]  # fmt: skip
