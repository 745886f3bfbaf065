"""Load: what has waited too long for a thread is turned away before anything is done for it, so that what is answered is answered in time.

The first thing of all, outside of the app: turning one away costs a few microseconds. Addresses that are too long are turned away here, too.
What somebody waits for gets its budget here: how long it may wait for the store, however often it asks. Streams and writes have none.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response

from service.http.metrics import Metrics
from service.http.observe import STARTED
from service.http.problems import RETRY_AFTER_S, problem
from service.store import deadline

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

QUEUED = "valet.queued"  # in the environ: since when it waited, seconds of the monotonic clock; service.workers.worker sets it
ALWAYS = ("/livez", "/readyz", "/metrics")
AWAITED = {"/recommend", "/recommend/batch", "/rank", "/next-best-action"}
STREAM = "application/x-ndjson"
LONGEST_ADDRESS = 128 << 10  # bytes: some thousand ids


class Shedding:
    """WSGI around an app."""

    def __init__(
        self, app: WSGIApplication, metrics: Metrics, *, patience_s: float, budget_s: float | None = None
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._patience_s = patience_s
        self._budget_s = budget_s

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The app's answer, or a problem."""
        queued = environ.get(QUEUED)
        late = queued is not None and time.monotonic() - queued > self._patience_s
        if late and environ["PATH_INFO"] not in ALWAYS:
            return self._late()(environ, start_response)
        if len(environ.get("RAW_URI", "")) > LONGEST_ADDRESS:
            return self._long()(environ, start_response)
        awaited = environ["PATH_INFO"] in AWAITED and not environ.get("CONTENT_TYPE", "").startswith(STREAM)
        deadline.set_by(self._budget_s if awaited else None)
        environ[STARTED] = time.perf_counter()
        return self._app(environ, start_response)

    def _late(self) -> Response:
        self._metrics.refused("load")
        return problem(503, "Too much to do at once. Try again.", headers={"Retry-After": str(RETRY_AFTER_S)})

    def _long(self) -> Response:
        self._metrics.refused("long address")
        return problem(414, f"The address is longer than {LONGEST_ADDRESS} bytes; send a document by POST.")


def shed(app: Flask, metrics: Metrics, *, patience_s: float, budget_s: float | None = None) -> None:
    """Turn away what this app could not answer in time, and let the rest wait for the store no longer than its budget."""
    app.wsgi_app = Shedding(app.wsgi_app, metrics, patience_s=patience_s, budget_s=budget_s)  # type: ignore[method-assign]
