"""Every row of a history is kept or refused, and what is kept is what was bought."""

import gzip
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import openpyxl
import orjson
import pytest

from models.errors import InputError
from models.settings import HistorySettings, Shop
from training.history import EVENTS, NO_TIME
from training.read import Reading, read

NOW = int(datetime(2012, 1, 1, tzinfo=UTC).timestamp())
DATA = os.environ.get("VALET_DATA", "")
RETAIL = Path(DATA) / "online_retail"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def reading(folder: Path, *files: str | bytes, name: str = "{}.csv", **options) -> Reading:
    """The files' contents, read as history files in a folder of their own."""
    folder.mkdir(exist_ok=True)
    for number, content in enumerate(files):
        (folder / name.format(number)).write_bytes(content.encode() if isinstance(content, str) else content)
    settings = HistorySettings(day_first=options.pop("day_first", False))
    given = {"columns": {}, "settings": settings, "shop": Shop(), "now": NOW, "threads": 1}
    found = read([str(folder)] if files else [], **(given | options))
    assert found.counts["rows"] == found.counts["kept"] + found.counts["refused"]
    assert found.counts["kept"] == len(found.history)
    return found


def rows(found: Reading) -> list[tuple[str | None, str, float]]:
    """(customer, item, quantity) of the kept rows, in their order."""
    history = found.history
    who = [history.customers.text(row) if row >= 0 else None for row in history.customer]
    return list(zip(who, history.items.texts(history.item), history.quantity.tolist(), strict=True))


def refused(found: Reading) -> dict[str, int]:
    return {refusal.reason: refusal.count for refusal in found.refusals}


HEAD = "customer_id,item_id,order_id,time,quantity,price\n"
GOOD = HEAD + "ann,A,1,2011-05-01 10:00:00,2,3.50\nbob,B,2,2011-05-02 11:30:00,1,10\n"


# --- what is kept ------------------------------------------------------------------------------------------------------------------------


def test_a_row_becomes_its_customer_item_order_time_quantity_and_money(tmp_path):
    history = reading(tmp_path / "in", GOOD).history
    assert history.customers.texts(history.customer) == ["ann", "bob"]
    assert history.at.tolist() == [at("2011-05-01T10:00:00"), at("2011-05-02T11:30:00")]
    assert history.quantity.tolist() == [2, 1]
    assert history.amount.tolist() == [700, 1000]
    assert history.order.tolist() == [0, 1]
    assert history.event.tolist() == [0, 0]


def test_rows_come_sorted_by_time_customer_order_and_item_however_they_stood(tmp_path):
    body = "b,Z,1,2011-05-02,1,1\na,Y,9,2011-05-02,1,1\na,X,9,2011-05-02,1,1\nz,Q,3,2011-05-01,1,1\n"
    backwards = "\n".join(reversed(body.splitlines())) + "\n"
    one, two = reading(tmp_path / "one", HEAD + body), reading(tmp_path / "two", HEAD + backwards)
    assert rows(one) == rows(two) == [("z", "Q", 1), ("a", "X", 1), ("a", "Y", 1), ("b", "Z", 1)]


FORMATS = {
    "semicolons": ("{}.csv", GOOD.replace(",", ";")),
    "tabs": ("{}.tsv", GOOD.replace(",", "\t")),
    "pipes": ("{}.txt", GOOD.replace(",", "|")),
    "windows line ends": ("{}.csv", GOOD.replace("\n", "\r\n")),
    "byte order mark": ("{}.csv", b"\xef\xbb\xbf" + GOOD.encode()),
    "utf-16": ("{}.csv", GOOD.encode("utf-16")),
    "sep= line": ("{}.csv", "sep=;\n" + GOOD.replace(",", ";")),
    "gzip": ("{}.csv.gz", gzip.compress(GOOD.encode())),
    "no last line end": ("{}.csv", GOOD.rstrip()),
    "columns in another order": (
        "{}.csv",
        "\n".join(",".join(reversed(line.split(","))) for line in GOOD.splitlines()),
    ),
}


@pytest.mark.parametrize(("name", "content"), FORMATS.values(), ids=FORMATS)
def test_text_files_say_the_same_however_they_are_written(tmp_path, name, content):
    assert rows(reading(tmp_path / "in", content, name=name)) == [("ann", "A", 2), ("bob", "B", 1)]


@pytest.mark.parametrize(
    ("name", "copy"),
    [
        ("0.parquet", "COPY t TO '{}'"),
        ("0.csv.zst", "COPY t TO '{}' (FORMAT csv, HEADER, COMPRESSION zstd)"),
        ("0.jsonl", "COPY t TO '{}' (FORMAT json)"),
        ("0.json", "COPY t TO '{}' (FORMAT json, ARRAY true)"),
        ("0.jsonl.zst", "COPY t TO '{}' (FORMAT json, COMPRESSION zstd)"),
    ],
)
def test_parquet_zstd_and_json_say_the_same(tmp_path, name, copy):
    (tmp_path / "in").mkdir()
    (tmp_path / "source.csv").write_text(GOOD)
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE t AS FROM '{tmp_path}/source.csv'")
        con.execute(copy.format(tmp_path / "in" / name))
    found = read([str(tmp_path / "in" / name)], columns={}, settings=HistorySettings(), shop=Shop(), now=NOW, threads=1)
    assert rows(found) == [("ann", "A", 2), ("bob", "B", 1)]
    assert found.history.at.tolist() == reading(tmp_path / "csv", GOOD).history.at.tolist()


def test_every_sheet_of_a_workbook_is_read_with_its_dates_and_whole_numbers(tmp_path):
    workbook = openpyxl.Workbook()
    first, second = workbook.active, workbook.create_sheet("later")
    for sheet, order in ((first, 536365), (second, "C536379")):
        sheet.append(["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"])
        sheet.append([order, 71053, -6 if order == "C536379" else 8, datetime(2010, 12, 1, 8, 26), 3.39, 17850.0])  # noqa: DTZ001
    workbook.save(tmp_path / "book.xlsx")
    found = read([str(tmp_path / "book.xlsx")], columns={}, settings=HistorySettings(), shop=Shop(), now=NOW, threads=1)
    assert rows(found) == [("17850", "71053", 2)]
    assert found.history.at.tolist() == [at("2010-12-01T08:26:00")]
    assert [file.path.rpartition(", ")[2] for file in found.files] == ["sheet Sheet", "sheet later"]


def test_files_with_different_spellings_are_read_in_one_run(tmp_path):
    older = (
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID\n1,A,Cup,1,2010-01-01 10:00:00,2,17850\n"
    )
    newer = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n2,A,Cup,1,2011-01-01 10:00:00,2,17850.0\n"
    found = reading(tmp_path / "in", older, newer)
    assert rows(found) == [("17850", "A", 1), ("17850", "A", 1)]
    assert [file.export for file in found.files] == ["UCI Online Retail II", "UCI Online Retail"]


def test_a_glob_a_folder_and_a_file_name_a_file_once(tmp_path):
    reading(tmp_path / "in", GOOD)
    paths = [str(tmp_path / "in"), str(tmp_path / "in" / "*.csv"), str(tmp_path / "in" / "0.csv")]
    found = read(paths, columns={}, settings=HistorySettings(), shop=Shop(), now=NOW, threads=1)
    assert found.counts["rows"] == 2


def test_json_with_nested_lines_counts_each_line_and_the_events_without_any(tmp_path):
    events = [
        {"event_name": "purchase", "event_timestamp": 1304244000000000, "user_pseudo_id": "u1", "ecommerce": {"transaction_id": "T1"},
         "items": [{"item_id": "A", "price": 2.5, "quantity": 2}, {"item_id": "B", "price": 1, "quantity": 1}]},
        {"event_name": "session_start", "event_timestamp": 1304244000000000, "user_pseudo_id": "u1", "items": []},
        {"event_name": "view_item", "event_timestamp": 1304243000000000, "user_pseudo_id": "u1", "items": [{"item_id": "A", "price": 0}]},
    ]  # fmt: skip
    found = reading(tmp_path / "in", "\n".join(orjson.dumps(event).decode() for event in events), name="{}.jsonl")
    assert rows(found) == [("u1", "A", 1), ("u1", "A", 2), ("u1", "B", 1)]
    assert [EVENTS[code] for code in found.history.event] == ["view_item", "purchase", "purchase"]
    assert found.history.at.tolist()[1] == at("2011-05-01T10:00:00")
    assert refused(found) == {"missing item": 1}


def test_rows_without_a_customer_still_teach_what_goes_together(tmp_path):
    found = reading(tmp_path / "in", HEAD + "nan,A,1,2011-05-01,1,1\n,B,1,2011-05-01,1,1\nNULL,C,2,2011-05-01,1,1\n")
    assert rows(found) == [(None, "A", 1), (None, "B", 1), (None, "C", 1)]
    assert found.history.order.tolist() == [0, 0, 1]
    assert len(found.history.customers) == 0


def test_without_orders_what_a_customer_buys_in_one_day_of_the_shop_is_a_basket(tmp_path):
    text = "customer_id,item_id,time\na,A,2011-05-01 16:30:00Z\na,B,2011-05-01 18:00:00Z\na,C,2011-05-02 10:00:00Z\nb,A,2011-05-02 10:00:00Z\n"
    bangkok = reading(
        tmp_path / "in", text, shop=Shop(time_zone="Asia/Bangkok")
    ).history  # 23:30, 01:00 and 17:00 the next day
    assert bangkok.order.tolist() == [0, 1, 1, 2]


def test_files_without_times_have_none(tmp_path):
    found = reading(tmp_path / "in", "user,item\n3,7\n3,8\n")
    assert found.history.at.tolist() == [NO_TIME, NO_TIME]
    assert not found.history.has_times
    assert found.history.order.tolist() == [-1, -1]


def test_listed_items_are_items_though_nobody_bought_them_and_refused_ids_are_not(tmp_path):
    found = reading(tmp_path / "in", GOOD + "eve,NOBODY,3,someday,1,1\n", extra_items=["Z", "A", "new 🧦"])
    assert found.history.items.texts(range(len(found.history.items))) == ["A", "B", "Z", "new 🧦"]
    assert found.history.customers.texts(range(len(found.history.customers))) == ["ann", "bob"]
    assert set(found.products) == {"A", "B", "Z", "new 🧦"}


# --- ids ---------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (["17850.0", "13047.0"], ["17850", "13047"]),
        (["17850.0", "13047"], ["17850", "13047"]),
        (["17850.0", "A7"], ["17850.0", "A7"]),
        (["17850.5", "13047.0"], ["17850.5", "13047.0"]),
        (["007", "0012"], ["007", "0012"]),
        (["1.10", "1.1"], ["1.10", "1.1"]),
    ],
)
def test_ids_lose_their_point_zero_only_where_the_whole_column_is_whole_numbers(tmp_path, written, read_as):
    body = "".join(f"{customer},A,{number},2011-05-0{number + 1},1,1\n" for number, customer in enumerate(written))
    assert [row[0] for row in rows(reading(tmp_path / "in", HEAD + body))] == read_as


STRANGE = [
    "with space",
    "a/b\\c",
    "ชุดเดรส สีดำ",
    "👗🧵",
    'it\'s "quoted"',
    "x" * 1000,
    "a,b",
    "line\nbreak",
    "%20?&#",
    "85123a",
    "85123A",
    " lead",
    "NA",
    "<b>",
]


@pytest.mark.parametrize("item_id", STRANGE, ids=range(len(STRANGE)))
def test_strange_ids_survive_csv_and_json(tmp_path, item_id):
    quoted = '"' + item_id.replace('"', '""') + '"'
    assert rows(reading(tmp_path / "csv", f"customer_id,item_id\n{quoted},{quoted}\n")) == [(item_id, item_id, 1)]
    line = orjson.dumps({"customer_id": item_id, "item_id": item_id})
    assert rows(reading(tmp_path / "json", line, name="{}.jsonl")) == [(item_id, item_id, 1)]


def test_a_file_from_windows_is_read_in_its_encoding_even_if_that_shows_late(tmp_path):
    plain = "".join(f"ann,A{number},{number},2011-05-01,1,1\n" for number in range(20_000))
    found = reading(tmp_path / "in", (HEAD + plain + "josé,5€ cup,x,2011-05-02,1,1\n").encode("cp1252"))
    assert rows(found)[-1] == ("josé", "5€ cup", 1)
    assert found.counts["refused"] == 0


# --- times and numbers -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2010-12-01 08:26:00", "2010-12-01T08:26:00"),
        ("2010-12-01T08:26:00Z", "2010-12-01T08:26:00"),
        ("2010-12-01T08:26:00+07:00", "2010-12-01T01:26:00"),
        ("2010-12-01 08:26:00 -0500", "2010-12-01T13:26:00"),
        ("2010-12-01 08:26:00 UTC", "2010-12-01T08:26:00"),
        ("2010-12-01T08:26-05", "2010-12-01T13:26:00"),
        ("2010-12-01", "2010-12-01T00:00:00"),
        ("20101201", "2010-12-01T00:00:00"),
        ("20101201082600", "2010-12-01T08:26:00"),
        ("1291191960", "2010-12-01T08:26:00"),
        ("1291191960000", "2010-12-01T08:26:00"),
        ("1291191960000000", "2010-12-01T08:26:00"),
        ("40513.3513888889", "2010-12-01T08:26:00"),
        ("12/1/2010 8:26", "2010-12-01T08:26:00"),
        ("12/1/2010 8:26 PM", "2010-12-01T20:26:00"),
        ("01.12.2010 08:26", "2010-12-01T08:26:00"),
        ("1 Dec 2010 08:26", "2010-12-01T08:26:00"),
        ("Dec 01, 2010", "2010-12-01T00:00:00"),
        ("Wed, 01 Dec 2010 08:26:00 +0000", "2010-12-01T08:26:00"),
        ("12/01/10", "2010-12-01T00:00:00"),
    ],
)
def test_times_are_read_as_people_write_them(tmp_path, written, meant):
    found = reading(tmp_path / "in", f'customer_id,item_id,time\na,A,"{written}"\n')
    assert found.history.at.tolist() == [at(meant)]


@pytest.mark.parametrize(
    ("day_first", "times", "meant"),
    [
        (False, ["03/04/2011"], ["2011-03-04"]),
        (True, ["03/04/2011"], ["2011-04-03"]),
        (False, ["03/04/2011", "31/12/2010"], ["2010-12-31", "2011-04-03"]),  # the column itself tells
        (True, ["03/04/2011", "12/31/2010"], ["2010-12-31", "2011-03-04"]),
    ],
)
def test_day_and_month_are_told_by_the_column_else_by_the_settings(tmp_path, day_first, times, meant):
    text = "customer_id,item_id,time\n" + "".join(f"a,A,{time}\n" for time in times)
    found = reading(tmp_path / "in", text, day_first=day_first)
    assert found.history.at.tolist() == [at(f"{day}T00:00:00") for day in meant]


@pytest.mark.parametrize(
    "written", ["2010-12-01 08:26:00", "1/12/2010 8:26", "40513.3513888889", "2010-12-01T01:26:00Z"]
)
def test_a_time_without_a_zone_is_the_shops(tmp_path, written):
    shop = Shop(time_zone="Asia/Bangkok")
    found = reading(tmp_path / "in", f"customer_id,item_id,time\na,A,{written}\n", shop=shop, day_first=True)
    assert found.history.at.tolist() == [at("2010-12-01T01:26:00")]


def test_a_date_and_a_clock_time_in_two_columns_are_one_time(tmp_path):
    found = reading(tmp_path / "in", "Date,Time,Transaction,Item\n2016-10-30,09:58:11,1,Bread\n", now=NOW * 2)
    assert found.history.at.tolist() == [at("2016-10-30T09:58:11")]


@pytest.mark.parametrize(
    ("prices", "minor"),
    [
        (["2.55", "3"], [255, 300]),
        (["12,50", "1.234,00"], [1250, 123400]),
        (["12,50", "1.234"], [1250, 123400]),
        (["£12.50", "£1,234.50"], [1250, 123450]),
        (["12.50 EUR", "฿1,290"], [1250, 129000]),
        (["1 234,50", "2"], [123450, 200]),
        (["1,234", "0.5"], [123400, 50]),
    ],
)
def test_prices_are_read_as_people_write_them(tmp_path, prices, minor):
    body = "".join(f'a;A{number};{number};2011-05-01;1;"{price}"\n' for number, price in enumerate(prices))
    assert reading(tmp_path / "in", HEAD.replace(",", ";") + body).history.amount.tolist() == minor


def test_the_money_of_a_line_is_its_price_times_its_quantity_rounded_once(tmp_path):
    assert reading(tmp_path / "in", HEAD + "a,A,1,2011-05-01,1000,0.001\n").history.amount.tolist() == [100]
    totals = "customer_id,item_id,line_total,quantity\na,A,10.00,4\n"
    found = reading(tmp_path / "totals", totals)
    assert found.history.amount.tolist() == [1000]
    assert found.products["A"]["price"] == 250


def test_the_currency_is_the_files_and_a_mixture_is_refused(tmp_path):
    text = "customer_id,item_id,price,currency\na,A,1,thb\na,B,1,THB\n"
    assert reading(tmp_path / "one", text).history.currency == "THB"
    with pytest.raises(InputError, match=r"mixes currencies: THB \(2 rows\), EUR \(1 rows\).*\[shop\] currency"):
        reading(tmp_path / "two", text + "a,C,1,EUR\n")
    chosen = reading(tmp_path / "three", text + "a,C,1,EUR\n", shop=Shop(currency="THB"))
    assert refused(chosen) == {"other currency than the shop's": 1}
    assert str(chosen.refusals[0].examples[0]).endswith("row 4, currency: 'EUR'")


# --- what is refused ---------------------------------------------------------------------------------------------------------------------

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


# --- repeats and overlaps ----------------------------------------------------------------------------------------------------------------

LINE = "ann,A,1,2011-05-01 10:00:00,1,1\n"
OVERLAPS = {
    "a repeat inside a file is real": ([LINE * 2], 2, 0),
    "a repeat across files is an overlap": ([LINE, LINE], 1, 1),
    "the larger multiplicity of the files counts": ([LINE * 3, LINE * 2], 3, 2),
    "whichever file has it": ([LINE, LINE * 3], 3, 1),
    "of three files too": ([LINE, LINE * 2, LINE * 2], 2, 3),
    "missing is missing however it is written": (
        ["nan,A,1,2011-05-01,1,1\n", "NULL,A,1,2011-05-01 00:00:00,1.0,1.00\n"],
        1,
        1,
    ),
    "an order's item counts once though a price changed": ([LINE, "ann,A,1,2011-05-01 10:00:00,1,2\n"], 1, 1),
    "another order is another purchase": ([LINE, LINE.replace(",1,2011", ",2,2011")], 2, 0),
    "without an order: customer, item, day and quantity": (
        ["ann,A,,2011-05-01 09:00:00,1,1\n", "ann,A,,2011-05-01 17:00:00,1,1\n"],
        1,
        1,
    ),
    "another day is another purchase": (["ann,A,,2011-05-01,1,1\n", "ann,A,,2011-05-02,1,1\n"], 2, 0),
    "another quantity is another purchase": (["ann,A,,2011-05-01,1,1\n", "ann,A,,2011-05-01,2,1\n"], 2, 0),
    "with an order in one file and none in the other": ([LINE, "ann,A,,2011-05-01 17:00:00,1,1\n"], 1, 1),
    "but not inside one file": ([LINE + "ann,A,,2011-05-01 17:00:00,1,1\n"], 2, 0),
    "refused rows overlap too": (["ann,A,1,2011-05-01,1,0\n" + LINE, "ann,A,1,2011-05-01,1,0\n"], 1, 1),
}


@pytest.mark.parametrize(("bodies", "kept", "overlap"), OVERLAPS.values(), ids=OVERLAPS)
def test_a_purchase_counts_once_across_files_and_as_often_as_one_file_says(tmp_path, bodies, kept, overlap):
    found = reading(tmp_path / "in", *(HEAD + body for body in bodies))
    assert found.counts["kept"] == kept
    assert refused(found).get("overlap across files", 0) == overlap


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        (["nan,A,1,2011-05-01,1,1\n", "ann,A,1,2011-05-01,1,1\n"], [("ann", "A", 1)]),
        (
            ["ann,A,1,2011-05-01,5,1\n", "ann,A,1,2011-05-01,2,1\nann,A,1,2011-05-01,3,1\n"],
            [("ann", "A", 2), ("ann", "A", 3)],
        ),
    ],
)
def test_of_files_that_say_a_purchase_the_one_that_says_more_counts(tmp_path, bodies, expected):
    assert rows(reading(tmp_path / "in", *(HEAD + body for body in bodies))) == expected


def test_stored_events_count_beside_the_files_but_not_twice(tmp_path):
    bought = {"event": "purchase", "customer_id": "ann", "quantity": 1.0}
    events = [
        bought | {"item_id": "A", "order_id": "1", "time": at("2011-05-01T10:00:05"), "price": 1.0},
        bought | {"item_id": "B", "order_id": "9", "time": "2011-06-01T10:00:00Z", "quantity": 2, "price": 4.5},
        {
            "event": "view_item",
            "customer_id": "eve",
            "item_id": "A",
            "time": at("2011-06-02T10:00:00"),
            "order_id": None,
            "price": None,
        },
    ]
    found = reading(tmp_path / "in", HEAD + LINE, events=iter(events))
    assert rows(found) == [("ann", "A", 1), ("ann", "B", 2), ("eve", "A", 1)]
    assert found.history.amount.tolist() == [100, 900, 0]
    assert [EVENTS[code] for code in found.history.event] == ["purchase", "purchase", "view_item"]
    assert refused(found) == {"overlap across files": 1}
    alone = reading(tmp_path / "none", events=iter(events))
    assert alone.counts["kept"] == 3


# --- refunds -----------------------------------------------------------------------------------------------------------------------------

BOUGHT = "ann,A,1,2011-05-01,5,2\nann,A,2,2011-05-03,3,2\nbob,A,3,2011-05-04,4,2\n"
REFUNDS = {
    "the latest earlier purchase of that customer and item": ("ann,A,C9,2011-05-05,-3,2\n", [5, 4], 1, 0),
    "in part": ("ann,A,C9,2011-05-05,-1,2\n", [5, 2, 4], 1, 0),
    "and on to the one before": ("ann,A,C9,2011-05-05,-4,2\n", [4, 4], 1, 0),
    "not a later one": ("ann,A,C9,2011-05-02,-1,2\n", [4, 3, 4], 1, 0),
    "of the order it names": ("ann,A,1,2011-05-05,-2,2\n", [3, 3, 4], 1, 0),
    "of the order it names though no customer is known": (",A,3,2011-05-05,-4,2\n", [5, 3], 1, 0),
    "nothing where there is nothing": ("ann,B,C9,2011-05-05,-1,2\n", [5, 3, 4], 0, 1),
    "nothing before the first purchase": ("ann,A,C9,2011-04-01,-1,2\n", [5, 3, 4], 0, 1),
    "never more than was bought": ("ann,A,C9,2011-05-05,-100,2\nann,A,C10,2011-05-06,-1,2\n", [4], 1, 1),
    "as if an earlier refund of more than there was had not been": (
        "ann,A,C8,2011-04-01,-10,2\nann,A,C9,2011-05-05,-1,2\n",
        [5, 2, 4],
        1,
        1,
    ),
    "each refund once": ("ann,A,C9,2011-05-05,-3,2\nann,A,C10,2011-05-06,-2,2\n", [3, 4], 2, 0),
}


@pytest.mark.parametrize(("lines", "left", "matched", "unmatched"), REFUNDS.values(), ids=REFUNDS)
def test_a_refund_takes_back(tmp_path, lines, left, matched, unmatched):
    found = reading(tmp_path / "in", HEAD + BOUGHT + lines)
    assert found.history.quantity.tolist() == left
    assert found.history.amount.tolist() == [200 * quantity for quantity in left]
    assert (found.counts["refunds_matched"], found.counts["refunds_unmatched"]) == (matched, unmatched)
    assert refused(found)["cancellation"] == lines.count("\n")
    assert refused(found).get("purchase taken back by a cancellation", 0) == 3 - len(left)


def test_a_refund_event_takes_its_order_back_in_files_and_stored_events_alike(tmp_path):
    text = "customer_id,item_id,order_id,time,event,quantity\nann,A,1,2011-05-01,purchase,2\nann,B,1,2011-05-01,purchase,1\n"
    refund = {
        "event": "refund",
        "customer_id": "ann",
        "item_id": "A",
        "order_id": "1",
        "time": at("2011-05-09T00:00:00"),
        "quantity": 2,
    }
    by_event = reading(tmp_path / "one", text, events=[refund])
    by_file = reading(tmp_path / "two", text + "ann,A,1,2011-05-09,refund,2\n")
    assert rows(by_event) == rows(by_file) == [("ann", "B", 1)]


@pytest.mark.parametrize(
    ("column", "value"),
    [("status", "Cancelled"), ("Order Status", "refunded"), ("Cancelled at", "2011-05-02"), ("is_returned", "true")],
)
def test_a_line_that_says_it_was_cancelled_is_no_purchase_and_takes_back_no_other_order(tmp_path, column, value):
    text = f"customer_id,item_id,order_id,time,{column}\nann,A,1,2011-05-01,\nann,A,2,2011-05-02,{value}\n"
    found = reading(tmp_path / "in", text)
    assert found.history.at.tolist() == [at("2011-05-01T00:00:00")]
    assert refused(found) == {"cancellation": 1}
    later = f"customer_id,item_id,order_id,time,{column}\nann,A,1,2011-05-01,{value}\n"
    with pytest.raises(
        InputError, match="every row is refused"
    ):  # a newer export of the same order says it was cancelled
        reading(tmp_path / "again", text, later)


# --- exports of several tables -----------------------------------------------------------------------------------------------------------


def test_olist_lines_get_their_customer_time_and_status_from_the_tables_beside_them(tmp_path):
    found = reading(
        tmp_path / "in",
        "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price\no1,1,p1,s,2011-01-09,10.00\no1,2,p2,s,2011-01-09,20.00\n"
        "o2,1,p1,s,2011-01-09,10.00\no3,1,p1,s,2011-01-09,10.00\n",
        "order_id,customer_id,order_status,order_purchase_timestamp\no1,c1,delivered,2011-01-01 10:00:00\n"
        "o2,c2,delivered,2011-01-02 10:00:00\no3,c3,canceled,2011-01-03 10:00:00\n",
        "customer_id,customer_unique_id,customer_city\nc1,ann,sp\nc2,ann,sp\nc3,bob,rj\n",
        "product_id,product_category_name,product_weight_g\np1,perfumery,100\np2,toys,200\n",
    )
    assert rows(found) == [("ann", "p1", 1), ("ann", "p2", 1), ("ann", "p1", 1)]
    assert found.history.at.tolist() == [at("2011-01-01T10:00:00")] * 2 + [at("2011-01-02T10:00:00")]
    assert found.products["p2"] == {"price": 2000, "category": "toys"}
    assert refused(found) == {"cancellation": 1}


def test_shopify_says_the_orders_own_columns_only_in_its_first_line(tmp_path):
    found = reading(
        tmp_path / "in",
        "Name,Email,Financial Status,Currency,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku\n"
        "#1001,ann@example.org,paid,THB,2011-05-01 10:00:00 +0700,1,Black dress,1290.00,DR-1\n#1001,,,,,2,Belt,90.00,\n"
        "#1002,bob@example.org,refunded,THB,2011-05-02 10:00:00 +0700,1,Black dress,1290.00,DR-1\n#1002,,,,,1,Belt,90.00,\n",
    )
    assert rows(found) == [("ann@example.org", "Belt", 2), ("ann@example.org", "DR-1", 1)]
    assert found.history.at.tolist() == [at("2011-05-01T03:00:00")] * 2
    assert found.history.currency == "THB"
    assert refused(found) == {"cancellation": 2}


# --- what the history says of its items --------------------------------------------------------------------------------------------------


def test_an_item_has_its_most_frequent_title_the_median_of_its_last_prices_and_its_category(tmp_path):
    text = (
        "order_id,item_id,time,price,title,category\n1,A,2010-01-01,1.00,OLD  CUP,Kitchen\n2,A,2011-05-01,3.00,RED  CUP ,Kitchen\n"
        "3,A,2011-05-02,3.50,RED CUP,\n4,A,2011-05-03,9.00,damaged,Kitchen\n5,A,2011-05-04,0,?,\n6,A,2011-05-05,0,?,\n7,A,2011-05-06,0,?,\n"
    )
    assert reading(tmp_path / "in", text).products == {"A": {"title": "RED CUP", "category": "Kitchen", "price": 350}}


# --- nothing readable --------------------------------------------------------------------------------------------------------------------

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


# --- real data ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not (DATA and RETAIL.is_dir()), reason=f"{RETAIL} is absent (set VALET_DATA)")
def test_both_years_of_online_retail_are_read_as_they_lie_and_the_nine_days_in_both_count_once():
    found = read([str(RETAIL / "online_retail_*")], columns={}, settings=HistorySettings(), shop=Shop(), now=NOW)
    assert found.counts["rows"] == 525_461 + 541_909 == found.counts["kept"] + found.counts["refused"]
    assert refused(found)["overlap across files"] == 22_523
    assert {"POST", "DOT", "M", "D", "BANK CHARGES", "AMAZONFEE"} <= {line.item_id for line in found.not_products}
    assert found.products["22697"] == {"title": "GREEN REGENCY TEACUP AND SAUCER", "price": 295}
    assert found.history.customers.row("17850") >= 0
    assert found.history.newest == at("2011-12-09T12:50:00")
    assert (found.history.customer == -1).any()
