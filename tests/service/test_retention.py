"""How long events are kept, on both stores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from models.errors import InputError
from models.profile import load
from models.settings import Settings
from models.settings_file import parse
from service import events, retention
from service.events import Rules
from service.people.identity import merge
from service.retention import Retention, cap, expire, key_ttl_s
from service.store import KEY_TTL_S, Store
from service.store.open import open_store
from service.watch import Watch
from tests.conftest import PATIENCE_MS
from tests.service.http.apps import tiny_app
from tests.waiting import until
from tests.worlds import NOW

DAY_S = 86_400


def post(store: Store, number: int, *, now: int, customer_id: str = "anna") -> str:
    row = {"event": "view_item", "item_id": "A", "customer_id": customer_id, "event_id": f"e{number}"}
    return events.record(row, store=store, rules=Rules(), now=now, new_id=str)[0].status


def logged(store: Store) -> list[str]:
    return [entry.keys[0] for entry in store.events()]


def test_what_was_kept_long_enough_leaves_the_log_and_what_it_told_stays(store: Store) -> None:
    for number in range(6):
        post(store, number, now=NOW + number * DAY_S)
    assert expire(store, before=NOW + 4 * DAY_S) == 4
    assert logged(store) == ["event:e4", "event:e5"]
    customer = store.customer("anna")
    assert customer is not None
    assert load(customer.profile).counts == {"view_item": 6}
    assert len(list(store.events(customer_id="anna"))) == 2


def test_it_is_kept_from_when_it_came_not_from_when_it_happened(store: Store) -> None:
    row = {"event": "view_item", "customer_id": "anna", "time": "2011-01-01T00:00:00Z"}
    events.record(row, store=store, rules=Rules(max_age_days=0), now=NOW, new_id=str)
    assert expire(store, before=NOW) == 0
    assert expire(store, before=NOW + 1) == 1


def test_a_merge_makes_no_event_younger(store: Store) -> None:
    post(store, 1, now=NOW, customer_id="visitor")
    post(store, 2, now=NOW + 9 * DAY_S)
    merge(store, anonymous="visitor", known="anna")
    assert expire(store, before=NOW + DAY_S, whole=True) == 1
    assert logged(store) == ["event:e2"]


def test_one_worker_a_day_looks(store: Store) -> None:
    clock = [NOW]
    workers = [Retention(store, keep_days=10, clock=lambda: clock[0]) for _ in range(2)]
    post(store, 1, now=NOW)
    assert [worker.look() for worker in workers] == [0, 0]
    clock[0] += 11 * DAY_S
    assert [worker.look() for worker in workers] == [1, 0]
    assert Retention(None, keep_days=1, clock=lambda: NOW).look() == 0


def test_only_what_is_drained_is_capped(store: Store) -> None:
    for number in range(10):
        post(store, number, now=NOW)
    assert cap(store, upto=0, most=3) == 0
    assert cap(store, upto=5, most=3) == 5
    assert len(logged(store)) == 5
    assert cap(store, upto=10, most=3) == 2
    assert logged(store) == ["event:e7", "event:e8", "event:e9"]


def test_on_redis_what_was_capped_is_still_known_when_it_is_sent_again(redis_url: str) -> None:
    store = open_store(f"{redis_url}?timeout_ms={PATIENCE_MS}")
    assert store is not None
    post(store, 1, now=NOW)
    cap(store, upto=1, most=0)
    assert logged(store) == []
    assert post(store, 1, now=NOW) == "repeated"
    store.close()


@pytest.mark.parametrize(
    ("changes", "days"),
    [({}, 40), ({"event_max_age_days": 90}, 100), ({"event_max_age_days": 0, "events_keep_days": 500}, 510)],
)
def test_a_repeat_is_known_as_long_as_its_event_may_be_sent(changes: dict[str, int], days: int) -> None:
    assert key_ttl_s(replace(Settings(), **changes)) == days * DAY_S
    assert days * DAY_S >= KEY_TTL_S


def test_the_service_keeps_keys_as_long_as_its_settings_say(redis_url: str, tmp_path) -> None:
    (tmp_path / "valet.toml").write_text("event_max_age_days = 300\n")
    store = f"{redis_url}?timeout_ms={PATIENCE_MS}"
    client = tiny_app(tmp_path, store=store, config=tmp_path / "valet.toml").test_client()
    client.post("/events", json={"event": "view_item", "customer_id": "anna", "event_id": "e"})
    with Redis.from_url(redis_url) as redis:
        [key] = redis.keys("event:*")
        assert redis.ttl(key) > 309 * DAY_S


def test_a_service_that_takes_events_drops_those_that_its_settings_keep_no_longer(
    store_url: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "Watch", lambda look, *, every_s, name: Watch(look, every_s=0.05, name=name))
    (tmp_path / "valet.toml").write_text("event_max_age_days = 5\nevents_keep_days = 5\n")
    for number, days in enumerate((6, 4)):
        post(store, number, now=NOW - days * DAY_S)
    app = tiny_app(tmp_path, store=store_url, config=tmp_path / "valet.toml")
    row = {"event": "view_item", "customer_id": "anna", "event_id": "e2"}
    assert app.test_client().post("/events", json=row).status_code == 200
    until(lambda: "event:e0" not in logged(store))
    assert logged(store) == ["event:e1", "event:e2"]
    app.extensions["valet"].retention.stop()


@pytest.mark.parametrize(
    "text",
    [
        "events_keep_days = 0",
        "event_max_age_days = 50\nevents_keep_days = 49",
        "events_keep_most = -1",
        "event_max_age_days = -1",
    ],
)
def test_what_cannot_be_kept_so_stops_the_start_with_its_line(text: str) -> None:
    with pytest.raises(InputError, match=f"line {len(text.splitlines())}"):
        parse(text, "valet.toml")
