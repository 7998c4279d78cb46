"""What expressions of random programs are made of: tables of templates, by kind and by construct.

A kind says what a name or an expression stands for; `{V}` in a template is any expression of that kind.

    V  floats (n,)     M  floats (2, n)    P  floats (2,)    S  floats ()     A  floats of any shape
    I  integers (n,)   B  booleans (n,)    Z  integers ()
    f  a float         i  an integer       b  a flag         t  a number that no sum of inputs hits
"""

from __future__ import annotations

# Numbers that comparisons use: inputs are multiples of 1/4, so that rounding does not flip a comparison.
THRESHOLDS = ["-1.37", "-0.41", "0.13", "0.37", "0.73", "1.19", "2.83"]
FLOATS = ["0.5", "-1.0", "2.0", "0.25", "1.5", "0.1"]
INTEGERS = ["0", "1", "2", "3", "-1"]

LITERALS = {
    "V": ["np.array([0.5, -1.25, 2.0])", "np.ones(3)", "np.zeros(3)", "np.arange(3.0)"],
    "M": ["np.array([[0.5, -1.0, 2.0], [0.25, 1.5, -0.75]])", "np.ones((2, 3))", "np.eye(2, 3)"],
    "P": ["np.array([0.75, -0.5])", "np.ones(2)"],
    "S": ["np.array(0.75)", "np.zeros(())", "np.float32(0.5)"],
    "A": ["np.array([[0.25], [1.0]])", "np.ones(())"],
    "I": ["np.array([2, 0, 1])", "np.arange(3)"],
    "B": ["np.array([True, False, True])"],
    "Z": ["np.array(1)"],
    "f": FLOATS,
    "i": INTEGERS,
    "b": ["True", "False"],
    "t": THRESHOLDS,
}

# Of each kind: constructs, with templates that only programs with that construct use.
EXPRESSIONS: dict[str, dict[str, list[str]]] = {
    "V": {
        "arithmetic": ["{V} + {V}", "{V} - {V}", "-{V}", "{V} * np.tanh({V})", "{V} / ({V} * {V} + 1.5)", "abs({V})"],
        "numbers": ["{V} * {f}", "{f} - {V}", "{V} + {i}", "{V} * {S}", "{V} / 4", "{f} + {f} * {V}"],
        "functions": ["np.tanh({V})", "np.sin({V})", "np.exp(-abs({V}))", "np.sqrt({V} * {V} + 0.5)",
                      "np.log({V} * {V} + 1.5)", "np.square(np.tanh({V}))"],
        "choices": ["np.where({B}, {V}, {V})", "np.maximum({V}, {V})", "np.minimum({V}, {f})",
                    "np.clip({V}, -1.3, 1.7)", "np.where({V} > {t}, {f}, {V})"],
        "reductions": ["{M}.sum(axis=0)", "np.mean({M}, axis=0)", "{M}.max(axis=0)", "{V} - {V}.mean()",
                       "np.cumsum({V})", "np.sum({M}, 0, keepdims=True)[0]"],
        "products": ["{P} @ {M}", "np.dot({P}, {M})", "np.outer({V}, {V}).sum(axis=0)", "{M}.T @ {P}",
                     "np.einsum('i,ij->j', {P}, {M})"],
        "shaping": ["np.concatenate([{V}, {V}])[: len({V})]", "np.stack([{V}, {V}])[1]", "{M}.reshape(-1)[: len({V})]",
                    "np.roll({V}, 1)", "{V}[None, :].ravel()", "np.broadcast_to({S}, {V}.shape) + {V}",
                    "np.atleast_2d({V})[0]", "np.pad({V}, 1)[1:-1]"],
        "views": ["{V}[::-1]", "{M}[0]", "{M}[-1]", "{M}.T[:, 1]", "{V}[:]"],
        "gathering": ["np.take({V}, {I}, mode='clip')", "{V}[{I} % len({V})]", "np.take({M}, {Z} % 2, axis=0)",
                      "{M}[{i}]"],
        "masks": ["np.where({B}, {V}, 0)", "{V} * {B}"],
        "dtypes": ["{V}.astype('float64')", "{V}.astype('int32') + {V}", "{I} * {V}", "np.float64(0.5) * {V}",
                   "{V}.astype(np.float32)", "np.floor({V} + 0.37)"],
        "sorting": ["np.sort({V})", "{V}[np.argsort(np.floor({V} + 0.37), kind='stable')]"],
        "networks": ["dopegraph.nn.relu({V})", "dopegraph.nn.softmax({V})", "dopegraph.nn.sigmoid({V})"],
        "blocks": ["NET({V}[None])[0]", "NET({M})[0]", "{V} * NET[0]({V}[None]).sum()", "NET[3].bias.data() * {V}",
                   "NET[1](NET[0]({M})).sum() * {V}"],
        "random": ["np.random.normal(size={V}.shape)", "np.random.uniform(size={V}.shape) + {V}",
                   "np.random.permutation({V})"],
        "host": ["np.array(numpy.asarray({V}) * 2)", "np.asarray(numpy.tanh(numpy.asarray({V})))",
                 "np.array({V}.tolist())", "{V} * np.unique(np.floor({V} + 0.37)).sum()",
                 "{V} * numpy.ones(3)", "numpy.sin({V})"],
        "reading": ["{V} * float({S})", "{V} + {S}.item()", "{V} * int({S} + 0.37)", "{V} if {c} else {V}"],
        "comprehension": ["sum([{V} * k for k in range(3)])", "np.stack([{V} * k for k in (1, 2)]).sum(0)",
                          "sum(row for row in {M})"],
        "generator": ["sum({V} * k for k in range(1, 3))", "max(({V}, {V}), key=len)"],
        "lambda": ["(lambda u: u * 2 + {V})({V})", "(lambda u, k={f}: u * k)({V})"],
        "gradient": ["dopegraph.grad(lambda u: (np.tanh(u) * {V}).sum())({V})",
                     "dopegraph.grad(lambda u: (u * u * u).sum() * 0.1)({V})",
                     "dopegraph.value_and_grad(lambda u: np.sin(u).sum())({V})[1]"],
        "second order": ["dopegraph.grad(lambda u: dopegraph.grad(lambda w: (np.sin(w) * w).sum())(u).sum())({V})"],
        "transforms": ["dopegraph.vjp(np.tanh, {V})[1]({V})[0]", "dopegraph.jvp(np.sin, ({V},), ({V},))[1]",
                       "dopegraph.checkpoint(lambda u: np.tanh(u) * u)({V})",
                       "dopegraph.jacobian(lambda u: np.sin(u) * u)({V}).sum(axis=0)"],
        "host calls": ["on_host({V})", "on_host({V}) * {f}"],
        "vectorized": ["dopegraph.vmap(lambda u: np.tanh(u) * u)({V})",
                       "dopegraph.vmap(lambda u: u * {f} + 1)({M})[0]"],
        "conditional": ["({V} if {q} else {V})"],
        "structure": ["sum(TABLE.values())", "sum(ITEMS)", "getattr(MODEL, 'extra', {V})", "MODEL.doubled({V})",
                      "{V} + MODEL.half", "TABLE[sorted(TABLE)[-1]]", "list(TABLE.values())[0]", "ITEMS[-1]",
                      "TABLE.get('c', {V})", "{V} * MODEL.scale", "{V} * RATE", "np.stack(ITEMS).sum(axis=0)",
                      "sum(vars(MODEL.child)[k] for k in ('w',))", "{V} * len(TABLE)", "{V} + len(ITEMS)",
                      "sum(v * k for k, v in enumerate(TABLE.values()))"],
        "functions in state": ["chosen({V})", "chosen(chosen({V}))", "MODEL.doubled(chosen({V}))"],
        "nan": ["np.where({V} > 0.37, {V}, np.nan)", "np.nan_to_num({V})", "{V} / 0.0", "np.log({V})"],
    },
    "M": {
        "arithmetic": ["{M} + {M}", "{M} * 0.5", "{M} + {V}", "np.tanh({M}) * {V}"],
        "products": ["np.outer({P}, {V})", "{P}[:, None] * {V}", "({M} @ {M}.T) @ {M} * 0.1"],
        "shaping": ["np.stack([{V}, {V}])", "np.concatenate([{V}[None], {V}[None]], axis=0)", "{M}.T.copy().T",
                    "np.vstack([{V}, {M}[0]])"],
        "choices": ["np.where({M} > {t}, {M}, {V})"],
        "functions": ["np.tanh({M})", "np.exp(-abs({M}))"],
        "views": ["{M}[::-1]", "{M}[:, ::-1]", "{M}.T.T"],
        "random": ["np.random.normal(size={M}.shape)"],
        "vectorized": ["dopegraph.vmap(dopegraph.grad(lambda u: (u * u * 0.5).sum()))({M})",
                       "dopegraph.vmap(np.cumsum)({M})"],
        "host calls": ["on_host({M})"],
        "blocks": ["NET({M})"],
        "networks": ["dopegraph.nn.softmax({M})", "dopegraph.nn.log_softmax({M})"],
    },
    "P": {
        "reductions": ["{M}.sum(axis=1)", "{M}.mean(-1)", "{M}.max(axis=1)"],
        "products": ["{M} @ {V}", "np.dot({M}, {V})"],
        "arithmetic": ["{P} + {P}", "np.tanh({P})", "{P} * {f}"],
        "views": ["{M}[:, 0]", "{P}[::-1]"],
    },
    "S": {
        "reductions": ["{V}.sum()", "np.sum({M})", "{V}.mean()", "np.max({V})", "({V} * {V}).sum()", "{P}.sum()"],
        "products": ["np.dot({V}, {V})", "{V} @ {V}", "np.linalg.norm({V})"],
        "arithmetic": ["{S} + {S}", "{S} * {f}", "np.tanh({S})", "{S} - {i}"],
        "choices": ["np.where({S} > {t}, {S}, {f})", "np.maximum({S}, {f})"],
        "views": ["{V}[0]", "{V}[-1]", "{M}[1, 0]", "{V}[{i}]"],
        "gathering": ["{V}[{Z} % 3]"],
        "random": ["np.random.normal()", "np.random.uniform(0, {f})"],
        "reading": ["np.array(float({S}))", "np.array({V}.sum().item() + {f})"],
        "gradient": ["dopegraph.value_and_grad(lambda u: (np.tanh(u) * {V}).sum())({V})[0]"],
        "host": ["np.array(numpy.median(numpy.asarray({V})))"],
        "generator": ["sum(row.sum() for row in {M})"],
    },
    "A": {
        "arithmetic": ["{A} * {f}", "{A} + {i}", "np.tanh({A})", "{A} - {A}.mean()"],
        "views": ["{V}[1:]", "{V}[::2]", "{M}[:, 1:]", "{M}.T", "{V}[None]", "{M}[..., 0]", "{V}.reshape(-1, 1)",
                  "np.expand_dims({V}, 0)", "{M}.reshape(-1)", "{V}[{k}:]"],
        "masks": ["{V}[{B}]", "{V}[{V} > {t}]", "{M}[{M} > {t}]", "np.nonzero({B})[0] * 0.5", "np.compress({B}, {V})"],
        "host": ["np.unique(np.floor({V} + 0.37))", "np.array(numpy.flatnonzero(numpy.asarray({V} > {t})) * 0.5)",
                 "np.argwhere({B}) * 1.0"],
        "empties": ["np.zeros((0, 3)).sum(axis=0)", "{V}[:0]", "np.concatenate([{V}[:0], {V}])", "np.zeros(0) * {f}",
                    "{M}[:, :0].sum(axis=1)"],
        "random": ["np.random.uniform(size=(2, 2))"],
        "integers": ["{I} * 0.5", "np.ones({I}.shape) / 2"],
    },
    "I": {
        "integers": ["{I} + {I}", "{I} * 2 % 7", "{I} // 2", "np.arange(len({V}))", "{I} + {i}", "abs({I} - 2)",
                     "np.maximum({I}, 1)", "{I} & 3", "{I} << 1"],
        "dtypes": ["{I}.astype('int64')", "{B}.astype('int32')", "np.floor({V} + 0.37).astype(int)", "{B} + {I}",
                   "np.int16(3) + {I}", "{I}.astype('uint8')"],
        "sorting": ["np.argsort(np.floor({V} + 0.37), kind='stable')", "np.sort({I})"],
        "views": ["{I}[::-1]"],
        "random": ["np.random.randint(0, 3, size={I}.shape)"],
    },
    "B": {
        "arithmetic": ["{V} > {t}", "{V} <= {t}", "{I} % 2 == 0"],
        "choices": ["~{B}", "{B} & {B}", "{B} | {B}", "np.logical_not({B})", "np.isnan({V})", "{B} != {B}"],
    },
    "Z": {
        "integers": ["{I}.sum() % 3", "{Z} + 1", "({V} > {t}).sum()", "np.argmax(np.floor({V} + 0.37))"],
        "gathering": ["{I}[0]", "np.count_nonzero({B})"],
    },
    "f": {
        "numbers": ["{f} * 0.5", "{f} + {i}", "-{f}", "max({f}, 0.1)", "{f} ** 2", "round({f}, 1)", "math.sin({f})"],
        "reading": ["float({S})", "{V}.sum().item()", "float({V}.max())"],
        "python random": ["random.random()", "random.uniform(0, {f})"],
    },
    "i": {
        "numbers": ["{i} + 1", "len({V})", "{V}.ndim", "{V}.shape[0]", "{i} * 2 % 5", "min({i}, 2)"],
        "reading": ["int({S} + 0.37)", "int({Z})", "int(({V} > {t}).sum())", "len({V}[{B}])"],
        "python random": ["random.randint(0, 2)"],
    },
    "b": {
        "numbers": ["not {b}", "{i} > 1", "{b} and {b}", "{f} > {t}"],
        "reading": ["bool({S} > {t})"],
        "structure": ["hasattr(MODEL, 'extra')", "'c' in TABLE", "len(ITEMS) > 2", "isinstance(RATE, float)",
                      "type(MODEL.scale) is float", "isinstance(MODEL, Special)", "hasattr(MODEL, 'kind')",
                      "list(TABLE)[0] == 'a'", "'ready' in vars(MODEL.child)", "isinstance(ITEMS, list)"],
    },
}  # fmt: skip

# Smooth functions with bounded derivatives: rounding must not choose a derivative.
SMOOTH = [
    "np.tanh({v})", "np.sin({v})", "{v} * 0.5", "{v} * {v} * 0.3", "{v} + {V}", "{v} * np.tanh({V})",
    "np.exp(-{v} * {v})", "np.log({v} * {v} + 1.5)", "{v}[::-1]", "np.sqrt({v} * {v} + 0.5)", "{v} * {f}", "{v} / 3",
    "np.concatenate([{v}, {v}])[: len({v})]", "dopegraph.nn.softmax({v})", "np.where({B}, {v}, {v} * 2)",
    "np.stack([{v}, {V}])[0]", "np.cumsum({v})", "on_host({v}) + {v}",
]  # fmt: skip

# Conditions that look at values, and those that look at Python only.
VALUE_CONDITIONS = [
    "{V}.sum() > {t}", "({V} > {t}).any()", "{S} < {t}", "np.floor({S} + 0.37) > 0", "not {V}.mean() > {t}",
    "{S} > {t} and {b}", "{b} or {V}.max() > {t}", "bool({V}.min() < {t})", "float({S}) > {t}", "{V}[0] > {t}",
    "np.all({V} < {t})", "{S} > {t} or {S} < {t}", "int({Z}) == 1", "{Z} > 1", "{t} < {S}", "np.isnan({V}).any()",
]  # fmt: skip
PYTHON_CONDITIONS = [
    "{b}", "not {b}", "{i} > 1", "{i} == 2", "{f} > {t}", "len({V}) > 2", "{V}.shape == (3,)", "{V}.ndim == 1",
    "{V}.dtype == 'float32'", "{i} % 2", "{f}", "{V}.size", "isinstance({f}, float)", "{b} and {i} < 2",
    "0.1 < {f} < 1.37", "{V} is {V}",
]  # fmt: skip
