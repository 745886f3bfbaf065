"""The README is kept true: its commands exist, its tables list what there is, its map names every file."""

import dataclasses
import re
import typing
from importlib.util import find_spec
from pathlib import Path

import pytest

from models.settings import Settings
from service.decisions.shelf import filed
from service.settings import from_environment
from training.settings import parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m ([\w.]+)", README))))
def test_every_module_that_is_run_exists(module):
    assert find_spec(module) is not None


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:^|`)make (\w+)", README, re.M))))
def test_every_make_target_exists(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


def test_the_options_are_those_of_the_command_line():
    written = set(re.findall(r"^\| `(--[\w-]+)", section("Your own shop"), re.M))
    assert written == {
        flag for action in parser()._actions for flag in action.option_strings if flag.startswith("--")
    } - {"--help"}


def keys(cls: type, prefix: str = "") -> set[str]:
    """The dotted keys of a settings dataclass, tables of the shop's own names as NAME."""
    found: set[str] = set()
    for name, hint in typing.get_type_hints(cls).items():
        if dataclasses.is_dataclass(hint):
            found |= keys(hint, f"{prefix}{name}.")
        elif name == "placements":
            found.add("placements.NAME")
        else:
            found.add(f"{prefix}{name.rstrip('_')}")
    return found


def test_the_settings_are_those_of_valet_toml():
    cells = [line.split("|")[1] for line in section("The settings").splitlines() if line.startswith("| `")]
    assert {key for cell in cells for key in re.findall(r"`([\w.]+)`", cell)} == keys(Settings)


@pytest.mark.parametrize(
    "variable", sorted(set(re.findall(r"\bVALET_(?!MODELS_DIR\b)[A-Z]+\b", section("The settings"))))
)
def test_every_variable_of_the_service_is_read(variable):
    assert f'"{variable}"' in (ROOT / "service" / "settings.py").read_text(encoding="utf-8")


def test_the_service_starts_with_no_variable_at_all():
    assert from_environment({}).port == 8000


@pytest.mark.parametrize(
    "room", ["models", "training", "service", "service/lists", "service/decisions", "service/people", "service/workers"]
)
def test_the_map_names_every_file(room):
    table = section("The map of the code").split(f"| `{room}/` |", 1)[1].split("\n\n", 1)[0]
    named = set(re.findall(r"`([\w./]+)`", table))
    files = {path.stem for path in (ROOT / room).glob("*.py")} - {"__init__"}
    folders = {f"{path.parent.name}/" for path in (ROOT / room).glob("*/__init__.py")}
    assert files | folders <= named, sorted((files | folders) - named)
    assert {name for name in named if "." not in name} <= files | folders | {
        f"{room}/",
        "pages/",
        "__init__",
        "create_app",
    }


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_action_of_the_example_is_one_of_ours():
    (action_id,) = set(re.findall(r"--without (\S+)", README))
    assert action_id in {action.id for action in filed(None, Settings()).actions}
