"""The registry of reasons: why a call runs as Python, a node on NumPy, a graph operator by operator, why a function is
recorded again.

Their ids are stable: tests and tools may rely on them. `docs/reasons.md` is generated from this table.
"""

from __future__ import annotations

from dataclasses import dataclass

GUARD, PYTHON, NUMPY = "guarded", "as Python", "on NumPy"
UNFUSED, RECOMPILE = "operator by operator", "recorded again"


@dataclass(frozen=True)
class Reason:
    """A reason: its stable id, the kind of thing it explains, what it means, and what to change."""

    id: str
    kind: str
    meaning: str
    hint: str


_TABLE = {
    GUARD: {
        "value-branch": (
            "Python branches on a traced value, counts with it or indexes with it: `if x.sum() > 0`, `while`, "
            "`range(n)`, `int(x)`, `assert`. The value is computed, and each outcome has a plan of its own.",
            "keep the choice in the graph with np.where, np.maximum or a mask, if there are many outcomes"),
        "float-value": (
            "Python looks at a float argument: `if rate > 0.1`, `math.sqrt(rate)`, `int(rate)`. Each outcome has a "
            "plan of its own.",
            "compute with dopegraph.numpy, as np.sqrt(rate), or make it a static argument if it has few values"),
        "mask-index": (
            "A mask selects elements: how many depends on their values. NumPy finds them between compiled segments; "
            "each number of elements has a plan of its own.",
            "np.where(mask, x, 0) and sums over it keep the shape"),
        "host-call": (
            "A NumPy function that is no composition of primitives computes from traced values. It runs between "
            "compiled segments; each shape of its results has a plan of its own.",
            "dopegraph.numpy.coverage() lists what is traced"),
    },
    PYTHON: {
        "value-escape": (
            "Python gets a traced value that it may do anything with: `float(x)`, `x.item()`, `print(x)`.",
            "return the array and read it outside"),
        "many-outcomes": (
            "Python looked at a value that had too many outcomes for a plan each.",
            "keep the value in the graph: np.where, np.take, masks"),
        "raised": (
            "The function raised an exception.",
            "nothing is wrong if it was meant to"),
        "unstable": (
            "The function did not do the same as before although nothing that is guarded had changed.",
            "look for state that is kept where dopegraph does not see it"),
        "host-only": (
            "A NumPy function that looks at traced values gives no arrays, or writes, or reads files.",
            "call it outside the compiled function"),
        "host-write": (
            "NumPy's memory is written in a way that no graph describes.",
            "write through slices or out=, or choose with np.where"),
        "device-copy": (
            "An array is copied to another device.",
            "copy before or after the compiled function"),
        "side-effect": (
            "Python code that is not known to depend on its arguments alone: printing, files, the time, random numbers "
            "of others, settings of dopegraph.",
            "move the call out of the compiled function; draw random numbers with dopegraph.numpy.random"),
        "unguarded-state": (
            "The function reaches an object whose state cannot be compared before each call: an iterator, a generator, "
            "an object with slots or of a class written in C.",
            "pass what it is needed for as an argument, or name a hashable argument in static_argnames"),
        "unguarded-function": (
            "A function that ran was reached in a way that the walk over names, closures and attributes cannot follow; "
            "or it is a generator or a coroutine, which runs after the call.",
            "refer to the function by a name, a closure or an attribute; return a list instead of yielding"),
        "state-too-large": (
            "The function reaches more Python values than can be compared in reasonable time.",
            "keep large Python containers out of the function, or make arrays of them"),
        "unsupported-argument": (
            "An argument is a NumPy array of strings, objects, dates or records.",
            "convert the argument to numbers, or keep it out of the function"),
        "python-state": (
            "The call changes Python values in a way that differs from call to call: a list that grows. Numbers are "
            "followed from the third call on, where code does not test types.",
            "count in an array (`n += 1` with n = np.zeros(())), or count and collect outside the function"),
        "unmade-result": (
            "The result, or what was stored, holds an object that a replay cannot make.",
            "return arrays, numbers and containers of them; dopegraph.register makes a class a container"),
        "stored-array": (
            "An array was stored where no replay can put it: in an object that was made by the call and outlives it.",
            "return the array, or write it into one that exists"),
        "open-tape": (
            "The function computes inside a `record()` of its own and leaves the derivative to others: an array leaves "
            "it that `backward` may be called on; or it has a `record()` or a `backward()` in it and is called while "
            "arrays of another `record()` wait for theirs.",
            "call backward() where `record()` is, or put `with record():` around the call; inside of it the function "
            "is recorded with the rest"),
        "aliased-write": (
            "Memory that several arrays share is written in a way that no graph describes.",
            "write to the whole array instead of a view that was passed in, or pass copies"),
        "shared-memory": (
            "Arrays that the function writes share memory with others that it uses, in this call.",
            "pass copies, or pass each array once"),
        "error": (
            "An operation refused the values: Python must run, for it may catch the error.",
            "check values before the call, or choose them with np.where and np.clip"),
    },
    NUMPY: {
        "no-operator": (
            "MXNet has no such operator, or one that rounds or orders otherwise.",
            "nothing is wrong: NumPy runs it by design; elsewhere in the function MXNet goes on"),
        "wrong-operator": (
            "MXNet's operator gives other results than NumPy's, or ends the process.",
            "nothing is wrong: NumPy runs it by design"),
        "refused-symbol": (
            "MXNet has all operators of a symbol, and fails to put it together.",
            "nothing is wrong: NumPy runs what it would have; a report helps to go around MXNet's mistake"),
        "no-lowering": (
            "There is no MXNet lowering of the primitive yet.",
            "report it; until then NumPy runs it"),
        "random-numbers": (
            "Random numbers are drawn by NumPy, so that they are the same on every backend.",
            "nothing is wrong; draw many numbers at once rather than few often"),
        "opaque-operator": (
            "An operator of an imported symbol that has no primitive runs in MXNet, but beside the program: in "
            "training mode, with states that it updates, or for its gradient.",
            "nothing is wrong: it is a call of its own; operators with primitives become part of the program"),
        "host-function": (
            "A function of the user's own that is written with NumPy, see `host_call`.",
            "nothing is wrong: NumPy runs it by design"),
        "complex-numbers": (
            "MXNet has no complex numbers.",
            "keep real and imaginary parts in two arrays if MXNet has to run it"),
        "dtype": (
            "MXNet has no such dtype, or no operator for it.",
            "float32 has all operators: x.astype('float32')"),
        "empty-array": (
            "MXNet takes a length of 0 for unknown.",
            "avoid arrays without elements, or let NumPy run them"),
        "too-many-axes": (
            "MXNet's kernels take five or six axes.",
            "join axes with reshape"),
        "small-graph": (
            "The whole graph computes so few elements, in all or in each node, that NumPy takes less time than MXNet.",
            "nothing is wrong; the environment variable DOPEGRAPH_SMALL sets how many elements are few, 0 none"),
    },
    UNFUSED: {
        "no-compiler": (
            "There is no C compiler, so no kernels are generated.",
            "install gcc or clang, or set CC; DOPEGRAPH_CODEGEN=0 says that none is wanted"),
        "compiler-failed": (
            "The C compiler refused a generated file, or could not be run.",
            "set CC to another compiler; DOPEGRAPH_CODEGEN=0 does without"),
    },
    RECOMPILE: {
        "new-outcome": (
            "Python saw something of a value that it had not seen before, and took another way.",
            "nothing is wrong if there are few ways; keep the choice in the graph with np.where"),
        "changed-shape": (
            "An array has another shape.",
            "pad to one shape or to a few, or drop an incomplete last batch"),
        "changed-dtype": (
            "An array has another dtype.",
            "convert once, before the call: x.astype(...)"),
        "changed-device": (
            "An array is on another device.",
            "move arrays to one device before the call: x.to(device)"),
        "changed-type": (
            "A value has another Python type: 1 instead of 1.0, a list instead of an array.",
            "pass the same type in every call; floats may change freely, integers are part of the graph"),
        "changed-value": (
            "A Python value that is part of the graph is another one: an integer, a string, a flag, a NumPy array that "
            "is not an argument.",
            "pass a number that changes often as a float or as an array; keep it if there are few values"),
        "changed-static": (
            "A static argument is another one.",
            "static arguments are for few values; do not name it in static_argnums or static_argnames"),
        "changed-structure": (
            "A container has another length, other keys or other attributes.",
            "pass containers of one structure; pad or stack the arrays"),
        "changed-object": (
            "Another object is where one was: a function, a module, or an array that was given twice.",
            "do not make functions anew for each call; pass arrays instead of objects"),
        "changed-gradient": (
            "An array has a gradient now, or another grad_req.",
            "call attach_grad before the first call"),
        "other-arguments": (
            "The number of arguments, or their keywords, are others.",
            "call the function in one way"),
        "configuration": (
            "The policy, the default dtype, the device or the training mode is another one.",
            "set them once; each combination is recorded once"),
        "set-up": (
            "The call before set something up (a cache, a lazily made weight), which left nothing to replay.",
            "nothing is wrong; set it up before the first call to save one recording"),
        "unreadable-state": (
            "The state cannot be read as before: an attribute or a variable is gone.",
            "keep the attributes that the function reads"),
    },
}  # fmt: skip

REASONS = {
    id: Reason(id, kind, meaning, hint) for kind, table in _TABLE.items() for id, (meaning, hint) in table.items()
}
"""All reasons by id."""


def hint_of(reason: str) -> str:
    """What to change."""
    return REASONS[reason].hint
