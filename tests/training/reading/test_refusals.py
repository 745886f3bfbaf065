"""What is refused has a reason, a count and examples; files of no use are named with the cure."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.errors import InputError
from models.settings import HistorySettings, Shop
from tests.training.reading.exports import GOOD, HEAD, NOW, reading, rows
from training.read import read

REFUSED = {
    "ann,,1,2011-05-01,1,1": ("missing item", "item_id", ""),
    "ann,NULL,1,2011-05-01,1,1": ("missing item", "item_id", ""),
    ",A,,2011-05-01,1,1": ("neither customer nor order", "", ""),
    "ann,A,1,yesterday,1,1": ("unparsable time", "time", "yesterday"),
    "ann,A,1,2011-02-31,1,1": ("unparsable time", "time", "2011-02-31"),
    "ann,A,1,,1,1": ("no time, where other rows have one", "time", ""),
    "ann,A,1,2011-05-01,two,1": ("unparsable number: quantity", "quantity", "two"),
    "ann,A,1,2011-05-01,1,free": ("unparsable number: price", "price", "free"),
    "ann,A,1,2011-05-01,1,inf": ("unparsable number: price", "price", "inf"),
    "ann,A,1,2011-05-01,1,1e300": ("unparsable number: price", "price", "1e300"),
    "ann,A,1,2011-05-01,1,0": ("negative or zero price", "price", "0"),
    "ann,A,1,2011-05-01,1,-2.5": ("negative or zero price", "price", "-2.5"),
    "ann,A,1,2011-05-01,0,1": ("zero quantity", "quantity", "0"),
    "ann,A,1,2012-01-03,1,1": ("later than the clock and a day", "time", "2012-01-03"),
    "ann,POST,1,2011-05-01,1,1": ("not a product", "item_id", "POST"),
    "ann,A,1,2011-05-01,1,1,surplus": ("unreadable line", "", "too many columns"),
}


@pytest.mark.parametrize(("line", "expected"), REFUSED.items(), ids=REFUSED)
def test_a_row_is_refused_for_a_reason_with_its_place_and_value(tmp_path, line, expected):
    found = reading(tmp_path / "in", GOOD + line + "\n")
    (refusal,) = found.refusals
    (example,) = refusal.examples
    assert (refusal.reason, example.column, example.value) == expected
    assert (Path(example.file).name, example.row) == ("0.csv", 4)
    assert found.counts["kept"] == 2


def test_a_day_ahead_of_the_clock_is_allowed_and_missing_numbers_are_not_wrong_ones(tmp_path):
    found = reading(tmp_path / "in", HEAD + "ann,A,1,2012-01-01 23:00:00,nan,NULL\n")
    assert rows(found) == [("ann", "A", 1)]
    assert found.history.amount.tolist() == [0]


def test_a_refusal_is_counted_in_full_and_shows_three_examples_without_customers(tmp_path):
    body = "".join(f"secret{number},A,{number},never,1,1\n" for number in range(9))
    (refusal,) = reading(tmp_path / "in", GOOD + body).refusals
    assert refusal.count == 9
    assert [example.row for example in refusal.examples] == [4, 5, 6]
    assert "secret" not in repr(refusal)


def test_lines_that_are_no_products_are_listed_unless_the_catalogue_has_them(tmp_path):
    text = "customer_id,item_id,title,price\na,A,Cup,1\na,POST,POSTAGE,18\na,POST,POSTAGE,-18\nb,23444,Next Day Carriage,15\nb,m,Manual,0\n"
    found = reading(tmp_path / "in", text)
    assert [(line.item_id, line.title, line.rows) for line in found.not_products] == [
        ("POST", "POSTAGE", 2), ("23444", "Next Day Carriage", 1), ("m", "Manual", 1),
    ]  # fmt: skip
    assert rows(found) == [("a", "A", 1)]
    listed = reading(tmp_path / "again", text, extra_items=["23444"])
    assert ("b", "23444", 1) in rows(listed)


UNREADABLE = {
    "empty": ("", r"0.csv: the file is empty"),
    "blank": ("\n\n  \n", r"0.csv: the file is empty"),
    "only a header": (HEAD, r"0.csv: there is a header but no row below it"),
    "no item column": (
        "customer_id,colour,time\na,b,2011-05-01\n",
        "no column for item_id among 'customer_id', 'colour', 'time'. Name it with --columns item_id=HEADER",
    ),
    "no buyer": ("item_id,time\na,2011-05-01\n", r"0.csv: no column for customer_id or order_id"),
    "no header": (
        "17850,85123A,2011-05-01\n17851,71053,2011-05-01\n",
        r"the first line looks like data.*'17850', '85123A', '2011-05-01'.*Put a line with",
    ),
    "every row refused": (
        HEAD + "a,A,1,never,1,1\n",
        r"every row is refused. unparsable time: 1 rows, as .*0.csv, row 2, time: 'never'.*--columns",
    ),
    "garbage": (bytes(range(256)) * 40, r"0.csv: is neither text nor Parquet nor Excel"),
    "garbage in a header": (b"\x01\x02\x03a,b\n1,2\n", r"0.csv: the first line .* is not text"),
}


@pytest.mark.parametrize(("content", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_of_no_use_is_named_with_the_cure(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        reading(tmp_path / "in", content)


PACKED = gzip.compress(
    ("customer_id,item_id\n" + "".join(f"{os.urandom(8).hex()},A\n" for _ in range(40_000))).encode()
)
BROKEN = {
    "0.csv.gz": (PACKED[: len(PACKED) // 2], "0.csv.gz: (cannot be read|the gzip file is damaged)"),
    "1.csv.gz": (b"customer_id,item_id\na,b\n", r"1.csv.gz: is not packed as its name says \(.gz\)"),
    "2.parquet": (b"PAR1" + b"x" * 100, "2.parquet: the Parquet file is damaged"),
    "3.xlsx": (b"PK\x03\x04" + b"x" * 100, "3.xlsx: is no workbook that can be read"),
    "4.jsonl": (b'["a", "b"]\n', "4.jsonl: the JSON holds no objects"),
    "5.csv.zst": (b"\x28\xb5\x2f\xfd" + b"x" * 100, "5.csv.zst: the zstd file is damaged"),
}


@pytest.mark.parametrize(("name", "broken"), BROKEN.items(), ids=BROKEN)
def test_a_broken_file_is_named(tmp_path, name, broken):
    (tmp_path / name).write_bytes(broken[0])
    with pytest.raises(InputError, match=broken[1]):
        read([str(tmp_path / name)], columns={}, settings=HistorySettings(), shop=Shop(), now=NOW, threads=1)


def test_paths_that_name_nothing_are_errors(tmp_path):
    (tmp_path / "README").write_text("nothing here")
    for path, message in (
        (tmp_path, "holds no CSV"),
        (tmp_path / "gone.csv", "no such file"),
        (tmp_path / "*.csv", "no such file"),
    ):
        with pytest.raises(InputError, match=message):
            read([str(path)], columns={}, settings=HistorySettings(), shop=Shop(), now=NOW)


def test_a_chosen_column_that_no_file_has_is_an_error_that_shows_the_headers(tmp_path):
    with pytest.raises(
        InputError, match=r"no column 'SKU', which --columns item_id=SKU names. Its columns: 'customer_id'"
    ):
        reading(tmp_path / "in", GOOD, columns={"item_id": "SKU"})
    chosen = reading(tmp_path / "two", "wer,was\nann,A\n", columns={"customer_id": "wer", "item_id": "was"})
    assert rows(chosen) == [("ann", "A", 1)]


def test_a_full_disk_is_no_fault_of_the_file(tmp_path):
    (tmp_path / "in.csv").write_text(HEAD + "".join(f"c{n},i{n},{n},2011-05-01,1,1\n" for n in range(100_000)))
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "from training.read import read; from models.settings import HistorySettings, Shop\n"
        f"read(['{tmp_path}/in.csv'], columns={{}}, settings=HistorySettings(), shop=Shop(), now={NOW})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert "DiskError: reading needs more room" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
