"""gunicorn's threaded worker, with what a service on the critical path needs besides.

- the poller's thread reads, and who sends slowly, or nothing, or does not read or close, holds up nobody;
- whole short requests that are there at the same time are answered in a round, by one thread; other whole ones by a thread each, as in gunicorn;
- threads that wait for clients, for long bodies and for who reads a mailing, are others than those that answer, and no page gets one;
- other answers that are not read wait for room without a thread;
- a request says since when it waited for a thread (service.http.load.QUEUED in its environ), so that the app can turn away what is late;
- idle connections are closed at once when it stops: nobody waits for them; for the rest of a request that is on its way, it waits a moment;
- what came together with a request is answered behind it, and where one was read to its end, nothing is looked for;
- what cannot be parsed is answered by a problem like any other error, and logged without what was sent.
"""

from __future__ import annotations

import errno
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from http import HTTPStatus
from itertools import chain
from typing import Any

import orjson
import structlog
from gunicorn.http import errors
from gunicorn.http.body import ChunkedReader
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

from service.http.load import QUEUED, SLOW
from service.workers.arrival import LONGEST_HEAD, Arrival, look
from service.workers.connection import MOST_KEPT, SILENT_S, SLOWEST, Connection, Inlet, Stream
from service.workers.round import Round
from service.workers.waiting import WaitingRoom

MOST = 16  # answered in a round
HOLD_MS = 20  # how often is looked whether a round still reckons
BUSY = 4  # connections at the same time
PROMPT_S = 0.002  # what a client takes at most that asks again at once
SLOWEST_S = 30.0  # from the first byte of a request to its last
SENDING_S = SILENT_S + MOST_KEPT / SLOWEST  # until a client has read its answer
MOST_SENDING = 64  # clients that do not read; one more, and the first of them is left: each costs up to MOST_KEPT
PARTING_S = 2.0  # until a client has closed what we closed
ENDING_S = 2.0  # for the rest of a request that is on its way when it stops
LOOK_S = 1.0  # how often is looked for those that are late

FULL = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

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
            environ[QUEUED], environ[SLOW] = self._serving.queued, self._serving.slow
            return app(environ, start_response)

        self.wsgi = stamped

    def run(self) -> None:
        """Serve until told to stop."""
        # Each of its own: none takes another's threads
        self._rounds, self._slow = self.get_thread_pool(), self.get_thread_pool()
        self._plain = not self.cfg.is_ssl and "h2" not in self.cfg.http_protocols
        self._full_until = 0.0  # no connection is taken, seconds of the monotonic clock
        self._room = WaitingRoom(self.poller, self._arrived)
        self.keepalived_conns = self._room.idle  # gunicorn keeps no more of them than it may
        self._ready: list[Connection] = []  # with a whole short request
        self._latest: Round | None = None  # until it was waited for
        self._lately = deque([frozenset[Connection]()] * 2, maxlen=2)  # who was answered in the last two rounds
        self._ends = select.poll()
        self._ends.register(self.method_queue.fileno(), select.POLLIN)
        super().run()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Look what arrives, and begin a round with all that is there.

        While one reckons, what arrives waits for its end: it is answered with less work then, and two threads that both reckon take the
        interpreter from one another. While it waits, for the store, the next begins beside it.
        """
        while self._latest is not None and not self._ends.poll(HOLD_MS) and self._latest.reckons():
            self.notify()
        self._latest = None
        super().wait_for_and_dispatch_events(0 if self._ready else min(timeout, LOOK_S))
        if self._ready:
            self._gather()
            self._begin()

    def handle_quit(self, sig: int, frame: Any) -> None:
        """As SIGTERM: gunicorn would end at once, and with it the poller that sends the rests of answers."""
        self.handle_exit(sig, frame)

    def _gather(self) -> None:
        """Under load who was answered asks again at once, and twice as many are answered as one: those who did so last time are waited for."""
        lately = self._lately[0] | self._lately[1]
        away = [one for one in lately if one.prompt and one.among is self._room.idle]
        if not away or len(away) + len(self._ready) < BUSY:
            return
        until = max(one.answered for one in away) + PROMPT_S
        while any(one.among is self._room.idle for one in away) and (left := until - time.monotonic()) > 0:
            super().wait_for_and_dispatch_events(left)

    def _begin(self) -> None:
        connections, self._ready = self._ready[:MOST], self._ready[MOST:]
        self._lately.append(frozenset(connections))
        self._latest = round_ = Round(connections, super().handle)
        self._rounds.submit(round_.run).add_done_callback(partial(self.method_queue.defer, self._end, round_))

    def _end(self, round_: Round, future: Future[None]) -> None:
        if self._latest is round_:
            self._latest = None
        if error := future.exception():
            log.error("failed", error=type(error).__name__)
        for connection, kept in round_.kept.items():
            self._sent(connection, round_.rest.get(connection, b""), kept)

    def _sent(self, connection: Connection, rest: bytes, kept: bool) -> None:
        """It was answered, but for a rest that the client has no room for yet."""
        if not rest:
            self._answered(connection, kept)
            return
        connection.rest, connection.kept = rest, kept
        self._room.wait(connection, self._room.sending, SENDING_S)
        if len(self._room.sending) > MOST_SENDING:
            self._leave(next(iter(self._room.sending)))

    def _send(self, connection: Connection) -> None:
        """There is room for more of the rest."""
        if not connection.send():
            self._leave(connection)
        elif not connection.rest:
            self._room.rise(connection)
            self._room.unwatch(connection)
            self._answered(connection, connection.kept)

    def accept(self, listener: Any) -> None:
        """Take the connections that wait, or so many of them; the rest may be another worker's."""
        try:
            for _ in range(MOST):
                sock, address = listener.accept()
                self.nr_conns += 1
                connection = Connection(self.cfg, sock, address, listener.getsockname())
                if self._plain:
                    connection.init()
                if self.nr_conns >= self.worker_connections:
                    self._make_room()
                self._room.watch(connection)
                self._arrived(connection)
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in FULL:
                raise
            log.warning("no connection can be taken for now", error=error.strerror, cure="ulimit -n")
            self._full_until = time.monotonic() + LOOK_S
            self.set_accept_enabled(False)

    def _make_room(self) -> None:
        """Leave who is parting, or has asked nothing yet, or not all, or waits the longest to ask again; those that are answered stay."""
        idle = self._room.idle
        silent = (one for one in idle if not one.answered)
        first = next(chain(self._room.parting, silent, self._room.asking, idle, self._room.sending), None)
        if first is not None and self._plain:
            self._arrived(first)  # it may have asked just now
        if first is not None and first.among is not None:
            self._leave(first)

    def _arrived(self, connection: Connection, _: Any = None) -> None:
        """There is something to read, room to send, an end, or nothing yet."""
        if not connection.watched:  # it has left since the poller was asked
            return
        if connection.among is self._room.sending:
            self._send(connection)
        elif connection.busy:  # it asks ahead, and is looked at again when it was answered
            self._room.unwatch(connection)
        elif self._plain:
            if not connection.read():
                self._leave(connection)
            elif connection.parting:
                connection.came = b""  # the rest of what was refused; who is cut off in it may not see why
            else:
                self._look(connection)
        elif connection.parting:
            self._leave(connection)
        else:
            self._alone(connection, self.tpool)

    def _look(self, connection: Connection) -> None:
        """Have it answered if its request is there, or wait."""
        arrival = Arrival.MORE
        if len(connection.came) >= connection.wanted:
            arrival, connection.wanted = look(connection.came)
            connection.slow = arrival is Arrival.SLOW
        if arrival is Arrival.SHORT:
            connection.ask(connection.wanted)
            self._take(connection)
            self._ready.append(connection)
        elif arrival is Arrival.NONE:
            self.handle_error(None, connection.sock, None, _wrong(connection.came))
            self._part(connection)
        elif arrival is not Arrival.MORE:
            self._alone(connection, self.tpool if arrival is Arrival.ALONE else self._slow)
        elif connection.came:
            self._room.wait(connection, self._room.asking, SLOWEST_S)
        else:
            first = 0.0 if connection.answered else SLOWEST_S
            self._room.wait(connection, self._room.idle, max(self.cfg.keepalive, first))

    def _alone(self, connection: Connection, pool: Executor) -> None:
        """Let a thread read the rest, and answer."""
        self._room.unwatch(connection)
        if connection.came:
            connection.ask(len(connection.came))
            connection.hand_over()
        self._take(connection)
        self._thread(connection, partial(self.handle, connection), pool)

    def _thread(self, connection: Connection, call: Callable[[], object], pool: Executor) -> None:
        pool.submit(call).add_done_callback(partial(self.method_queue.defer, self.finish_request, connection))

    def finish_request(self, conn: Connection, fs: Future[object]) -> None:
        """A thread has answered it."""
        broken = fs.cancelled() or fs.exception() is not None
        if self._plain:
            conn.take_back()
        rest, conn.rest = conn.rest, b""
        kept = not broken and bool(fs.result())
        self._sent(conn, b"" if broken else rest, kept)

    def _answered(self, connection: Connection, kept: bool) -> None:
        connection.busy, connection.answered = False, time.monotonic()
        if kept and self.alive:
            self._look(connection)
        else:
            self._part(connection)

    def _part(self, connection: Connection) -> None:
        """Say that nothing more comes, and leave when the client has left: closed at once, it might lose the end of its answer.

        gunicorn waits for each of them here, and for nobody else meanwhile.
        """
        connection.parting, connection.came = True, b""
        try:
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._leave(connection)
        else:
            self._room.wait(connection, self._room.parting, PARTING_S)

    def _take(self, connection: Connection) -> None:
        """It waits for a thread from now on."""
        self._room.rise(connection)
        connection.busy, connection.queued = True, time.monotonic()
        connection.prompt = connection.queued - connection.answered < PROMPT_S

    def _leave(self, connection: Connection) -> None:
        self._room.rise(connection)
        self._room.unwatch(connection)
        self.nr_conns -= 1
        connection.close()

    def murder_keepalived(self) -> None:
        """Leave those that have been idle for too long, and those that are too slow to ask, to read or to close; one more where it is full."""
        for connection in self._room.late():
            self._leave(connection)
        if self.alive and self.nr_conns >= self.worker_connections:
            self._make_room()  # all were being answered when the last of them came

    def set_accept_enabled(self, enabled: bool) -> None:
        """Take connections or, where there are too many or it stops, no more of them; then those that ask nothing are closed."""
        if enabled and time.monotonic() < self._full_until:
            return
        super().set_accept_enabled(enabled)
        if not self.alive:
            # One may have asked just now; where TLS hides that, a thread would wait for it
            for connection in (*self._room.idle, *self._room.asking) if self._plain else ():
                self._arrived(connection)
            for connection in tuple(self._room.idle):
                self._leave(connection)
            self._room.hurry(self._room.asking, ENDING_S)

    def handle(self, conn: Connection) -> Any:
        """Answer a request, and where no poller could tell of them those that were read along with it."""
        if self._plain:
            return self._handle_apart(conn)
        kept = super().handle(conn)
        while kept is True and (conn.parser.unreader.buf.getvalue().strip() or _deciphered(conn.sock)):
            conn.queued = time.monotonic()
            kept = super().handle(conn)
        return kept

    def _handle_apart(self, conn: Connection) -> Any:
        """Answer a request, and wait for the client no longer than is right."""
        sock, unreader, stream = conn.sock, conn.parser.unreader, Stream(conn.sock)
        conn.sock, unreader.sock = stream, Inlet(sock)
        try:
            kept = super().handle(conn)
            conn.rest = stream.flush()
        except OSError:  # nobody waits for the answer
            return False
        finally:
            conn.sock = unreader.sock = sock
        return kept

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer one request."""
        self._serving.queued, self._serving.slow = conn.queued, conn.slow
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: Any, keepalive: Any) -> Any:
        """Whether another request may come on this connection.

        gunicorn looks for what is left of the body, and looks again before the next request. Where nothing is, that is three calls of the
        system for nothing, and at each another thread may take over: on a busy worker a tenth of a small request. Where the rest is still to
        come, or broke off, it would wait for it, and take what comes then for a request.
        """
        parser = conn.parser
        reader = None if parser.mesg is None else parser.mesg.body.reader
        if not keepalive or not _is_here(reader, parser.unreader):
            return False
        if getattr(reader, "length", None) == 0:
            parser.mesg = None
            return True
        return super()._keepalive_after(conn, keepalive)

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


def _deciphered(sock: Any) -> int:
    """The bytes that TLS read, and gave nobody yet."""
    return int(sock.pending()) if isinstance(sock, ssl.SSLSocket) else 0


def _is_here(reader: Any, unreader: Any) -> bool:
    """Whether all that is left of a body was read already; of one in chunks, whether its end was."""
    if isinstance(reader, ChunkedReader):
        return reader.parser is None
    return getattr(reader, "length", 0) <= len(unreader.buf.getvalue())


def _wrong(came: bytes) -> errors.ParseException:
    """Why this is no request."""
    head = came.partition(b"\r\n\r\n")[0]
    if len(head) < LONGEST_HEAD:
        return errors.InvalidHeader("a line that ends in LF alone")
    return errors.LimitRequestHeaders("too long") if b"\n" in head else errors.LimitRequestLine(len(head), LONGEST_HEAD)


def _status(error: BaseException) -> HTTPStatus:
    if type(error) in STATUS:
        return STATUS[type(error)]
    return HTTPStatus.BAD_REQUEST if isinstance(error, errors.ParseException) else HTTPStatus.INTERNAL_SERVER_ERROR
