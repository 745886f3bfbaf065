"""Whatever lies in the folder of the history: it is read, every row kept or refused, or a message says what is wrong with it."""

import os
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import InputError
from tests.training.reading.exports import reading

CASES = int(os.environ.get("VALET_FUZZ", "25"))
ODD = (
    *(
        "a",
        "1",
        "-1",
        "2011-12-01",
        "2011-12-01T10:00:00+07:00",
        "12/1/2010 8:26",
        "",
        "NULL",
        "nan",
        "1e999",
        "9" * 40,
    ),
    *('"', '"x', "\0", "รองเท้า", "1,5", "-0", "0x1", "True", "17850.0", "postage", "view_item", "purchase"),
)
CELLS = st.sampled_from(ODD) | st.text(max_size=6)
HEADERS = st.sampled_from(
    ("item_id", "customer_id", "time", "quantity", "price", "event", "order_id", "x", "", "item_id")
)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=5).map(",".join), max_size=6)
TABLES = st.tuples(st.lists(HEADERS, min_size=1, max_size=5).map(",".join), ROWS).map(
    lambda table: "\n".join((table[0], *table[1])).encode("utf-8", "replace")
)


@settings(
    max_examples=CASES, deadline=None, database=None, derandomize=CASES <= 50, suppress_health_check=list(HealthCheck)
)
@given(
    TABLES | st.binary(max_size=200),
    st.sampled_from(("{}.csv", "{}.tsv", "{}.jsonl", "{}.csv.gz", "{}.parquet", "{}.xlsx")),
)
def test_no_file_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    folder = tmp_path_factory.mktemp("history")
    with suppress(InputError):
        reading(folder, content, name=name)
