"""Metrics for Prometheus. Several workers sum theirs through files in the folder that PROMETHEUS_MULTIPROC_DIR names; valet-serve sets it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from service.events import STATUSES
from service.http.gauges import Gauges
from service.http.metric_files import keep_room
from service.http.services import this_app
from service.lists.merchandising import RULE_ERROR
from service.services import Services

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """What one app counts. Labels have few values: routes, intents and codes, never paths or ids."""

    def __init__(self, services: Services) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # when a counter was made says nothing here
        keep_room()
        self._registry = CollectorRegistry()
        self._gauges = Gauges(services)
        self._registry.register(self._gauges)
        self._requests = Counter(
            "valet_requests", "Requests answered", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "valet_request_seconds",
            "From when the request was there, and began to wait for a thread, to its answer's first byte",
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
        self._decisions = Counter(
            "valet_decisions", "Decisions answered", ["channel", "arm", "degraded"], registry=self._registry
        )
        self._silent = Counter(
            "valet_decisions_without_action", "Nothing to say, by the stage that stopped the last action", ["code"],
            registry=self._registry,
        )  # fmt: skip
        self._dropped = Counter(
            "valet_actions_dropped", "Actions dropped in decisions, by the stage", ["code"], registry=self._registry
        )
        self._events = Counter("valet_events", "Events and outcomes that came in", ["status"], registry=self._registry)
        made = Counter("valet_lists_made", "Lists that were made; the others were remembered", registry=self._registry)
        services.remembered.made = made.inc

        # labels() looks each value up under a lock; they are few, so each child is looked up once
        self._requests_of = cache(self._requests.labels)
        self._seconds_of = cache(self._seconds.labels)
        self._lists_of = cache(self._lists.labels)
        self._decisions_of = cache(self._decisions.labels)
        self._dropped_of = cache(self._dropped.labels)
        self._events_of = cache(self._events.labels)
        for status in STATUSES:  # told as 0 from the start: that nothing comes can be seen then
            self._events_of(status)

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

    def decided(self, answer: Mapping[str, Any], channel: str) -> None:
        """Count one decision, why it says nothing where it does, and how many actions each stage dropped."""
        self._decisions_of(channel, answer["arm"], "true" if answer["degraded"] else "false").inc()
        if answer["no_action_reason"] is not None:
            self._silent.labels(answer["no_action_reason"]).inc()
        for code, actions in answer["dropped"].items():
            self._dropped_of(code).inc(actions)

    def took(self, rows: Mapping[str, int]) -> None:
        """Count events or outcomes: how many were accepted, repeated and refused."""
        for status, count in rows.items():
            if count:
                self._events_of(status).inc(count)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format, summed over the workers."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        registry.register(self._gauges)
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def metrics() -> Metrics:
    """The metrics of the app that handles this request."""
    found: Metrics = this_app().extensions["valet.metrics"]
    return found
