"""Tokens that the shop signs: taken while they are good, and no other text is."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.customer_tokens import customer, sign

SECRET, OLD, NOW = b"s" * 32, b"o" * 32, 1_767_225_600


def made(header: object, claims: object, secret: bytes = SECRET) -> str:
    """A token of any header and claims, rightly signed."""
    body = b".".join(urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=") for part in (header, claims))
    return b".".join((body, urlsafe_b64encode(hmac.digest(secret, body, "sha256")).rstrip(b"="))).decode()


@pytest.mark.parametrize("customer_id", ["ann", "รองเท้า", "a.b.c", " "])
def test_a_token_names_its_customer_until_it_expires(customer_id: str) -> None:
    token = sign(customer_id, expires_at=NOW + 1, secret=SECRET)
    assert customer(token, secrets=(SECRET,), now=NOW) == customer_id
    assert customer(token, secrets=(SECRET,), now=NOW + 1) is None


def test_two_secrets_are_taken_while_one_is_exchanged_for_the_other() -> None:
    tokens = [sign("ann", expires_at=NOW + 1, secret=secret) for secret in (OLD, SECRET)]
    assert [customer(token, secrets=(SECRET, OLD), now=NOW) for token in tokens] == ["ann", "ann"]
    assert [customer(token, secrets=(SECRET,), now=NOW) for token in tokens] == [None, "ann"]
    assert customer(tokens[0], secrets=(), now=NOW) is None


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"alg": "none"}, {"sub": "ann", "exp": NOW + 1}),
        ({"alg": "HS512"}, {"sub": "ann", "exp": NOW + 1}),
        ([], {"sub": "ann", "exp": NOW + 1}),
        ({"alg": "HS256"}, {"sub": "ann"}),
        ({"alg": "HS256"}, {"sub": "", "exp": NOW + 1}),
        ({"alg": "HS256"}, {"sub": "x" * 4_001, "exp": NOW + 1}),
        ({"alg": "HS256"}, {"sub": 5, "exp": NOW + 1}),
        ({"alg": "HS256"}, {"sub": "ann", "exp": "tomorrow"}),
        ({"alg": "HS256"}, ["ann"]),
    ],
)
def test_a_token_that_says_too_little_or_too_much_is_nobody_s(header, claims) -> None:
    assert customer(made(header, claims), secrets=(SECRET,), now=NOW) is None


@given(st.text(max_size=60), st.integers(0, 200), st.characters())
@example("", 40, "\ud800")
def test_no_other_text_is_anybody_s(text: str, place: int, other: str) -> None:
    assert customer(text, secrets=(SECRET,), now=NOW) is None
    good = sign("ann", expires_at=NOW + 1, secret=SECRET)
    place %= len(good) - 1  # the last character of base64 has bits that say nothing
    changed = good[:place] + other + good[place + 1 :]
    assert changed == good or customer(changed, secrets=(SECRET,), now=NOW) is None
