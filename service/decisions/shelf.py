"""The shelf: the catalogue of actions that decisions are made from, and how a new one comes to all workers.

1. at the start it is the file's (`actions.toml`, else the one that comes with Valet), unless the shop has put another since;
2. PUT /actions keeps the document under its version, counts the shelf's number up, and says which version stands at that number;
3. every worker polls the number, off the request path, and swaps one reference: at once in the worker that took it, within a second elsewhere.

What was put stands over the file until something else is put: machines that are restarted with an older file do not fall back. Where the
store was emptied or restored, what it says now stands, as it does for who starts then: what was put last by that time, else the file's.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import structlog

from models.action_catalogue import Catalogue, parse, read
from models.action_rules import names
from models.errors import StoreUnavailable
from models.rules import Names
from models.settings import Settings
from service.settings import read_text
from service.store import Store
from service.watch import Watched

NUMBER = "actions"  # the version number that workers poll
DOCUMENTS, STANDS = "actions", "actions_stand"  # documents by version; which version stands at a number
FILED = "actions_filed"  # which versions of files have a document
POLL_S = 0.25
OF_STORE = "the store's actions"  # where a catalogue was read, as an error names it
DEFAULT = Path(__file__).with_name("actions.toml")

log = structlog.get_logger(__name__)


def known(shop: Settings) -> Names:
    """What the conditions of actions may read."""
    return names(context=shop.context, attributes=shop.attributes, tiers=[rule.name for rule in shop.tiers.rules])


def filed(path: Path | None, shop: Settings) -> Catalogue:
    """The catalogue of a file, None: of the one that comes with the service. Raises InputError with line and cure."""
    path = path or DEFAULT
    return parse(read_text(path), str(path), known=known(shop))


def standing(store: Store) -> str | None:
    """The version of what was put last; None where nothing was."""
    for number in range(store.versions().get(NUMBER, 0), 0, -1):  # the newest may be about to be written
        version = store.get(STANDS, str(number))
        if version is not None:
            return version.decode()
    return None


def live(store: Store, path: Path | None, shop: Settings) -> Catalogue:
    """The catalogue that a service would decide from, without a trace of having asked. Raises InputError, StoreUnavailable."""
    stands = standing(store)
    found = None if stands is None else stood(store, stands, known(shop))
    return filed(path, shop) if found is None else found


def stood(store: Store, version: str, known: Names) -> Catalogue | None:
    """A catalogue that stands or stood once; None where the store does not know it. Raises StoreUnavailable."""
    document = store.get(DOCUMENTS, version)
    return None if document is None else read(orjson.loads(document), OF_STORE, known=known)


class Shelf(Watched):
    """The live catalogue. One reference, replaced whole: readers need no lock. `known` is what conditions may read."""

    def __init__(self, file: Catalogue, store: Store | None, *, known: Names, poll_s: float = POLL_S) -> None:
        super().__init__("actions", poll_s=poll_s)
        self._store = store
        self.known = known
        self._file = self._catalogue = file
        self._kept: dict[str, Catalogue] = {file.version: file}
        self.refresh()

    def catalogue(self) -> Catalogue:
        """The catalogue to decide from. Take it once a request."""
        self._watch.start()
        return self._catalogue

    def at(self, version: str) -> Catalogue | None:
        """A catalogue that stood once, to decide again as then; None where the store does not know it. StoreUnavailable."""
        if version not in self._kept:
            found = None if self._store is None else stood(self._store, version, self.known)
            if found is None:
                return None
            self._kept[version] = found
        return self._kept[version]

    def put(self, catalogue: Catalogue) -> None:
        """Let another catalogue stand. Raises StoreUnavailable; then it may stand or not."""
        if self._store is None:
            raise StoreUnavailable("this service runs without a store; name one with VALET_STORE")
        self._store.put(DOCUMENTS, catalogue.version, orjson.dumps(catalogue.document))
        number = self._store.bump(NUMBER)
        self._store.put(STANDS, str(number), catalogue.version.encode())
        self.refresh()

    def _look(self) -> None:
        store = self._store
        if store is None:
            return
        stands = standing(store)
        # So that what the file's decides can be decided again where there is another file
        if stands is None and store.get(FILED, self._file.version) is None:
            store.put(DOCUMENTS, self._file.version, orjson.dumps(self._file.document))
            store.put(FILED, self._file.version, b"")
        found = self._file if stands is None else self.at(stands)
        if found is not None and found.version != self._catalogue.version:
            self._catalogue = found
            log.info("actions live", catalogue_version=found.version)
