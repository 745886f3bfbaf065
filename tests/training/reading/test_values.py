"""Ids, times, numbers and money are read as people write them."""

import orjson
import pytest

from models.errors import InputError
from models.settings import Shop
from tests.training.reading.exports import HEAD, NOW, at, reading, refused, rows


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
