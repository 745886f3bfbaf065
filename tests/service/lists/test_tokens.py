import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lists.tokens import Token, digest, mark, propensity, sign, verify

TOKEN = Token("หน้าแรก ☂", "b", "20260101T000000-tiny", 1_767_225_600, "0a1b2c3d")
texts = st.none() | st.text()


@given(st.builds(Token, texts, texts, texts, st.integers(0, 2**40), st.text(max_size=8)), st.binary(min_size=1))
def test_what_was_signed_is_verified(token: Token, secret: bytes) -> None:
    assert verify(sign(token, secret), secret) == token


def test_a_token_fits_into_a_url_and_is_short() -> None:
    text = sign(Token("product_page", None, "20260101T000000-3f9c", 1_767_225_600, "0a1b2c3d"), b"s")
    assert text.isascii()
    assert not set(text) & set("+/=&?# ")
    assert len(text) < 130


def test_a_token_tells_the_chance_of_what_was_explored_and_of_nothing_else() -> None:
    token = replace(TOKEN, explored=((0.02, mark("a") + mark("b")), (0.5, mark("ก"))))
    signed = verify(sign(token, b"s"), b"s")
    assert signed == token
    assert [propensity(signed, item_id) for item_id in ("a", "b", "ก", "c")] == [0.02, 0.02, 0.5, None]


def test_a_hundred_explored_items_fit_into_a_token() -> None:
    everything = "".join(mark(f"item {n}") for n in range(100))
    token = replace(TOKEN, experiment="shoes first", unit="0123456789ab", explored=((1 / 3, everything),))
    assert verify(sign(token, b"s"), b"s") == token


@pytest.mark.parametrize("place", range(0, len(sign(TOKEN, b"s")), 7))
def test_a_changed_token_is_none(place: int) -> None:
    text = sign(TOKEN, b"s")
    other = "A" if text[place] != "A" else "B"
    assert verify(text[:place] + other + text[place + 1 :], b"s") is None


@pytest.mark.parametrize("text", ["", "x", "é", "=", "A" * 5_000, sign(TOKEN, b"other"), sign(TOKEN, b"s")[:-4]])
def test_what_was_not_signed_is_none(text: str) -> None:
    assert verify(text, b"s") is None


def test_a_digest_tells_requests_apart_and_needs_the_secret() -> None:
    assert digest(("a", 1), b"s") == digest(("a", 1), b"s")
    assert len({digest(("a", 1), b"s"), digest(("a", 2), b"s"), digest(("a", 1), b"t")}) == 3


@pytest.mark.parametrize("digest", ["", "a", "ab", "abc"])
def test_an_operator_reads_a_token_as_the_operators_page_says(digest: str) -> None:
    page = (Path(__file__).parents[3] / "docs" / "ops.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"`python( -c 'import base64.*?)`", page)
    told = subprocess.run(
        ["sh", "-c", f"{sys.executable}{command}"],
        env={"ID": sign(replace(TOKEN, request=digest), b"s"), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(told.stdout) == ["หน้าแรก ☂", "b", "20260101T000000-tiny", 1_767_225_600, digest]
