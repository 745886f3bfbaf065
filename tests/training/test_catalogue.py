"""The catalogue and the customers' attributes are read from what shops have, and make the catalogue that answers carry."""

import orjson
import pytest

from models.errors import InputError
from models.vocabulary import Vocabulary
from training.catalogue import build_catalogue, read_table

CSV = (
    "id,title,price,link,image_link,availability,color,product type,stock,adult,material\n"
    '0012,Black dress,"1,290.00 THB",/p/12,/i/12.jpg,in stock,black,dress,3,no,cotton\n'
    "DR-2,ชุดเดรส สีแดง,990 THB,/p/2,,out of stock,red,dress,0,,\n"
)
FEED = """<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0"><channel>
<item><g:id>0012</g:id><title>Black dress</title><g:price>1290.00 THB</g:price><link>/p/12</link>
<g:product_type>Women &gt; Dresses</g:product_type><g:availability>in_stock</g:availability></item></channel></rss>"""


def table(tmp_path, content: str, name: str = "items.csv", **options) -> list[dict]:
    (tmp_path / name).write_text(content, encoding="utf-8")
    return read_table(str(tmp_path / name), **options)


def test_an_item_has_the_contracts_fields_and_keeps_the_rest_as_attributes(tmp_path):
    first, second = table(tmp_path, CSV)
    assert first == {
        "item_id": "0012", "title": "Black dress", "price": 129000, "currency": "THB", "url": "/p/12", "image_url": "/i/12.jpg",
        "available": True, "colour": "black", "product_type": "dress", "stock": 3, "adult": False, "attributes": {"material": "cotton"},
    }  # fmt: skip
    assert (second["title"], second["available"], second["stock"], "image_url" in second) == (
        "ชุดเดรส สีแดง",
        False,
        0,
        False,
    )


def test_a_merchant_feed_in_xml_says_the_same_and_its_product_type_is_the_category(tmp_path):
    (item,) = table(tmp_path, FEED, "feed.xml")
    assert item == {
        "item_id": "0012", "title": "Black dress", "price": 129000, "currency": "THB", "url": "/p/12",
        "category": "Women > Dresses", "available": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "minor"),
    [("1290", 129000), ("1,290.50", 129050), ("12,50 €", 1250), ("1.234,50 EUR", 123450), ("฿990", 99000), ("0.07", 7)],
)
def test_prices_are_read_as_people_write_them(tmp_path, text, minor):
    assert table(tmp_path, f'item_id,price\nA,"{text}"\n')[0]["price"] == minor


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("item_id,price\nA,1\nB,cheap\n", r"items.csv, row 3, price: 'cheap' is no price. Write it like 1290.00"),
        ("item_id,stock\nA,many\n", r"items.csv, row 2, stock: 'many' is no number"),
        ("colour,weight\nred,2\n", r"items.csv, row 2: no item or customer id among colour, weight"),
        ("", "items.csv: the file is empty"),
        ("<rss><channel><item>", "items.csv: the XML is damaged"),
        ("<rss></rss>", "items.csv: the XML has no <item> or <entry>"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place_and_the_cure(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        table(tmp_path, content)


def test_a_customer_has_her_id_and_the_columns_as_the_file_names_them(tmp_path):
    assert table(tmp_path, "Customer ID,name,city\n17850.0,Ann,\n13047.0,Bob,Bath\n") == [
        {"customer_id": "17850", "name": "Ann"},
        {"customer_id": "13047", "name": "Bob", "city": "Bath"},
    ]


def test_a_chosen_column_overrules_and_a_later_row_of_an_id_replaces_the_earlier(tmp_path):
    rows = table(tmp_path, "id,sku,title\n1,A,Old\n2,A,New\n", columns={"item_id": "sku"})
    assert [(row["item_id"], row["title"]) for row in rows] == [("A", "New")]


def test_the_catalogue_overrules_what_the_history_says_and_answers_carry_known_fields_in_major_units():
    items = Vocabulary.of(["A", "B", "C"])
    products = {"A": {"title": "CUP", "price": 295}, "B": {"title": "DISH"}}
    rows = [{"item_id": "A", "title": "Cup, green", "available": False, "url": "/a", "description": "long"}]
    catalogue = build_catalogue(items, products, rows, currency="GBP")
    assert [orjson.loads(catalogue.json(row)) for row in range(3)] == [
        {"title": "Cup, green", "price": 2.95, "currency": "GBP", "url": "/a"},
        {"title": "DISH"},
        {},
    ]
    assert catalogue.price.tolist() == [295, -1, -1]
    assert catalogue.available.tolist() == [False, True, True]
