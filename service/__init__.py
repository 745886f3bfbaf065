"""The service. `create_app` is the one place of assembly; flask is imported inside it, so that the use cases load without it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from flask import Flask

    from models.settings import Settings
    from service.keys import Keyring
    from service.services import Services
    from service.settings import ServiceSettings
    from service.store import Store

log = structlog.get_logger(__name__)


def create_app(settings: ServiceSettings | None = None) -> Flask:
    """The WSGI application, from VALET_… in the environment unless settings are given. Raises InputError for what cannot be used."""
    from service.http import (
        access,
        actions,
        browser,
        customers,
        decide,
        events,
        experiments,
        items,
        links,
        load,
        lookup,
        observe,
        operations,
        outcomes,
        privacy,
        recommend,
    )
    from service.http.app import App
    from service.http.metrics import Metrics
    from service.http.problems import ProblemApi
    from service.settings import from_environment

    observe.log_json()
    settings = settings or from_environment(os.environ)
    services = assemble(settings)
    app = App("service", static_folder=None)
    app.config.update(
        API_TITLE="Valet",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={"info": {"description": "Recommendations and next best actions for one shop."}},
    )
    app.extensions["valet"] = services
    app.extensions["valet.metrics"] = metrics = Metrics(services)
    observe.observe(app, metrics)
    access.admit(app, services)
    browser.admit(app, services.settings.browser)
    api = ProblemApi(app)
    parts = (
        recommend,
        decide,
        actions,
        events,
        outcomes,
        customers,
        lookup,
        privacy,
        items,
        links,
        experiments,
        browser,
    )
    for part in (*parts, operations):
        api.register_blueprint(part.blueprint)
    load.shed(app, metrics, patience_s=settings.patience_s, budget_s=settings.budget_s)
    return app


def assemble(settings: ServiceSettings) -> Services:
    """The services that these settings describe."""
    from models.settings import DAY_S
    from service.decisions.beliefs import Beliefs
    from service.decisions.chain import Chain
    from service.decisions.decision_log import Log
    from service.decisions.shelf import Shelf, filed, known
    from service.evidence import Evidence
    from service.limits import Limits
    from service.lists.merchandising import Rulebook
    from service.lists.remembered import Remembered
    from service.lists.sends import Sends
    from service.lists.shown import Shown
    from service.live import Live
    from service.overlay import Overlay
    from service.people.pseudonyms import Pseudonyms
    from service.people.segments import Segments
    from service.retention import Retention, key_ttl_s
    from service.services import Services
    from service.settings import read_shop
    from service.signing import signing_key
    from service.store.open import open_store
    from service.store.together import Together

    shop = read_shop(settings.config)
    file = filed(settings.actions, shop)
    store = open_store(settings.store, key_ttl_s=key_ttl_s(shop))
    clock = _clock(settings.now)
    secret = settings.secret or signing_key(store)
    keep_s = settings.audit_days * DAY_S
    live = Live(settings.models_dir, poll_s=settings.poll_s)
    return Services(
        store=store,
        live=live,
        overlay=Overlay(live, store, currency=shop.shop.currency),
        settings=shop,
        remembered=Remembered(),
        lists=Together(),
        decisions=Together(),
        rulebook=Rulebook(shop),
        segments=Segments(shop),
        beliefs=Beliefs(store),
        log=Log(keep_s, Chain(settings.audit, store, keep_s=keep_s).note),
        shelf=Shelf(file, store, known=known(shop)),
        clock=clock,
        secret=secret,
        sends=Sends(store),
        pseudonyms=Pseudonyms(store),
        retention=Retention(store, keep_days=shop.events_keep_days, clock=clock),
        evidence=Evidence(secret),
        keyring=_keyring(settings, shop, store),
        limits=Limits(),
        shown=Shown(),
        customer_secrets=settings.customer_secrets,
    )


def _keyring(settings: ServiceSettings, shop: Settings, store: Store | None) -> Keyring:
    """The keys that the settings give, and those that the store keeps."""
    from service.keys import Keyring, given

    texts = [*settings.keys]
    if settings.agent_key is not None:
        texts.append(("agent", settings.agent_key.decode()))
    if shop.browser.key is not None:
        texts.append(("public", shop.browser.key))
    keyring = Keyring(store, (given(scope, text) for scope, text in texts))
    if keyring.open:
        log.warning(
            "no keys: everybody on this machine may call everything, nobody else anything",
            cure="valet-serve keys create",
        )
    return keyring


def _clock(now: int | None) -> Callable[[], int]:
    return (lambda: int(time.time())) if now is None else lambda: now
