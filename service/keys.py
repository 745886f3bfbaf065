"""API keys: who may call what. The store keeps a key's digest alone; what is sent is hashed and looked up in memory.

    make → the text, once, and its digest in the store → every worker knows it within POLL_S → revoke, at once or after a while

A key is 256 random bits, so that one round of SHA-256 keeps it: there is nothing to guess. Two keys of a scope are as good as one: a key is
rotated by making another and revoking the first after a while.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import Literal, get_args

import orjson
import structlog

from models.errors import InputError
from service.store import Store
from service.watch import Watched

Scope = Literal["public", "server", "agent", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
KEYS, REVOKED = "key", "revoked-key"  # kinds of documents; KEYS is the name of their version number, too
POLL_S = 0.5
LEAST = 16  # characters of a key that is set by hand and is a secret

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Key:
    """One key, without its text.

    key_id      names it in logs, lists and limits; no secret
    digest      SHA-256 of the text, hexadecimal
    created_at  seconds since 1970 UTC
    ends_at     when it stops working; None: it is not revoked
    """

    key_id: str
    scope: Scope
    name: str
    digest: str
    created_at: int
    ends_at: int | None = None


@lru_cache(maxsize=256)
def digest(text: str) -> str:
    """What is kept of a key; keys that come again and again are not hashed again."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def given(scope: Scope, text: str) -> Key:
    """A key that the environment or the settings set. Raises InputError for one that can be guessed."""
    if scope != "public" and len(text) < LEAST:  # the public one stands in pages
        raise InputError(f"VALET_{scope.upper()}_KEY has {len(text)} characters; write at least {LEAST} random ones")
    return Key(f"{scope}-setting", scope, "of the settings", digest(text), created_at=0)


def make(store: Store, scope: Scope, *, name: str, now: int) -> tuple[Key, str]:
    """A new key and its text, which nobody can read again. Raises StoreUnavailable."""
    key_id = secrets.token_hex(4)
    text = f"valet_{scope}_{key_id}_{secrets.token_urlsafe(32)}"
    key = Key(key_id, scope, name, digest(text), now)
    document = {"scope": scope, "name": name, "digest": key.digest, "created_at": now}
    store.put(KEYS, key_id, orjson.dumps(document))
    store.bump(KEYS)
    return key, text


def revoke(store: Store, key_id: str, *, at: int) -> None:
    """Let a key stop working at a time; once said, that stands. Raises InputError for one that there is not, StoreUnavailable."""
    if store.get(KEYS, key_id) is None:
        raise InputError(f"there is no key {key_id!r}; valet-serve keys list names them all")
    if not store.put(REVOKED, key_id, orjson.dumps({"at": at})):
        store.put(REVOKED, f"{key_id}@{at}", orjson.dumps({"at": at}))  # sooner than was said before: the first counts
    store.bump(KEYS)


def listed(store: Store) -> list[Key]:
    """All keys, also those that work no more, oldest first. Raises StoreUnavailable, InputError where one cannot be read."""
    keys, unreadable = _read(store)
    if unreadable:
        raise _unreadable(unreadable)
    return keys


def _read(store: Store) -> tuple[list[Key], list[str]]:
    """All keys, oldest first, and the ids of those that cannot be read and were not revoked."""
    ends: dict[str, int] = {}
    for name, document in store.documents(REVOKED):
        key_id, at = name.partition("@")[0], int(orjson.loads(document)["at"])
        ends[key_id] = min(at, ends.get(key_id, at))
    keys, unreadable = [], []
    for key_id, document in store.documents(KEYS):
        try:
            keys.append(replace(Key(key_id, **orjson.loads(document)), ends_at=ends.get(key_id)))
        except (TypeError, ValueError):  # of a later version, or damaged
            unreadable.append(key_id)
    return sorted(keys, key=lambda key: key.created_at), [key_id for key_id in unreadable if key_id not in ends]


def _unreadable(key_ids: Iterable[str]) -> InputError:
    return InputError(f"keys {', '.join(key_ids)} cannot be read by this version: revoke them, and make others")


class Keyring(Watched):
    """The keys of a running service: those of the settings and those of the store, polled off the request path.

    While the store is away, and after it was emptied, those that were known stay known. With none at all the service is `open`:
    it answers its own machine only.
    """

    def __init__(self, store: Store | None, settings: Iterable[Key] = (), *, poll_s: float = POLL_S) -> None:
        super().__init__("keys", poll_s=poll_s)
        self._store = store
        self._settings = {key.digest: key for key in settings}
        self._keys: Mapping[str, Key] = self._settings
        self._version = 0
        self.read = store is None  # whether the store has said yet which keys there are
        self.refresh()

    @property
    def open(self) -> bool:
        """Whether nobody needs a key: there is none. What the settings give to agents and pages opens their calls, and closes no other."""
        return self.read and all(
            key.digest in self._settings and key.scope in ("agent", "public") for key in self._keys.values()
        )

    @property
    def agents(self) -> bool:
        """Whether there is a key for the call centre."""
        return any(key.scope == "agent" for key in self._keys.values())

    def find(self, text: str, *, now: int) -> Key | None:
        """The key of this text that works at this time (seconds since 1970); None for any other text."""
        key = self._keys.get(digest(text))
        return None if key is None or (key.ends_at is not None and now >= key.ends_at) else key

    def _look(self) -> None:
        """Read the keys again where they changed."""
        if self._store is None:
            return
        version = self._store.versions().get(KEYS, 0)
        if version and version != self._version:
            keys, unreadable = _read(self._store)
            self._keys = {**self._keys, **{key.digest: key for key in keys}}
            if unreadable:
                self.read = self.read or bool(keys)  # without any that can be read, there may be some all the same
                raise _unreadable(unreadable)
        self._version = version
        self.read = True
