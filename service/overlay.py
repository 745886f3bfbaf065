"""The overlay: the shop's changes of items since training, laid over the live bundle.

1. a worker that takes a change lays it at once (`refresh`), the others within POLL_S: they poll the version number, off the request path;
2. only what changed since the last look is read, and only changes that training has not read yet: the bundle's manifest says up to where;
3. what came out replaces one reference; a request keeps what it got. Without a bundle, lists come from the shop's items alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from models.blend import Blend
from models.bundle import Bundle, Models
from models.catalogue import Catalogue
from models.changes import Change, lay, nothing
from models.errors import InputError, StoreUnavailable
from models.popularity import Popularity
from models.vocabulary import MISSING
from service.items import load, name
from service.live import Live
from service.people.shared import NO_TIERS
from service.store import ITEMS, Store
from service.watch import Watched

POLL_S = 0.25


@dataclass(frozen=True)
class Laid:
    """What stands: a bundle (None: there is none yet), its models with changes, and up to which version of the store they are read."""

    base: Bundle | None
    bundle: Bundle | None
    version: int


class Overlay(Watched):
    """The bundle that lists are made from. One reference, replaced whole: readers need no lock."""

    def __init__(self, live: Live, store: Store | None, *, currency: str | None = None, poll_s: float = POLL_S) -> None:
        super().__init__("changes of items", poll_s=poll_s)
        self._live = live
        self._store = store
        self._currency = currency
        self._laid = Laid(None, None, 0)
        self.refresh()
        live.swapped = self.refresh

    def bundle(self) -> Bundle | None:
        """The bundle to answer from; its version is "" where there are only the shop's items. Take it once a request."""
        self._watch.start()
        return self._laid.bundle

    def _look(self) -> None:
        """Lay what is new: a bundle, changes. While the store is away, a first bundle answers as it is."""
        try:
            self._laid = self._next(self._laid)
        except (StoreUnavailable, InputError):
            if self._laid.bundle is None:
                self._laid = Laid(None, self._live.bundle(), 0)
            raise

    def _next(self, laid: Laid) -> Laid:
        base = self._live.bundle()
        if base is not laid.base:
            laid = Laid(base, base, read_by(base, self._store))
        if self._store is None:
            return laid
        newest = self._store.versions().get(ITEMS, 0)
        if newest < laid.version:  # another store, or an emptied one
            laid = Laid(base, base, 0)
        if newest == laid.version:
            return laid
        version, documents = self._store.items(after_version=laid.version)
        changes = {item_id: load(document) for item_id, document in documents.items()}
        return Laid(base, self._with(changes, laid), version)

    def _with(self, changes: Mapping[str, Change], laid: Laid) -> Bundle | None:
        below = laid.base.models.catalogue if laid.base else nothing()
        over = laid.bundle.models.catalogue if laid.bundle else below
        currency = self._currency or (laid.base.manifest.get("currency") if laid.base else None)
        catalogue = lay(changes, over=over, base=below, currency=currency)
        if laid.base is None:
            return Bundle("", {}, unlearnt(catalogue)) if len(catalogue) else None
        # Then the newcomers are those of before
        learnt = all(below.items.row(item_id) != MISSING for item_id in changes)
        models = laid.bundle.models if learnt and laid.bundle else laid.base.models
        return replace(laid.base, models=models.over(catalogue))


def laid_over(bundle: Bundle, store: Store, *, currency: str | None) -> Bundle:
    """The bundle with the changes that stand in the store now, for jobs: nothing watches."""
    _, documents = store.items(after_version=read_by(bundle, store))
    below = bundle.models.catalogue
    changes = {item_id: load(document) for item_id, document in documents.items()}
    catalogue = lay(changes, over=below, base=below, currency=currency or bundle.manifest.get("currency"))
    return replace(bundle, models=bundle.models.over(catalogue))


def read_by(bundle: Bundle | None, store: Store | None) -> int:
    """Up to which version of this store's items training has read."""
    read = bundle.manifest.get("items") if bundle else None
    if not read or store is None or read["store"] != name(store):
        return 0
    return int(read["version"])


def unlearnt(catalogue: Catalogue) -> Models:
    """Models of a shop that nothing is learnt of yet: the newest items first."""
    newest = Popularity(np.arange(1, len(catalogue) + 1, dtype=np.float32))
    return Models(catalogue=catalogue, popularity=newest, blend=Blend({}), tiers=NO_TIERS)
