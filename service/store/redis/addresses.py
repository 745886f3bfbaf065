"""Where the name of a server leads. A name server that is silent is waited for many seconds, whatever the limit: by a thread of its own.

One thread asks at a time. Who connects waits for it as long as she may, and then goes where the name led last.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from concurrent.futures import Future
from functools import lru_cache
from ipaddress import ip_address

FIRST_S = 1.0  # how long the first who asks waits, at the start of the service: no request does


class Name:
    """The name of a host. In the child of a fork it is asked for anew: threads die there."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._known: list[str] = []
        self._patience_s = FIRST_S
        self._asked: Future[list[str]]
        self._start()

    def addresses(self, *, within_s: float) -> list[str]:
        """In the order to try them. Raises OSError where the name leads nowhere, or led nowhere yet and nobody says in time where it does."""
        if self._pid != os.getpid():
            self._start()
        with self._turn:
            if self._asked.done():
                self._asked, self._at = Future(), time.monotonic()
                threading.Thread(target=self._ask, args=(self._asked,), name="valet-name", daemon=True).start()
            asked, until = self._asked, self._at + max(within_s, self._patience_s)
            self._patience_s = 0.0
        try:
            return asked.result(max(until - time.monotonic(), 0))
        except TimeoutError:
            if not self._known:
                raise
        except socket.gaierror as error:
            if not self._known or error.errno != socket.EAI_AGAIN:
                raise
        return self._known

    def _start(self) -> None:
        self._pid = os.getpid()
        self._turn = threading.Lock()
        self._asked = Future()
        self._asked.set_result([])
        self._at = 0.0

    def _ask(self, asked: Future[list[str]]) -> None:
        try:
            found = socket.getaddrinfo(self._host, None, type=socket.SOCK_STREAM)
            self._known = list(dict.fromkeys(str(place[0]) for *_, place in found))
            asked.set_result(self._known)
        except OSError as error:
            asked.set_exception(error)
        except UnicodeError as error:  # no name that can be asked for
            asked.set_exception(OSError(str(error)))


name_of = lru_cache(maxsize=16)(Name)


def addresses(host: str, *, within_s: float) -> list[str]:
    """The addresses of a host, itself where it is one; see Name."""
    try:
        return [str(ip_address(host))]
    except ValueError:
        return name_of(host).addresses(within_s=within_s)
