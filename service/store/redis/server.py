"""The Redis server behind the store: one place for deadlines, pipelines, scripts and errors.

A connection that died while idle is noticed, and replaced, when it is taken (`connections`).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from redis.exceptions import NoPermissionError, NoScriptError, RedisError, ResponseError

from models.errors import InputError, StoreUnavailable
from service.store import deadline
from service.store.breaker import Breaker
from service.store.redis.connections import Command, Connections
from service.store.redis.keys import literally

SCHEMA = 1
SCHEMA_KEY = "schema"
REWRITE_POLL_S = 0.01
PAGE = 500  # keys a command
SCAN = 2000  # keys that one step of a walk looks at: about a millisecond of the server
CONTENTION_S = 1.0  # how long to try again while others change the same customer
LEAST_S = 0.001  # who has less than this left does not ask
BULK = 40  # how many deadlines a bulk call may take: hundreds of commands in one trip


@dataclass(frozen=True)
class Script:
    """A Lua script: runs whole and alone on the server. Whether it `writes`: then nobody who sent it stops listening early."""

    text: str
    writes: bool = True

    @cached_property
    def sha(self) -> str:
        """The name by which the server knows it once loaded."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class RedisServer:
    """One Redis 7.0 or newer, no cluster. `name` stands for the URL in messages, without its password."""

    def __init__(self, url: str, *, name: str, timeout_s: float) -> None:
        self._name = name
        self._timeout_s = timeout_s
        self._url = url
        self._quick = Connections(url, timeout_s=timeout_s)
        self._bulk = Connections(url, timeout_s=timeout_s * BULK)
        self._breaker = Breaker()
        self._checked = False

    def call(self, *command: Any) -> Any:
        """The answer to one command: one round trip."""
        return self.calls([command])[0]

    def calls(self, commands: Sequence[Command], *, bulk: bool = False) -> list[Any]:
        """The answers to some commands: one round trip. Raises StoreUnavailable when one of them is refused."""
        return self._granted(self._send([commands], bulk=bulk))

    def run(
        self, script: Script, calls: Iterable[tuple[Sequence[Any], Sequence[Any]]], *, bulk: bool = False
    ) -> list[Any]:
        """The answers of a script to each (keys, arguments): one round trip, and two more where the server did not know the script.

        Each call is sent as soon as it is made: the server runs it while the next one is.
        """
        commands: list[Command] = []

        def made() -> Iterator[Sequence[Command]]:
            for keys, arguments in calls:
                commands.append(("EVALSHA", script.sha, len(keys), *keys, *arguments))
                yield commands[-1:]

        answers = self._send(made(), bulk=bulk, writes=script.writes)
        unknown = [index for index, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            self.call("SCRIPT", "LOAD", script.text)
            again = self._send([[commands[index] for index in unknown]], bulk=bulk, writes=script.writes)
            for index, answer in zip(unknown, again, strict=True):
                answers[index] = answer
        return self._granted(answers)

    def named(self, prefix: bytes) -> Iterator[bytes]:
        """The keys that begin so, some of them twice: a walk over all keys of the database, a page a round trip."""
        cursor, pattern = b"0", literally(prefix) + b"*"
        while True:
            [[cursor, page]] = self.calls([("SCAN", cursor, "MATCH", pattern, "COUNT", SCAN)], bulk=True)
            yield from page
            if cursor in (0, b"0"):
                return

    def check(self) -> None:
        """Raise InputError where a newer Valet wrote this database; on the first contact only."""
        if self._checked:
            return
        self._checked = True  # first, as the calls below come here too
        try:
            found = self.call("GET", SCHEMA_KEY)
            if found is None:
                with suppress(StoreUnavailable):  # full, or a replica: it can be read all the same
                    self.call("SET", SCHEMA_KEY, SCHEMA, "NX")
        except StoreUnavailable:
            self._checked = False
            raise
        if found is not None and int(found) > SCHEMA:
            self._checked = False
            raise InputError(
                f"{self._name} has schema version {int(found)}, this Valet knows {SCHEMA}: a newer Valet wrote it. "
                "Install that one, or name another database."
            )

    def rewrite(self, *, patience_s: float) -> None:
        """Let the server write its append-only file and its snapshot anew, so that no deleted byte is left in them.

        A rewriting that runs already began before the deletion: it is waited for, and another follows. StoreUnavailable where that takes
        longer than `patience_s`; a server that keeps no files, or lets nobody rewrite them, has done all it can.
        """
        deadline = time.monotonic() + patience_s
        for running, command in self._files():
            while self._says(*running):
                self._wait(deadline)
            try:
                self.call(command)
            except StoreUnavailable as error:
                if isinstance(error.__cause__, NoPermissionError):
                    continue
                raise
            while self._says(*running):
                self._wait(deadline)

    def _files(self) -> list[tuple[Sequence[bytes], str]]:
        """What INFO says while a file is written, and the command that writes it, for the files that this server keeps."""
        try:
            saves = bool(self.call("CONFIG", "GET", "save")[1])
        except StoreUnavailable:  # not allowed here: it may keep one
            saves = True
        rewrites = (b"aof_rewrite_in_progress:1", b"aof_rewrite_scheduled:1")
        appends = self._says(b"aof_enabled:1")
        return [(rewrites, "BGREWRITEAOF")] * appends + [((b"rdb_bgsave_in_progress:1",), "BGSAVE")] * saves

    def _says(self, *lines: bytes) -> bool:
        """Whether one of these lines stands in INFO."""
        return not set(lines).isdisjoint(self.call("INFO", "persistence").split())

    def _wait(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise StoreUnavailable(f"{self._name}: it is still writing its files anew. Send it again.")
        time.sleep(REWRITE_POLL_S)

    def close(self) -> None:
        """Close the idle connections."""
        self._quick.close()
        self._bulk.close()

    def _send(self, packs: Iterable[Sequence[Command]], *, bulk: bool, writes: bool = False) -> list[Any]:
        """The answers, refusals among them as exceptions.

        What `writes` is not begun behind a request's deadline, and once begun waited for as long as the server may take: else it would be
        kept, and its sender told that it was not.
        """
        self.check()
        if not self._breaker.admits():
            raise StoreUnavailable(f"{self._name}: it did not answer several times in a row; it is asked again soon")
        left_s = deadline.left_s()
        if left_s < LEAST_S:
            raise StoreUnavailable(f"{self._name}: the request's time is up; it was not asked")
        if not writes and left_s < 2 * self._timeout_s * (BULK if bulk else 1):  # it may have to connect first
            return self._hurried(packs, left_s)
        try:
            answers = (self._bulk if bulk else self._quick).ask(packs)
        except ResponseError as error:
            answers = [error]
        except (RedisError, OSError) as error:
            self._breaker.silent()
            raise self._unavailable(error) from error
        self._breaker.answered()
        return answers

    def _hurried(self, packs: Iterable[Sequence[Command]], left_s: float) -> list[Any]:
        """The answers by a connection of their own, that waits as long as is left; what is late here says nothing of the server."""
        own = Connections(self._url, timeout_s=left_s / 2)
        try:
            return own.ask(packs)
        except ResponseError as error:
            return [error]
        except (RedisError, OSError) as error:
            raise self._unavailable(error) from error
        finally:
            own.close()

    def _granted(self, answers: list[Any]) -> list[Any]:
        """The answers, none of them a refusal."""
        for answer in answers:
            if isinstance(answer, RedisError):
                raise self._unavailable(answer) from answer
        return answers

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(
            f"{self._name}: {error or error.__class__.__name__} (deadline {self._timeout_s * 1000:.0f} ms)"
        )


def by_name(row: Sequence[bytes]) -> dict[bytes, bytes]:
    """A hash as HGETALL tells it: field, value, field, value, …"""
    return dict(zip(row[::2], row[1::2], strict=True))


def attempts() -> Iterator[None]:
    """Once, and again for CONTENTION_S; then StoreUnavailable."""
    deadline = time.monotonic() + CONTENTION_S
    yield
    while time.monotonic() < deadline:
        yield
    raise StoreUnavailable(f"redis: others kept changing the same customer for {CONTENTION_S:g} s. Try again.")
