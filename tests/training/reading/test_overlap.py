"""What several files, or the store and the files, both say counts once."""

import pytest

from tests.training.reading.exports import HEAD, at, reading, refused, rows
from training.history import EVENTS

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
