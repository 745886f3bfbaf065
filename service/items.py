"""Items: what the shop puts, changes and takes away since training, row by row, each refused field with its reason.

    PUT     all there is to say of an item         PATCH   some fields; the rest stays, null takes one away         DELETE  shown no more

A document of the store holds an item's change (models.changes); training reads it, too. Rows may come as a Google Merchant feed names them.
"""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import orjson

from models.catalogue import MOST_STOCK
from models.changes import Change
from models.errors import InputError
from models.profile import rfc3339
from models.words import yes
from service.fields import Fields, brief, minor
from service.store import Store

MOST_ROWS = 1_000
MOST_ATTRIBUTE_BYTES = 16_384
TEXTS: Mapping[str, int] = {  # a field -> its most characters
    "group_id": 4_000,
    "title": 1_000,
    "title_th": 1_000,
    "description": 20_000,
    "product_type": 1_000,
    "category": 1_000,
    "colour": 200,
    "brand": 1_000,
    "gender": 100,
}
LINKS = ("url", "image_url")
FIELDS = ("item_id", *TEXTS, *LINKS, "price", "currency", "available", "stock", "adult", "published_at", "attributes")
ALIASES = {  # a feed's names
    "id": "item_id",
    "item_group_id": "group_id",
    "color": "colour",
    "link": "url",
    "image_link": "image_url",
    "availability": "available",
}
KIND, KEY = "name", "store"  # of the document that tells one store from another
WHENEVER = 2**40  # an item may be announced for later


@dataclass(frozen=True)
class Receipt:
    """What became of one row; `errors` are messages by field, of a refused row only."""

    index: int
    status: Literal["accepted", "refused"]
    item_id: str | None
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)


def put(rows: Any, *, store: Store, currency: str | None) -> list[Receipt]:
    """Keep what can be kept; a receipt a row. The last row of an item counts. Raises InputError for what is no list of 1 to 1,000."""
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ROWS:
        raise InputError(f"items must be a list of 1 to {MOST_ROWS} items")
    receipts, documents = [], dict[str, bytes]()
    for index, row in enumerate(rows):
        item_id, fields, errors = _read(row, currency)
        if errors or item_id is None:
            receipts.append(Receipt(index, "refused", item_id, errors))
            continue
        documents[item_id] = dump(Change(fields))
        receipts.append(Receipt(index, "accepted", item_id))
    if documents:
        store.upsert_items(documents)
    return receipts


def patch(
    item_id: str, row: Any, *, known: Mapping[str, Any] | None, store: Store, currency: str | None
) -> dict[str, list[str]] | None:
    """Change some fields; the errors by field, empty where there are none; None where there is no such item.

    known  what the catalogue of the bundle says of the item, None where it does not know it
    """
    said, fields, errors = _read({"item_id": item_id, **row} if isinstance(row, dict) else row, currency)
    if said not in (None, item_id):
        errors = {**errors, "item_id": ["is another than that of the path; leave it out"]}
    if errors:
        return errors
    taken = {name: None for name, value in _named(row).items() if value is None}
    stands = store.change_item(item_id, lambda document: _patched(document, {**fields, **taken}, known))
    return {} if _exists(stands, known) else None


def delete(item_id: str, *, known: Mapping[str, Any] | None, store: Store) -> bool:
    """Take an item away until it is put again; False where there was none."""
    found = False

    def gone(document: bytes | None) -> bytes | None:
        nonlocal found
        found = _exists(document, known)
        return dump(Change({}, whole=False, deleted=True)) if found else None

    store.change_item(item_id, gone)
    return found


def item(item_id: str, *, known: Mapping[str, Any] | None, store: Store | None) -> dict[str, Any] | None:
    """The fields of one item as they stand, the price in minor units; None where there is none."""
    document = None if store is None else store.item(item_id)
    if not _exists(document, known):
        return None
    return {"available": True, **(load(document).over(known or {}) if document else known or {}), "item_id": item_id}


def name(store: Store) -> str:
    """What tells this store from any other; given once, kept in it."""
    fresh = secrets.token_hex(8).encode()
    store.put(KIND, KEY, fresh)
    return (store.get(KIND, KEY) or fresh).decode()


def dump(change: Change) -> bytes:
    """The document of a change."""
    return orjson.dumps(asdict(change))


def load(document: bytes) -> Change:
    """The change in a document."""
    return Change(**orjson.loads(document))


def _exists(document: bytes | None, known: Mapping[str, Any] | None) -> bool:
    if document is None:
        return known is not None
    change = load(document)
    return not change.deleted and (change.whole or known is not None)


def _patched(document: bytes | None, fields: Mapping[str, Any], known: Mapping[str, Any] | None) -> bytes | None:
    """The next document; None, no change, for an item that is not there."""
    if not _exists(document, known):
        return None
    change = Change({}, whole=False) if document is None else load(document)
    said = {**change.fields, **fields}
    if fields.get("attributes") is not None:
        attributes = {**(change.fields.get("attributes") or {}), **fields["attributes"]}
        said["attributes"] = {name: value for name, value in attributes.items() if value is not None}
    return dump(Change(said, whole=change.whole))


# --- a row ------------------------------------------------------------------------------------------------------------------------------


def _read(row: Any, currency: str | None) -> tuple[str | None, dict[str, Any], dict[str, list[str]]]:
    """The id, the fields that are there, and what is wrong."""
    if not isinstance(row, dict):
        return None, {}, {"item_id": [f"{type(row).__name__} is no object; write {{…}}"]}
    read = Fields(_named(row))
    for name in read.row.keys() - set(FIELDS):
        read.wrong(str(name), "is unknown; write what we have no name for under attributes")
    item_id = read.text("item_id")
    if item_id is None and "item_id" not in read.errors:
        read.wrong("item_id", "is missing")
    price = read.money("price")
    at = read.time("published_at", now=WHENEVER)
    fields: dict[str, Any] = {
        **{name: read.text(name, longest=longest) for name, longest in TEXTS.items()},
        **{name: _link(read, name) for name in LINKS},
        "price": None if price is None else minor(price),
        "currency": read.currency(currency),
        "stock": _stock(read),
        "available": _flag(read, "available"),
        "adult": _flag(read, "adult"),
        "published_at": None if at is None else rfc3339(at),
        "attributes": _attributes(read),
    }
    if fields["category"] is not None:
        fields["category"] = " > ".join(part.strip() for part in fields["category"].split(">"))
    return item_id, {name: value for name, value in fields.items() if value is not None}, read.errors


def _named(row: Any) -> dict[str, Any]:
    """The row under our names; a name of ours wins over its alias."""
    if not isinstance(row, dict):
        return {}
    return {ALIASES[name]: value for name, value in row.items() if name in ALIASES} | {
        name: value for name, value in row.items() if name not in ALIASES
    }


def _link(read: Fields, name: str) -> str | None:
    link = read.text(name)
    if link is not None and not re.match(r"(https?://|/)\S*$|[^\s:]+$", link, re.IGNORECASE):
        read.wrong(name, f"{brief(link)} is no address; write https://… or a path like /p/1")
        return None
    return link


def _stock(read: Fields) -> int | None:
    stock = read.number("stock", above=-1, most=MOST_STOCK)
    if stock is not None and stock < 0:
        read.wrong("stock", f"{brief(read.row['stock'])} must be at least 0")
        return None
    return None if stock is None else math.floor(stock)


def _flag(read: Fields, name: str) -> bool | None:
    value = read.row.get(name)
    said = value if value is None or isinstance(value, bool) else yes(str(value))
    if value is not None and said is None:
        read.wrong(name, f"{brief(value)} is neither yes nor no; write true, false, in_stock or out_of_stock")
    return said


def _attributes(read: Fields) -> dict[str, Any] | None:
    attributes = read.row.get("attributes")
    if attributes is None:
        return None
    if not isinstance(attributes, dict) or not all(map(_is_plain, attributes.values())):
        read.wrong("attributes", "must be an object of texts, numbers, true or false, or lists of them")
    elif len(orjson.dumps(attributes)) > MOST_ATTRIBUTE_BYTES:
        read.wrong("attributes", f"hold more than {MOST_ATTRIBUTE_BYTES} bytes")
    else:
        return attributes
    return None


def _is_plain(value: Any) -> bool:
    parts = value if isinstance(value, list) else [value]
    return all(part is None or isinstance(part, str | int | float | bool) for part in parts)
