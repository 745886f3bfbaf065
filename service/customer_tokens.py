"""The customer_token: a page says who its visitor is in the shop's words, which nobody else can say.

The shop's server signs a JSON Web Token (RFC 7519) with HS256 and a secret that it shares with Valet (VALET_CUSTOMER_SECRET):
`{"sub": customer_id, "exp": seconds since 1970}`. Every language has a library for that. Two secrets, separated by a comma, are both taken:
so one is exchanged for another without a visitor noticing.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

import orjson

LONGEST = 8_000
LONGEST_ID = 4_000
HEADER = b'{"alg":"HS256","typ":"JWT"}'


def sign(customer_id: str, *, expires_at: int, secret: bytes) -> str:
    """A token as the shop makes it: for tests, and to see how."""
    body = b".".join(map(_text, (HEADER, orjson.dumps({"sub": customer_id, "exp": expires_at}))))
    return b".".join((body, _text(hmac.digest(secret, body, "sha256")))).decode()


def customer(token: str, *, secrets: Sequence[bytes], now: int) -> str | None:
    """Whose token it is; None where it was signed with no secret of ours, with another algorithm, or has expired."""
    body, _, signature = token.rpartition(".")
    head, _, claims = body.partition(".")
    tag = _bytes(signature)
    if len(token) > LONGEST or tag is None or _document(head).get("alg") != "HS256":
        return None
    signed = body.encode("utf-8", "surrogatepass")
    if not any(hmac.compare_digest(tag, hmac.digest(secret, signed, "sha256")) for secret in secrets):
        return None
    said = _document(claims)
    subject, expires_at = said.get("sub"), said.get("exp")
    good = isinstance(subject, str) and 1 <= len(subject) <= LONGEST_ID
    fresh = isinstance(expires_at, int | float) and now < expires_at
    return subject if good and fresh else None


def _text(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")


def _bytes(text: str) -> bytes | None:
    try:
        return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (UnicodeEncodeError, binascii.Error):
        return None


def _document(text: str) -> dict[str, Any]:
    """The JSON object of a part; an empty one for anything else."""
    try:
        document = orjson.loads(_bytes(text) or b"")
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
