"""Objects and classes: attributes, methods, properties, and what may change behind them."""

import collections
import dataclasses
import operator
import sys
from typing import Any

from tests.differential import Compile, arr, same


@same(replays=3)
def test_class_attributes(compile: Compile) -> Any:
    class M:
        scale = 2.0
        w = arr(3)

        def __init__(self):
            self.b = arr(1)

        def fwd(self, x):
            return x * self.scale * self.w + self.b

    m = M()
    f = compile(m.fwd)
    out = [f(arr(1)), f(arr(2))]
    M.scale = 3.0
    out.append(f(arr(1)))
    m.scale = 4.0
    out.append(f(arr(1)))
    M.w = arr(10)
    out.append(f(arr(1)))
    m.w = arr(20)
    out.append(f(arr(1)))
    del m.scale
    out.append(f(arr(1)))
    M.fwd = lambda self, x: x
    out.append(f(arr(1)))
    out.append(m.fwd(arr(1)))
    return out


@same(replays=4)
def test_a_compiled_method(compile: Compile) -> Any:
    class M:
        def __init__(self, k):
            self.k = k
            self.w = arr(k)

        def fwd(self, x):
            self.w = self.w + x
            return self.w * self.k

    M.fwd = compile(M.fwd)
    a, b = M(1), M(2)
    out = []
    for _i in range(3):
        out += [a.fwd(arr(1)), b.fwd(arr(1)), a.w, b.w]
    a.k = 5
    out += [a.fwd(arr(1))]
    return out


@same(replays=1)
def test_layers_in_lists(compile: Compile) -> Any:
    ks = [1.0, 2.0]

    class M:
        layers = [lambda x: x + 1, lambda x: x * 2]  # noqa: RUF012

        def __init__(self):
            self.fs = [self.a, self.b]
            self.n = 2

        def a(self, x):
            return x * self.n

        def b(self, x):
            return x + ks[0]

        def __call__(self, x):
            for f in self.fs:
                x = f(x)
            for f in self.layers:
                x = f(x)
            return [x * k for k in ks], {k: x for k in ks}, {k for k in ks}

    m = M()
    f = compile(m)
    out = [f(arr(1)), f(arr(1))]
    m.n = 3
    out += [f(arr(1))]
    ks[0] = 7.0
    out += [f(arr(1))]
    m.fs.append(lambda x: -x)
    out += [f(arr(1))]
    M.layers[1] = lambda x: x * 5
    out += [f(arr(1))]
    return out


@same(replays=0, reasons={"unguarded-state"})
def test_subclasses_of_containers(compile: Compile) -> Any:
    d = collections.Counter(a=1)

    class D(dict):
        pass

    e = D(k=2.0)

    class L(list):
        pass

    part = L([1.0])

    def f(x):
        return x * d["a"] * e["k"] * part[0]

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    d["a"] = 5
    out.append(f(arr(1)))
    e["k"] = 5
    out.append(f(arr(1)))
    part[0] = 5
    out.append(f(arr(1)))
    return out


@same(replays=0, reasons={"unguarded-state"})
def test_slots(compile: Compile) -> Any:
    class A:
        __slots__ = ("k",)

    class B:
        pass

    class C(B):
        __slots__ = ("k",)

    a, b = A(), C()
    a.k = 1.0
    b.k = 2.0

    def f(x):
        return x * a.k * b.k

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    a.k = 5.0
    out.append(f(arr(1)))
    b.k = 5.0
    out.append(f(arr(1)))
    return out


@same(replays=1)
def test_attrgetter(compile: Compile) -> Any:
    class A:
        pass

    a = A()
    a.k = 1.0

    def f(x):
        return x * operator.attrgetter("k")(a)

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    a.k = 5.0
    out.append(f(arr(1)))
    return out


@same(replays=1)
def test_asdict(compile: Compile) -> Any:
    @dataclasses.dataclass
    class A:
        k: float

    a = A(1.0)

    def f(x):
        return x * dataclasses.asdict(a)["k"]

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    a.k = 5.0
    out.append(f(arr(1)))
    return out


MATCH = """
def f(x):
    match a:
        case A(k=1.0): return x
        case A(k=2.0): return x * 2
    return x * 3
"""

if sys.version_info >= (3, 10):

    @same(replays=1)
    def test_a_class_pattern(compile: Compile) -> Any:
        class A:
            k = 1.0

        a = A()
        names: dict[str, Any] = {"A": A, "a": a, "__name__": "user"}
        exec(MATCH, names)
        f = compile(names["f"])
        out = [f(arr(1)), f(arr(1))]
        a.k = 2.0
        out.append(f(arr(1)))
        a.k = 5.0
        return [*out, f(arr(1))]


@same(replays=0, reasons={"unguarded-function"})
def test_a_descriptor(compile: Compile) -> Any:
    class D:
        k = 2.0

        def __get__(self, o, t):
            return self.k

    class A:
        d = D()

    a = A()

    def f(x):
        return x * a.d

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    A.__dict__["d"].k = 3.0
    return [*out, f(arr(1))]


@same(replays=1)
def test_properties_and_special_methods(compile: Compile) -> Any:
    class A:
        def __init__(self):
            self._k = 2.0

        @property
        def k(self):
            return self._k

        @staticmethod
        def s(x):
            return x * 2

        @classmethod
        def m(cls, x):
            return x * cls.z

        z = 3.0

        def __getattr__(self, name):
            return 7.0

        def __getitem__(self, i):
            return self._k * i

        def __len__(self):
            return 3

        def __call__(self, x):
            return self.m(self.s(x)) * self.k * self[2] * len(self) * self.nothing

    a = A()
    f = compile(a)
    out = [f(arr(1)), f(arr(1))]
    a._k = 3.0
    out += [f(arr(1))]
    A.z = 4.0
    out += [f(arr(1))]
    A.__len__ = lambda self: 4
    out += [f(arr(1))]
    a.nothing = 1.0
    out += [f(arr(1))]
    A.s = staticmethod(lambda x: x)
    out += [f(arr(1))]
    A.k = 1.0
    out += [f(arr(1))]
    return out


@same(replays=1)
def test_a_method_is_overridden_later(compile: Compile) -> Any:
    class A:
        def g(self, x):
            return x * 2

    class B(A):
        pass

    b = B()

    def f(x):
        return b.g(x)

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    B.g = lambda self, x: x * 3
    out += [f(arr(1))]
    b.g = lambda x: x * 4
    return [*out, f(arr(1))]


@same(replays=1)
def test_super(compile: Compile) -> Any:
    class A:
        k = 2.0

        def g(self, x):
            return x * self.k

    class B(A):
        def g(self, x):
            return super().g(x) + 1

    b = B()
    f = compile(b.g)
    out = [f(arr(1)), f(arr(1))]
    A.k = 5.0
    return [*out, f(arr(1))]
