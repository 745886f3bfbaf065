import csv
import json
from pathlib import Path

import duckdb
import pytest

from models.errors import DiskError, InputError
from training.sheet import Sheet

COLUMNS = {"customer_id": "VARCHAR", "rank": "INTEGER", "price": "DOUBLE", "title": "VARCHAR"}
ROWS = [
    {"customer_id": "017", "rank": 1, "price": 1290.5, "title": 'Red "wrap" dress, L\nnew'},
    {"customer_id": "รองเท้า,;'", "rank": 2, "price": None, "title": None},
]


def lines(*rows: dict[str, object]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def read(path: Path) -> list[dict[str, object]]:
    if path.suffix == ".parquet":
        table = duckdb.read_parquet(str(path))
        return [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        {
            **row,
            "rank": int(row["rank"]),
            "price": float(row["price"]) if row["price"] else None,
            "title": row["title"] or None,
        }
        for row in rows
    ]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_what_is_written_is_read_again_and_nothing_else_is_left(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"it's a sheet{suffix}"
    sheet = Sheet(out, COLUMNS, {"bundle": "one"})
    sheet.write(lines(ROWS[0]), last="017", customers=1)
    sheet.write(lines(ROWS[1]), last="z", customers=2)
    assert not out.exists()
    assert sheet.finish() == 2
    assert read(out) == ROWS
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_sheet_of_nobody_is_a_sheet(tmp_path: Path, suffix: str) -> None:
    sheet = Sheet(tmp_path / f"empty{suffix}", COLUMNS, {})
    assert sheet.finish() == 0
    assert read(tmp_path / f"empty{suffix}") == []


def test_a_cut_off_run_goes_on_behind_its_last_whole_chunk(tmp_path: Path) -> None:
    out = tmp_path / "sheet.jsonl"
    cut = Sheet(out, COLUMNS, {"bundle": "one"})
    cut.write(lines(ROWS[0]), last="017", customers=5)
    cut.close()
    part = tmp_path / ".sheet.jsonl.part"
    part.write_bytes(part.read_bytes() + lines(ROWS[1])[:20])  # killed in the middle of a row
    again = Sheet(out, COLUMNS, {"bundle": "one"})
    assert (again.customers, again.last) == (5, "017")
    again.write(lines(ROWS[1]), last="z", customers=1)
    assert again.finish() == 2
    assert read(out) == ROWS


def test_a_run_that_asks_something_else_begins_anew(tmp_path: Path) -> None:
    cut = Sheet(tmp_path / "sheet.csv", COLUMNS, {"bundle": "one"})
    cut.write(lines(ROWS[0]), last="017", customers=5)
    cut.close()
    other = Sheet(tmp_path / "sheet.csv", COLUMNS, {"bundle": "two"})
    assert (other.customers, other.last) == (0, None)
    assert other.finish() == 0


def test_the_old_sheet_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "sheet.csv"
    out.write_text("old")
    sheet = Sheet(out, COLUMNS, {})
    sheet.write(lines(*ROWS), last="z", customers=2)
    assert out.read_text() == "old"
    sheet.finish()
    assert read(out) == ROWS


def test_a_suffix_we_cannot_write_and_a_place_we_cannot_write_to_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"sheet\.xlsx.*\.parquet, \.csv, \.jsonl"):
        Sheet(tmp_path / "sheet.xlsx", COLUMNS, {})
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match=r"name another --out"):
        Sheet(tmp_path / "file" / "sheet.csv", COLUMNS, {})
