"""Pseudonyms: keyed hashes that stand for what must not be written down: the id of who was erased, a phone number, an e-mail address.

The key lies in the store, apart from the one that signs tokens: exchanging that one must not bring anybody back.
"""

from __future__ import annotations

import secrets
import time
from hashlib import blake2b

from models.errors import StoreUnavailable
from service.store import Store

SECRET, NAME = "secret", "people"
BYTES = 32
FRESH_S = 1.0  # how soon a worker sees that the store was emptied


class Pseudonyms:
    """The keyed hashes of one store. Its key never changes; a store that lost it, as one that was emptied, is given it back."""

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self._key: bytes | None = None
        self._read_at = 0.0

    def of(self, what: str, text: str) -> str:
        """32 hexadecimal digits that stand for a text of some kind, the same ones on every worker. Raises StoreUnavailable."""
        return blake2b(f"{what}:{text}".encode(errors="replace"), key=self._secret(), digest_size=16).hexdigest()

    def _secret(self) -> bytes:
        now = time.monotonic()
        if self._key is None or now >= self._read_at + FRESH_S:
            if self._store is None:
                raise StoreUnavailable("this service runs without a store")
            kept = self._store.get(SECRET, NAME)
            if kept is None:
                self._store.put(SECRET, NAME, self._key or secrets.token_bytes(BYTES))  # the first one stays
                kept = self._store.get(SECRET, NAME)
            assert kept is not None  # noqa: S101  (put before)
            self._key, self._read_at = kept, now
        return self._key
