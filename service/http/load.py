"""Load: what has waited too long for a thread is turned away before anything is done for it, so that what is answered is answered in time.

The first thing of all, outside of the app: turning one away costs a few microseconds. Addresses that are too long are turned away here, too.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response

from service.http.metrics import Metrics
from service.http.problems import RETRY_AFTER_S, problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

QUEUED = "valet.queued"  # in the environ: since when it waited, seconds of the monotonic clock; service.worker sets it
ALWAYS = ("/livez", "/readyz", "/metrics")
LONGEST_ADDRESS = 128 << 10  # bytes: some thousand ids


class Shedding:
    """WSGI around an app."""

    def __init__(self, app: WSGIApplication, metrics: Metrics, *, patience_s: float) -> None:
        self._app = app
        self._metrics = metrics
        self._patience_s = patience_s

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The app's answer, or a problem."""
        queued = environ.get(QUEUED)
        late = queued is not None and time.monotonic() - queued > self._patience_s
        if late and environ["PATH_INFO"] not in ALWAYS:
            return self._late()(environ, start_response)
        if len(environ.get("RAW_URI", "")) > LONGEST_ADDRESS:
            return self._long()(environ, start_response)
        return self._app(environ, start_response)

    def _late(self) -> Response:
        self._metrics.refused("load")
        return problem(503, "Too much to do at once. Try again.", headers={"Retry-After": str(RETRY_AFTER_S)})

    def _long(self) -> Response:
        self._metrics.refused("long address")
        return problem(414, f"The address is longer than {LONGEST_ADDRESS} bytes; send a document by POST.")


def shed(app: Flask, metrics: Metrics, *, patience_s: float) -> None:
    """Turn away what this app could not answer in time."""
    app.wsgi_app = Shedding(app.wsgi_app, metrics, patience_s=patience_s)  # type: ignore[method-assign]
