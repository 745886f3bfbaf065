"""Publishing: the profiles of everybody in a history, from its files to the store.

The history is that of a real shop, or drawn by duckdb, seeded: customers come with geometric numbers of orders of one to five lines over two
years; item numbers and prices are skewed as in shops.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from redis import Redis

from models.profile.document import summary_bytes
from models.settings import HistorySettings, Shop
from service.store import Store
from service.store.open import open_store
from training import people
from training.read import read

LATER = 4_000_000_000  # a clock that every history lies before
SAMPLE = 2_000  # customers whose documents are looked at
DRAWN = """
COPY (
    WITH buyers AS (SELECT i AS customer, 1 + least(floor(-ln(random()) * 1.6), 60)::INT AS orders FROM range({customers}) t(i)),
    baskets AS (
        SELECT customer, row_number() OVER () AS basket, 1640995200 + floor(random() * 63072000)::BIGINT AS moment,
            1 + floor(random() * 5)::INT AS lines
        FROM buyers, range(60) t(n) WHERE n < orders
    )
    SELECT 'C' || lpad(customer::VARCHAR, 8, '0') AS customer_id, 'W' || basket AS order_id,
        'SKU-' || lpad(floor(pow(random(), 3) * 20000)::INT::VARCHAR, 5, '0') AS item_id, to_timestamp(moment) AS time,
        1 + floor(random() * random() * 5)::INT AS quantity, round(3 + 90 * pow(random(), 2), 2) AS price
    FROM baskets, range(5) t(n) WHERE n < lines
) TO '{file}' (FORMAT parquet)
"""


@dataclass(frozen=True)
class Published:
    """Seconds from columns to the store; bytes a customer: the documents (mean, median, 90th percentile, largest), those of which are summary,
    and what the store grew by."""

    customers: int
    lines: int
    reading_s: float
    seconds: float
    documents: tuple[float, float, float, float]
    largest_summary: int
    kept: float

    def __str__(self) -> str:
        mean, median, most, largest = self.documents
        return (
            f"{self.customers:,} customers of {self.lines:,} lines: read in {self.reading_s:,.0f} s, published in {self.seconds:,.0f} s "
            f"({self.seconds / self.customers * 1e6:,.0f} s a million); documents {mean:,.0f} bytes, half of them at most {median:,.0f}, "
            f"nine of ten {most:,.0f}, the largest {largest:,.0f}; summaries at most {self.largest_summary}; "
            f"in the store {self.kept:,.0f} bytes a customer"
        )


def drawn(folder: Path, *, customers: int) -> str:
    """The file of a history of so many customers."""
    file = folder / "history.parquet"
    with duckdb.connect() as con:
        con.execute("SELECT setseed(0.42)")
        con.execute(DRAWN.format(customers=customers, file=file))
    return str(file)


def publish(url: str, files: Sequence[str]) -> Published:
    """Read, publish and weigh."""
    begun = time.perf_counter()
    reading = read(files, columns={}, settings=HistorySettings(), shop=Shop(), now=LATER, threads=1)
    read_at = time.perf_counter()
    store = open_store(url)
    assert store is not None
    before = _weight(url)
    count = people.publish_profiles(
        store, reading.history, reading.returned, people.Told(), now=reading.history.newest or 0
    )
    seconds = time.perf_counter() - read_at
    kept = (_weight(url) - before) / count
    customers = reading.history.customers
    looked_at = customers.texts(range(0, len(customers), max(len(customers) // SAMPLE, 1)))
    documents = list(_documents(store, looked_at))
    store.close()
    return Published(
        customers=count,
        lines=len(reading.history),
        reading_s=read_at - begun,
        seconds=seconds,
        documents=_sizes(documents),
        largest_summary=max(map(summary_bytes, documents)),
        kept=kept,
    )


def _sizes(documents: Sequence[bytes]) -> tuple[float, float, float, float]:
    """Mean, median, 90th percentile and largest, in bytes."""
    sizes = np.array(list(map(len, documents)))
    return float(sizes.mean()), float(np.median(sizes)), float(np.quantile(sizes, 0.9)), float(sizes.max())


def _documents(store: Store, customer_ids: list[str]) -> Iterator[bytes]:
    for start in range(0, len(customer_ids), 200):
        found = store.customers(customer_ids[start : start + 200])
        yield from (customer.profile for customer in found if customer is not None and customer.profile is not None)


def _weight(url: str) -> int:
    """Bytes: of the file and its log, or of the server's memory with its own overhead for each key."""
    if url.startswith("redis"):
        with Redis.from_url(url.partition("?")[0]) as client:
            return int(client.info("memory")["used_memory"])
    path = url.removeprefix("sqlite:///").partition("?")[0]
    return sum(file.stat().st_size for file in Path(path).parent.glob(f"{Path(path).name}*"))
