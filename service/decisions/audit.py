"""`python -m service.decisions.audit`: whether the log of decisions is whole, and every decision in it still comes out the same.

    python -m service.decisions.audit [--replay]

Reads the chains of VALET_AUDIT and the records of VALET_STORE. Exit codes: 0 whole · 1 something was changed or cut · 2 unusable settings.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence

from models.action_catalogue import Catalogue
from models.errors import InputError, StoreUnavailable
from service import assemble
from service.decisions.chain import Verified, verify
from service.decisions.record import KIND, load
from service.decisions.replay import replay
from service.settings import from_environment
from service.store import Store

WHOLE, CHANGED, UNUSABLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify, print, and give the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m service.decisions.audit", description="Whether the log of decisions is whole."
    )
    parser.add_argument("--replay", action="store_true", help="make every decision again, too")
    options = parser.parse_args(arguments)
    try:
        settings = from_environment(os.environ)
        services = assemble(settings)
        if settings.audit is None or services.store is None:
            raise InputError("there is nothing to verify: VALET_AUDIT or VALET_STORE is none")
        found = verify(settings.audit, services.store)
        again = replayed(services.store, services.shelf.at) if options.replay else {}
    except (InputError, StoreUnavailable) as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    for line in said(found, again):
        sys.stdout.write(f"{line}\n")
    return CHANGED if found.faults or again.get("differs") else WHOLE


def replayed(store: Store, shelf: Callable[[str], Catalogue | None]) -> dict[str, int]:
    """How many decisions came out the same, differently, or cannot be made again: the catalogue is unknown, or another release decided."""
    counts: Counter[str] = Counter()
    for _, document in store.documents(KIND):
        made = replay(load(document), shelf)
        counts["not to be made again" if made is None else "same" if made.same else "differs"] += 1
    return dict(counts)


def said(found: Verified, again: dict[str, int]) -> list[str]:
    """The finding in lines."""
    lines = [f"{found.chains} chains, {found.lines} decisions, {found.anchors} anchors"]
    lines += [f"records {name}: {count}" for name, count in sorted(found.records.items())]
    lines += [f"replayed, {name}: {count}" for name, count in sorted(again.items())]
    return [*lines, *(f"FAULT {fault}" for fault in found.faults)]


if __name__ == "__main__":
    sys.exit(main())
