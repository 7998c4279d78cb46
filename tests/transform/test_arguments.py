"""Arguments of every kind: containers, NumPy arrays, aliases, what is replaced in them and what is returned of them."""

import collections
import dataclasses
import enum
import functools
import sys
from typing import Any

import numpy

import dopegraph.numpy as np
from dopegraph.array import from_numpy
from tests.differential import Compile, arr, attempt, same


@same(replays=4)
def test_one_array_is_passed_twice(compile: Compile) -> Any:
    def f(a, b):
        a += 1
        return a * b

    f = compile(f)
    x, y = arr(1, 2), arr(3, 4)
    out = []
    for _i in range(2):
        out += [f(x, y), f(x, x), f(y, x), x.copy(), y.copy()]
    return out


@same(replays=0, reasons={"aliased-write"})
def test_overlapping_views_are_passed(compile: Compile) -> Any:
    def f(a, b):
        a += 1
        return a * b

    f = compile(f)
    x = arr(1, 2, 3)
    out = []
    for _i in range(3):
        out += [f(x[:2], x[1:]), x.copy(), f(x[1:], x[:2]), x.copy(), f(arr(1, 2), arr(2, 3))]
    return out


@same(replays=2)
def test_an_element_of_a_list_is_replaced(compile: Compile) -> Any:
    def f(part, lr):
        part[0] = part[0] * 2
        return part

    f = compile(f)
    out = []
    for i in range(3):
        part = [arr(i), 0.5]
        r = f(part, 0.5)
        out += [r, r is part, part]
    return out


@same(replays=3)
def test_elements_of_a_dict_are_replaced(compile: Compile) -> Any:
    def f(d):
        d["lr"] = d["lr"] * 0.5
        d["w"] = d["w"] * d["lr"]
        return d["w"]

    f = compile(f)
    out = []
    d = {"lr": 1.0, "w": arr(2)}
    for _i in range(4):
        out += [f(d), dict(d)]
    return out


@same(replays=0, reasons={"python-state"})
def test_a_list_is_appended_to(compile: Compile) -> Any:
    def f(x, log):
        log.append(x * 2)
        return x

    f = compile(f)
    log = []
    for i in range(3):
        f(arr(i), log)
    out = [log]
    for i in range(3):
        part = []
        f(arr(i), part)
        out.append(part)
    return out


@same(replays=0, reasons={"python-state"})
def test_a_list_is_popped_from(compile: Compile) -> Any:
    def f(part):
        x = part.pop()
        return x * 2

    f = compile(f)
    out = []
    for i in range(3):
        part = [arr(i), arr(2 * i), arr(4)]
        out += [f(part), part, f(part), part]
    return out


@same(replays=2)
def test_one_list_is_passed_twice(compile: Compile) -> Any:
    def f(a, b):
        a[0] = a[0] + 1
        return b[0] * 2, a is b

    f = compile(f)
    out = []
    for i in range(2):
        part = [arr(i), 0.5]
        m = [arr(i), 0.5]
        out += [f(part, part), f(part, m), part, m]
    return out


@same(replays=2)
def test_arguments_are_returned(compile: Compile) -> Any:
    def f(x, y):
        return y, x, [x]

    f = compile(f)
    x, y = arr(1), arr(2)
    out = []
    for _i in range(3):
        a, b, part = f(x, y)
        out += [a is y, b is x, part[0] is x]
    return out


@same(replays=1)
def test_nothing_is_returned(compile: Compile) -> Any:
    def f(x):
        x += 1

    f = compile(f)
    x = arr(1)
    return [f(x), x.copy(), f(x), x.copy()]


@same(replays=1)
def test_dataclasses_and_named_tuples_are_returned(compile: Compile) -> Any:
    @dataclasses.dataclass
    class P:
        a: object
        n: int = 3

    NT = collections.namedtuple("NT", "a b")

    def f(x):
        return P(x * 2), NT(x, x + 1)

    f = compile(f)
    return [f(arr(1)), f(arr(2))]


@same(replays=1)
def test_a_dataclass_is_written_to(compile: Compile) -> Any:
    @dataclasses.dataclass
    class P:
        a: object
        lr: float = 3.0

    def f(p):
        p.a = p.a * p.lr
        return p

    f = compile(f)
    out = []
    p = P(arr(1), 2.0)
    for part in (2.0, 2.0, 3.0, 1):
        p.lr = part
        r = f(p)
        out += [r is p, p, dict(vars(p))]
    return out


@same(replays=1)
def test_a_named_tuple(compile: Compile) -> Any:
    NT = collections.namedtuple("NT", "a lr")

    def f(p):
        return p.a * p.lr

    f = compile(f)
    return [f(NT(arr(1), 2.0)), f(NT(arr(1), 3.0)), f(NT(arr(1, 2), 3)), f(NT(2.0, 3.0))]


@same(replays=2)
def test_a_dataclass_is_replaced(compile: Compile) -> Any:
    @dataclasses.dataclass
    class A:
        w: object
        k: float = 2.0

    def f(a, x):
        return dataclasses.replace(a, w=a.w + x * a.k)

    f = compile(f)
    a = A(arr(1))
    out = []
    for _i in range(3):
        a = f(a, arr(1))
        out += [a]
    return out


@same(replays=3)
def test_a_partial(compile: Compile) -> Any:
    def f(a, x, k=2):
        return a * x + k

    a = arr(2)
    g = compile(functools.partial(f, a, k=3))
    out = [g(arr(1)), g(arr(2))]
    a += 1
    return [*out, g(arr(2)), g(arr(3), k=4.0), g(arr(3), k=5.0)]


@same(replays=1)
def test_dtypes_change(compile: Compile) -> Any:
    def f(x):
        return x * 2 + 1

    f = compile(f)
    return [f(arr(1, dtype=d)) for d in ("float32", "float64", "int32", "int64", "bool", "float32", "float16")] + [
        f(3),
        f(3.0),
        f(True),
        f(2j),
    ]


@same(replays=2)
def test_numpy_arrays_in_containers(compile: Compile) -> Any:
    def f(d):
        return np.asarray(d["x"]) * 2, np.asarray(d["l"][0]) + 1, d

    f = compile(f)
    out = []
    for i in range(3):
        d = {"x": numpy.ones(2, "float32") * i, "l": [numpy.ones(2, "float32"), 2.0]}
        r = f(d)
        out += [r[0], r[1], r[2] is d, type(d["x"]).__name__, type(d["l"][1]).__name__]
    return out


@same(replays=0, reasons={"python-state"})
def test_a_list_of_numpy_arrays_is_appended_to(compile: Compile) -> Any:
    def f(part):
        part.append(part[0] * 2)
        return len(part)

    f = compile(f)
    out = []
    for _i in range(3):
        part = [numpy.ones(1, "float32")]
        out += [f(part), len(part)]
    return out


@same(replays=2)
def test_a_numpy_array_is_written_to(compile: Compile) -> Any:
    def f(x):
        y = np.asarray(x)
        y += 1
        return y * 2

    f = compile(f)
    x = numpy.ones(2, "float32")
    out = []
    for _i in range(3):
        out += [f(x), x.copy()]
    return out


@same(replays=1)
def test_a_read_only_numpy_array(compile: Compile) -> Any:
    def f(x):
        y = np.asarray(x)
        return y * 2

    f = compile(f)
    x = numpy.ones(2, "float32")
    x.flags.writeable = False
    return [f(x), f(x)]


@same(replays=3)
def test_strided_numpy_arrays_are_written_to(compile: Compile) -> Any:
    def f(x):
        y = np.asarray(x)
        y += 1
        return y * 2

    f = compile(f)
    b = numpy.arange(12, dtype="float32").reshape(3, 4)
    out = []
    for v in (b[:, 1], b[::2, 2], b[:, 1], b.T[0], b[::-1, 0]):
        out += [f(v), b.copy()]
    return out


@same(replays=1)
def test_numpy_arrays_and_scalars(compile: Compile) -> Any:
    k = numpy.array([1.0, 2.0], "float32")

    def f(x, a):
        return x * 2, np.asarray(a) * 3

    f = compile(f)
    return [f(arr(1), k), f(arr(1), k), f(arr(1), numpy.float32(3)), f(arr(1), numpy.array(["a"])) if 0 else 0]


@same(replays=2, reasons={"unguarded-state"})
def test_objects_that_refuse_everything(compile: Compile) -> Any:
    class A:
        def __getattr__(self, name):
            raise RuntimeError("no " + name)

    class B:
        def __bool__(self):
            raise RuntimeError("bool")

        def __len__(self):
            raise RuntimeError("len")

        def __iter__(self):
            raise RuntimeError("iter")

        def __repr__(self):
            raise RuntimeError("repr")

        def __hash__(self):
            raise RuntimeError("hash")

    def f(x, a):
        return x * 2

    f = compile(f)
    return [
        f(arr(1), A()),
        f(arr(2), A()),
        f(arr(1), B()),
        f(arr(2), B()),
        f(arr(1), object()),
        f(arr(1), lambda: 0),
        f(arr(1), open),
        f(arr(1), sys),
        f(arr(1), ...),
        f(arr(1), NotImplemented),
        f(arr(1), b"q"),
        f(arr(1), range(3)),
        f(arr(1), slice(1, 2)),
        f(arr(1), {1, "a"}),
        f(arr(1), numpy.dtype("int8")),
        f(arr(1), int),
        f(arr(1), (i for i in ())),
    ]


@same(replays=2)
def test_objects_that_cannot_be_compared(compile: Compile) -> Any:
    class W:
        def __eq__(self, o):
            raise RuntimeError("no eq")

        __hash__ = None
        k = 2.0

    def f(x, w):
        return x * w.k

    f = compile(f)
    w = W()
    out = [f(arr(1), w), f(arr(1), w)]
    w.k = 3.0
    return [*out, f(arr(1), w), f(arr(1), W())]


@same(replays=0)
def test_keyword_arguments_in_another_order(compile: Compile) -> Any:
    def f(x, **kw):
        return [v * x for v in kw.values()]

    f = compile(f)
    return [f(arr(2), a=arr(1), b=arr(2)), f(arr(2), b=arr(1), a=arr(2)), f(arr(2), a=1.5, b=2), f(x=arr(2), a=1.5)]


@same(replays=0)
def test_any_number_of_arguments(compile: Compile) -> Any:
    def f(*xs):
        return sum(xs)

    f = compile(f)
    return [f(arr(1)), f(arr(1), arr(2)), f(arr(1), arr(2), 3.0), f(*[arr(1)] * 4)]


@same(replays=0)
def test_flags_of_every_kind(compile: Compile) -> Any:
    def f(x, flag):
        return x * 2 if flag else x

    f = compile(f)
    return [
        f(arr(1), True),
        f(arr(1), 1),
        f(arr(1), np.array(True)),
        f(arr(1), np.array(False)),
        f(arr(1), numpy.True_),
        f(arr(1), False),
    ]


@same(replays=1)
def test_enums_and_none(compile: Compile) -> Any:
    class Mode(enum.Enum):
        A = 1
        B = 2

    def f(x, m=Mode.A, n=None):
        return x * m.value if n is None else x + n

    f = compile(f)
    return [f(arr(1)), f(arr(1), Mode.B), f(arr(1), Mode.A, 3), f(arr(1), n=None), f(arr(1), n=arr(2)), f(arr(1))]


@same(replays=0)
def test_complex_zeros_with_signs(compile: Compile) -> Any:
    def f(x, z):
        return x * z, repr(z)

    f = compile(f)
    return [f(arr(1), z) for z in (complex(0.0, 0.0), complex(-0.0, 0.0), complex(0, -0.0), 1j)]


@same(replays=1)
def test_keys_that_are_equal_but_of_other_types(compile: Compile) -> Any:
    def f(d):
        return [(type(k).__name__, v * k) for k, v in d.items()]

    f = compile(f)
    return [f({k: arr(1, dtype=int)}) for k in (1, True, 1.0, 1)]


@same(replays=2)
def test_numbers_in_a_dict_that_are_equal(compile: Compile) -> Any:
    def f(x, cfg):
        return 1 / (x * cfg["s"])

    f = compile(f)
    return [repr(f(arr(1, 2), {"s": part}).asnumpy().tolist()) for part in (0.0, -0.0, 0, False, 0.0, 1, True)]


@same(replays=2)
def test_empty_arrays_and_scalars(compile: Compile) -> Any:
    def f(x):
        return x * 2, x.sum(), x.reshape(-1)

    f = compile(f)
    return [f(np.zeros((0, 3))), f(np.array(1.0)), f(np.zeros((0, 3))), f(np.array(2.0)), f(np.zeros((3, 0)))]


@same(replays=0)
def test_in_place_addition_of_other_dtypes(compile: Compile) -> Any:
    def f(x, y):
        x += y
        return x

    f = compile(f)
    out = []
    for a, b in (
        ("float32", "float32"),
        ("float64", "float32"),
        ("float32", "float64"),
        ("int32", "float32"),
        ("int64", "int32"),
        ("int64", "bool"),
    ):
        x = arr(1, 2, dtype=a)
        out += [attempt(f, x, arr(1, 1, dtype=b)), x]
    return out


@same(replays=2)
def test_sorted_zipped_and_mapped_arrays(compile: Compile) -> Any:
    def f(ps, gs):
        return (
            [p - g for p, g in sorted(zip(ps, gs), key=lambda t: len(t[0]))],
            list(map(lambda p: p * 2, ps)),
            max(len(p) for p in ps),
            list(reversed(ps)),
            [*enumerate(ps)],
        )

    f = compile(f)
    return [f([arr(1, 2), arr(1)], [arr(3, 4), arr(2)]) for _ in range(3)]


@same(replays=2)
def test_unpacked_rows(compile: Compile) -> Any:
    def f(x):
        a, *b = x
        (p, q), r = x[:2], x[-1]
        return a * 1, b, p + q, r

    f = compile(f)
    out = []
    for i in range(3):
        o = f(arr(1, 2, i))
        out += [o]
    return out


@same(replays=1)
def test_iterated_rows(compile: Compile) -> Any:
    def f(x):
        t = 0
        for row in x:
            t = t + row * len(x)
        return t

    f = compile(f)
    return [f(np.ones((2, 3))), f(np.ones((3, 3))), f(np.ones((2, 3)) * 2)]


@same(replays=0)
def test_an_integer_that_changes_with_every_call(compile: Compile) -> Any:
    def f(x, i):
        return x * i

    f = compile(f)
    out = []
    import warnings

    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        for i in range(70):
            out.append(f(arr(1), i))
    return out


@same(replays=0, reasons=["shared-memory"])
def test_numpy_arrays_that_overlap_are_written_one_after_the_other(compile: Compile) -> Any:
    def f(x, y):
        y[np.array([True, False, True])] = 0.75
        x[np.array([True, False, True])] *= 0.5

    f = compile(f)
    memory = numpy.array([1, 2, 0.5], dtype="float32")
    out = []
    for _ in range(3):
        f(from_numpy(memory[::-1]), from_numpy(memory[:]))
        out.append(memory.tolist())
    return out


@same(replays=2)
def test_numpy_arrays_that_overlap_may_be_read(compile: Compile) -> Any:
    f = compile(lambda x, y: (x * y).sum())
    memory = numpy.array([1, 2, 0.5], dtype="float32")
    return [f(from_numpy(memory[1:]), from_numpy(memory[:-1])) for _ in range(3)]
