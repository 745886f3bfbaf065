"""Metrics for Prometheus. Several workers sum theirs through files in the folder that PROMETHEUS_MULTIPROC_DIR names; valet-serve sets it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from flask import current_app
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.live import Live
from service.merchandising import RULE_ERROR

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """What one app counts. Labels have few values: routes and intents, never paths or ids."""

    def __init__(self, live: Live) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # when a counter was made says nothing here
        self._registry = CollectorRegistry()
        self._live = LiveBundle(live)
        self._registry.register(self._live)
        self._requests = Counter(
            "valet_requests", "Requests answered", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "valet_request_seconds",
            "From the request to its answer's first byte",
            ["route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._rule_errors = Counter(
            "valet_rule_errors", "Merchandising rules that could not be decided", ["rule"], registry=self._registry
        )
        self._refused = Counter(
            "valet_refused", "Requests turned away by keys, limits and load", ["why"], registry=self._registry
        )
        self._lists = Counter(
            "valet_recommendations", "Lists answered", ["intent", "fallback", "degraded"], registry=self._registry
        )

        # labels() looks each value up under a lock; they are few, so each child is looked up once
        self._requests_of = cache(self._requests.labels)
        self._seconds_of = cache(self._seconds.labels)
        self._lists_of = cache(self._lists.labels)

    def refused(self, why: str) -> None:
        """Count one request that was turned away before anything was done."""
        self._refused.labels(why).inc()

    def answered(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests_of(method, route, status).inc()
        self._seconds_of(route).observe(seconds)

    def recommended(self, answer: Mapping[str, Any], rules: Mapping[str, str]) -> None:
        """Count one list, and of the rules that were asked those that could not be decided."""
        degraded = "true" if answer["degraded"] else "false"
        self._lists_of(answer["intent"], answer["fallback"] or "none", degraded).inc()
        for rule, state in rules.items():
            if state == RULE_ERROR:
                self._rule_errors.labels(rule).inc()

    def text(self) -> bytes:
        """All metrics in Prometheus' text format, summed over the workers."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        registry.register(self._live)
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


class LiveBundle(Collector):
    """Which bundle answers in this worker, as a gauge of 1 with the version as its label; none without one."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def collect(self) -> Iterable[Metric]:
        """The gauge, computed when asked for."""
        gauge = GaugeMetricFamily("valet_model_info", "The bundle that answers", labels=["version"])
        bundle = self._live.bundle()
        if bundle is not None:
            gauge.add_metric([bundle.version], 1)
        yield gauge


def metrics() -> Metrics:
    """The metrics of the app that handles this request."""
    found: Metrics = current_app.extensions["valet.metrics"]
    return found
