"""From a URL to a store, and the errors on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import InputError
from service.store.open import open_store
from service.store.redis import RedisStore
from service.store.sqlite import SqliteStore


def test_none_is_no_store() -> None:
    assert open_store("none") is None


@pytest.mark.parametrize(
    ("rest", "file"),
    [
        ("valet.db", "valet.db"),
        ("new/folder/valet.db", "new/folder/valet.db"),
        ("a%20b.db?timeout_ms=20&synchronous=FULL", "a b.db"),
    ],
)
def test_three_slashes_name_a_file_of_the_working_directory(
    rest: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store(f"sqlite:///{rest}")
    assert isinstance(store, SqliteStore)
    store.close()
    assert (tmp_path / file).is_file()


def test_a_redis_is_opened_with_the_database_of_its_url(redis_url: str) -> None:
    zero, one, also_one = (
        open_store(redis_url.removesuffix("/0") + rest) for rest in ("/0", "/1", "?db=1&timeout_ms=500")
    )
    assert isinstance(zero, RedisStore)
    assert isinstance(one, RedisStore)
    assert isinstance(also_one, RedisStore)
    one.change("ann", "facts", lambda _: b"1")
    assert also_one.customer("ann") == one.customer("ann") != zero.customer("ann")
    for store in (zero, one, also_one):
        store.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "unknown; write sqlite:///"),
        ("valet.db", "unknown; write sqlite:///"),
        ("postgres://localhost", "unknown; write sqlite:///"),
        ("sqlite://valet.db", "unknown; write sqlite:///"),
        ("sqlite:///", "a file that the workers share"),
        ("sqlite:///:memory:", "a file that the workers share"),
        ("sqlite:////tmp", "a file that the workers share"),
        ("sqlite:////dev/null/valet.db", "/dev/null cannot be made"),
        ("sqlite:////dev/null", "a file that the workers share"),
        ("sqlite:///valet.db?synchronous=OFF", "synchronous=OFF is unknown; write one of NORMAL, FULL"),
        ("sqlite:///valet.db?timeout=5", "timeout is unknown here; known: timeout_ms, synchronous"),
        ("sqlite:///valet.db?timeout_ms=0", "timeout_ms=0 must be a whole number"),
        ("sqlite:///valet.db?timeout_ms=1.5", "timeout_ms=1.5 must be a whole number"),
        ("redis://", "unknown; write sqlite:///"),
        ("redis://localhost/shop", "unknown; write sqlite:///"),
        ("redis://localhost:port", "host or port cannot be read"),
        ("redis://localhost:99999", "host or port cannot be read"),
        ("redis://[::1", "host or port cannot be read"),
        ("redis://localhost?db=x", "db=x is no number"),
        ("redis://localhost?retry=5", "retry is unknown here; known: timeout_ms, db"),
        ("redis://localhost?timeout_ms=99999", "timeout_ms=99999 must be"),
        ("unix://", "unknown; write sqlite:///"),
    ],
)
def test_a_url_that_means_nothing_is_an_input_error_with_its_cure(
    url: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        open_store(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://user:secret@localhost/shop",
        "redis://:secret#x@localhost",
        "redis://:secret/x@localhost",
        "redis://:secret?x@localhost",
        "redis://:secret@localhost?what=1",
        "unix:///run/redis.sock?password=secret",
        "http://user:secret@localhost",
    ],
)
def test_no_message_shows_a_password(url: str) -> None:
    with pytest.raises(InputError) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "valet.db").write_text("customer_id,item_id\n" * 1_000)
    with pytest.raises(InputError, match=r"valet\.db is not a SQLite database. Name another file"):
        open_store(f"sqlite:///{tmp_path / 'valet.db'}")
