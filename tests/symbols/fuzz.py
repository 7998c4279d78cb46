"""Mutated symbols and parameter files, drawn by hypothesis: run in a process of its own, which must live.

python -m tests.symbols.fuzz KIND SEED COUNT, where KIND is `symbols`, `operators`, `params` or `networks`. What runs is
written to the file that DOPEGRAPH_FUZZ_NOW names, so that a crash can be looked at.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import hypothesis
import numpy
from hypothesis import strategies as st

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.backends.mxnet import library, operators
from dopegraph.runtime.errors import BackendError, DopegraphError
from dopegraph.symbols.function import RULES

# An example may take so many seconds.
PATIENCE = 60

OPERANDS = {"x": (2, 3, 8, 8), "w": (4, 3, 3, 3), "b": (4,), "v": (5, 64)}


def symbol(*nodes: tuple[Any, ...]) -> str:
    written = [
        {"op": op, "name": name, "inputs": [[i, 0, 0] for i in inputs], "attrs": attrs}
        for op, name, inputs, attrs in nodes
    ]
    variables = [number for number, node in enumerate(nodes) if node[0] == "null"]
    whole = {"nodes": written, "arg_nodes": variables, "node_row_ptr": list(range(len(nodes) + 1))}
    return json.dumps({**whole, "heads": [[len(nodes) - 1, 0, 0]], "attrs": {"mxnet_version": ["int", 10901]}})


NET = symbol(
    ("null", "x", [], {}),
    ("null", "w", [], {"__shape__": "(4, 3, 3, 3)"}),
    ("null", "b", [], {}),
    ("Convolution", "conv", [0, 1, 2], {"kernel": "(3, 3)", "num_filter": "4", "pad": "(1, 1)", "stride": "(1, 1)"}),
    ("LRN", "lrn", [3], {"nsize": "3", "alpha": "0.0001"}),
    ("Activation", "act", [4], {"act_type": "relu"}),
    ("Pooling", "pool", [5], {"kernel": "(2, 2)", "stride": "(2, 2)", "pool_type": "max"}),
    ("Reshape", "reshape", [6], {"shape": "(0, -1)"}),
    ("null", "v", [], {}),
    ("FullyConnected", "fc", [7, 8], {"num_hidden": "5", "no_bias": "True"}),
    ("topk", "top", [9], {"k": "2", "ret_typ": "value", "axis": "-1"}),
    ("softmax", "out", [10], {"axis": "-1"}),
)
CUTS = symbol(
    ("null", "x", [], {}),
    ("SliceChannel", "parts", [0], {"num_outputs": "3", "axis": "1"}),
    ("slice", "cut", [1], {"begin": "(0, 0, 1, 1)", "end": "(2, 1, 5, None)", "step": "(1, 1, 2, 1)"}),
    ("Pad", "pad", [2], {"mode": "constant", "pad_width": "(0, 0, 0, 0, 1, 1, 2, 2)", "constant_value": "1"}),
    ("tile", "tile", [3], {"reps": "(1, 2, 1, 2)"}),
    ("transpose", "turn", [4], {"axes": "(0, 2, 3, 1)"}),
    ("sum", "sum", [5], {"axis": "(1, 2)", "keepdims": "False", "exclude": "False"}),
    ("Embedding", "emb", [6, 8], {"input_dim": "5", "output_dim": "64"}),
    ("null", "v", [], {}),
)
TEXTS = [NET, CUTS.replace('"heads": [[8, 0, 0]]', '"heads": [[7, 0, 0]]')]

NUMBERS = st.one_of(
    st.integers(-3, 12), st.sampled_from([2**31 - 1, 2**31, -(2**31), 2**62, 2**63, 10**18, 10**25, 0.5, 1e300])
)
# ruff: noqa: SIM905 - lists of words are read more easily as a text
WORDS = st.sampled_from(
    "None True relu max float32 (2,2) () (0,0) (-1,-1) nan inf -1 0 1e999 ((( (1,2,3,4,5,6,7,8,9) NHWC clip both "
    "(9999999999,2)".split()
)
ATTRIBUTE = st.one_of(
    WORDS,
    NUMBERS.map(str),
    st.lists(NUMBERS, max_size=6).map(lambda numbers: str(tuple(numbers))),
    st.text(max_size=8),
    st.just("1" * 100_000),
)
NAMES = (
    "axis k shape kernel num_args scalar dtype num_hidden num_filter act_type depth lr begin end a_min a_max size "
    "num_outputs reps state_size num_layers mode block_size ret_typ stride pad use_sequence_length"
).split()
VALUES = st.one_of(NUMBERS, WORDS, st.none(), st.booleans(), st.just([]), st.just({}), st.lists(NUMBERS, max_size=4))
OPERATORS = st.one_of(st.sampled_from(sorted(RULES)), st.sampled_from(sorted(operators.names())), WORDS)


def mutated(data: st.DataObject, text: str) -> str:
    if data.draw(st.integers(0, 9)) == 0:  # the text itself
        start = data.draw(st.integers(0, len(text)))
        stop = data.draw(st.integers(start, min(start + 20, len(text))))
        return text[:start] + data.draw(st.text(max_size=5)) + text[stop:]
    whole = json.loads(text)
    for _ in range(data.draw(st.integers(1, 3))):
        node = data.draw(st.sampled_from([one for one in whole["nodes"] if isinstance(one, dict)]))
        attrs = node.get("attrs") if isinstance(node.get("attrs"), dict) else {}
        what = data.draw(st.sampled_from(["attribute", "attribute", "attribute", "more", "inputs", "operator", "key",
                                          "head", "top"]))  # fmt: skip
        if what == "attribute" and attrs:
            attrs[data.draw(st.sampled_from(sorted(attrs)))] = data.draw(ATTRIBUTE)
        elif what == "more":
            names = st.sampled_from(["axis", "axes", "kernel", "dilate", "num_group", "target_shape", "layout", "mode"])
            attrs[data.draw(names)] = data.draw(ATTRIBUTE)
        elif what == "inputs" and isinstance(node.get("inputs"), list):
            change = data.draw(st.sampled_from(["drop", "repeat", "point", "replace"]))
            if change == "drop" and node["inputs"]:
                node["inputs"].pop()
            elif change == "repeat":
                node["inputs"] = node["inputs"] * data.draw(st.integers(0, 3))
            elif change == "point" and node["inputs"]:
                node["inputs"][0] = [data.draw(st.integers(-1, 12)), data.draw(st.integers(0, 3)), 0]
            else:
                node["inputs"] = data.draw(VALUES)
        elif what == "operator":
            node["op"] = data.draw(OPERATORS)
        elif what == "key":
            key = data.draw(st.sampled_from(sorted(node) or ["op"]))
            node[key] = data.draw(VALUES)
        elif what == "head":
            whole["heads"] = [[data.draw(st.integers(-1, 12)), data.draw(st.integers(0, 2)), 0]]
        elif what == "top":
            whole[data.draw(st.sampled_from(sorted(whole)))] = data.draw(VALUES)
        if not isinstance(whole.get("nodes"), list) or not any(isinstance(one, dict) for one in whole["nodes"]):
            break
    return json.dumps(whole)


def arrays(shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    random = numpy.random.RandomState(0)
    return {name: np.array(random.randn(*shape).astype("float32")) for name, shape in shapes.items()}


def now(what: str) -> None:
    """Note what runs, and end the process if it does not come back."""
    if "DOPEGRAPH_FUZZ_NOW" in os.environ:
        Path(os.environ["DOPEGRAPH_FUZZ_NOW"]).write_text(what, encoding="utf-8", errors="replace")
    faulthandler.dump_traceback_later(PATIENCE, exit=True)


outcomes: Counter[str] = Counter()


def try_symbol(data: st.DataObject) -> None:
    text = mutated(data, data.draw(st.sampled_from(TEXTS)))
    training, differentiated = data.draw(st.booleans()), data.draw(st.booleans())
    now(text)
    given = arrays(OPERANDS)
    before = {name: array.asnumpy() for name, array in given.items()}
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "net-symbol.json"
            path.write_text(text, encoding="utf-8", errors="surrogatepass")
            f = dopegraph.from_symbol(path)
        operands = {name: given[name] for name in f.inputs if name in given}
        with dopegraph.train_mode() if training else dopegraph.predict_mode():
            if differentiated and operands:
                values = list(operands.values())
                names = list(operands)

                def total(*values: Any) -> Any:
                    made = f(**dict(zip(names, values)))
                    return sum(one.sum() for one in (made if isinstance(made, tuple) else (made,)))

                dopegraph.grad(total)(*values)
            else:
                f(**operands)
        outcomes["ran"] += 1
    except (DopegraphError, TypeError) as cause:
        assert str(cause), type(cause)
        outcomes[type(cause).__name__] += 1
    for name, array in given.items():
        assert numpy.array_equal(array.asnumpy(), before[name]), f"{name} was written"


def try_operator(data: st.DataObject) -> None:
    """Any operator of MXNet's with operands of any shapes, and attributes that it may not like."""
    name = data.draw(st.sampled_from(sorted(operators.names())))
    drawn = data.draw(st.dictionaries(st.sampled_from(NAMES), ATTRIBUTE, max_size=3))
    attributes = tuple(sorted(drawn.items()))
    shapes = st.lists(st.integers(1, 4), min_size=1, max_size=4)
    now(f"{name} {attributes}")
    try:
        found = operators.describe(name, attributes)
        same = data.draw(st.booleans())
        first = data.draw(shapes)
        count = len(found.inputs) if data.draw(st.integers(0, 9)) else data.draw(st.integers(0, 4))
        sizes = [tuple(first if same else data.draw(shapes)) for _ in range(count)]
        now(f"{name} {attributes} {sizes}")
        dtype = data.draw(st.sampled_from(["float32", "float32", "float64", "float16", "int32", "int64", "uint8"]))
        values = [numpy.ones(size, dtype) for size in sizes]
        from dopegraph.ir.types import TensorType

        types = operators.result_types(name, attributes, tuple([TensorType(v.dtype, v.shape) for v in values]))
        training = data.draw(st.booleans())
        now(f"{name} {attributes} {sizes} {dtype} training={training}")
        operators.run(name, attributes, values, types, training)
        outcomes["ran"] += 1
        wanted = tuple([place for place, value in enumerate(values) if value.dtype.kind == "f"])
        if wanted:
            heads = [numpy.ones(shape, kind) for kind, shape in types if kind.kind == "f"]
            operators.gradient(name, attributes, values, heads, types, training=training, wanted=wanted)
            outcomes["differentiated"] += 1
    except BackendError as cause:
        assert str(cause)
        outcomes["refused"] += 1


def damaged(data: st.DataObject, contents: bytes) -> bytes:
    """A file with some bytes taken out, put in or replaced."""
    changed = bytearray(contents)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(changed) - 1))
        changed[place : place + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=9))
        if not changed:
            break
    return bytes(changed)


def try_params(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.params"
        dopegraph.save(path, {"arg:w": np.ones((2, 3)), "aux:m": np.zeros(4), "arg:i": np.arange(3)})
        contents = damaged(data, path.read_bytes())
        now(contents.hex())
        path.write_bytes(contents)
        try:
            dopegraph.load(path)
            outcomes["ran"] += 1
        except ValueError as cause:
            assert str(cause)
            outcomes["refused"] += 1


def try_networks(data: st.DataObject) -> None:
    """A network reads a damaged file, or one of another network: all of it or nothing, and no symbol half."""
    net = nn.Sequential()
    net.add(nn.Dense(3, in_units=4), nn.BatchNorm(in_channels=3), nn.Dense(2, in_units=3))
    net.initialize("uniform")
    x = np.ones((2, 4))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.params"
        net.save_parameters(path)
        if data.draw(st.booleans()):
            path.write_bytes(damaged(data, path.read_bytes()))
        else:
            arrays_of = dopegraph.load(path)
            key = data.draw(st.sampled_from(sorted(arrays_of)))
            shapes = st.lists(st.integers(0, 3), max_size=3)
            dtype = data.draw(st.sampled_from(["float32", "float64", "int32", "uint8"]))
            arrays_of[key] = np.zeros(tuple(data.draw(shapes)), dtype=dtype)
            if data.draw(st.booleans()):
                arrays_of[data.draw(st.text("ab.:_0", max_size=6))] = arrays_of.pop(key)
            dopegraph.save(path, arrays_of)
        now(path.read_bytes().hex())
        net.initialize("normal", force_reinit=True)
        before = {name: one.data().asnumpy().copy() for name, one in net.structural_parameters().items()}
        try:
            net.load_parameters(path)
            outcomes["ran"] += 1
        except (ValueError, DopegraphError) as cause:
            assert str(cause)
            outcomes["refused"] += 1
            for name, one in net.structural_parameters().items():
                assert numpy.array_equal(one.data().asnumpy(), before[name]), f"{name} was written"
        assert net(x).shape == (2, 2)


KINDS = {"symbols": try_symbol, "operators": try_operator, "params": try_params, "networks": try_networks}


def main(kind: str, seed: str, count: str) -> None:
    library.load()
    one = KINDS[kind]

    @hypothesis.seed(int(seed))
    @hypothesis.settings(max_examples=int(count), database=None, deadline=None,
                         suppress_health_check=list(hypothesis.HealthCheck))  # fmt: skip
    @hypothesis.given(st.data())
    def run(data: st.DataObject) -> None:
        one(data)

    run()
    faulthandler.cancel_dump_traceback_later()
    print("OUTCOMES", json.dumps(outcomes))


if __name__ == "__main__":
    main(*sys.argv[1:])
