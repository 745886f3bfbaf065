"""Pseudonyms: keyed hashes that stand for what must not be written down: the id of who was erased, a phone number, an e-mail address.

The key lies in the store, apart from the one that signs tokens: exchanging that one must not bring anybody back.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from hashlib import blake2b

from models.errors import StoreUnavailable
from service.store import Store

SECRET, NAME = "secret", "people"
BYTES = 32


class Pseudonyms:
    """The keyed hashes of one store. Its key is read once: it never changes."""

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self._key: bytes | None = None

    def of(self, what: str, text: str) -> str:
        """32 hexadecimal digits that stand for a text of some kind, the same ones on every worker. Raises StoreUnavailable."""
        return blake2b(f"{what}:{text}".encode(errors="replace"), key=self._secret(), digest_size=16).hexdigest()

    def of_all(self, what: str, texts: Iterable[str]) -> dict[str, str]:
        """The pseudonym of each of some texts."""
        return {text: self.of(what, text) for text in texts}

    def _secret(self) -> bytes:
        if self._key is None:
            if self._store is None:
                raise StoreUnavailable("this service runs without a store")
            self._store.put(SECRET, NAME, secrets.token_bytes(BYTES))  # the first one stays
            self._key = self._store.get(SECRET, NAME)
        assert self._key is not None  # noqa: S101  (put before)
        return self._key
