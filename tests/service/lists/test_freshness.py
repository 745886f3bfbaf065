"""The promises of freshness, kept by real servers with two workers, on both stores: at once here, within a second everywhere."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.conftest import PATIENCE_MS, start_redis
from tests.service.serving import Serving, call, serving
from tests.waiting import PATIENCE_S, SOON_S
from tests.worlds import save, tiny_models

WORKERS = 2
POPULAR = "/recommend?intent=popular&n=50"


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One on each store for all tests here that leave its customers and items to each other."""
    folder = tmp_path_factory.mktemp("shop")
    save(folder / "models" / "trained", "one", tiny_models())
    with ExitStack() as stack:
        store = f"sqlite:///{folder / 'valet.db'}"
        if request.param == "redis":
            store = stack.enter_context(start_redis(folder)).url
        flags = ("--workers", str(WORKERS), "--threads", "4", "--store", f"{store}?timeout_ms={PATIENCE_MS}")
        yield stack.enter_context(serving(folder, *flags))


def send(service: Serving, method: str, path: str, body: Any = None) -> Any:
    with service.connect() as connection:
        status, answer = call(connection, method, path, None if body is None else orjson.dumps(body))
    assert status < 300, answer
    return answer


def everywhere(service: Serving, holds: Callable[[list[str]], bool]) -> float:
    """Seconds until the list is right in 40 calls in a row, over new connections: on all workers."""
    began = last_wrong = time.monotonic()
    right = 0
    while right < 40:
        shown = [item["item_id"] for item in service.get(POPULAR)[1]["items"]]
        right = right + 1 if holds(shown) else 0
        if not right:
            last_wrong = time.monotonic()
        assert time.monotonic() - began < PATIENCE_S
    return last_wrong - began


def test_items_that_are_put_patched_and_deleted_count_within_a_second_on_every_worker(service: Serving) -> None:
    send(service, "PUT", "/items", {"items": [{"item_id": "new", "title": "New"}]})
    took = [everywhere(service, lambda shown: "new" in shown)]
    send(service, "PATCH", "/items/SH-014", {"stock": 0})
    took.append(everywhere(service, lambda shown: "SH-014" not in shown))
    send(service, "DELETE", "/items/new")
    took.append(everywhere(service, lambda shown: "new" not in shown))
    assert max(took) < SOON_S


def test_what_she_did_counts_in_the_next_answer_of_every_worker_and_so_does_who_she_is(service: Serving) -> None:
    def viewed(whose: str) -> set[str]:
        """The lists of both workers, over new connections."""
        path = f"/recommend?{whose}&intent=recently_viewed&n=1&strict=true"
        return {"".join(item["item_id"] for item in service.get(path)[1]["items"]) for _ in range(20)}

    send(service, "POST", "/events", {"event": "view_item", "session_id": "s1", "item_id": "DR-002"})
    assert viewed("session_id=s1") == {"DR-002"}
    assert viewed("customer_id=anna") == {""}
    send(service, "POST", "/events", {"event": "login", "session_id": "s1", "customer_id": "anna"})
    assert viewed("customer_id=anna") == {"DR-002"}
    send(service, "POST", "/events", {"event": "purchase", "session_id": "s1", "item_id": "DR-002", "order_id": "o1"})
    assert service.get("/customers/anna")[1]["orders"]["count"] == 1


def test_a_no_and_a_complaint_count_in_the_next_decision_of_every_worker(service: Serving) -> None:
    def dropped(channel: str, code: str) -> set[int]:
        """How many actions both workers drop with this code, over new connections."""
        path = f"/next-best-action?customer_id=bea&channel={channel}&dry_run=true"
        return {service.get(path)[1]["dropped"].get(code, 0) for _ in range(20)}

    def say(status: str) -> None:
        consent = {"purpose": "marketing", "channel": "email", "status": status}
        send(service, "PUT", "/customers/bea/consents", {"consents": [consent]})

    say("granted")
    (few,) = dropped("email", "CONSENT")
    say("withdrawn")
    (many,) = dropped("email", "CONSENT")
    assert few < many
    assert dropped("website", "OPEN_COMPLAINT") == {0}
    send(service, "POST", "/events", {"event": "complaint", "customer_id": "bea", "event_id": "k1"})
    assert min(dropped("website", "OPEN_COMPLAINT")) > 0


def test_in_the_worker_that_took_it_a_change_counts_in_the_next_answer(tmp_path: Path, store_url: str) -> None:
    save(tmp_path / "models" / "trained", "one", tiny_models())
    with serving(tmp_path, "--workers", "1", "--store", store_url) as running:
        for stock, shown in ((0, False), (4, True), (0, False)):
            send(running, "PATCH", "/items/SH-014", {"stock": stock})
            assert ("SH-014" in [item["item_id"] for item in running.get(POPULAR)[1]["items"]]) is shown


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path, store_url: str) -> None:
    save(tmp_path / "models" / "trained", "one", tiny_models())
    with serving(tmp_path, "--store", store_url) as running:
        send(running, "PATCH", "/items/SH-014", {"price": 5})
        os.kill(running.process.pid, 9)
    with serving(tmp_path, "--store", store_url) as running:
        assert running.get("/items/SH-014")[1]["price"] == 5.0
        [item] = running.get("/recommend?intent=popular&price_max=5")[1]["items"]
        assert item["item"]["price"] == 5.0
