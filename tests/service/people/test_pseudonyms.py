"""Pseudonyms: the same on every worker, also where the store was emptied while some of them knew its key."""

from pathlib import Path

import pytest

from service.people import pseudonyms
from service.people.pseudonyms import Pseudonyms
from service.store.open import open_store
from tests.conftest import start_redis


@pytest.mark.parametrize("first", ["who knew it before", "who came since"])
def test_a_redis_that_came_back_empty_is_given_the_key_or_gives_another_to_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    monkeypatch.setattr(pseudonyms, "FRESH_S", 0.0)
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
    with start_redis(tmp_path / "before") as server:
        store = open_store(f"{server.url}?timeout_ms=5000")
        assert store is not None
        old = Pseudonyms(store)
        was = old.of("phone", "812345678")
        server.process.kill()
        server.process.wait()
        with start_redis(tmp_path / "after", port=server.port):
            new = Pseudonyms(store)
            both = [
                one.of("phone", "812345678") for one in ((old, new) if first == "who knew it before" else (new, old))
            ]
            assert both[0] == both[1]
            assert (both[0] == was) is (first == "who knew it before")
        store.close()
