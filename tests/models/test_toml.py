"""TOML into dataclasses: what the settings and actions tests do not show."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import pytest

from models.errors import InputError
from models.toml import build


@dataclass(frozen=True)
class Leaf:
    class_: Literal["a", "b"] = "a"
    since: datetime | None = None


@dataclass(frozen=True)
class Branch:
    name: str
    leaves: tuple[Leaf, ...] = ()


@dataclass(frozen=True)
class Tree:
    branches: tuple[Branch, ...] = ()


WHOLE = """
[[branches]]
name = "low"

[[branches.leaves]]
class = "b"
since = 2026-11-20

[[branches]]
name = "high"

[[branches.leaves]]

[[branches.leaves]]
since = 2026-11-20T07:00:00+07:00
"""


def test_reads_tables_in_tables():
    low, high = build(Tree, WHOLE, "x.toml").branches
    assert low.leaves == (Leaf("b", datetime(2026, 11, 20, tzinfo=UTC)),)
    assert high.leaves[1].since == datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('class = "b"', 'class = "c"', "x.toml, line 6: branches.0.leaves.0.class: 'c' is none of a, b"),
        ("2026-11-20T07:00:00+07:00", '"today"', "x.toml, line 15: branches.1.leaves.1.since: 'today' is not a time"),
        ('name = "high"', "name = 3", "x.toml, line 10: branches.1.name: 3 is not a str"),
        ('name = "high"', "", "x.toml, line 9: branches.1: name is missing"),
        (
            'name = "high"',
            'name = "x"\ncolour = 1',
            "x.toml, line 11: branches.1.colour: unknown; known here: leaves, name",
        ),
    ],
)
def test_an_error_in_a_list_of_tables_names_the_line_of_that_table(old, new, says):
    with pytest.raises(InputError, match=re.escape(says)):
        build(Tree, WHOLE.replace(old, new), "x.toml")


@pytest.mark.parametrize("text", ["a = " + "[" * 5_000 + "]" * 5_000, "a = " + "{ a = " * 5_000])
def test_what_is_nested_too_deep_to_be_read_is_an_error_that_names_the_file(text):
    with pytest.raises(InputError, match=r"^shop\.toml: .* too deep"):
        build(Tree, text, "shop.toml")
