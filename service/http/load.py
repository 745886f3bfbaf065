"""Load: what has waited too long for a thread is turned away before anything is done for it, so that what is answered is answered in time.

The first thing of all, outside of the app: turning one away costs a few microseconds, its line in the log and its counts among them.
Addresses that are too long are turned away here, too. How long a request took is counted from when it began to wait.
What somebody waits for gets its budget here: how long it may wait for the store, however often it asks. Streams and writes have none.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from flask import Flask, Response

from service.http.metrics import Metrics
from service.http.observe import STARTED, UNKNOWN, tell
from service.http.problems import RETRY_AFTER_S, problem
from service.store import deadline

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

QUEUED = "valet.queued"  # in the environ: since when it waited, seconds of the monotonic clock; service.workers.worker sets it
SLOW = "valet.slow"  # as well: whether the rest of the body is still to come, and a thread waits for it
ALWAYS = ("/livez", "/readyz", "/metrics")
AWAITED = {"/recommend", "/recommend/batch", "/rank", "/next-best-action"}
STREAM = "application/x-ndjson"
LONGEST_BODY = 1 << 16  # bytes that are waited for without a thread; sendBeacon and keepalive take no more
LONGEST_ADDRESS = 128 << 10  # bytes: some thousand ids


class Shedding:
    """WSGI around an app."""

    def __init__(self, app: Flask, metrics: Metrics, *, patience_s: float, budget_s: float | None = None) -> None:
        self._app: WSGIApplication = app.wsgi_app
        self._metrics = metrics
        self._tell = partial(tell, app.extensions, metrics)
        self._routes = {rule.rule for rule in app.url_map.iter_rules() if not rule.arguments}
        self._patience_s = patience_s
        self._budget_s = budget_s

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The app's answer, or a problem."""
        now = time.monotonic()
        environ[STARTED] = queued = environ.get(QUEUED, now)
        if now - queued > self._patience_s and environ["PATH_INFO"] not in ALWAYS:
            return self._told(self._late(), environ)(environ, start_response)
        if len(environ.get("RAW_URI", "")) > LONGEST_ADDRESS:
            return self._told(self._long(), environ)(environ, start_response)
        awaited = environ["PATH_INFO"] in AWAITED and not environ.get("CONTENT_TYPE", "").startswith(STREAM)
        deadline.set_by(self._budget_s if awaited else None)
        return self._app(environ, start_response)

    def _told(self, answer: Response, environ: WSGIEnvironment) -> Response:
        """The answer, logged and counted; a path that holds an id is not looked up for its route."""
        path = environ["PATH_INFO"]
        self._tell(environ, route=path if path in self._routes else UNKNOWN, status=answer.status_code)
        return answer

    def _late(self) -> Response:
        self._metrics.refused("load")
        return problem(503, "Too much to do at once. Try again.", headers={"Retry-After": str(RETRY_AFTER_S)})

    def _long(self) -> Response:
        self._metrics.refused("long address")
        return problem(414, f"The address is longer than {LONGEST_ADDRESS} bytes; send a document by POST.")


def shed(app: Flask, metrics: Metrics, *, patience_s: float, budget_s: float | None = None) -> None:
    """Turn away what this app could not answer in time, and let the rest wait for the store no longer than its budget."""
    app.wsgi_app = Shedding(app, metrics, patience_s=patience_s, budget_s=budget_s)  # type: ignore[method-assign]
