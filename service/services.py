"""What a running service leans on, put together once by create_app and handed to every view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.action_catalogue import Catalogue
    from models.settings import Settings
    from service.decisions.beliefs import Beliefs
    from service.decisions.decide import Came
    from service.decisions.decision_log import Log
    from service.decisions.shelf import Shelf
    from service.decisions.situation import Request as Wanted
    from service.evidence import Evidence
    from service.http.answers import Listed, Ready
    from service.keys import Keyring
    from service.limits import Limits
    from service.lists.merchandising import Rulebook
    from service.lists.remembered import Remembered
    from service.lists.request import Request
    from service.lists.sends import Sends
    from service.lists.shown import Shown
    from service.live import Live
    from service.overlay import Overlay
    from service.people.pseudonyms import Pseudonyms
    from service.people.segments import Segments
    from service.retention import Retention
    from service.store import Store
    from service.store.together import Together


@dataclass(frozen=True)
class Services:
    """One app's services; views reach them as `service.http.services.services()`.

    store     None where the shop runs without one (`--store none`)
    live      live.bundle() is what training learnt, or None
    overlay   overlay.bundle() is that with the shop's changes since laid over it: what lists are made from
    settings  the shop's `valet.toml`
    rulebook  its merchandising rules, ready to be asked      segments  its named segments, alike
    remembered  lists in which no customer has a part      lists  all others: those asked for at the same time are made side by side
    decisions  likewise
    log       where decisions are noted, and for how long
    beliefs   what is thought of the actions' chances, from what became of them
    shelf     shelf.catalogue() is the catalogue of actions: what was put last, else `actions.toml` beside the settings, else the one that
              comes with the service; `actions` for short
    clock     what time it is, int seconds since 1970 UTC; constant under VALET_NOW
    secret    signs tokens (recommendation_id, links)
    sends     when each mailing began
    pseudonyms  keyed hashes of who was erased, and of what customers are found by
    retention   drops events that were kept long enough
    evidence    what the log says for experiments, as far as it was read
    keyring   who may call what
    limits    and how often
    customer_secrets  with which the shop signs its customer_tokens; () where it signs none
    """

    store: Store | None
    live: Live
    overlay: Overlay
    settings: Settings
    rulebook: Rulebook
    remembered: Remembered[Listed | Ready]
    lists: Together[Request, Mapping[str, Any]]
    decisions: Together[tuple[Wanted, Catalogue], Came]
    segments: Segments
    beliefs: Beliefs
    log: Log
    shelf: Shelf
    clock: Callable[[], int]
    secret: bytes
    sends: Sends
    pseudonyms: Pseudonyms
    retention: Retention
    evidence: Evidence
    keyring: Keyring
    limits: Limits
    shown: Shown
    customer_secrets: tuple[bytes, ...]

    @property
    def actions(self) -> Catalogue:
        """The catalogue of actions that stands now. Take it once a request."""
        return self.shelf.catalogue()
