"""Names and texts as SQL writes them. Every query of the reading is put together from these, never from raw text of a file."""

from __future__ import annotations


def quoted(name: str) -> str:
    """A column's name, safe in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text, safe in SQL."""
    return "'" + text.replace("'", "''") + "'"
