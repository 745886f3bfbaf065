"""The report: one HTML page beside the bundle, with its plots inside and no asset from elsewhere."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from training.census import Census
from training.evaluate import TITLES
from training.history import History


def render(manifest: Mapping[str, Any], history: History, customers: Census) -> str:
    """The page as text. `manifest` is the bundle's; the plots are drawn from the history and the customers."""
    from training.plots import (
        drawn,
    )  # and matplotlib: a run that is refused or stopped before need not wait for it to load

    return _page().render(
        m=manifest,
        titles=TITLES,
        cards=_cards(manifest["window"]),
        parameters=sorted(_flat(manifest["parameters"])),
        plots=drawn(manifest, history, customers),
    )


@functools.cache
def _page() -> jinja2.Template:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True)
    return environment.get_template("report.html")


def _cards(window: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, f"{value:,}" if isinstance(value, int) else str(value))
        for name, value in window.items()
        if value is not None
    ]


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Nested parameters as ("model.name", value) pairs."""
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        path = f"{prefix}{name}"
        found += _flat(value, f"{path}.") if isinstance(value, Mapping) else [(path, value)]
    return found
