"""From a URL to a store: `sqlite:///valet.db`, `redis://host:6379/0`, `rediss://…` (TLS), `unix:///run/redis.sock`, or `none`.

Settings follow after a question mark: `timeout_ms` (the longest wait for one answer or lock), for SQLite `synchronous` (NORMAL or
FULL), for Redis `db` and, with TLS, `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import cast, get_args
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from models.errors import InputError, StoreUnavailable
from service.store import KEY_TTL_S, Store
from service.store.redis import TIMEOUT_S as REDIS_TIMEOUT_S
from service.store.redis import RedisStore
from service.store.sqlite import TIMEOUT_S as SQLITE_TIMEOUT_S
from service.store.sqlite import SqliteStore
from service.store.sqlite.file import Synchronous

EXAMPLES = "write sqlite:///valet.db, sqlite:////var/lib/valet.db, redis://host:6379/0, rediss://…, unix:///run/redis.sock or none"
SQLITE_SETTINGS = ("timeout_ms", "synchronous")
REDIS_SETTINGS = ("timeout_ms", "db", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
LONGEST_MS = 60_000


def open_store(url: str, *, key_ttl_s: int = KEY_TTL_S) -> Store | None:
    """The store at `url`, its schema brought up to date; None for `none`. On Redis a repeat is known for `key_ttl_s`.

    A store that is away is opened all the same, and checked when it first answers. Raises InputError where the URL means nothing,
    the file is no database, or a newer Valet wrote it.
    """
    if url == "none":
        return None
    place = "store " + re.sub(r"\?.*", "", re.sub("//.*@", "//…@", url))  # without user, password and settings
    store = _build(url, place, key_ttl_s)
    try:
        with suppress(StoreUnavailable):
            store.ping()
    except InputError:
        store.close()
        raise
    return store


def _build(url: str, place: str, key_ttl_s: int) -> Store:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InputError(f"{place}: host or port cannot be read (percent-encode a password); {EXAMPLES}") from None
    if parts.scheme == "sqlite" and not parts.netloc:
        return _sqlite(parts, place)
    if parts.scheme == "unix" and parts.path.strip("/"):
        return _redis(parts, place, key_ttl_s, name=f"unix://{parts.path}")
    if parts.scheme in ("redis", "rediss") and parts.hostname and re.fullmatch(r"/?\d*", parts.path):
        return _redis(parts, place, key_ttl_s, name=f"{parts.scheme}://{parts.hostname}:{port or 6379}{parts.path}")
    raise InputError(f"{place}: unknown; {EXAMPLES}")


def _sqlite(parts: SplitResult, place: str) -> Store:
    settings = _settings(parts, place, SQLITE_SETTINGS)
    path = Path(unquote(parts.path[1:]))
    if path.name in ("", ":memory:") or (path.exists() and not path.is_file()):
        raise InputError(f"{place}: the store is a file that the workers share; {EXAMPLES}")
    synchronous = settings.get("synchronous", "NORMAL")
    if synchronous not in get_args(Synchronous):
        raise InputError(
            f"{place}: synchronous={synchronous} is unknown; write one of {', '.join(get_args(Synchronous))}"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{place}: {path.parent} cannot be made: {error.strerror}. Name another file.") from error
    timeout_s = _timeout_s(settings, place, SQLITE_TIMEOUT_S)
    return SqliteStore(path, timeout_s=timeout_s, synchronous=cast(Synchronous, synchronous))


def _redis(parts: SplitResult, place: str, key_ttl_s: int, *, name: str) -> Store:
    settings = _settings(parts, place, REDIS_SETTINGS)
    if not settings.get("db", "0").isdecimal():
        raise InputError(f"{place}: db={settings['db']} is no number; write 0, 1, …")
    timeout_s = _timeout_s(settings, place, REDIS_TIMEOUT_S)
    query = urlencode({key: value for key, value in settings.items() if key != "timeout_ms"})
    return RedisStore(parts._replace(query=query).geturl(), name=name, timeout_s=timeout_s, key_ttl_s=key_ttl_s)


def _settings(parts: SplitResult, place: str, known: tuple[str, ...]) -> Mapping[str, str]:
    settings = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(settings.keys() - set(known))
    if unknown or parts.fragment:
        raise InputError(
            f"{place}: {unknown[0] if unknown else '#' + parts.fragment} is unknown here; known: {', '.join(known)}"
        )
    return settings


def _timeout_s(settings: Mapping[str, str], place: str, default_s: float) -> float:
    text = settings.get("timeout_ms")
    if text is None:
        return default_s
    if not text.isdecimal() or not 1 <= int(text) <= LONGEST_MS:
        raise InputError(f"{place}: timeout_ms={text} must be a whole number of milliseconds from 1 to {LONGEST_MS}")
    return int(text) / 1000
