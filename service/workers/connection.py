"""A connection, and what has come on it."""

from __future__ import annotations

import socket
import struct
from typing import Any

from gunicorn.workers.gthread import TConn

READ = 1 << 16  # bytes at once
SILENT_S = 30  # that a thread waits for a client


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """One client.

    came     what was read and is not asked yet
    wanted   how many bytes of it the next request takes, as far as known
    asked    the request that is to be answered, whole
    busy     whether a thread has it
    watched  whether the poller tells when there is something to read
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
        self.came = self.asked = b""
        self.wanted = 0
        self.busy = self.watched = self.parting = self.prompt = False
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

    def hand_over(self) -> None:
        """Give the parser what is asked."""
        self.parser.unreader.unread(self.asked)
        self.asked = b""

    def take_back(self) -> None:
        """What the parser read and did not need came, too."""
        self.came = self.parser.unreader.take_buffered() + self.came


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

    def send(self) -> bytes:
        """Send what was kept; what the client had no room for."""
        whole = b"".join(self._kept)
        try:
            return whole[self._sock.send(whole, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            return whole


Waiting = dict[Connection, None]  # in the order in which their time is up
