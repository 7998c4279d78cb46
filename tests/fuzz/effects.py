"""Statements of random programs that reach beyond the function: state, printing, settings, other libraries."""

from __future__ import annotations

from tests.fuzz.scope import Name
from tests.fuzz.statements import Body, statement


def _any_of(body: Body, *templates: str) -> None:
    body.line(body.fill(body.random.choice(templates), 1))


@statement("global arrays", 4)
def rebind_global(body: Body) -> bool | None:
    name = body.scope.pick("V", "M")
    outside = [one for one in body.scope.of("V", "M") if one.binding in ("global", "nonlocal")]
    if name is None or not outside:
        return False
    target = body.random.choice(outside)
    form = body.random.random()
    if form < 0.7:
        body.assign(target, f"{target.text} * 0.5 + {body.expression(target.kind, 1)}")
    elif form < 0.85:
        body.assign(target, body.scope.leaf(target.kind))
    else:
        other = body.random.choice([one for one in outside if one.kind == target.kind])
        body.declared[target.text], body.declared[other.text] = target.binding or "", other.binding or ""
        body.line(f"{target.text}, {other.text} = {other.text}, {target.text}")
    return None


@statement("counter", 3)
def counter(body: Body) -> bool | None:
    name = body.scope.assignable("i", "f")
    if name is None:
        return False
    body.assign(name, body.random.choice(["1", "1", "2"]), "+=" if name.kind == "i" or body.draws.chance(0.5) else "*=")
    return None


@statement("flags", 3)
def flag(body: Body) -> bool | None:
    name = body.scope.assignable("b")
    if name is None:
        return False
    body.assign(name, body.random.choice([f"not {name.text}", "True", "False", body.expression("b", 1)]))
    return None


@statement("log", 3)
def log(body: Body) -> None:
    _any_of(body, "LOG.append({V})", "LOG.append({i})", "LOG.append(float({S}))", "LOG.append(({i}, {V}))",
    "LOG.clear()",
            "LOG.extend([{V}, {S}])", "LOG[:] = [{V}]", "LOG.append(len(LOG))", "LOG.append({b})")  # fmt: skip


@statement("attributes", 5)
def attributes(body: Body) -> bool | None:
    model = body.scope.pick("model")
    if model is None:
        return False
    m = model.text
    _any_of(body, f"{m}.w = {{V}}", f"{m}.w = {m}.w * 0.9 + {{V}}", f"{m}.w += {{V}}", f"{m}.w[0] = {{S}}",
            f"{m}.last = {{V}}", f"{m}.child.w = {m}.w", f"{m}.child.w[1:] *= {{f}}", f"setattr({m}, 'w', {{V}})",
            f"{m}.m = {{M}}", f"{m}.child.ready = True", f"{m}.w = {m}.doubled({{V}})",
            f"{m}.w = {m}.doubled({m}.half)",
            f"{m}.parts['x'] = {{V}}", f"{m}.cache = ({{V}}, {{V}})", f"{m}.__dict__['w'] = {{V}}",
            f"{m}.w, {m}.child.w = {m}.child.w, {m}.w")  # fmt: skip
    return None


@statement("attribute counters", 3)
def attribute_counters(body: Body) -> bool | None:
    model = body.scope.pick("model")
    if model is None:
        return False
    m = model.text
    _any_of(body, f"{m}.t += 1", f"{m}.t += 1", f"{m}.history.append({{V}})", f"{m}.scale *= 0.5", f"{m}.t = {{i}}",
            f"{m}.history.append({m}.t)", f"{m}.child.ready = not {m}.child.ready", f"{m}.scale = {{f}}",
            "Model.total += 1", "Model.shared = {V}", f"{m}.parts.setdefault('y', {{V}})")  # fmt: skip
    return None


@statement("state containers", 4)
def containers(body: Body) -> bool | None:
    if not body.scope.of("list", "dict"):
        return False
    _any_of(body, "ITEMS[0] = {V}", "ITEMS[0], ITEMS[1] = ITEMS[1], ITEMS[0]", "ITEMS[-1] += {V}", "ITEMS[0][1:] = {f}",
            "TABLE['a'] = {V}", "TABLE['b'] = TABLE['a']", "TABLE['a'] *= {f}", "TABLE['b'][...] = {V}",
            "ITEMS.reverse()", "ITEMS.append(ITEMS.pop(0))", "TABLE.update(a={V})", "TABLE['new'] = {V}",
            "ITEMS[:] = [{V}, ITEMS[0]]", "TABLE['a'], ITEMS[0] = ITEMS[0], TABLE['a']", "ITEMS[0] = W")  # fmt: skip
    return None


@statement("print", 2)
def print_(body: Body) -> None:
    _any_of(body, "print({V})", "print('value', float({S}), {i})", "print('{:.2f} {}'.format(float({S}), {i}))",
    "print(repr({M}))",
            "print('here')", "print({i}, {b}, {f})", "print({V}.shape, {V}.dtype)")  # fmt: skip


@statement("text", 1)
def text(body: Body) -> None:
    body.declared["TEXT"] = "global"
    _any_of(body, "TEXT = '{}'.format({i})", "TEXT = str({V}.shape)", "TEXT = '%.1f' % float({S})",
    "TEXT = '-'.join(sorted(TABLE))",
            "TEXT = TEXT + 'a'", "TEXT = str({f})")  # fmt: skip


@statement("walrus", 1)
def walrus(body: Body) -> None:
    name = body.draws.fresh("v")
    body.new("V", f"({name} := {body.expression('V', 1)}) * 2")
    body.scope.add(name, "V")


@statement("context manager", 2)
def context(body: Body) -> bool | None:
    if body.depth > 2:
        return False
    form = body.random.choice(["scaled", "contextlib.suppress(Problem, IndexError)", "only", "dopegraph.train_mode()"])
    name = body.draws.fresh("k")
    if form == "scaled":
        with body.block(f"with scaled({body.expression('f', 0)}) as {name}:"):
            body.scope.add(name, "f")
            body.scope.add("SCALE[0]", "f", None)
            body.statements(2)
    elif form == "only":
        with body.block("with dopegraph.policy('only_numpy'):"):
            body.statements(1)
    elif form.startswith("dopegraph"):
        with body.block(f"with {form}:"):
            body.scope.add("dopegraph.is_training()", "b", None)
            body.statements(1)
            body.new("V", body.fill("{V} * 2 if dopegraph.is_training() else {V}", 0))
    else:
        with body.block(f"with {form}:"):
            body.statements(1)
            body.line(body.fill("{V}[{i} + 2]", 0))
    return None


@statement("training mode", 1)
def training(body: Body) -> None:
    body.new("V", body.fill("{V} * 3 if dopegraph.is_training() else {V} - 1", 0))


@statement("python random", 2)
def python_random(body: Body) -> None:
    body.new("f", body.random.choice(["random.random()", "random.choice([0.5, 1.5])", "random.gauss(0, 1)"]))


@statement("numpy random", 1)
def numpy_random(body: Body) -> None:
    body.new("V", body.fill("{V} * numpy.random.rand()", 0))


@statement("nested compile", 2)
def nested_compile(body: Body) -> bool | None:
    if body.draws.inside_part:
        return False
    template = body.random.choice(
        ["part({V})", "part({V}) + part({V})", "jit(lambda u: u * 2 + {V})({V})", "part({V}, {f})"]
    )
    body.new("V", body.fill(template, 0))
    return None


@statement("iterator", 1)
def iterator(body: Body) -> None:
    body.new("f", "next(STREAM)")


@statement("host arrays", 2)
def host_arrays(body: Body) -> None:
    if body.draws.chance(0.6):
        body.new(
            "V",
            body.fill(
                body.random.choice(["{V} * HOST", "HOST + {V}", "np.array(HOST) * 2", "np.asarray(HOST) + {V}"]), 0
            ),
        )
    else:
        _any_of(body, "HOST[0] = float({S})", "HOST[1] += 1", "HOST[:] *= 0.5", "HOST[:] = numpy.asarray({V})[:1]")


@statement("default arrays", 2)
def default_arrays(body: Body) -> bool | None:
    if not any(name.text == "bag" and name.binding == "local" for name in body.scope.names):
        return False
    _any_of(body, "bag += {V}", "bag[0] = {S}", "bag *= 0.5", "bag[1:] += {f}")
    return None


@statement("records", 1)
def records(body: Body) -> None:
    name = body.draws.fresh("point")
    body.line(body.fill(f"{name} = {body.random.choice(['Point', 'Pair'])}({{V}}, {{S}})", 1))
    body.scope.add(f"{name}.x", "V", None)
    body.scope.add(f"{name}.y", "S", None)


@statement("record state", 2)
def record_state(body: Body) -> None:
    _any_of(
        body,
        "POINT.x = {V}",
        "POINT.x += {V}",
        "POINT.y = POINT.y + {S}",
        "POINT.x[0] = {f}",
        "POINT.x, POINT.y = {V}, {S}",
    )


@statement("delete", 1)
def delete(body: Body) -> bool | None:
    if body.depth or body.loops:
        return False
    found = [one for one in body.scope.of("V", "S", "M") if one.binding == "local" and one.text[-1].isdigit()]
    if not found:
        return False
    gone: Name = body.random.choice(found)
    body.line(f"del {gone.text}")
    body.scope.names = [one for one in body.scope.names if one.text != gone.text]
    return None
