"""State that a function reaches without being passed it: replays read it and write it where Python does."""

import functools
import sys
import types
from typing import Any

import numpy

import dopegraph.numpy as np
from tests.differential import Compile, arr, attempt, same

FLAG = 1.0


@same(replays=4)
def test_a_closure_variable_is_rebound(compile: Compile) -> Any:
    w = arr(1, 2)

    def step(x):
        nonlocal w
        w = w - x
        return w.sum()

    step = compile(step)
    out = []
    for i in range(4):
        out.append(step(arr(i, 1)))
        out.append(w)
    w = arr(5, 5)
    out.append(step(arr(1, 1)))
    out.append(w)
    w = arr(5, 5, 5)
    out.append(attempt(step, arr(1, 1, 1)))
    out.append(w)
    return out


@same(replays=3)
def test_list_elements_are_swapped(compile: Compile) -> Any:
    s = [arr(1, 2), arr(3, 4)]

    def step():
        s[0], s[1] = s[1], s[0]
        return s[0] * 2

    step = compile(step)
    out = []
    for _i in range(4):
        a0 = s[0]
        out.append(step())
        out += [list(s), a0 is s[1]]
    return out


@same(replays=3)
def test_list_elements_are_swapped_and_written_to(compile: Compile) -> Any:
    s = [arr(1, 2), arr(3, 4)]

    def step(x):
        s[0], s[1] = s[1], s[0]
        s[0] += x
        return s[0] * 2

    step = compile(step)
    out = []
    for _i in range(4):
        a0, a1 = s
        out.append(step(arr(1, 1)))
        out += [list(s), a0 is s[1], a1 is s[0], a0, a1]
    return out


@same(replays=3)
def test_a_dict_element_is_rebound_to_a_list_of_arrays(compile: Compile) -> Any:
    s = {"p": [arr(1), arr(2)]}

    def step(x):
        s["p"] = [p + x for p in s["p"]]
        return s["p"][0]

    step = compile(step)
    out = []
    for _i in range(4):
        old = s["p"]
        out.append(step(arr(1)))
        out += [s, old, old is s["p"]]
    return out


@same(replays=2)
def test_the_state_itself_is_returned(compile: Compile) -> Any:
    w = arr(1, 2)

    def step(x):
        w[:] = w + x
        return w

    step = compile(step)
    out = []
    rs = []
    for _i in range(3):
        r = step(arr(1, 1))
        rs.append(r)
        out += [r is w, r.copy()]
    return out + rs


@same(replays=4)
def test_results_are_not_overwritten_by_later_calls(compile: Compile) -> Any:
    w = arr(1, 2)

    def step(x):
        nonlocal w
        w = w + x
        return w

    step = compile(step)
    rs = [step(arr(1, 1)) for _ in range(5)]
    return [*rs, w]


@same(replays=4)
def test_results_are_not_overwritten_when_the_state_is_written_in_place(compile: Compile) -> Any:
    w = arr(1, 2)

    def step(x):
        nonlocal w
        w += x
        return w * 1, w + 0

    step = compile(step)
    rs = [step(arr(1, 1)) for _ in range(5)]
    return [*rs, w]


@same(replays=2)
def test_results_that_the_caller_writes_to(compile: Compile) -> Any:
    w = arr(1, 2)

    def f(x):
        nonlocal w
        w = w + x
        return w, w * 2

    f = compile(f)
    out = []
    a, b = f(arr(1, 1))
    a += 5
    b += 7
    out += [w.copy(), a is w]
    a2, b2 = f(arr(1, 1))
    a2 += 5
    b2[:] = 0
    out += [w.copy(), a.copy(), b.copy(), a2 is w]
    _a3, b3 = f(arr(1, 1))
    out += [w.copy(), a, a2, b, b2, b3]
    return out


@same(replays=3)
def test_exports_of_a_state_that_changes_places_with_its_spare_memory(compile: Compile) -> Any:
    w = arr(1, 2)

    def f(x):
        nonlocal w
        w += x
        return w

    f = compile(f)
    keep = []
    for i in range(4):
        r = f(arr(1, 1))
        keep += [r.copy(), r[:], numpy.asarray(r).copy()]
        if i == 2:
            keep.append(numpy.asarray(r))
    return [k.copy() for k in keep]


@same(replays=4)
def test_state_is_made_by_the_first_call(compile: Compile) -> Any:
    class M:
        def __init__(self):
            self.m = None
            self.built = False

        def step(self, x):
            if self.m is None:
                self.m = np.zeros(x.shape)
            if not self.built:
                self.built = True
            self.m = self.m * 0.9 + x
            return self.m

    m = M()
    f = compile(m.step)
    out = []
    for _i in range(4):
        out += [f(arr(1)), m.m, m.built]
    m.m = None
    m.built = False
    for _i in range(2):
        out += [f(arr(1)), m.m, m.built]
    return out


@same(replays=2)
def test_objects_in_the_state_are_replaced(compile: Compile) -> Any:
    class L:
        def __init__(s, k):
            s.w = arr(k)
            s.k = k

    class M:
        pass

    m = M()
    m.l = L(1)
    m.ls = [L(2), L(3)]

    def f(x):
        m.l.w = m.l.w + x
        for part in m.ls:
            part.w += x * part.k
        return m.l.w * m.l.k + m.ls[0].w

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    m.l = L(1)
    out += [f(arr(1)), m.l.w]
    m.ls[0], m.ls[1] = m.ls[1], m.ls[0]
    out += [f(arr(1)), [part.w for part in m.ls]]
    m.ls[0] = m.ls[1]
    out += [f(arr(1)), [part.w for part in m.ls]]
    m.ls = tuple(m.ls)
    out += [f(arr(1)), [part.w for part in m.ls]]
    return out


@same(replays=2)
def test_two_attributes_are_one_array(compile: Compile) -> Any:
    class A:
        pass

    a, b = A(), A()
    a.w = b.w = arr(1)

    def f(x):
        a.w += x
        return b.w * 2

    f = compile(f)
    out = [f(arr(1)), f(arr(1)), a.w]
    b.w = arr(10)
    out += [f(arr(1)), a.w, b.w]
    a.w = b.w
    out += [f(arr(1)), a.w, b.w]
    return out


@same(replays=2)
def test_two_list_elements_are_one_array(compile: Compile) -> Any:
    a = arr(1, 2)
    b = arr(5, 6)
    s = [a, a]

    def f(x):
        s[0] += x
        return s[1] * 2

    f = compile(f)
    out = [f(arr(1, 1)), f(arr(1, 1)), a.copy()]
    s[1] = b
    out += [f(arr(1, 1)), a.copy(), b.copy()]
    s[0] = b
    out += [f(arr(1, 1)), a.copy(), b.copy()]
    s[0] = a
    s[1] = a[:]
    out += [f(arr(1, 1)), a.copy(), b.copy()]
    return out


@same(replays=4)
def test_closure_variables_are_swapped(compile: Compile) -> Any:
    a, b = arr(1), arr(2)

    def f(x):
        nonlocal a, b
        a, b = b, a + x
        return a

    f = compile(f)
    out = []
    for _i in range(5):
        out += [f(arr(1)), a, b]
    return out


@same(replays=2)
def test_a_list_whose_length_changes_between_calls(compile: Compile) -> Any:
    hist = [arr(0)]

    def f(x):
        hist[-1] = hist[-1] + x
        return hist[0]

    f = compile(f)
    out = []
    for _i in range(3):
        out += [f(arr(1)), list(hist)]
    hist.append(arr(9))
    out += [f(arr(1)), list(hist)]
    hist.clear()
    hist.append(arr(3, 4))
    out += [f(arr(1)), list(hist)]
    return out


@same(replays=2)
def test_a_global_number_changes(compile: Compile) -> Any:
    global FLAG
    FLAG = 1.0

    def f(x):
        return x * FLAG

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    FLAG = 2.0
    out.append(f(arr(1)))
    FLAG = arr(5)
    out.append(f(arr(1)))
    FLAG = 2.0
    out.append(f(arr(1)))
    return out


@same(replays=0)
def test_the_state_grows(compile: Compile) -> Any:
    w = arr(1)

    def f(x):
        nonlocal w
        w = np.concatenate([w, x])
        return w.sum()

    f = compile(f)
    out = []
    for _i in range(4):
        out += [f(arr(1)), w]
    return out


@same(replays=6)
def test_containers_of_the_state_are_returned(compile: Compile) -> Any:
    s = {"w": arr(1), "l": [arr(2)]}

    def f(x):
        s["w"] = s["w"] + x
        return s

    f = compile(f)
    out = []
    for _i in range(3):
        r = f(arr(1))
        out += [r is s, s["w"]]

    def g(x):
        return s["l"]

    g = compile(g)
    for _i in range(3):
        r = g(arr(1))
        out += [r is s["l"]]

    def h(x):
        return [s["l"], x]

    h = compile(h)
    for _i in range(3):
        r = h(arr(1))
        out += [r[0] is s["l"]]
    return out


@same(replays=2)
def test_containers_of_the_state_are_nested_in_the_result(compile: Compile) -> Any:
    s = [[arr(1)], {"a": arr(2)}]

    def f(x):
        return {"q": [(s[0], x)], "r": s}

    f = compile(f)
    out = []
    for i in range(3):
        r = f(arr(i))
        out += [r, r["q"][0][0] is s[0], r["r"] is s]
    return out


@same(replays=1)
def test_a_new_container_is_returned_twice_and_stored(compile: Compile) -> Any:
    s = {}

    def f(x):
        part = [x * 2]
        s["l"] = part
        return part, part, [s["l"]]

    f = compile(f)
    out = []
    for i in range(3):
        a, b, d = f(arr(i))
        out += [a is b, a is d[0], a is s["l"], a]
    return out


@same(replays=3)
def test_a_class_attribute_is_rebound(compile: Compile) -> Any:
    class A:
        w = arr(0)

    def f(x):
        A.w = A.w + x
        return A.w * 2

    f = compile(f)
    out = [f(arr(1)), f(arr(1)), A.w, f(arr(1))]
    A.w = arr(7)
    out += [f(arr(1)), A.w]
    return out


@same(replays=1)
def test_an_attribute_of_a_function_changes(compile: Compile) -> Any:
    def g():
        pass

    g.scale = 2.0

    def f(x):
        return x * g.scale

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    g.scale = 3.0
    return [*out, f(arr(1))]


@same(replays=0, reasons={"unguarded-state"})
def test_a_closure_variable_has_no_value_yet(compile: Compile) -> Any:
    def outer():
        def f(x):
            return x * k

        f = compile(f)
        out = [type(attempt(f, arr(1))).__name__]
        k = 3
        out += [f(arr(1)), f(arr(1))]
        k = 4
        return [*out, f(arr(1))]

    return outer()


@same(replays=1, reasons={"unguarded-state"})
def test_a_closure_variable_is_deleted(compile: Compile) -> Any:
    k = 3

    def f(x):
        nonlocal k
        r = x * k
        return r

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    del k
    out += [type(attempt(f, arr(1))).__name__]
    k = 5
    return [*out, f(arr(1))]


@same(replays=1, reasons={"raised"})
def test_a_global_is_missing(compile: Compile) -> Any:
    g = {"np": np, "__name__": "user"}
    exec("def f(x): return x * SCALE", g)
    f = compile(g["f"])
    out = [type(attempt(f, arr(1))).__name__]
    g["SCALE"] = 2
    out += [f(arr(1)), f(arr(1))]
    del g["SCALE"]
    out += [type(attempt(f, arr(1))).__name__]
    return out


@same(replays=1)
def test_a_builtin_is_shadowed(compile: Compile) -> Any:
    g = {"np": np, "__name__": "user"}
    exec("def f(x): return x * len(x)", g)
    f = compile(g["f"])
    out = [f(arr(1, 2)), f(arr(1, 2))]
    g["len"] = lambda x: 7
    return [*out, f(arr(1, 2))]


@same(replays=2)
def test_a_module_imported_inside_the_function(compile: Compile) -> Any:
    m = types.ModuleType("cfgm")
    m.lr = 1.0
    m.__file__ = "configuration.py"
    sys.modules["cfgm"] = m

    def f(x):
        import cfgm

        return x * cfgm.lr

    def g(x):
        from cfgm import lr

        return x * lr

    f = compile(f)
    g = compile(g)
    out = [f(arr(1)), f(arr(1)), g(arr(1)), g(arr(1))]
    m.lr = 2.0
    out += [f(arr(1)), g(arr(1))]
    m.lr = arr(4)
    return [*out, f(arr(1)), g(arr(1))]


@same(replays=1)
def test_a_module_attribute_named_by_a_string(compile: Compile) -> Any:
    m = types.ModuleType("cfgm")
    m.lr = 1.0
    m.__file__ = "configuration.py"

    def f(x):
        return x * getattr(m, "l" + "r")

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    m.lr = 2.0
    return [*out, f(arr(1))]


@same(replays=1)
def test_functions_in_a_dict(compile: Compile) -> Any:
    table = {"a": np.tanh, "b": lambda x: x * 2}

    def f(x, k):
        return table[k](x)

    f = compile(f)
    out = [f(arr(1), "a"), f(arr(1), "b"), f(arr(1), "a")]
    table["a"] = np.exp
    return [*out, f(arr(1), "a"), f(arr(1), "b")]


@same(replays=2)
def test_a_function_in_a_closure_is_replaced(compile: Compile) -> Any:
    act = np.tanh

    def f(x):
        return act(x)

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    act = np.exp
    out += [f(arr(1))]

    act = functools.partial(np.multiply, 2)
    out += [f(arr(1)), f(arr(1))]
    act = functools.partial(np.multiply, 3)
    return [*out, f(arr(1))]


@same(replays=1)
def test_a_function_chosen_by_a_string(compile: Compile) -> Any:
    cfg = {"act": "tanh"}

    def f(x):
        return getattr(np, cfg["act"].lower())(x)

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    cfg["act"] = "EXP"
    return [*out, f(arr(1))]


@same(replays=2)
def test_default_arguments(compile: Compile) -> Any:
    w = arr(1)

    def f(x, w=w, k=[1, 2]):  # noqa: B006
        return w * x + k[0]

    g = compile(f)
    out = [g(arr(1)), g(arr(2))]
    w += 1
    out += [g(arr(1))]
    f.__defaults__[1][0] = 7
    out += [g(arr(1)), g(arr(1), k=[3])]
    f.__defaults__ = (arr(100), [0])
    out += [g(arr(1))]
    return out


@same(replays=1)
def test_a_set_grows(compile: Compile) -> Any:
    s = {1, 2}

    def f(x):
        return x * len(s)

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    s.add(3)
    return [*out, f(arr(1))]


@same(replays=0, reasons={"unguarded-state"})
def test_a_set_is_added_to(compile: Compile) -> Any:
    s = set()

    def f(x):
        s.add(x.shape)
        return x * 2

    f = compile(f)
    out = [f(arr(1)), f(arr(1)), sorted(s)]
    s.clear()
    return [*out, f(arr(1)), sorted(s), f(arr(1, 2)), sorted(s)]


@same(replays=1)
def test_elements_of_a_set_change_their_type(compile: Compile) -> Any:
    s = {1}

    def f(x):
        return [x / 2 * e for e in s], [type(e).__name__ for e in s]

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    s.clear()
    s.add(True)
    out += [f(arr(1))]
    s.clear()
    s.add(1.0)
    out += [f(arr(1))]
    return out


@same(replays=1)
def test_a_float_attribute_changes(compile: Compile) -> Any:
    class Box:
        pass

    o = Box()
    o.lr = 0.5
    o.w = arr(1)

    def f(x):
        o.w = o.w - o.lr * x
        return o.w

    f = compile(f)
    out = []
    for part in (0.5, 0.4, 0.4, -0.0, 1, True, 1.0):
        o.lr = part
        out.append(f(arr(1)))
    return [*out, o.w]


@same(replays=2)
def test_a_result_is_written_into_state(compile: Compile) -> Any:
    buf = np.zeros(2)

    def f(x):
        np.add(x, 1, out=buf)
        return buf

    f = compile(f)
    out = []
    for i in range(3):
        r = f(arr(i, 1))
        out += [r is buf, r.copy()]
    return out


@same(replays=2)
def test_an_array_in_a_reference_cycle(compile: Compile) -> Any:
    class N:
        pass

    def f(x):
        n = N()
        n.me = n
        n.x = x * 2
        return n.x + 1

    f = compile(f)
    return [f(arr(1)) for _ in range(3)]


@same(replays=2, reasons={"unmade-result"})
def test_containers_that_contain_themselves(compile: Compile) -> Any:
    part = [arr(1)]
    part.append(part)

    def f(part):
        return part[0] * 2 + part[1][0]

    f = compile(f)
    s = [arr(2)]
    s.append(s)

    def g(x):
        return s[1][0] * x

    g = compile(g)

    def h(x):
        r = [x]
        r.append(r)
        return r

    h = compile(h)
    return [f(part), f(part), g(arr(1)), g(arr(2)), h(arr(1))[0], h(arr(1))[1][1][0]]


@same(replays=4)
def test_numpy_arrays_that_are_read(compile: Compile) -> Any:
    """They are constants as long as they hold what they held."""
    mask, table = numpy.triu(numpy.ones((3, 3), bool), 1), numpy.arange(6.0, dtype="float32").reshape(2, 3)

    def f(x):
        return np.where(mask, -1.0, x) @ table[1] + np.asarray(table)[:, :1].sum()

    f = compile(f)
    x = np.ones((3, 3))
    out = [f(x), f(x), f(x * 2)]
    table[0, 0] = 5
    out += [f(x), f(x)]
    mask[:] = True
    out += [f(x), f(x)]
    return out


@same(replays=3)
def test_numpy_arrays_that_are_read_after_a_look(compile: Compile) -> Any:
    table = numpy.arange(3.0, dtype="float32")

    def f(x):
        if x.sum() > 2:
            return x * table
        return table - x

    f = compile(f)
    out = [f(arr(1, 2, 3)), f(arr(0, 1, 0)), f(arr(1, 2, 4)), f(arr(0, 0, 0))]
    table[1] = 7
    return [*out, f(arr(1, 2, 3)), f(arr(1, 2, 3))]


@same(replays=0, reasons={"unguarded-state"})
def test_numpy_arrays_that_are_written_through_ours(compile: Compile) -> Any:
    table = numpy.zeros(3, dtype="float32")

    def f(x):
        view = np.asarray(table)
        view += x
        return view * 2

    f = compile(f)
    return [f(arr(1, 2, 3)), table.copy(), f(arr(1, 2, 3)), table.copy()]


@same(replays=0, reasons={"unguarded-state"})
def test_large_numpy_arrays_are_not_compared_in_every_call(compile: Compile) -> Any:
    table = numpy.zeros((600, 600), dtype="float32")
    f = compile(lambda x: (table * x).sum())
    return [f(arr(1)), f(arr(2))]


@same(replays=0, reasons={"unmade-result"})
def test_a_numpy_array_that_is_returned_is_itself(compile: Compile) -> Any:
    table = numpy.zeros(3, dtype="float32")
    f = compile(lambda x: (np.asarray(table), x + np.asarray(table)))
    out = []
    for _ in range(2):
        one, _ = f(arr(1))
        one += 1
        out.append(table.copy())
    return out
