"""What we lean on: every package pinned to bytes that are known, under a licence that is known, and none that the lock does not name."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import metadata, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-serve.lock")
PIN = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]*)(\[[\w,-]+\])?==([\w.!+]+)( ; [^\\\n]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n"
)
FREE = re.compile(r"\b(MIT|BSD|Apache|ISC|PSF|MPL|Zlib|CC0|Python Software Foundation|Mozilla Public License)", re.I)
BOUND = re.compile(r"\b[AL]?GPL|GNU (Affero|General|Lesser)|Proprietary|Commercial", re.I)
ELSEWHERE = {"async-timeout", "colorama"}  # of other systems and older Pythons: not installed here
OURS = {"models", "training", "service", "benchmarks", "tests"}
ADDRESS = re.compile(r"://|--(extra-)?index-url|--find-links|^-[if] |git\+", re.M)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins(lock: str) -> set[tuple[str, str]]:
    """Each package of a lock, with its version; one of other Pythons may have several."""
    return {(_name(pin[1]), pin[3]) for pin in PIN.finditer(lock)}


def _name(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def licence(package: str) -> str:
    """What a package says of its licence: the expression, the classifiers, and the first words of the text."""
    told = metadata(package)
    classified = [line for line in told.get_all("Classifier") or [] if line.startswith("License")]
    return " / ".join(filter(None, (told["License-Expression"], *classified, (told["License"] or "")[:200])))


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_an_exact_version_with_its_hashes_and_no_address_is_named(name: str) -> None:
    lock = text(name)
    assert PIN.sub("", lock).strip() == ""
    assert len(pins(lock)) > 20
    assert not ADDRESS.search(lock)


@pytest.mark.parametrize(
    "line", ["flask>=3\n", "flask==3.1.3\n", "flask==3.* \\\n    --hash=sha256:" + "0" * 64 + "\n", "flask\n"]
)
def test_what_is_not_pinned_to_its_bytes_is_found(line: str) -> None:
    assert PIN.sub("", line).strip() != ""


def test_what_serves_is_a_part_of_what_trains() -> None:
    assert pins(text("requirements-serve.lock")) < pins(text("requirements.lock"))


@pytest.mark.parametrize("package", sorted({name for name, _ in pins(text("requirements.lock"))} - ELSEWHERE))
def test_the_licence_of_every_package_is_known_and_binds_nobody(package: str) -> None:
    assert FREE.search(licence(package)), licence(package)
    assert not BOUND.search(licence(package)), licence(package)


def test_all_that_is_imported_is_locked_and_for_the_service_without_training() -> None:
    of_package = packages_distributions()
    for room, lock in (("models", LOCKS[1]), ("service", LOCKS[1]), ("training", LOCKS[0])):
        locked = {name for name, _ in pins(text(lock))}
        for path in (ROOT / room).rglob("*.py"):
            for module in imported(path.read_text(encoding="utf-8")) - OURS - sys.stdlib_module_names:
                assert locked & {_name(package) for package in of_package[module]}, (path, module)


def imported(source: str) -> set[str]:
    """The first names of all modules that are imported to be run; what only types are checked with is not."""
    tree = ast.parse(source)
    typed = {id(node) for block in ast.walk(tree) if _types_only(block) for node in ast.walk(block)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and id(node) not in typed:
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and id(node) not in typed:
            found.add(node.module.split(".")[0])
    return found


def _types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def test_no_file_names_where_packages_come_from() -> None:
    for name in ("Makefile", "Dockerfile", "compose.yaml", "pyproject.toml", "docs/ops.md"):
        assert not re.search(r"index-url|find-links|pypi\.org|trusted-host", text(name)), name


def test_the_audit_that_operators_are_told_of_is_of_files_that_there_are() -> None:
    written = re.findall(r"^pip-audit .*?-r (\S+)", text("docs/ops.md"), re.M)
    assert set(written) == set(LOCKS)
