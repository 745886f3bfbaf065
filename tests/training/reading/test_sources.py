"""Exports of several tables, and what they say of items."""

from tests.training.reading.exports import at, reading, refused, rows


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


def test_an_item_has_its_most_frequent_title_the_median_of_its_last_prices_and_its_category(tmp_path):
    text = (
        "order_id,item_id,time,price,title,category\n1,A,2010-01-01,1.00,OLD  CUP,Kitchen\n2,A,2011-05-01,3.00,RED  CUP ,Kitchen\n"
        "3,A,2011-05-02,3.50,RED CUP,\n4,A,2011-05-03,9.00,damaged,Kitchen\n5,A,2011-05-04,0,?,\n6,A,2011-05-05,0,?,\n7,A,2011-05-06,0,?,\n"
    )
    assert reading(tmp_path / "in", text).products == {"A": {"title": "RED CUP", "category": "Kitchen", "price": 350}}
