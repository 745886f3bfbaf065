"""A connection, and what has come on it."""

from __future__ import annotations

import errno
import socket
import struct
import time
from typing import Any

from gunicorn.workers.gthread import TConn

READ = 1 << 16  # bytes at once
SILENT_S = 30  # that a thread waits for a client
SLOWEST = 1 << 14  # bytes a second, of what is longer than that
MOST_KEPT = 1 << 20  # bytes of an answer for whom no thread waits that makes it


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """One client.

    came     what was read and is not asked yet
    wanted   how many bytes of it the next request takes, as far as known
    asked    the request that is to be answered, whole
    rest     what of an answer the client had no room for; kept: whether more may be asked behind it
    busy     whether a thread has it
    watched  what the poller tells of, something to read or room to send; 0: nothing
    slow     whether a thread waits for the rest of what it asks
    parting  whether nothing more is said to it
    among    those with which it waits, and timeout, until when
    queued   since when it waits for a thread, seconds of the monotonic clock; answered: when it had its last answer
    prompt   whether it asked at once after that
    """

    sock: Any
    parser: Any
    timeout: float

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        for way in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self.sock.setsockopt(socket.SOL_SOCKET, way, struct.pack("ll", SILENT_S, 0))  # a timeval
        self.came = self.asked = self.rest = b""
        self.wanted = 0
        self.watched = 0
        self.busy = self.slow = self.kept = self.parting = self.prompt = False
        self.among: Waiting | None = None
        self.queued = self.answered = 0.0

    def read(self) -> bool:
        """Take what there is; whether the client is still there. Never waits."""
        try:
            data = self.sock.recv(READ, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.came += data
        return bool(data)

    def ask(self, length: int) -> None:
        """Let so much of what came be the next that is answered."""
        self.asked, self.came = self.came[:length], self.came[length:]
        self.wanted = 0

    def send(self) -> bool:
        """Send what there is room for of the rest; whether the client is still there. Never waits."""
        try:
            self.rest = self.rest[self.sock.send(self.rest, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def hand_over(self) -> None:
        """Give the parser what is asked."""
        self.parser.unreader.unread(self.asked)
        self.asked = b""

    def take_back(self) -> None:
        """What the parser read and did not need came, too."""
        self.came = self.parser.unreader.take_buffered() + self.came


class Inlet:
    """A connection's socket as a thread reads it that waits for the rest of a request: not for ever, however little of it comes now and then."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._until = time.monotonic() + SILENT_S

    def recv(self, size: int) -> bytes:
        """As of a socket. Raises BlockingIOError where it takes too long."""
        if time.monotonic() > self._until:
            raise BlockingIOError(errno.EAGAIN, "it comes too slowly")
        data: bytes = self._sock.recv(size)
        self._until += len(data) / SLOWEST
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Outlet:
    """A connection's socket as a request sees it that is answered in a round.

    What it sends is kept until it is done, and goes out as one: no thread waits for a client that does not read. There is nothing to receive:
    the whole request is there.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._kept: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        """Keep this to be sent."""
        self._kept.append(data)

    def recv(self, size: int) -> bytes:
        """Raise BlockingIOError."""
        raise BlockingIOError

    def setblocking(self, flag: bool) -> None:
        """Nothing here waits."""

    def shutdown(self, how: int) -> None:
        """It is not for a request to end it."""

    def close(self) -> None:
        """It is not for a request to end it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def flush(self) -> bytes:
        """Send what was kept; what the client had no room for."""
        whole = b"".join(self._kept)
        try:
            return whole[self._sock.send(whole, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            return whole


class Stream(Outlet):
    """As it is seen by one that a thread answers alone: what it sends goes out as it comes, and only so much is kept."""

    def sendall(self, data: bytes) -> None:
        """Send this; what the client has no room for is kept, or waited for where it is too much."""
        super().sendall(data)
        self._kept = [self.flush()]
        if len(self._kept[0]) > MOST_KEPT:
            try:
                self._sock.sendall(self._kept.pop())
            except BlockingIOError as error:  # for gunicorn as if the client had gone
                raise BrokenPipeError(errno.EPIPE, "nobody reads the answer") from error

    def fileno(self) -> int:
        """For a file that is sent behind what was kept."""
        self._sock.sendall(b"".join(self._kept))
        self._kept = []
        return int(self._sock.fileno())


Waiting = dict[Connection, None]  # in the order in which their time is up
