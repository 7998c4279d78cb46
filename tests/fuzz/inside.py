"""Statements of random programs that make functions, containers and derivatives inside the function."""

from __future__ import annotations

from tests.fuzz.scope import Name
from tests.fuzz.statements import REFUSING, Body, statement

# Functions and containers inside -----------------------------------------------------------------------------


@statement("helper", 3)
def call_helper(body: Body) -> bool | None:
    if not body.helpers:
        return False
    helper = body.random.choice(body.helpers)
    arguments = body.random.choice(["{V}", "{V}, {i}", "{V}, k={i}"])
    body.new("V", f"{helper}({body.fill(arguments)})")
    return None


@statement("closure", 2)
def closure(body: Body) -> bool | None:
    if body.depth > 1:
        return False
    name, kept, given = body.draws.fresh("inner"), body.draws.fresh("kept"), body.draws.fresh("v")
    body.new("f", body.expression("f", 0))
    body.line(f"{kept} = {body.expression('V', 1)}")

    def write(inner: Body) -> str:
        inner.statements(body.random.randint(1, 2))
        if inner.draws.chance(0.6):
            inner.assign(Name(kept, "V", "nonlocal"), f"{kept} * 0.5 + {inner.expression('V', 1)}")
        return inner.expression("V", 1)

    body.nested(f"def {name}({given}):", write, [Name(kept, "V", "nonlocal"), Name(given, "V")])
    body.scope.add(kept, "V")
    body.new("V", f"{name}({body.expression('V', 0)}) + {name}({body.expression('V', 0)})")
    return None


@statement("generator", 2)
def generator(body: Body) -> bool | None:
    if body.depth > 1:
        return False
    name, given = body.draws.fresh("parts"), body.draws.fresh("v")

    def write(inner: Body) -> str:
        with inner.block(f"for j in range({body.random.randint(1, 3)}):"):
            inner.one()
            inner.line(f"yield {given} * j")
        return ""

    body.nested(f"def {name}({given}):", write, [Name(given, "V")])
    call = f"{name}({body.expression('V', 0)})"
    body.new(
        "V",
        body.random.choice([f"sum({call})", f"list({call})[-1]", f"next({call})", f"np.stack(list({call})).sum(0)"]),
    )
    return None


@statement("local containers", 3)
def local_containers(body: Body) -> None:
    name = body.draws.fresh("items")
    if body.draws.chance(0.5):
        body.line(f"{name} = [{body.expression('V', 1)}]")
        body.line(body.fill(f"{name}.append({{V}})"))
        if body.draws.chance(0.4):
            body.line(body.fill(f"{name}[0] = {{V}}"))
        body.scope.add(name, "list")
        body.new("V", body.random.choice([f"sum({name})", f"np.stack({name}).mean(axis=0)", f"{name}[-1]"]))
    else:
        body.line(body.fill(name + " = {'a': {V}, 'b': {V}}"))
        body.line(body.fill(name + "['c'] = {V}"))
        body.scope.add(name, "dict")
        body.new("V", body.random.choice([f"{name}['a'] + {name}['c']", f"sum({name}.values())", f"{name}.pop('b')"]))


@statement("recursion", 1)
def recursion(body: Body) -> None:
    body.new("V", body.fill("powers({V}, abs({i}) % 3)", 0))


# Gradients ---------------------------------------------------------------------------------------------------


@statement("gradient", 3)
def gradient(body: Body) -> bool | None:
    if body.depth > 1:
        return False
    name, u = body.draws.fresh("loss"), body.draws.fresh("u")

    def write(inner: Body) -> str:
        inner.line(f"z = {inner.scope.smooth(u)}")
        inner.scope.add("z", "V")
        if inner.draws.has("branch on a value") and inner.draws.chance(0.5):
            with inner.block(f"if {inner.scope.condition()}:"):
                inner.line(f"z = {inner.scope.smooth('z')}")
        if inner.draws.chance(0.3):
            inner.one(without=REFUSING)
        if inner.draws.chance(0.3):
            inner.line(inner.fill("z[0] = {S}", 0))
        return "(z * z).sum() * 0.5" if inner.draws.chance(0.5) else "z.sum()"

    body.nested(f"def {name}({u}):", write, [Name(u, "V", None)])
    at = body.scope.leaf("V")
    form = body.random.choice(["grad", "grad", "value_and_grad", "second"])
    if form == "second" and body.draws.has("second order"):
        body.draws.used["second order"] += 1
        body.new("V", f"dopegraph.grad(lambda u: (dopegraph.grad({name})(u) * {body.expression('V', 0)}).sum())({at})")
    elif form == "value_and_grad":
        value, slope = body.draws.fresh("s"), body.draws.fresh("v")
        body.line(f"{value}, {slope} = dopegraph.value_and_grad({name})({at})")
        body.scope.add(value, "S")
        body.scope.add(slope, "V")
    else:
        body.new("V", f"dopegraph.grad({name})({at})")
    return None


@statement("training", 2)
def training(body: Body) -> bool | None:
    if body.depth > 1:
        return False
    z = body.draws.fresh("z")
    with body.block("with dopegraph.record():"):
        body.line(body.fill(f"{z} = ((NET({{M}}) - {{V}}) ** 2).sum()", 0))
        if body.draws.chance(0.2):
            body.one(without=REFUSING)
    if body.draws.chance(0.9):
        body.line(f"{z}.backward()")
    body.line(f"TRAINER.step({body.random.choice(['2', '2', '1', '4'])})")
    body.scope.add(z, "S")
    if body.draws.chance(0.3):
        body.new("V", "NET[3].weight.grad().sum(axis=1)")
    return None


@statement("record", 2)
def record(body: Body) -> bool | None:
    if body.depth > 1:
        return False
    leaf = body.random.choice([name.text for name in body.scope.of("V")] or ["np.ones(3)"])
    name = body.new("V", f"{leaf} + 0" if body.draws.chance(0.6) else leaf)
    body.line(f"{name}.attach_grad({body.random.choice(['', '', repr('add')])})")
    z = body.draws.fresh("z")
    with body.block("with dopegraph.record():"):
        body.line(f"{z} = {body.scope.smooth(name)}")
        body.scope.add(z, "V")
        if body.draws.chance(0.4):
            body.one(without=REFUSING)
        if body.draws.has("branch on a value") and body.draws.chance(0.5):
            with body.block(f"if {body.scope.condition()}:"):
                body.line(f"{z} = {z} * 2")
    if body.draws.has("open record") and body.draws.chance(0.5):
        body.draws.used["open record"] += 1
        return None
    body.line(
        body.random.choice([f"{z}.backward()", f"{z}.sum().backward()", f"({z}).backward({body.expression('V', 0)})"])
    )
    body.new("V", f"{name}.grad" if body.draws.chance(0.5) else f"{name}.grad * 1.5")
    return None
