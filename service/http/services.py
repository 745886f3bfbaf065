"""The services of the app that handles this request."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from flask import Flask, Request, current_app, request

from models.catalogue import NO_PRICE
from models.errors import StoreUnavailable
from models.vocabulary import MISSING
from service.events import Rules
from service.services import Services
from service.store import Store


def services() -> Services:
    """The frozen services that create_app put together."""
    found: Services = this_app().extensions["valet"]
    return found


def this_app() -> Flask:
    """The app that handles this request: each look through flask's stand-in for it is five calls."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return app


def this_request() -> Request:
    """The request itself, alike."""
    asked: Request = request._get_current_object()  # type: ignore[attr-defined]
    return asked


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
    plain = Rules(currency=currency(), max_age_days=shop.settings.event_max_age_days)
    if bundle is None:
        return plain
    items, prices = bundle.models.catalogue.items, bundle.models.catalogue.price

    def price(item_id: str) -> int | None:
        row = items.row(item_id)
        return None if row == MISSING or prices[row] == NO_PRICE else int(prices[row])

    def strange(item_ids: Collection[str]) -> Collection[str]:
        known = items.rows(item_ids).tolist()
        return {item_id for item_id, row in zip(item_ids, known, strict=True) if row == MISSING}

    return replace(plain, strange=strange, price=price)
