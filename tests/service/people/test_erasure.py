"""After DELETE, no key, table, file or log of a real service holds her, in any byte; on both stores, with real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest
from redis import Redis

from tests.conftest import start_redis
from tests.service.serving import Serving, call, serving
from tests.worlds import save, tiny_models

HER = "anna-4711@shop"
TRACES = [HER.encode(), b"her-visit", b"her-order", b"0812345678", b"her-proof", b"her-word"]


@contextmanager
def shop(folder: Path, kind: str) -> Iterator[tuple[Serving, Callable[[], bytes]]]:
    """A running service, and all bytes that it and its store keep: values in the server, files, and what was printed."""
    for name in ("service", "store"):
        (folder / name).mkdir()
    save(folder / "models", "20260101T000000-tiny", tiny_models())
    flags = ("--models-dir", str(folder / "models"), "--workers", "2", "--store")
    if kind == "sqlite":
        with serving(folder / "service", *flags, f"sqlite:///{folder / 'store' / 'valet.db'}") as service:
            yield service, lambda: files(folder)
        return
    with start_redis(folder / "store") as server, Redis.from_url(server.url) as client:
        client.config_set("save", "3600 1")  # snapshots too
        client.config_set("rdbcompression", "no")
        client.save()
        with serving(folder / "service", *flags, f"{server.url}?timeout_ms=5000") as service:
            yield service, lambda: files(folder) + values(client)


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def values(client: Redis) -> bytes:
    return b"".join(name + (client.dump(name) or b"") for name in client.scan_iter())


def live_through_it_all(service: Serving) -> None:
    """Whatever a service may keep of a customer."""
    path = f"/customers/{quote(HER, safe='')}"
    bought = {"event": "purchase", "customer_id": HER, "order_id": "her-order", "items": [{"item_id": "DR-001"}]}
    events = [
        {"event": "view_item", "session_id": "her-visit", "item_id": "DR-001", "event_id": f"v {HER}"},
        {"event": "login", "session_id": "her-visit", "customer_id": HER},
        bought,
        {"event": "search", "customer_id": HER, "term": "her-word"},
    ]
    consent = {"purpose": "marketing", "channel": "email", "status": "granted", "proof": "her-proof"}
    asked = {"customer_id": HER, "channel": "agent", "context": {"said": "her-word"}}
    with service.connect() as connection:
        assert send(connection, "POST", "/events", events)["accepted"] == 4
        send(connection, "PATCH", path, {"attributes": {"phone": "0812345678", "email": HER}})
        send(connection, "PUT", f"{path}/consents", {"consents": [consent]})
        decided = send(connection, "POST", "/next-best-action", asked)
        told = {"decision_id": decided["decision_id"], "action_id": decided["actions"][0]["action_id"]}
        assert send(connection, "POST", "/outcomes", {**told, "outcome": "clicked"})["accepted"] == 1
        send(connection, "GET", f"{path}/export", None)
        send(connection, "GET", f"/recommend?customer_id={quote(HER)}&session_id=her-visit", None)


def send(connection, method: str, path: str, document: object):
    status, answer = call(connection, method, path, None if document is None else orjson.dumps(document))
    assert status == 200, answer
    return answer


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_after_delete_no_key_table_file_or_log_holds_her_and_the_others_are_there(tmp_path: Path, kind: str) -> None:
    with shop(tmp_path, kind) as (service, kept):
        live_through_it_all(service)
        with service.connect() as connection:
            send(connection, "POST", "/events", {"event": "view_item", "customer_id": "bob-4712", "item_id": "DR-001"})
            assert [trace for trace in TRACES if trace not in kept()] == [], "they are there before"
            erased = send(connection, "DELETE", f"/customers/{quote(HER, safe='')}", None)
            assert erased["counts"]["events"] == 4
            assert [trace for trace in TRACES if trace in kept()] == []
            assert b"bob-4712" in kept()
            assert erased["erasure_id"].encode() in service.printed.read_bytes(), "the audit line"
            assert send(connection, "DELETE", f"/customers/{quote(HER, safe='')}", None) == erased
