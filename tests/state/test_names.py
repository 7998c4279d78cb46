"""The names that code uses, from its bytecode, are the same on every Python."""

import os
import sys
from typing import Any

from dopegraph.state.names import names_used, nested, parameter_names, readable

VALUE = 1


def test_globals_and_attributes_that_are_read() -> None:
    def f(x: Any) -> Any:
        return x.first.second(VALUE)

    names = names_used(f.__code__)
    assert names.globals == {"VALUE"}
    assert names.attributes == {"first", "second"}
    assert not names.stored


def test_attributes_that_are_set_or_deleted() -> None:
    def f(x: Any) -> None:
        x.made = 1
        del x.gone

    names = names_used(f.__code__)
    assert names.attributes == {"made", "gone"}
    assert names.stored == {"made"}
    assert names.loaded == {"gone"}


def test_globals_that_are_set() -> None:
    def f() -> None:
        global VALUE
        VALUE = 2

    assert names_used(f.__code__).globals == {"VALUE"}


def test_dotted_names_are_kept_together() -> None:
    def f() -> Any:
        return os.path.join("a", sys.argv[0])

    assert {("os", "path", "join"), ("sys", "argv")} <= names_used(f.__code__).chains


def test_dotted_names_of_closures_are_kept_together() -> None:
    module = os

    def f() -> Any:
        return module.path.sep

    assert ("module", "path", "sep") in names_used(f.__code__).chains


def test_attributes_of_super() -> None:
    class A:
        def f(self) -> Any:
            return super().other()  # type: ignore[misc]

    assert "other" in names_used(A.f.__code__).attributes


def test_imports_inside_a_function() -> None:
    def f() -> Any:
        import os.path
        from sys import argv

        return os, argv

    names = names_used(f.__code__)
    assert names.imports == {(0, "os.path"), (0, "sys")}
    assert "argv" in names.attributes


def test_relative_imports_have_a_level() -> None:
    code = compile("def f():\n    from ..a import b\n    return b", "<test>", "exec")
    _, inner = nested(code)
    assert names_used(inner).imports == {(2, "a")}


def test_getattr_and_copies_make_names_dynamic() -> None:
    assert names_used((lambda x: getattr(x, "a")).__code__).dynamic  # noqa: B009
    assert names_used((lambda x: x.__dict__).__code__).dynamic
    assert not names_used((lambda x: x.copy().replace("a", "b")).__code__).dynamic


def test_isinstance_tests_types() -> None:
    assert names_used((lambda x: isinstance(x, float)).__code__).tests_types
    assert not names_used((lambda x: float(x)).__code__).tests_types


def test_code_inside_code_is_found() -> None:
    def outer() -> Any:
        return [lambda: VALUE for _ in range(3)]

    assert any("VALUE" in names_used(code).globals for code in nested(outer.__code__))


def test_parameter_names_of_functions_and_methods() -> None:
    class A:
        def method(self, x: Any, y: Any) -> None: ...

    assert parameter_names(A().method, 3) == ["x", "y", "argument_2"]
    assert parameter_names(len, 1) == ["argument_0"]


def test_parameter_names_of_objects_to_call() -> None:
    class Called:
        def __call__(self, image: Any, label: Any) -> None: ...

    class Block:
        def __call__(self, *args: Any) -> None: ...

        def forward(self, image: Any) -> None: ...

    class Loaded:
        inputs = ["data", "label"]  # noqa: RUF012

        def __call__(self, *args: Any) -> None: ...

    assert parameter_names(Called(), 2) == ["image", "label"]
    assert parameter_names(Called().__call__, 1) == ["image"]
    assert parameter_names(Block(), 2) == ["image", "argument_1"]
    assert parameter_names(Block().__call__, 1) == ["image"]
    assert parameter_names(Loaded(), 1) == ["data"]
    assert parameter_names(Loaded(), 3) == ["argument_0", "argument_1", "argument_2"]
    assert parameter_names(Called, 1) == ["argument_0"]


def test_places_as_their_owners_would_write_them() -> None:
    assert readable(None) is None
    assert readable("the function.layers[0].weight._data") == "layers[0].weight"
    assert readable("the function.__self__.table['a']") == "table['a']"
    assert readable("params['w']") == "params['w']"
    assert readable("the function.parameters['w1']") == "w1"
    assert readable("net.parameters['w1']") == "net.parameters['w1']"
