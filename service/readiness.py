"""Readiness: what the service leans on, part by part, and what is missing while a part is away.

Nothing here names a path, an address or a person: whoever may ask the port may read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from models.errors import StoreUnavailable
from service.services import Services

State = Literal["ready", "degraded", "not ready"]  # degraded: it goes on without, and answers say so


@dataclass(frozen=True)
class Part:
    """How one part is; `reason` is None where there is nothing to say."""

    state: State
    reason: str | None = None


READY = Part("ready")


def parts(shop: Services) -> Mapping[str, Part]:
    """All parts by name, as this worker knows them; the store is asked."""
    return {
        "bundle": _bundle(shop),
        "store": _store(shop),
        "keys": _keys(shop),
        "actions": _known(
            shop.shelf.away, "The catalogue of actions that was known last goes on; the store's cannot be read."
        ),
        "items": _known(shop.overlay.away, "Items are as they were known last; the shop's changes cannot be read."),
    }


def _bundle(shop: Services) -> Part:
    if shop.live.bundle() is None:
        return Part("not ready", "Nothing is learnt yet, or no bundle is whole: train one, or activate another.")
    if shop.live.refused is not None:
        return Part(
            "degraded", f"Bundle {shop.live.refused} is not whole, or of another format; the one before goes on."
        )
    return READY


def _store(shop: Services) -> Part:
    if shop.store is None:
        return Part("ready", "This service runs without a store: nobody is known, nothing is kept.")
    try:
        shop.store.ping()
    except StoreUnavailable:
        return Part(
            "degraded",
            "It does not answer in time: nobody is known, decisions are service messages, events are refused.",
        )
    return READY


def _keys(shop: Services) -> Part:
    if not shop.keyring.read:
        return Part(
            "degraded",
            "The store has not said yet which keys there are: only this machine and keys of the settings may call.",
        )
    if shop.keyring.open:
        return Part("ready", "There are none: only this machine may call.")
    return _known(shop.keyring.away, "Those that were known go on; the store's cannot be read.")


def _known(away: bool, reason: str) -> Part:
    return Part("degraded", reason) if away else READY
