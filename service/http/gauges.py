"""Gauges: what is looked up when Prometheus asks, by the worker that it asks: which bundle and actions answer, how old they are, how the store
is, what was shown of late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from models.bundle import Bundle
from models.drift import BANDS
from models.errors import StoreUnavailable
from service.services import Services


class Gauges(Collector):
    """Of one app. What is not known has no sample."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterable[Metric]:
        """All of them, computed now."""
        bundle = self._services.live.bundle()
        if bundle is not None:
            yield _gauges("valet_model_info", "The bundle that answers", "version", {bundle.version: 1})
            yield from _ages(bundle)
        version = self._services.actions.version
        yield _gauges("valet_actions_info", "The catalogue of actions that decides", "version", {version: 1})
        yield from self._store()
        yield from self._shown()

    def _store(self) -> Iterator[Metric]:
        shop = self._services
        if shop.store is None:
            return
        try:
            shop.store.ping()
        except StoreUnavailable:
            up = 0
        else:
            up = 1
        yield _gauge("valet_store_up", "Whether the store answers in time; 0 also while its breaker is open", up)
        yield _gauge("valet_store_silent_seconds", "Since the store answered last", shop.overlay.silent_s)

    def _shown(self) -> Iterator[Metric]:
        shop = self._services
        bundle = shop.overlay.bundle()
        if bundle is None:
            return
        found = shop.shown.drift(bundle, now=shop.clock())
        yield _gauge("valet_catalogue_items", "Items that lists are made of", len(bundle.models.catalogue))
        yield _gauge(
            "valet_shown_coverage", "Share of the items that was shown in the last 12 to 24 hours", found.coverage
        )
        bands = {name: float(share) for (name, _), share in zip(BANDS, found.by_band, strict=True)}
        yield _gauges("valet_shown_share", "What was shown, by how much the items are bought", "band", bands)
        by = {"category": found.categories, "popularity": found.popularity}
        told = {name: value for name, value in by.items() if value is not None}
        yield _gauges("valet_shown_drift", "Of what was shown from what is bought, 0 to 1 (Jensen-Shannon)", "by", told)


def _ages(bundle: Bundle) -> Iterator[Metric]:
    created, as_of = bundle.manifest.get("created_at"), bundle.manifest.get("as_of_s")
    if isinstance(created, str):
        at = datetime.fromisoformat(created).timestamp()
        yield _gauge("valet_model_created_timestamp_seconds", "When the bundle was trained", at)
    if as_of is not None:
        yield _gauge("valet_model_as_of_timestamp_seconds", "Up to when it learnt", float(as_of))


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=[label])
    for said, value in values.items():
        gauge.add_metric([said], value)
    return gauge
