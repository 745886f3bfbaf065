"""What went back was not bought."""

import pytest

from models.errors import InputError
from tests.training.reading.exports import HEAD, at, reading, refused, rows

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
