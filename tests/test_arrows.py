"""The arrows of the code: training → models ← service. Checked on the imports as written, with negative controls."""

import ast
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("models", "training", "service", "benchmarks")
PRIVATE = {  # a package -> the only places that may import it
    "flask": ("service/__init__.py", "service/http/", "benchmarks/serving/bare.py"),
    "flask_smorest": ("service/__init__.py", "service/http/"),
    "marshmallow": ("service/__init__.py", "service/http/"),
    "redis": ("service/store/", "benchmarks/"),
    "sqlite3": ("service/store/", "benchmarks/"),
    "implicit": ("training/fit/", "benchmarks/"),
    "cel": ("models/rules.py",),
    "scipy": ("training/", "benchmarks/"),
    "duckdb": ("training/", "benchmarks/"),
    "sklearn": ("training/", "benchmarks/"),
    "matplotlib": ("training/", "benchmarks/"),
}
USE_CASES = tuple(
    f"service.{name}"
    for name in (
        "store",
        "lists",
        "decisions",
        "people",
        "event_forms",
        "events",
        "fields",
        "items",
        "overlay",
        "retention",
        "settings",
        "signing",
    )
)
MAY_SERVE = (
    "training/material.py",
    "training/run.py",
    "training/people.py",
    "training/rights.py",
    "training/archive.py",
    "training/drained.py",
    "training/imports.py",
    "training/crowd.py",
    "training/picks.py",
    "training/segments.py",
    "training/audiences.py",
    "training/recast.py",
    "training/rehearsal.py",
    "training/simulate.py",
    "training/decision_log.py",
    "training/decision_report.py",
    "training/off_policy.py",
)


# Rooms that do not know of each other: what is recommended, and what is decided.
APART = (("service/lists/", "service.decisions"), ("service/decisions/", "service.lists"))


def imports(source: str) -> set[str]:
    """The modules that a source imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def offences(path: str, source: str) -> list[str]:
    """What a file imports against the rules."""
    found = imports(source)
    room = path.split("/", maxsplit=1)[0]
    wrong = [name for name in found if not _may(room, path, name)]
    wrong += [
        f"{name} outside {places}"
        for name, places in PRIVATE.items()
        if _package(found, name) and not path.startswith(places)
    ]
    wrong += [package for place, package in APART if path.startswith(place) and _package(found, package)]
    return sorted(wrong)


def _may(room: str, path: str, name: str) -> bool:
    top = name.split(".", maxsplit=1)[0]
    if top not in OURS or top == room:
        return not (
            path.startswith("service/store/")
            and top == "service"
            and not name.startswith("service.store")
            and name != "service"
        )
    if room == "benchmarks" or top == "models":
        return True
    return room == "training" and path in MAY_SERVE and (name == "service" or name.startswith(USE_CASES))


def _package(found: set[str], name: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for module in found)


FILES = sorted(path.relative_to(ROOT).as_posix() for room in OURS for path in (ROOT / room).rglob("*.py"))


def leans_on(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Module -> those of the modules that it imports, of what stands in a module that module alone; where only types need it, too."""
    found = {name: imports(source) for name, source in sources.items()}
    return {
        name: {one for one in names & sources.keys() if one != name and not _within(one, names, sources)}
        for name, names in found.items()
    }


def _within(package: str, names: set[str], sources: Mapping[str, str]) -> bool:
    """Whether a package is named only because a module in it is imported from it."""
    return any(one.startswith(f"{package}.") and one in sources for one in names)


@pytest.mark.parametrize("path", FILES)
def test_every_file_keeps_to_its_room(path):
    assert offences(path, (ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("service/lists/recommend.py", "from training.read import read"),
        ("models/factors.py", "import service.store"),
        ("models/factors.py", "import scipy.sparse"),
        ("service/decisions/decide.py", "from flask import g"),
        ("service/decisions/decide.py", "def f():\n    import redis"),
        ("service/store/sqlite/events.py", "from service.lists.recommend import recommend"),
        ("training/evaluate.py", "from implicit.als import AlternatingLeastSquares"),
        ("training/evaluate.py", "from service.store import open_store"),
        ("training/run.py", "from service.http import problems"),
        ("service/lists/recommend.py", "import cel"),
        ("service/lists/recommend.py", "from service.decisions.ledger import load"),
        ("service/decisions/decide.py", "from service.lists import recommend"),
    ],
)
def test_the_check_finds_what_is_forbidden(path, source):
    assert offences(path, source) != []


def test_models_never_do_io_but_in_bundle():
    forbidden = {"os", "pathlib", "socket", "sqlite3", "urllib.request", "time"}
    for path in (ROOT / "models").rglob("*.py"):
        if path.parent.name != "bundle":
            assert not imports(path.read_text(encoding="utf-8")) & forbidden, path


def test_no_file_leans_on_one_that_leans_on_it():
    sources = {
        path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): (ROOT / path).read_text(encoding="utf-8")
        for path in FILES
    }
    TopologicalSorter(leans_on(sources)).prepare()  # raises CycleError, which names the circle


def test_the_check_finds_a_circle():
    sources = {"a.b": "from a.c import x", "a.c": "def f():\n    from a import d", "a.d": "from a.b import y"}
    with pytest.raises(CycleError):
        TopologicalSorter(leans_on(sources)).prepare()


def test_no_test_leans_on_another_test():
    for path in (ROOT / "tests").rglob("*.py"):
        assert not {name for name in imports(path.read_text(encoding="utf-8")) if ".test_" in name}, path
