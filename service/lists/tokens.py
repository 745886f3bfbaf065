"""The recommendation_id: a signed token that says where and from what a list came, so that answering writes nothing.

What it carries can be read by anyone and changed by nobody: no customer is in it.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import orjson

TAG_BYTES = 12  # of HMAC-SHA256: 96 bits, far beyond guessing
LONGEST = 2_000
MARK = 4  # characters of an item in `explored`


@dataclass(frozen=True)
class Token:
    """Where and from what a list came.

    placement           None where there was none
    experiment, variant in which it stood, None where in none; then `unit` stands for its customer: a keyed digest, of this experiment alone
    model_version       None where no bundle was loaded
    at                  seconds since 1970 UTC
    request             a short digest that tells two lists of one second apart
    explored            of a list that explores (probability, items): four characters each, all with this chance of standing where they did
    """

    placement: str | None
    variant: str | None
    model_version: str | None
    at: int
    request: str = ""
    experiment: str | None = None
    unit: str = ""
    explored: tuple[tuple[float, str], ...] = ()


def sign(token: Token, secret: bytes, *, at: int | None = None) -> str:
    """The token as text that fits into a URL; of another time, where one is said."""
    parts = [token.placement, token.variant, token.model_version, token.at if at is None else at, token.request]
    if token.experiment or token.explored:
        parts += [token.experiment, token.unit]
    return seal([*parts, token.explored] if token.explored else parts, secret)


def verify(text: str, secret: bytes) -> Token | None:
    """The token of a text that `sign` made with this secret; None for any other."""
    parts = opened(text, secret)
    if parts is None:
        return None
    token = Token(*parts)
    return replace(token, explored=tuple((chance, items) for chance, items in token.explored))


def propensity(token: Token, item_id: str) -> float | None:
    """The chance with which a list that explored put this item where it stood; None for an item that stood there by its score."""
    wanted = mark(item_id)
    for chance, items in token.explored:
        if wanted in (items[start : start + MARK] for start in range(0, len(items), MARK)):
            return chance
    return None


def mark(item_id: str) -> str:
    """Four characters that tell an item from the others of a list."""
    return urlsafe_b64encode(blake2b(item_id.encode("utf-8", "surrogatepass"), digest_size=3).digest()).decode()


def seal(parts: Sequence[Any], secret: bytes) -> str:
    """Some JSON values as text that fits into a URL, signed."""
    payload = orjson.dumps(parts)
    return urlsafe_b64encode(_tag(payload, secret) + payload).rstrip(b"=").decode()


def opened(text: str, secret: bytes) -> list[Any] | None:
    """What `seal` was given; None for a text that it did not make with this secret."""
    if len(text) > LONGEST:
        return None
    try:
        signed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (UnicodeEncodeError, binascii.Error):
        return None
    tag, payload = signed[:TAG_BYTES], signed[TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(payload, secret)):
        return None
    parts: list[Any] = orjson.loads(payload)
    return parts


def digest(request: object, secret: bytes) -> str:
    """Eight characters that tell this request from another; keyed, so that nobody can ask it who the customer was."""
    return mac(repr(request).encode("utf-8", "surrogatepass"), secret)[:4].hex()


def unit_digest(experiment: str, unit: str, secret: bytes) -> str:
    """Twelve characters that stand for a customer in one experiment, and tell nothing outside it."""
    named = f"{experiment}\0{unit}".encode("utf-8", "surrogatepass")
    return urlsafe_b64encode(mac(named, secret)[:9]).decode()


def _tag(payload: bytes, secret: bytes) -> bytes:
    return mac(payload, secret)[:TAG_BYTES]


def mac(message: bytes, secret: bytes) -> bytes:
    """HMAC-SHA256. `hmac.digest` would let another thread run meanwhile, which costs ten times the hash."""
    keyed = _keyed(secret).copy()
    keyed.update(message)
    return keyed.digest()


@lru_cache(maxsize=16)
def _keyed(secret: bytes) -> hmac.HMAC:
    """What has taken the key in already: half the work of a short message."""
    return hmac.new(secret, digestmod="sha256")
