"""The registry of reasons: every id that the sources use is in it, every entry is used, the page of them is current."""

import ast
import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from docs.reasons import PAGE, page
from dopegraph.backends.mxnet import library
from dopegraph.backends.mxnet.lowering import WITHOUT_LOWERING
from dopegraph.runtime.reasons import GUARD, NUMPY, PYTHON, REASONS, RECOMPILE, UNFUSED
from tests.differential import arr

ROOT = Path(__file__).parents[2]
REGISTRY = ROOT / "dopegraph/runtime/reasons.py"
# Where the id of a reason stands in a call; a `Guard` gets its from `check`.
CALLS = {
    "escape": 0, "_look": 0, "problem": 0, "Escape": 0, "Unreplayable": 0, "Lacking": 0, "Fallback": 1, "check": 1,
    "Difference": 0, "Recompile": 0,
}  # fmt: skip


def sources() -> Iterator[Path]:
    for folder in ("dopegraph", "backends", "passes"):
        yield from (ROOT / folder).rglob("*.py")


def named(path: Path) -> Iterator[tuple[str, str]]:
    """The ids that a file gives to the calls above, and where."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in CALLS and len(node.args) > CALLS[name]:
                given = node.args[CALLS[name]]
                for constant in ast.walk(given):
                    if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                        yield constant.value, f"{path.name}:{node.lineno} {name}"


def test_every_id_of_the_sources_is_in_the_registry() -> None:
    # `DynamicFloat._look` and others of that name say what looks, not why: those are told by their words.
    unknown = {
        id: where
        for path in sources()
        for id, where in named(path)
        if id not in REASONS and re.fullmatch(r"[a-z]+(-[a-z]+)+|error|dtype", id)
    }
    assert not unknown
    assert {reason for reason, _ in WITHOUT_LOWERING.values()} <= set(REASONS)


def test_escapes_problems_and_causes_name_nothing_but_ids() -> None:
    for path in sources():
        for id, where in named(path):
            if where.rpartition(" ")[2] in ("escape", "problem", "Escape", "Unreplayable", "Lacking"):
                assert id in REASONS, where


def test_every_entry_of_the_registry_is_used() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources() if path != REGISTRY)
    assert [id for id in REASONS if f'"{id}"' not in text] == []


def test_every_entry_says_what_it_means_and_what_to_change() -> None:
    for reason in REASONS.values():
        assert reason.meaning.endswith("."), reason.id
        assert reason.hint and not reason.hint.endswith("."), reason.id
        assert "|" not in reason.meaning + reason.hint  # it is a table
    assert {reason.kind for reason in REASONS.values()} == {GUARD, PYTHON, NUMPY, UNFUSED, RECOMPILE}


def test_the_page_lists_every_reason() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [id for id in REASONS if f"| `{id}` |" not in text] == []


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m docs.reasons`"


def test_explain_gives_the_reasons_as_data() -> None:
    def f(x: np.ndarray, n: int) -> np.ndarray:
        return x * float(x.sum()) * n

    compiled = dopegraph.compile(f)
    compiled(arr(1), 1)
    explanation = dopegraph.explain(compiled)(arr(1), 2)
    look, again = explanation.reasons
    assert (look.id, look.kind, look.hint) == ("value-escape", PYTHON, REASONS["value-escape"].hint)
    assert look.location is not None and "float(x.sum())" in look.location.source()
    assert (again.id, again.kind, again.detail) == ("changed-value", RECOMPILE, "argument n: 1 before, 2 now")
    assert again.location is not None and again.location.file == __file__
    assert str(explanation).count("hint: ") == 2
    assert look.hint in str(explanation)
    data = json.loads(json.dumps(explanation.to_dict()))
    assert [reason["id"] for reason in data["reasons"]] == ["value-escape", "changed-value"]
    assert data["replayed"] is False


def test_explain_gives_the_segments() -> None:
    with dopegraph.policy("only_numpy"):
        explanation = dopegraph.explain(lambda x: np.exp(x).sum())(arr(1, 2))
    assert [(one.backend, one.operations) for one in explanation.segments] == [("numpy", {"exp": 1, "sum": 1})]
    assert explanation.reasons == []


@pytest.mark.skipif(not library.installed(), reason="without MXNet there is nothing to fall back from")
def test_explain_gives_the_fallbacks_with_hints() -> None:
    def f(x: np.ndarray) -> np.ndarray:
        return np.exp(np.sort(np.exp(x)))

    explanation = dopegraph.explain(f)(arr(3, 1, 2))
    (reason,) = explanation.reasons
    assert (reason.id, reason.kind) == ("no-operator", NUMPY)
    assert reason.detail.startswith("sort, ")
    assert explanation.fallbacks[0].hint == reason.hint
    assert [one.backend for one in explanation.segments] == ["mxnet", "numpy", "mxnet"]


def test_explain_of_a_compiled_method_uses_its_cache() -> None:
    class Model:
        def __init__(self) -> None:
            self.w = arr(2)

        @dopegraph.compile
        def run(self, x: np.ndarray) -> np.ndarray:
            return self.w * x

    model = Model()
    model.run(arr(1))
    explanation = dopegraph.explain(model.run)(arr(3))
    assert (explanation.replayed, explanation.result.tolist()) == (True, [6.0])
    assert Model.run.cache_info().replays == 1


@pytest.mark.parametrize(
    "id, function, args",
    [
        ("value-escape", lambda x: x * x.item(), (arr(1),)),
        ("side-effect", lambda x: print(end="") or x * 2, (arr(1),)),
        ("unguarded-state", lambda x, it: x * next(it), (arr(1), iter([1, 2]))),
        ("unsupported-argument", lambda x, s: x * len(s), (arr(1), numpy.array(["a", "b"]))),
        ("python-state", lambda x, log: log.append(1) or x * 2, (arr(1), [])),
        ("unmade-result", lambda x: (x, object()), (arr(1),)),
        ("host-only", lambda x: np.array2string(x) and x * 2, (arr(1),)),
    ],
)
def test_what_runs_as_python_says_so(id: str, function: object, args: tuple) -> None:
    compiled = dopegraph.compile(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = dopegraph.explain(compiled)(*args)
    assert id in {reason.id for reason in found.reasons}
    assert not found.replayed


@pytest.mark.parametrize(
    "id, function, args",
    [
        ("value-branch", lambda x: x * 2 if x.sum() > 0 else x, (arr(1),)),
        ("value-branch", lambda x: x * len(range(int(x.sum()))), (arr(3),)),
        ("float-value", lambda x, rate: x * 2 if rate > 0.1 else x, (arr(1), 0.5)),
        ("host-call", lambda x: np.unique(x) * 2, (arr(1, 2),)),
        ("mask-index", lambda x: x[x > 1], (arr(1, 2),)),
    ],
)
def test_what_is_guarded_says_so(id: str, function: object, args: tuple) -> None:
    found = dopegraph.explain(dopegraph.compile(function))(*args)
    (reason,) = found.reasons
    assert (reason.id, reason.kind) == (id, GUARD)
    assert reason.location is not None and reason.location.file == __file__
    assert found.replayed
