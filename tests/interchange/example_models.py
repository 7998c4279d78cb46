"""The models of the examples that are exported and loaded again: a new one is a line here."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dopegraph.numpy as np
from dopegraph.commands.values import read_value

# Module below `examples` and what to export of it -> types of its arguments, as the command line writes them; lists for
# lists of arrays, names in braces for the module's own numbers. Those whose chapter is not there are left out.
Types = Sequence["str | Sequence[str]"]
_ALL: dict[str, Types] = {
    "part1.linear_regression_scratch:net": ["f32[8,2]"],
    "part1.linear_regression_gluon:net": ["f32[8,2]"],
    "part1.softmax_regression_scratch:net": ["f32[8,784]"],
    "part1.softmax_regression_gluon:net": ["f32[8,784]"],
    "part1.multilayer_perceptrons_scratch:net": ["f32[8,784]"],
    "part1.multilayer_perceptrons_gluon:net": ["f32[8,784]"],
    "part1.dropout_gluon:net": ["f32[8,784]"],
    "part1.fizzbuzz:net": ["f32[8,10]"],
    "part1.custom_layer:net": ["f32[8,784]"],
    "part1.regularization_gluon:net": ["f32[8,784]"],
    "part1.regularization_scratch:net": ["f32[8,784]"],
    "part2.batch_normalization_gluon:net": ["f32[2,1,28,28]"],
    "part2.batch_normalization_scratch:net": ["f32[2,1,28,28]", "False"],
    "part2.cnn_gluon:net": ["f32[2,1,28,28]"],
    "part2.cnn_scratch:net": ["f32[2,1,28,28]"],
    "part2.deep_cnns_alexnet:alex_net": ["f32[1,3,224,224]"],
    "part2.very_deep_nets_vgg:net": ["f32[2,1,28,28]"],
    "part2.simple_rnn:simple_rnn": [["f32[4,{vocab_size}]"] * 3, "f32[4,256]"],
    "part2.lstm_rnn:lstm_rnn": [["f32[4,{vocab_size}]"] * 3, "f32[4,256]", "f32[4,256]"],
    "part2.gru_rnn:gru_rnn": [["f32[4,{vocab_size}]"] * 3, "f32[4,256]"],
    "part2.rnns_gluon:RNNModel('rnn_tanh', 20, 10, 10, 2)": ["i32[5,2]", ["f32[2,2,10]"]],
    "part2.rnns_gluon:RNNModel('lstm', 20, 10, 10, 2, tie_weights=True)": ["i32[5,2]", ["f32[2,2,10]"] * 2],
    "part2.rnns_gluon:RNNModel('gru', 20, 10, 10, 2)": ["i32[5,2]", ["f32[2,2,10]"]],
    "part3.dcgan:netG": ["f32[2,100,1,1]"],
    "part3.dcgan:netD": ["f32[2,3,64,64]"],
    "part3.pix2pix:netG": ["f32[1,3,64,64]"],
    "beyond.vae:reconstruct": ["f32[8,784]"],
}
EXAMPLES = Path(__file__).parents[2] / "examples"
MODELS = {
    name: types
    for name, types in _ALL.items()
    if (EXAMPLES / f"{name.partition(':')[0].replace('.', '/')}.py").is_file()
}

# What happens before, as in the chapter: parameters are made when training begins; averages are those of a batch.
PREPARED: dict[str, Callable[[Any, list[Any]], Any]] = {
    "part1.regularization_gluon": lambda net, args: net.initialize(),
    "part2.batch_normalization_scratch": lambda net, args: net(args[0]),
    "part2.rnns_gluon": lambda net, args: net.initialize("xavier"),
}


def model(name: str) -> tuple[Any, list[Any]]:
    """The function with new parameters, and example arguments."""
    place, _, expression = name.partition(":")
    sys.modules.pop(f"examples.{place}", None)
    np.random.seed(4)
    module = importlib.import_module(f"examples.{place}")

    def value(text: str | Sequence[str], seed: int) -> Any:
        if isinstance(text, str):
            return read_value(text.format(**vars(module)), seed)
        return [value(one, seed + number) for number, one in enumerate(text)]

    args = [value(text, number) for number, text in enumerate(MODELS[name])]
    function = eval(expression, vars(module))  # of this file's own texts
    PREPARED.get(place, lambda net, args: None)(function, args)
    return function, args


def arrays(made: Any) -> list[Any]:
    """Arrays of a result, or of arguments: NumPy's, in order."""
    if isinstance(made, (tuple, list)):
        return [one for part in made for one in arrays(part)]
    return [made.asnumpy()] if hasattr(made, "asnumpy") else []
