"""The shop's catalogue and customer attributes: tables in the formats of the history, and Google Merchant feeds (TSV, CSV, XML).

read_items(path)       one mapping of the contract's fields an item
read_customers(path)   one mapping an attribute table's customer
build_catalogue(…)     what the history and the catalogue say, as models.catalogue has it
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from models.catalogue import MINOR, Catalogue, body_of, catalogue_of
from models.changes import Change
from models.errors import InputError
from models.vocabulary import Vocabulary
from models.words import yes
from training.reading.columns import plain
from training.reading.files import find
from training.reading.rows import table_rows

_NAMES: Mapping[str, str] = {
    "item_id": "itemid id productid sku stockcode articleid productcode itemcode articlenumber variantid asin รหัสสินค้า",
    "group_id": "groupid itemgroupid parentid parentsku productgroupid handle",
    "title": "title name productname itemname prodname description1 ชื่อสินค้า bezeichnung",
    "title_th": "titleth nameth productnameth",
    "description": "description detaildesc longdescription bodyhtml รายละเอียด beschreibung",
    "product_type": "producttype producttypename type itemtype",
    "category": "category categorypath productcategory productcategoryname categoryname productgroupname googleproductcategory หมวดหมู่",
    "colour": "colour color colourgroupname สี farbe",
    "brand": "brand brandname manufacturer vendor ยี่ห้อ แบรนด์ marke",
    "gender": "gender sex indexgroupname",
    "price": "price unitprice regularprice variantprice ราคา preis",
    "currency": "currency currencycode สกุลเงิน",
    "url": "url link producturl productlink",
    "image_url": "imageurl imagelink image imagesrc picture",
    "available": "available availability instock isavailable",
    "stock": "stock stockquantity inventory inventoryquantity quantity variantinventoryqty onhand",
    "adult": "adult isadult",
    "published_at": "publishedat published createdat releasedate",
}
ALIASES = {name: tuple(headers.split()) for name, headers in _NAMES.items()}
NO_CHANGES: Mapping[str, Change] = {}
CUSTOMER_ID = ("customerid", "userid", "customer", "user", "clientid", "memberid", "รหัสลูกค้า")
_PRICE = re.compile(r"^\s*([A-Z]{3}|[^\d\s.,+-]{0,4})\s*([+-]?[\d.,' \u00a0]*\d)\s*([A-Z]{3}|[^\d\s.,+-]{0,4})\s*$")


def read_table(path: str, columns: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The rows of a catalogue, or of customer attributes: what it is, the header says. Later rows of an id replace earlier ones.

    Items: the contract's fields as text, but `price` in minor units, `stock` a whole number, `available` and `adult` true or false, and
    columns of other names under `attributes`. Customers: `customer_id` and the file's other columns. `columns` is our field -> header.
    Raises InputError for a row without an id, and for a price or a stock that is no number.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, number, row in _rows(path):
        place = f"{name}, row {number}"
        said = _renamed(row, columns or {})
        if "item_id" not in said and (header := _header(CUSTOMER_ID, row)):
            found[row[header]] = {
                "customer_id": row[header],
                **{key: value for key, value in row.items() if key != header},
            }
        elif "item_id" in said:
            found[said["item_id"]] = _typed(said, place)
        else:
            raise InputError(
                f"{place}: no item or customer id among {', '.join(row) or 'its columns'}. Name its column item_id or customer_id."
            )
    return list(found.values())


def _header(aliases: Sequence[str], headers: Iterable[str]) -> str | None:
    by_name = {plain(header): header for header in headers}
    return next((by_name[alias] for alias in aliases if alias in by_name), None)


def build_catalogue(
    items: Vocabulary,
    products: Mapping[str, Mapping[str, Any]],
    catalogue_rows: Iterable[Mapping[str, Any]],
    *,
    changes: Mapping[str, Change] = NO_CHANGES,
    currency: str | None,
) -> Catalogue:
    """The catalogue of `items`: what the history says (`Reading.products`), overruled by what the catalogue says, overruled by what the shop
    told the service (`changes`). Prices are minor units."""
    listed = {row["item_id"]: row for row in catalogue_rows}
    ids = items.texts(range(len(items)))
    known = [{**products.get(item_id, {}), **listed.get(item_id, {})} for item_id in ids]
    fields = [changes[id_].over(said) if id_ in changes else said for id_, said in zip(ids, known, strict=True)]
    return catalogue_of(items, fields, [body_of(said, currency) for said in fields])


def _rows(path: str) -> Iterator[tuple[str, int, dict[str, str]]]:
    """(file, row, header -> text) of everything that a path names; what is missing is left out."""
    for file in find([path]):
        if file.read_bytes()[:512].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
            yield from _feed(file)
        else:
            yield from table_rows(file)


def _feed(file: Path) -> Iterator[tuple[str, int, dict[str, str]]]:
    """The items of an RSS or Atom product feed."""
    number = 0
    try:
        for _, element in ElementTree.iterparse(file):  # noqa: S314 (the shop's own file; expat bounds entities)
            if element.tag.rpartition("}")[2] in ("item", "entry"):
                number += 1
                texts = {child.tag.rpartition("}")[2]: child.text or child.get("href") for child in element}
                yield str(file), number, {name: text.strip() for name, text in texts.items() if text and text.strip()}
                element.clear()
    except ElementTree.ParseError as error:
        raise InputError(f"{file}: the XML is damaged: {error}. Export the feed again.") from error
    if number == 0:
        raise InputError(f"{file}: the XML has no <item> or <entry>. A Google Merchant feed has one a product.")


def _renamed(row: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, Any]:
    """The row under our names; the rest under `attributes`."""
    free = dict(row)
    said: dict[str, Any] = {
        name: free.pop(header) for name, header in columns.items() if name in ALIASES and header in free
    }
    for name, aliases in ALIASES.items():
        if name not in said:
            header = _header(aliases, free)
            if header is not None:
                said[name] = free.pop(header)
    if ">" in said.get("product_type", "") and ">" not in said.get(
        "category", ""
    ):  # a feed's product_type is the shop's category path
        said["category"] = " > ".join(part.strip() for part in said.pop("product_type").split(">"))
    return {**said, "attributes": free} if free else said


def _typed(said: dict[str, Any], place: str) -> dict[str, Any]:
    if "price" in said:
        said["price"], currency = _price(said["price"], place)
        if currency:
            said.setdefault("currency", currency)
    if "stock" in said:
        said["stock"] = _whole(said["stock"], place)
    for name in ("available", "adult"):
        if name in said:
            said[name] = yes(said[name]) is not False
    return said


def _price(text: str, place: str) -> tuple[int, str | None]:
    """Minor units and the currency, of `1,290.00 THB`, `฿1290` or `12,50 €`."""
    found = _PRICE.match(text)
    if found is None:
        raise InputError(f"{place}, price: {text!r} is no price. Write it like 1290.00 or 1290.00 THB.")
    before, digits, after = found.groups()
    bare = re.sub(r"[' \u00a0]", "", digits)
    if re.fullmatch(r"[+-]?[\d.]*,\d{1,2}", bare):
        bare = bare.replace(".", "").replace(",", ".")
    try:
        amount = float(bare.replace(",", ""))
    except ValueError as error:
        raise InputError(f"{place}, price: {text!r} is no price. Write it like 1290.00 or 1290.00 THB.") from error
    return round(amount * MINOR), next((word for word in (before, after) if re.fullmatch("[A-Z]{3}", word)), None)


def _whole(text: str, place: str) -> int:
    try:
        return int(float(text))
    except (ValueError, OverflowError) as error:
        raise InputError(f"{place}, stock: {text!r} is no number. Write the pieces in stock, like 12.") from error
