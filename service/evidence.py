"""Evidence: all that the log, the outcomes and the decisions say for experiments, read once; asked again, only what is new is read.

Events stand in blocks of the log. What a block holds changes by removal alone (an erasure, a merge, retention) once later events are logged, so
that a block with as many events as it was read with is the same; any other is read again. Documents never change: they come and go.
So what is told is always what a walk over the whole store would tell. It lies in the worker that was asked: some 30 bytes an event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise, takewhile
from threading import Lock

import numpy as np
import orjson

from models.arms import Arm
from service.credit import CREDIT, Rows, Tokens, Told, credited, outcome_of, told_of
from service.dealt import DECISION, Dealt, dealt, decision_of, purchases_of
from service.decisions.record import KIND
from service.store import BLOCK, Entry, Store

OUTCOME = "outcome"
PAGE = 500
OPEN = -1


@dataclass(frozen=True)
class Block:
    """What the events of a block say; `events`: how many there were, OPEN where there may come more."""

    events: int
    told: Told
    purchases: Rows


class Evidence:
    """What is known so far of one store. Threads wait for each other."""

    def __init__(self, secret: bytes) -> None:
        self._tokens = Tokens(secret)
        self._blocks: dict[int, Block] = {}
        self._outcomes = np.empty(0, CREDIT)
        self._decisions = np.empty(0, DECISION)
        self._newest = 0
        self._lock = Lock()

    def credits(self, store: Store) -> tuple[dict[tuple[str, str], int], Rows]:
        """The number of each arm (experiment, variant), and all credits; see credit. Raises StoreUnavailable."""
        with self._lock:
            self._read_log(store)
            self._outcomes = _renewed(
                self._outcomes, store, OUTCOME, lambda key, document: outcome_of(key, document, self._tokens)
            )
            return dict(self._tokens.arms), credited([block.told for block in self._blocks.values()], self._outcomes)

    def dealt(self, store: Store) -> dict[Arm, Dealt]:
        """Who was dealt, and what she bought; see dealt. Raises StoreUnavailable."""
        with self._lock:
            self._read_log(store)
            self._decisions = _renewed(self._decisions, store, KIND, decision_of)
            purchases = [block.purchases for block in self._blocks.values()]
            return dealt(self._decisions, purchases, store.names())

    def _read_log(self, store: Store) -> None:
        newest = store.newest()  # asked first: a block that is full by then has all its events
        counts = store.blocks()
        same = newest >= self._newest  # else the log was emptied, and is counted anew
        self._newest = newest
        self._blocks = {nth: block for nth, block in self._blocks.items() if same and block.events == counts.get(nth)}
        for number, entries in _read(store, sorted(counts.keys() - self._blocks.keys())):
            events = [(entry, orjson.loads(entry.body)) for entry in entries]
            full = len(events) if (number + 1) * BLOCK <= newest else OPEN
            self._blocks[number] = Block(full, told_of(events, self._tokens), purchases_of(events))


def _read(store: Store, blocks: list[int]) -> Iterator[tuple[int, Iterator[Entry]]]:
    """The events of some blocks, sorted; those that follow each other in one walk."""
    starts = [nth for nth, block in enumerate(blocks) if nth == 0 or blocks[nth - 1] < block - 1]
    for start, end in pairwise([*starts, len(blocks)]):
        last = (blocks[end - 1] + 1) * BLOCK
        events = takewhile(lambda entry, last=last: entry.sequence <= last, store.events(after=blocks[start] * BLOCK))  # type: ignore[misc]
        yield from groupby(events, key=lambda entry: (entry.sequence - 1) // BLOCK)


def _renewed(rows: Rows, store: Store, kind: str, read: Callable[[int, bytes], tuple[int, ...]]) -> Rows:
    """The rows of all documents of a kind that there are: those that are gone left out, and only new ones read."""
    keys = store.keys(kind)
    hashes = np.fromiter(map(hash, keys), dtype=np.int64, count=len(keys))
    kept = rows[np.isin(rows["key"], hashes)]
    new = [keys[nth] for nth in np.flatnonzero(~np.isin(hashes, kept["key"]))]
    found: list[tuple[int, ...]] = []
    for start in range(0, len(new), PAGE):
        page = new[start : start + PAGE]
        documents = zip(page, store.get_many(kind, page), strict=True)
        found += [read(hash(key), document) for key, document in documents if document is not None]
    return np.concatenate([kept, np.array(found, rows.dtype)])
