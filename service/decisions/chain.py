"""The chain: what was decided, by whom after whom, so that nobody changes or takes away a decision unseen.

Each process writes files of its own, one a day, a line a decision: number, time, a digest of the decision's id, the hash of its record, and the
hash of the line before with all of these. Every minute the newest hash is anchored in the store, so that a file that was cut or written anew is
found out. A line holds nothing of a customer: when she is erased, her records go, and the chain still holds (`verify`).
"""

from __future__ import annotations

import os
import secrets
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
import structlog

from models.errors import StoreUnavailable
from service.decisions.ledger import DAY_S
from service.decisions.record import KIND
from service.store import Store

ANCHOR = "anchor"  # the kind of the documents that heads are kept as
EMPTIED = "emptied"  # and of those that say: there was a record of this decision, and it was erased
ANCHOR_S = 60
NOTHING = "0" * 32
FIELDS = ("n", "at", "of", "record", "before")

log = structlog.get_logger(__name__)


def digest(data: bytes) -> str:
    """32 hexadecimal digits that stand for some bytes."""
    return blake2b(data, digest_size=16).hexdigest()


def name_of(decision_id: str) -> str:
    """What stands for a decision's id: a client may have made it of a name."""
    return digest(b"decision\0" + decision_id.encode("utf-8", "surrogatepass"))


def hashed(line: Mapping[str, Any]) -> str:
    """The hash of a line, over all its fields in their order."""
    return digest(orjson.dumps([line[name] for name in FIELDS]))


class Ending:
    """The end of a file, which stays open; where somebody moved or removed the file, the next line begins another of its name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._inode = 0

    def append(self, line: bytes) -> None:
        """Write one line. Raises OSError."""
        if self._file is None or not self._stands():
            self.close()
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            self._inode = os.fstat(self._file).st_ino
        os.write(self._file, line)

    def close(self) -> None:
        """Close the file; what is appended later opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __del__(self) -> None:
        self.close()

    def _stands(self) -> bool:
        try:
            return self._path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False


class Chain:
    """The chain of this process; after a fork, the child begins one of its own. Threads take turns.

    folder  where the files lie, None: nothing is written       keep_s  how long anchors are kept
    """

    def __init__(self, folder: Path | None, store: Store | None, *, keep_s: int) -> None:
        self._folder = folder
        self._store = store
        self._keep_s = keep_s
        self._writing = threading.Lock()
        self._begin()

    def note(self, decision_id: str, document: bytes, now: int) -> None:
        """Write one line. Where that cannot be, the decision stands and the log of the service says so."""
        if self._folder is None:
            return
        if self._pid != os.getpid():
            self._begin()
        with self._writing:
            try:
                self._append(self._folder, decision_id, document, now)
            except OSError as error:
                log.error("a decision is in no chain", decision=name_of(decision_id), error=str(error))

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._writing = threading.Lock()
        self._name = ""
        self._end: Ending | None = None
        self._opened = 0
        self._n, self._at, self._before, self._anchored = 0, 0, NOTHING, 0

    def _append(self, folder: Path, decision_id: str, document: bytes, now: int) -> None:
        if self._end is None or now >= self._opened + DAY_S:
            self._end = self._opened_anew(folder, now)
        line: dict[str, Any] = {"n": self._n + 1, "at": now, "of": name_of(decision_id)}
        line |= {"record": digest(document), "before": self._before}
        line["hash"] = hashed(line)
        self._end.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._n, self._at, self._before = line["n"], now, line["hash"]
        if now >= self._anchored + ANCHOR_S:
            self._anchor(now)

    def _opened_anew(self, folder: Path, now: int) -> Ending:
        """A new file, one a day: what is in the one before can expire."""
        if self._n and now < self._at + self._keep_s:
            self._anchor(now)
        folder.mkdir(parents=True, exist_ok=True)
        _forget(folder, before=now - self._keep_s)
        self._name, self._opened = f"{now}-{self._pid}-{secrets.token_hex(4)}", now
        self._n, self._before, self._anchored = 0, NOTHING, 0
        return Ending(folder / f"{self._name}.jsonl")

    def _anchor(self, now: int) -> None:
        """Until the file expires, which is as old as its last line."""
        if self._store is None:
            return
        head = orjson.dumps({"chain": self._name, "n": self._n, "hash": self._before, "at": now})
        try:
            self._store.put(ANCHOR, f"{self._name}:{self._n}", head, expires_s=self._at + self._keep_s - now)
            self._anchored = now
        except StoreUnavailable as error:
            log.warning("the head of a chain is not anchored", chain=self._name, error=str(error))


def _forget(folder: Path, *, before: int) -> None:
    """Remove the chains that nobody wrote to since: their records and anchors have expired."""
    for path in folder.glob("*.jsonl"):
        if path.stat().st_mtime < before:
            path.unlink(missing_ok=True)


# --- verify -----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verified:
    """What a verification found.

    records  of decisions in chains: `whole`, `emptied` (erased), `expired` (or of a store that was not asked)
    faults   what is wrong, in words, with file and line
    """

    chains: int
    lines: int
    anchors: int
    records: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def verify(folder: Path, store: Store) -> Verified:
    """Whether every chain holds, has all that was anchored, and no record was changed. Raises StoreUnavailable."""
    anchors = [orjson.loads(document) for _, document in store.documents(ANCHOR)]
    hashes: dict[str, list[str]] = {}
    faults: list[str] = []
    records: Counter[str] = Counter()
    by_name = {name_of(decision_id): digest(document) for decision_id, document in store.documents(KIND)}
    emptied = {name for name, _ in store.documents(EMPTIED)}
    for path in sorted(folder.glob("*.jsonl")):
        own = hashes.setdefault(path.stem, [])
        for line in _lines(path, own, faults):
            stands = by_name.get(line["of"])
            records["whole" if stands else "emptied" if line["of"] in emptied else "expired"] += 1
            if stands is not None and stands != line["record"]:
                faults.append(f"{path.name}:{line['n']}: the record of this decision was changed")
    faults += [fault for anchor in anchors if (fault := _adrift(anchor, hashes)) is not None]
    lines = sum(map(len, hashes.values()))
    return Verified(len(hashes), lines, len(anchors), dict(records), tuple(faults))


def _lines(path: Path, hashes: list[str], faults: list[str]) -> Iterator[dict[str, Any]]:
    """The lines of a chain that hold; what comes after a break is a fault, and is not read."""
    before = NOTHING
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            try:
                line = orjson.loads(text)
                holds = line["n"] == number and line["before"] == before and line["hash"] == hashed(line)
            except (orjson.JSONDecodeError, KeyError, TypeError):
                holds = False
            if not holds:
                if text.endswith(b"\n"):
                    faults.append(f"{path.name}:{number}: the chain is broken here")
                return  # a last line without its end was being written when the process died
            before = line["hash"]
            hashes.append(before)
            yield line


def _adrift(anchor: Mapping[str, Any], hashes: Mapping[str, list[str]]) -> str | None:
    """What is wrong of a chain by one of its anchors; None where nothing is."""
    own = hashes.get(anchor["chain"])
    if own is None:
        return f"{anchor['chain']}.jsonl: the whole chain is missing"
    if len(own) < anchor["n"]:
        return f"{anchor['chain']}.jsonl: it was cut after line {len(own)}; {anchor['n']} lines were anchored"
    return (
        None
        if own[anchor["n"] - 1] == anchor["hash"]
        else f"{anchor['chain']}.jsonl:{anchor['n']}: not what was anchored"
    )
