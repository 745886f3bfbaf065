"""Every row of a history is kept or refused, and what is kept is what was bought."""

import gzip
import os
from datetime import datetime
from pathlib import Path

import duckdb
import openpyxl
import orjson
import pytest

from models.settings import HistorySettings, Shop
from tests.training.reading.exports import GOOD, HEAD, NOW, at, reading, refused, rows
from training.history import EVENTS, NO_TIME
from training.read import read

DATA = os.environ.get("VALET_DATA", "")
RETAIL = Path(DATA) / "online_retail"


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
