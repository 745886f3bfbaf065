"""`python -m training.drained --customer ID --out FILE`: what the archive alone holds of one customer, for who asks (GDPR 15).

events that were drained from Redis and left it → those under today's or an earlier name of hers → one JSON line each, oldest first

It belongs to `GET /customers/{id}/export`, which holds what is still on the server.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from models.errors import DiskError, InputError
from service.people.erasure import Tombs
from service.people.export import told
from service.people.pseudonyms import Pseudonyms
from service.store import Store
from service.store.open import open_store
from training.archive import Archive
from training.command import ended
from training.settings import DEFAULT_CONFIG, DEFAULT_STORE, read_settings


def drained(store: Store, folder: Path, customer_id: str) -> Iterator[dict[str, Any]]:
    """Her events in the archive, as the export tells them, under any name of hers. Raises InputError for whom nobody knows."""
    known = store.customer(customer_id)
    if known is None:
        raise InputError(f"--customer {customer_id}: nobody knows her; who was erased is in no file of the archive")
    archive = Archive(folder, Tombs(store, Pseudonyms(store)))
    found = archive.events(store, of=known.customer_id)
    yield from map(told, sorted(found, key=lambda entry: (entry.received, entry.sequence)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, and say how many events it holds; exit 2 for what cannot be used, 5 for a disk that cannot be written."""
    given = _parser().parse_args(arguments)

    def work() -> int:
        sys.stdout.write(f"{run(given):,} events in {given.out}; what is still on the server is in her export\n")
        return 0

    return ended(work, interrupted="interrupted; run it again")


def run(given: argparse.Namespace) -> int:
    """Write what is asked for; how many events. Raises ValetError."""
    said = given.config or os.environ.get("VALET_CONFIG")
    config = Path(said) if said else DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None
    store = open_store(given.store or os.environ.get("VALET_STORE") or DEFAULT_STORE)
    if store is None:
        raise InputError("--store none: there is nobody to ask for; name a store")
    try:
        named = given.events_dir or os.environ.get("VALET_EVENTS_DIR")
        beside = (config.parent if config else Path()) / read_settings(config).history.events
        folder = Path(named or beside)
        if not folder.is_dir():
            raise InputError(
                f"{folder}: there is no such folder: nothing was drained yet, or --events-dir names another one"
            )
        lines = [
            orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE) for event in drained(store, folder, given.customer)
        ]
    finally:
        store.close()
    try:
        Path(given.out).write_bytes(b"".join(lines))
    except OSError as error:
        raise DiskError(f"{given.out}: {error.strerror}. Name a file that can be written.") from error
    return len(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="valet-drained",
        description="Write what the archive alone holds of one customer; what is still on the server is in her export.",
    )
    add = parser.add_argument
    add("--customer", required=True, metavar="ID", help="any name that she is known by")
    add("--out", required=True, metavar="FILE", help="JSON lines")
    add("--events-dir", metavar="DIR", help="where the archive lies (default: history.events of the settings)")
    add("--store", metavar="URL", help=f"default: {DEFAULT_STORE}")
    add("--config", metavar="PATH", help="valet.toml (default: ./valet.toml where it exists)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
