"""Parquet and JSON as tables: structures are reached by path, the lines of an order are unfolded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from models.errors import InputError
from training.reading.sql import literal, quoted
from training.reading.table import Table, described, exactly

# Nested lists with one element a line of the order
LISTS = ("items", "line_items", "lineitems", "products", "ecommerce.items")


def parquet_table(con: duckdb.DuckDBPyConnection, path: Path) -> Table:
    scan = f"read_parquet({exactly(path)}, binary_as_string=true, file_row_number=true)"
    relation = described(con, scan, path, "the Parquet file is damaged")
    names = [name for name in relation.columns if name != "file_row_number"]
    return _nested(path, scan, dict(zip(relation.columns, relation.types, strict=True)), names, ordered=True)


def json_table(con: duckdb.DuckDBPyConnection, path: Path, packed: str) -> Table:
    """JSON lines or one JSON array. Scalars come as text: `0012` and UUIDs stay as they are written."""
    common = f"{exactly(path)}, compression={literal(packed)}, ignore_errors=true, maximum_object_size=67108864"
    detect = f"read_json({common}, sample_size=200000, map_inference_threshold=-1, field_appearance_threshold=0)"
    try:
        relation = described(con, detect, path, "the lines are no JSON objects")
    except InputError:
        array = detect.replace("ignore_errors=true", "ignore_errors=false")  # one array cannot skip its errors
        relation, common = (
            described(con, array, path, "the JSON is damaged"),
            common.replace("ignore_errors=true", "ignore_errors=false"),
        )
    if relation.columns == ["json"]:
        raise InputError(f"{path}: the JSON holds no objects with named fields. Write one object a line.")
    kinds = {name: _text_type(kind) for name, kind in zip(relation.columns, relation.types, strict=True)}
    declared = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in kinds.items())
    return _nested(
        path,
        f"read_json({common}, columns={{{declared}}})",
        dict(zip(relation.columns, relation.types, strict=True)),
        list(kinds),
    )


def _text_type(kind: Any) -> str:
    """A type with its structure, and VARCHAR for every scalar in it."""
    if kind.id == "struct":
        return "STRUCT(" + ", ".join(f"{quoted(name)} {_text_type(part)}" for name, part in kind.children) + ")"
    if kind.id in ("list", "array"):
        return f"{_text_type(kind.children[0][1])}[]"
    return "VARCHAR"


def _nested(path: Path, scan: str, kinds: Mapping[str, Any], names: Sequence[str], *, ordered: bool = False) -> Table:
    """A table of possibly nested columns: structures are reached by path, the list of an order's lines is unfolded."""
    columns: dict[str, str] = {}
    types: dict[str, str] = {}
    unfold: list[tuple[str, str]] = []

    def add(header: str, expression: str, kind: Any, depth: int) -> None:
        if kind.id == "struct" and depth < 3:
            for name, part in kind.children:
                add(f"{header}.{name}", f"{expression}.{quoted(name)}", part, depth + 1)
        elif kind.id == "list" and header.lower() in LISTS and kind.children[0][1].id == "struct" and not unfold:
            unfold.append((header, expression))
            for name, part in kind.children[0][1].children:
                add(f"{header}.{name}", f"line_of_order.{quoted(name)}", part, depth + 1)
        elif kind.id not in ("struct", "list", "map", "array"):
            columns[header], types[header] = expression, "VARCHAR" if not ordered else str(kind)

    for name in names:
        add(name, f"scanned.{quoted(name)}", kinds[name], 0)
    scan = f"{scan} AS scanned"
    if unfold:  # a record without lines stays one row, so that it is counted
        lines = f"CASE WHEN len({unfold[0][1]}) > 0 THEN {unfold[0][1]} ELSE [NULL] END"
        scan = f"{scan}, LATERAL (SELECT unnest({lines}) AS line_of_order) AS unfolded"
    return Table(str(path), scan, columns, types, ordered=ordered)
