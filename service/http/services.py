"""The services of the app that handles this request."""

from __future__ import annotations

from typing import cast

from flask import current_app

from models.errors import StoreUnavailable
from models.vocabulary import MISSING
from service.events import Rules
from service.services import Services
from service.store import Store


def services() -> Services:
    """The frozen services that create_app put together."""
    return cast(Services, current_app.extensions["valet"])


def store() -> Store:
    """The store, for what cannot do without; StoreUnavailable where the service runs without one."""
    kept = services().store
    if kept is None:
        raise StoreUnavailable("this service runs without a store; name one with VALET_STORE")
    return kept


def currency() -> str | None:
    """The shop's currency: of its settings, else of the history that the bundle learnt from."""
    shop = services()
    bundle = shop.live.bundle()
    return shop.settings.shop.currency or (bundle.manifest.get("currency") if bundle else None)


def rules() -> Rules:
    """What the shop accepts as events."""
    shop = services()
    bundle = shop.overlay.bundle()
    catalogue = bundle.models.catalogue.items if bundle else None
    known_item = None if catalogue is None else lambda item_id: catalogue.row(item_id) != MISSING
    return Rules(currency=currency(), max_age_days=shop.settings.event_max_age_days, known_item=known_item)
