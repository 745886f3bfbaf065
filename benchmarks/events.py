"""`python -m benchmarks.events`: events through a real service of two workers, one of them killed with kill -9 half-way.

clients send batches, again until they are acknowledged → half-way, one worker dies → what the store then holds is counted

Every acknowledged event must be there once, none twice, and both stores must have counted the same. Exit 1 where that is not so.
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import psutil

from benchmarks.ports import free_port, listening
from benchmarks.profiles.stores import STORES, opened
from models.profile import load
from service.store.open import open_store

CUSTOMERS, ITEMS = 500, 50
BATCH, CLIENTS, WORKERS = 100, 8, 2
PATIENCE_S = 60.0
NAMES = ("view_item", "add_to_cart", "purchase", "search", "email_open")


@dataclass(frozen=True)
class Outcome:
    """What came of one run. `counts`: customer -> event -> how often, as her profile says; `killed`: the worker that died."""

    events: int
    logged: Counter[str]
    counts: Mapping[str, Mapping[str, int]]
    seconds: float
    again: int
    killed: int

    @property
    def missing(self) -> int:
        """Events that were acknowledged and are not there."""
        return self.events - len(self.logged)

    @property
    def twice(self) -> int:
        """Events that are there more than once."""
        return sum(count > 1 for count in self.logged.values())


@dataclass
class Sending:
    """What all clients share: the batches still to be sent, and how often one had to be sent again."""

    port: int
    batches: list[list[dict[str, object]]]
    acknowledged: int = 0
    again: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Send batches until there are none."""
        while True:
            with self.lock:
                if not self.batches:
                    return
                batch = self.batches.pop()
            while not self._sent(batch):
                time.sleep(0.02)
                with self.lock:
                    self.again += 1
            with self.lock:
                self.acknowledged += len(batch)

    def _sent(self, batch: Sequence[Mapping[str, object]]) -> bool:
        """Whether every event of a batch was acknowledged."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("POST", "/events", orjson.dumps(batch), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = orjson.loads(answer.read())
        except (OSError, http.client.HTTPException, orjson.JSONDecodeError):
            return False
        finally:
            connection.close()
        return answer.status == 200 and bool(body["refused"] == 0)


def run(store: str, folder: Path, *, events: int) -> Outcome:
    """Send so many events to a service on this store, and count what it keeps."""
    batches = [[event(number) for number in range(at, min(at + BATCH, events))] for at in range(0, events, BATCH)]
    with serving(store, folder) as (port, master):
        sending = Sending(port, batches[::-1])
        clients = [threading.Thread(target=sending.run) for _ in range(CLIENTS)]
        started = time.monotonic()
        for client in clients:
            client.start()
        while sending.acknowledged < events // 2:
            time.sleep(0.005)
        killed = psutil.Process(master).children()[0].pid
        os.kill(killed, signal.SIGKILL)
        for client in clients:
            client.join()
        seconds = time.monotonic() - started
    logged, counts = held(store)
    return Outcome(events, logged, counts, seconds, sending.again, killed)


def event(number: int) -> dict[str, object]:
    """The event of this number: always the same."""
    name = NAMES[number % len(NAMES)]
    row: dict[str, object] = {"event": name, "event_id": f"e{number}", "customer_id": f"c{number * 7 % CUSTOMERS}"}
    row["item_id"] = f"i{number % ITEMS}"
    return row | ({"order_id": f"o{number}", "price": 10} if name == "purchase" else {})


def held(url: str) -> tuple[Counter[str], dict[str, Mapping[str, int]]]:
    """How often each event is in the log, and what the profiles have counted."""
    store = open_store(url)
    assert store is not None
    logged: Counter[str] = Counter(orjson.loads(entry.body)["event_id"] for entry in store.events())
    names = store.customer_ids()
    counts: dict[str, Mapping[str, int]] = {
        name: dict(sorted(load(one.profile).counts.items()))
        for at in range(0, len(names), BATCH)
        for name, one in zip(names[at : at + BATCH], store.customers(names[at : at + BATCH]), strict=True)
        if one is not None
    }
    store.close()
    return logged, counts


@contextmanager
def serving(store: str, folder: Path, *more: str, workers: int = WORKERS) -> Iterator[tuple[int, int]]:
    """A service of so many workers, with `more` flags: its port, and the process that keeps them."""
    port = free_port()
    flags = ("--port", str(port), "--workers", str(workers), "--store", store, "--models-dir", str(folder / "models"))
    with (folder / "service.log").open("wb") as log:
        command = [sys.executable, "-m", "service.serve", *flags, *more]
        with subprocess.Popen(command, cwd=Path.cwd(), stdout=log, stderr=log) as process:
            try:
                answering("/livez", port)
                yield port, process.pid
            finally:
                process.terminate()
                process.wait(PATIENCE_S)


def answering(path: str, port: int) -> None:
    """Wait until a service answers there."""
    listening(port, patience_s=PATIENCE_S)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", path)
    connection.getresponse().read()
    connection.close()


def told(name: str, one: Outcome) -> str:
    """A line of the table."""
    rate = one.events / one.seconds
    return (
        f"{name:>7} {one.events:>10,} {one.missing:>8} {one.twice:>6} {sum(one.logged.values()):>10,} "
        f"{one.again:>6} {one.seconds:>8.1f} {rate:>9,.0f}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run on the stores that are asked for; 1 where an event is missing, is there twice, or the stores differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.events", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=100_000, metavar="N", help="default 100000")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES)
    given = parser.parse_args(arguments)
    outcomes: dict[str, Outcome] = {}
    print("  store     events  missing  twice     logged  again  seconds  a second")
    for name in given.stores:
        with TemporaryDirectory(prefix="valet-events-") as scratch:
            folder = Path(scratch)
            with opened(name, folder) as url:
                outcomes[name] = run(url, folder, events=given.events)
        print(told(name, outcomes[name]))
    whole = all(one.missing == one.twice == 0 for one in outcomes.values())
    same = len({orjson.dumps(one.counts, option=orjson.OPT_SORT_KEYS) for one in outcomes.values()}) == 1
    print("counts are equal on both stores" if same else "the stores counted differently")
    return 0 if whole and same else 1


if __name__ == "__main__":
    sys.exit(main())
