"""Columns are known by their headers, and by `--columns` where the headers do not tell."""

import pytest

from models.errors import InputError
from training.reading.columns import plain, recognise

EXPORTS = [
    (
        "UCI Online Retail",
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
        {
            "order_id": "InvoiceNo",
            "item_id": "StockCode",
            "customer_id": "CustomerID",
            "time": "InvoiceDate",
            "price": "UnitPrice",
            "title": "Description",
        },
    ),
    (
        "UCI Online Retail II",
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country",
        {
            "order_id": "Invoice",
            "item_id": "StockCode",
            "customer_id": "Customer ID",
            "price": "Price",
            "quantity": "Quantity",
        },
    ),
    (
        "GA4",
        "event_timestamp,event_name,user_id,user_pseudo_id,ecommerce.transaction_id,items.item_id,items.price,items.quantity",
        {
            "time": "event_timestamp",
            "event": "event_name",
            "item_id": "items.item_id",
            "order_id": "ecommerce.transaction_id",
            "price": "items.price",
        },
    ),
    (
        "Shopify orders",
        "Name,Email,Subtotal,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Cancelled at",
        {
            "order_id": "Name",
            "customer_id": "Email",
            "time": "Created at",
            "quantity": "Lineitem quantity",
            "price": "Lineitem price",
            "title": "Lineitem name",
        },
    ),
    (
        "WooCommerce orders",
        "Order Number,Order Status,Order Date,Email (Billing),SKU,Item Name,Quantity,Item Cost",
        {
            "order_id": "Order Number",
            "status": "Order Status",
            "time": "Order Date",
            "customer_id": "Email (Billing)",
            "price": "Item Cost",
        },
    ),
    (
        "Amazon Personalize interactions",
        "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE",
        {"customer_id": "USER_ID", "item_id": "ITEM_ID", "time": "TIMESTAMP", "event": "EVENT_TYPE"},
    ),
    (
        "Olist order items",
        "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value",
        {"order_id": "order_id", "item_id": "product_id", "price": "price"},
    ),
    (
        "Instacart order products",
        "order_id,product_id,add_to_cart_order,reordered",
        {"order_id": "order_id", "item_id": "product_id"},
    ),
    (
        "H&M transactions",
        "t_dat,customer_id,article_id,price,sales_channel_id",
        {"time": "t_dat", "customer_id": "customer_id", "item_id": "article_id", "price": "price"},
    ),
]


@pytest.mark.parametrize(("name", "headers", "expected"), EXPORTS, ids=[export[0] for export in EXPORTS])
def test_knows_the_exports_of_well_known_systems(name, headers, expected):
    columns = recognise(headers.split(","), {})
    assert columns.export is not None
    assert columns.export.name == name
    assert {field: columns.fields[field][0] for field in expected} == expected
    assert columns.role == "lines"


def test_shopify_and_ga4_name_a_second_choice_where_the_first_is_empty():
    shopify = recognise(
        ["Name", "Email", "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem sku"], {}
    )
    assert shopify.fields["item_id"] == ("Lineitem sku", "Lineitem name")
    ga4 = recognise(["event_name", "event_timestamp", "user_id", "user_pseudo_id", "item_id"], {})
    assert ga4.fields["customer_id"] == ("user_id", "user_pseudo_id")


@pytest.mark.parametrize(
    ("headers", "role"),
    [
        ("order_id,customer_id,order_status,order_purchase_timestamp", "orders"),
        ("customer_id,customer_unique_id,customer_city", "people"),
        ("product_id,product_name,aisle_id,department_id", "products"),
        ("article_id,product_code,prod_name,product_type_name,product_group_name", "products"),
        ("customer_id,item_id", "lines"),
        ("order_id,item_id", "lines"),
        ("city,population", "unused"),
    ],
)
def test_a_table_has_the_part_that_its_columns_allow(headers, role):
    assert recognise(headers.split(","), {}).role == role


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            "รหัสลูกค้า,รหัสสินค้า,วันที่,จำนวน,ราคา",
            {"customer_id": "รหัสลูกค้า", "item_id": "รหัสสินค้า", "time": "วันที่", "quantity": "จำนวน", "price": "ราคา"},
        ),
        (
            "Kundennummer;Artikelnummer;Datum;Menge;Preis",
            {"customer_id": "Kundennummer", "item_id": "Artikelnummer", "time": "Datum", "price": "Preis"},
        ),
        ("product_id,product,user", {"item_id": "product_id", "title": "product", "customer_id": "user"}),
        ("Date,Time,Transaction,Item", {"time": "Date", "order_id": "Transaction", "item_id": "Item"}),
        ("USER ID,Product-ID,Time", {"customer_id": "USER ID", "item_id": "Product-ID", "time": "Time"}),
    ],
)
def test_headers_are_compared_without_case_spaces_and_signs_in_any_language(headers, expected):
    fields = recognise(headers.replace(";", ",").split(","), {}).fields
    assert {name: fields[name][0] for name in expected} == expected


def test_a_clock_time_beside_a_date_is_its_time_of_day():
    assert recognise(["Date", "Time", "Transaction", "Item"], {}).time_of_day == "Time"
    assert recognise(["time", "order_id", "item_id"], {}).time_of_day is None


def test_a_chosen_column_overrules_and_is_not_used_twice():
    columns = recognise(["user_id", "item_id", "sku", "time"], {"item_id": "sku", "customer_id": "USER_ID"})
    assert columns.fields["item_id"] == ("sku",)
    assert columns.fields["customer_id"] == ("user_id",)
    swapped = recognise(["item_id", "user_id", "other"], {"customer_id": "item_id", "item_id": "other"})
    assert swapped.fields["customer_id"] == ("item_id",)


def test_a_chosen_column_that_a_table_lacks_is_recognised_there():
    assert recognise(["InvoiceNo", "StockCode"], {"order_id": "Invoice"}).fields["order_id"] == ("InvoiceNo",)


def test_an_unknown_field_is_an_error_that_lists_the_known_ones():
    with pytest.raises(InputError, match=r"no field 'sku'; known: item_id, customer_id"):
        recognise(["a"], {"sku": "a"})


def test_plain_keeps_the_marks_that_belong_to_letters():
    assert plain("Customer ID") == plain("customer_id") == "customerid"
    assert plain("วันที่") != plain("วนท")
