"""gunicorn's threaded worker, with what a service on the critical path needs besides.

- a request says since when it waited for a thread (service.http.load.QUEUED in its environ), so that the app can turn away what is late;
- idle connections are closed at once when it stops: nobody waits for them;
- what came together with a request is answered behind it, and where one was read to its end, nothing is looked for;
- what cannot be parsed is answered by a problem like any other error, and logged without what was sent.
"""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from gunicorn.http import errors
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

from service.http.load import QUEUED

STATUS: dict[type[BaseException], HTTPStatus] = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
}

log = structlog.get_logger(__name__)


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """One process of the service."""

    wsgi: Any

    def load_wsgi(self) -> None:
        """Take the app, and tell it of each request since when it waited."""
        super().load_wsgi()  # sets self.wsgi
        app: Any = self.wsgi
        self._serving = threading.local()

        def stamped(environ: Any, start_response: Any) -> Any:
            environ[QUEUED] = self._serving.queued
            return app(environ, start_response)

        self.wsgi = stamped

    def enqueue_req(self, conn: Any) -> None:
        """A connection has something to read: it waits for a thread from now on."""
        conn.queued = time.monotonic()
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Answer a request, and those that were read along with it or its body: no poller would tell of them again."""
        kept = super().handle(conn)
        while kept is True and conn.parser.unreader.buf.getvalue().strip():
            conn.queued = time.monotonic()
            kept = super().handle(conn)
        return kept

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer one request."""
        self._serving.queued = conn.queued
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: Any, keepalive: Any) -> Any:
        """Whether another request may come on this connection.

        gunicorn looks for what is left of the body, and looks again before the next request. Where nothing is, that is three calls of the
        system for nothing, and at each another thread may take over: on a busy worker a tenth of a small request.
        """
        parser = conn.parser
        if keepalive and getattr(parser.mesg.body.reader, "length", None) == 0:
            parser.mesg = None
            return True
        return super()._keepalive_after(conn, keepalive)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Take connections or, when it stops, no more of them; then those that are idle are closed."""
        super().set_accept_enabled(enabled)
        while not self.alive and self.keepalived_conns:
            idle = self.keepalived_conns.popleft()
            self.poller.unregister(idle.sock)
            self.nr_conns -= 1
            idle.close()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what is no request; no word of it is logged: it may hold ids and keys."""
        status = _status(exc)
        log.warning("refused" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "failed", error=type(exc).__name__)
        document = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": status.description}
        body = orjson.dumps(document)
        head = (
            f"HTTP/1.1 {int(status)} {status.phrase}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        )
        try:
            write_nonblock(client, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        except OSError:
            log.info("nobody waits for the answer")


def _status(error: BaseException) -> HTTPStatus:
    if type(error) in STATUS:
        return STATUS[type(error)]
    return HTTPStatus.BAD_REQUEST if isinstance(error, errors.ParseException) else HTTPStatus.INTERNAL_SERVER_ERROR
