"""A process that records events as a service does: `python -m tests.service.store.writer URL NAME THREADS EVENTS`.

Each thread sends its events one by one, all for the same customer, again while the store is unavailable, and prints each body once it
is acknowledged.
"""

from __future__ import annotations

import os
import sys
import threading

from models.errors import StoreUnavailable
from service.store import Entry, Store
from service.store.open import open_store
from tests.service.store.conftest import event, fold


def main() -> None:
    url, name, threads, events = sys.argv[1:]
    store = open_store(url)
    assert store is not None
    os.write(1, b"ready\n")
    sys.stdin.readline()
    writers = [
        threading.Thread(target=write, args=(store, f"{name}-{thread}", int(events))) for thread in range(int(threads))
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    store.close()


def write(store: Store, name: str, events: int) -> None:
    for number in range(events):
        body = f"{name}-{number}"
        send(store, event("ann", body))
        os.write(1, f"{body}\n".encode())


def send(store: Store, entry: Entry) -> None:
    while True:
        try:
            store.record([entry], fold)
        except StoreUnavailable:
            continue
        return


if __name__ == "__main__":
    main()
