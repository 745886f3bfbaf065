"""Apps for tests: the real create_app on the tiny shop, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakSet

from flask import Flask
from flask.testing import FlaskClient

from models.action_catalogue import Catalogue
from models.settings import Settings
from service import create_app
from service.decisions import shelf
from service.http import lines
from service.http.observe import LINES
from service.services import Services
from service.settings import ServiceSettings
from tests.worlds import NOW, save, tiny_models

VERSION = "20260101T000000-tiny"


# Apps on a Redis that other tests have after them, by its URL, until they are stopped
WATCHING: dict[str, list[Flask]] = {}
APPS: WeakSet[Flask] = WeakSet()
lines.EVERY_S = 60.0  # `tell` writes them
STANDARD: dict[str, Catalogue] = {}  # the catalogue that comes with the service, by what its conditions may read


def _filed(path: Path | None, shop: Settings, *, read: Callable[..., Catalogue] = shelf.filed) -> Catalogue:
    """As the service reads it; the one that comes with it once, for it takes a third of an app's start."""
    if path is not None:
        return read(path, shop)
    reads = repr(shelf.known(shop))
    if reads not in STANDARD:
        STANDARD[reads] = read(None, shop)
    return STANDARD[reads]


shelf.filed = _filed


def tiny_app(folder: Path, **changes: Any) -> Flask:
    """The service on the tiny shop's bundle (unless models_dir says otherwise) and a new SQLite store."""
    settings: dict[str, Any] = {"store": f"sqlite:///{folder / 'valet.db'}", "now": NOW, "secret": b"tiny"}
    settings |= {"budget_s": None, **changes}  # a machine that does much else beside takes its time
    if "models_dir" not in settings:
        settings["models_dir"] = folder / "models"
        if not settings["models_dir"].exists():
            save(settings["models_dir"], VERSION, tiny_models())
    app = create_app(ServiceSettings(**settings))
    app.testing = True
    APPS.add(app)
    if settings["store"].startswith("redis:"):
        WATCHING.setdefault(settings["store"], []).append(app)
    return app


def tell() -> None:
    """Write the lines of the log that wait: a test's lines belong to it, not to the next."""
    for app in APPS:
        app.extensions[LINES].flush()


def stop_watching(store: str) -> None:
    """Stop the threads of the apps on this store: the next test has another shop in the same place."""
    for url in [url for url in WATCHING if url.startswith(store)]:
        for app in WATCHING.pop(url):
            services: Services = app.extensions["valet"]
            services.overlay.stop()
            services.beliefs.stop()
            services.shelf.stop()
            services.live.stop()


def tiny_client(folder: Path, **changes: Any) -> FlaskClient:
    """A client of such an app."""
    return tiny_app(folder, **changes).test_client()
