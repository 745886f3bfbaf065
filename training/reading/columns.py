"""Which column of a file says what: recognised by header, overruled by `--columns field=name`.

A header is compared without case, spaces and signs (`Customer ID`, `customer_id` and `CustomerID` are one); a nested one by its path
(`items.item_id`), then by its last part. The exports of well-known systems are known by the headers that only they have.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from models.errors import InputError

Role = Literal["lines", "orders", "people", "products", "unused"]

# Our field -> the headers it goes by, the surest first.
_NAMES: Mapping[str, str] = {
    "item_id": (
        "itemid productid sku stockcode articleid productcode itemcode articlenumber articleno itemno itemnumber productno variantid "
        "productsku itemsku lineitemsku asin parentasin ean gtin upc barcode plu materialno movieid bookid item product article "
        "รหัสสินค้า artikelnummer artikelnr produktid idproducto codigoproducto codearticle"
    ),
    "customer_id": (
        "customerid userid customer custid customerno customernumber clientid memberid shopperid buyerid visitorid userpseudoid user uid "
        "client member buyer accountid loyaltyid cardid cardno cardnumber householdkey hshdnum customeremail email phone "
        "รหัสลูกค้า kundennummer kundennr idcliente clienteid codigocliente"
    ),
    "order_id": (
        "orderid invoiceno invoice invoiceid invoicenumber ordernumber orderno transactionid transactionno txnid basketid receiptid "
        "receiptno receiptnumber ticketid ticketno billno billid saleid order transaction basket receipt ticket "
        "เลขที่คำสั่งซื้อ เลขที่ใบเสร็จ bestellnummer rechnungsnummer belegnummer belegnr sessionid"
    ),
    "time": (
        "time timestamp eventtimestamp eventtime datetime orderpurchasetimestamp orderedat createdat placedat invoicedate orderdate "
        "purchasedate transactiondate saledate purchasetime ordertime datecreated createdon creationdate tdat txndate ts date eventdate "
        "วันที่ datum bestelldatum rechnungsdatum belegdatum kaufdatum fecha"
    ),
    "event": "event eventtype eventname interactiontype behavior behaviour behaviortype action",
    "quantity": "quantity qty units pieces itemquantity lineitemquantity orderqty salesqty จำนวน menge anzahl cantidad",
    "price": "unitprice price itemprice saleprice lineitemprice priceperunit pricepaid ราคา einzelpreis preis precio",
    "amount": (
        "linetotal lineamount itemrevenue lineitemtotal extendedprice salesvalue salesamount totalprice revenue amount sales ยอดรวม betrag"
    ),
    "currency": "currency currencycode priceunit สกุลเงิน waehrung währung",
    "status": "orderstatus status financialstatus สถานะ",
    "cancelled": "cancelledat canceledat cancelled canceled iscancelled iscanceled returned isreturned refunded isrefunded",
    "title": (
        "title description productname producttitle itemname itemtitle productdescription itemdescription lineitemname prodname "
        "articlename ชื่อสินค้า bezeichnung artikelbezeichnung product item article"
    ),
    "title_th": "titleth nameth productnameth",
    "category": (
        "category categorypath productcategory itemcategory productcategoryname categoryname department departmentname categoryl1 genre "
        "genres หมวดหมู่ kategorie categoria"
    ),
    "brand": "brand itembrand brandname manufacturer vendor ยี่ห้อ แบรนด์ marke",
    "product_type": "producttype producttypename itemtype",
    "colour": "colour color colourgroupname itemcolor สี farbe",
    "person_id": "customeruniqueid",
}
ALIASES: Mapping[str, tuple[str, ...]] = {name: tuple(headers.split()) for name, headers in _NAMES.items()}
DESCRIPTIVE = ("title", "title_th", "category", "brand", "product_type", "colour")  # what a line may say about its item


@dataclass(frozen=True)
class Export:
    """The export of a well-known system: the headers that give it away, and what the aliases would not find or find wrongly.

    columns           our field -> headers, the first that has a value counts
    cancelled_prefix  an order id that begins so is a cancellation
    header_rows_only  only the first line of an order carries the order's own columns
    """

    name: str
    headers: frozenset[str]
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cancelled_prefix: str | None = None
    header_rows_only: bool = False


EXPORTS = (
    Export(
        "UCI Online Retail", frozenset({"InvoiceNo", "StockCode", "InvoiceDate", "UnitPrice"}), cancelled_prefix="C"
    ),
    Export("UCI Online Retail II", frozenset({"Invoice", "StockCode", "InvoiceDate", "Price"}), cancelled_prefix="C"),
    Export(
        "GA4",
        frozenset({"event_name", "event_timestamp", "user_pseudo_id"}),
        {"customer_id": ("user_id", "user_pseudo_id"), "time": ("event_timestamp",), "event": ("event_name",)},
    ),
    Export(
        "Shopify orders",
        frozenset({"Name", "Lineitem name", "Lineitem quantity", "Lineitem price"}),
        {
            "order_id": ("Name",),
            "item_id": ("Lineitem sku", "Lineitem name"),
            "title": ("Lineitem name",),
            "customer_id": ("Customer ID", "Email"),
            "time": ("Created at",),
            "status": ("Financial Status",),
            "cancelled": ("Cancelled at",),
            "brand": ("Vendor",),
            "amount": (),
        },
        header_rows_only=True,
    ),
    Export(
        "WooCommerce orders",
        frozenset({"Order Number", "Order Status", "Item Name", "Item Cost"}),
        {
            "item_id": ("SKU", "Item Name"),
            "title": ("Item Name",),
            "customer_id": ("Customer User ID", "Email (Billing)"),
            "price": ("Item Cost",),
            "quantity": ("Quantity", "Quantity (- Refund)"),
            "amount": (),
        },
    ),
    Export(
        "WooCommerce order lines",
        frozenset({"order_id", "product_id", "product_qty", "product_net_revenue"}),
        {"quantity": ("product_qty",), "amount": ("product_net_revenue",), "time": ("date_created",)},
    ),
    Export("Amazon Personalize interactions", frozenset({"USER_ID", "ITEM_ID", "TIMESTAMP"})),
    Export("Olist order items", frozenset({"order_id", "order_item_id", "product_id", "seller_id"}), {"time": ()}),
    Export(
        "Olist orders",
        frozenset({"order_id", "customer_id", "order_purchase_timestamp"}),
        {"time": ("order_purchase_timestamp",)},
    ),
    Export("Olist customers", frozenset({"customer_id", "customer_unique_id"})),
    Export("Olist products", frozenset({"product_id", "product_category_name"})),
    Export(
        "Instacart order products",
        frozenset({"order_id", "product_id", "add_to_cart_order"}),
        {"item_id": ("product_id",)},
    ),
    Export("Instacart orders", frozenset({"order_id", "user_id", "order_number"}), {"order_id": ("order_id",)}),
    Export("Instacart products", frozenset({"product_id", "product_name", "aisle_id"}), {"item_id": ("product_id",)}),
    Export("H&M transactions", frozenset({"t_dat", "customer_id", "article_id", "price"})),
    Export(
        "H&M articles",
        frozenset({"article_id", "prod_name", "product_type_name"}),
        {"category": ("product_group_name",), "title": ("prod_name",)},
    ),
)


@dataclass(frozen=True)
class Columns:
    """What the columns of one table mean.

    fields       our field -> headers as the file spells them, the first that has a value counts
    time_of_day  the header of a clock time that stands beside the date
    """

    fields: Mapping[str, tuple[str, ...]]
    export: Export | None = None
    time_of_day: str | None = None

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    @property
    def role(self) -> Role:
        """What such a table is good for: lines of purchases, or a companion that tells more of orders, people or products."""
        if "person_id" in self and "customer_id" in self and "item_id" not in self:
            return "people"
        if "item_id" in self:
            return "lines" if "customer_id" in self or "order_id" in self else "products"
        return "orders" if "order_id" in self and ("customer_id" in self or "time" in self) else "unused"

    def __str__(self) -> str:
        said = ", ".join(f"{name}={' or '.join(headers)}" for name, headers in self.fields.items())
        return f"{self.export.name}: {said}" if self.export else said


def recognise(headers: Sequence[str], chosen: Mapping[str, str]) -> Columns:
    """The meaning of a table's headers; `chosen` (field -> header) overrules. A chosen header that the table lacks is left to the aliases.

    Raises InputError when `chosen` names a field that does not exist.
    """
    _check(chosen)
    export = next((export for export in EXPORTS if export.headers <= set(headers)), None)
    fields: dict[str, tuple[str, ...]] = {
        name: (header,) for name, wanted in chosen.items() if (header := _spelt(wanted, headers))
    }
    for name, known in (export.columns if export else {}).items():
        fields.setdefault(name, tuple(header for header in known if header in headers))
    free = [header for header in headers if header not in {used for name in fields for used in fields[name]}]
    for name, aliases in ALIASES.items():
        header = None if name in fields else _first(aliases, free)
        if header:
            fields[name] = (header,)
            free.remove(header)
    clock = (_first(("timeofday", "time"), free) if "time" in fields else None) or _clock(fields, free, chosen)
    return Columns({name: fields[name] for name in ALIASES if fields.get(name)}, export, clock)


def _clock(fields: dict[str, tuple[str, ...]], free: list[str], chosen: Mapping[str, str]) -> str | None:
    """`date` and `time` side by side: the date moves to `time`, the other is its time of day."""
    date = _first(("date", "datum", "orderdate", "invoicedate"), free)
    if "time" in chosen or date is None or [plain(header) for header in fields.get("time", ())] != ["time"]:
        return None
    (clock,) = fields["time"]
    fields["time"] = (date,)
    return clock


def plain(header: str) -> str:
    """A header without case, spaces and signs: letters, digits and the marks that belong to letters (Thai vowels)."""
    return "".join(mark for mark in header.casefold() if unicodedata.category(mark)[0] in "LNM")


def _first(aliases: Sequence[str], headers: Sequence[str]) -> str | None:
    whole = {plain(header): header for header in reversed(headers)}
    last = {plain(header.rsplit(".", 1)[-1]): header for header in reversed(headers)}
    return next((names[alias] for names in (whole, last) for alias in aliases if alias in names), None)


def _spelt(wanted: str, headers: Sequence[str]) -> str | None:
    """The header as the file spells it: exactly so, else without case and signs."""
    return wanted if wanted in headers else next((header for header in headers if plain(header) == plain(wanted)), None)


def _check(chosen: Mapping[str, str]) -> None:
    for name in chosen:
        if name not in ALIASES:
            raise InputError(
                f"--columns {name}={chosen[name]}: there is no field {name!r}; known: {', '.join(ALIASES)}"
            )
