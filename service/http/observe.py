"""One log line and one count a request: the route, never the path, because paths and queries hold ids."""

from __future__ import annotations

import sys
import time
import traceback
from types import TracebackType

import orjson
import structlog
from flask import Flask, Response, g, request

from service.http.metrics import metrics

UNKNOWN = "unknown"  # a path that no route matches
QUIET = ("/livez", "/readyz", "/metrics")  # asked every few seconds by machines: counted, not logged

log = structlog.get_logger("valet.request")


def observe(app: Flask) -> None:
    """Log and count every request of this app."""
    app.log_exception = _failed  # type: ignore[method-assign,assignment]  # flask's own would tell the path
    app.before_request(_start)
    app.after_request(_finish)


def log_json() -> None:
    """Log as JSON lines to stderr, for the whole process."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),  # whatever it is by then
    )


def _dumps(event: object, **_: object) -> str:
    return orjson.dumps(event, default=str).decode()


def _failed(error: tuple[type[BaseException], BaseException, TracebackType]) -> None:
    """What was raised where; not what it said, which may quote what came in."""
    kind, _, trace = error
    log.error("failed", route=_route(), error=kind.__name__, trace=traceback.format_tb(trace))


def _route() -> str:
    return request.url_rule.rule if request.url_rule else UNKNOWN


def _start() -> None:
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    seconds = time.perf_counter() - g.started if "started" in g else 0.0
    route = _route()
    method = request.method if request.method in METHODS else UNKNOWN
    metrics().answered(method=method, route=route, status=response.status_code, seconds=seconds)
    if route not in QUIET:
        log.info("request", method=method, route=route, status=response.status_code, ms=round(seconds * 1000, 2))
    return response


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
