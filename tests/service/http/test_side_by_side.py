"""Lists asked for at the same time are made side by side, and are those that each would get alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from service.services import Services
from service.store import Customer
from tests.service.http.apps import tiny_app
from tests.waiting import until

ITEMS = ("DR-001", "SH-014", "DR-002")
TIME = "2025-12-31T20:00:00Z"


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """The tiny shop; ann, bob and cid looked at something there, dan was never seen."""
    made = tiny_app(tmp_path)
    for name, item_id in zip(("ann", "bob", "cid"), ITEMS, strict=True):
        event = {"event": "view_item", "customer_id": name, "event_id": f"e-{name}", "item_id": item_id, "time": TIME}
        assert made.test_client().post("/events", json=event).status_code == 200
    return made


def ask(app: Flask, question: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answered = app.test_client().post("/recommend", json=question)
    return answered.status_code, answered.get_json()


def at_once(app: Flask, questions: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """The answers to these, all of which wait before any is made."""
    shop: Services = app.extensions["valet"]
    with ThreadPoolExecutor(len(questions)) as pool:
        with shop.lists._turn:
            asked = [pool.submit(ask, app, question) for question in questions]
            until(lambda: len(shop.lists._waiting) == len(questions))
        return [one.result() for one in asked]


QUESTIONS: list[dict[str, Any]] = [
    {"customer_id": "ann", "intent": "for_you", "n": 2},
    {"customer_id": "bob", "intent": "for_you", "n": 2},
    {"session_id": "s", "customer_id": "cid", "intent": "for_you", "n": 3, "exclude": ["SH-015"]},
    {"customer_id": "dan", "intent": "for_you", "n": 2},
    {"customer_id": "ann", "intent": "for_you", "n": 2, "debug": True},
    {"customer_id": "bob", "intent": "complementary", "item_ids": ["DR-001"]},
]


def test_each_gets_what_she_gets_alone(app: Flask) -> None:
    alone = [ask(app, question) for question in QUESTIONS]
    assert {status for status, _ in alone} == {200}
    assert at_once(app, QUESTIONS) == alone


def test_their_customers_are_read_in_one_round_trip(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    store, read = app.extensions["valet"].store, []
    customers = store.customers

    def counted(names: list[str]) -> list[Customer | None]:
        read.append(sorted(names))
        found: list[Customer | None] = customers(names)
        return found

    monkeypatch.setattr(store, "customers", counted)
    monkeypatch.setattr(store, "customer", lambda name: read.append([name]))
    at_once(app, QUESTIONS)
    assert read == [["ann", "bob", "cid", "dan", "session:s"]]


def test_a_profile_that_breaks_fails_her_list_and_no_other(app: Flask) -> None:
    app.testing = False  # as in production: what breaks is a 500
    store = app.extensions["valet"].store
    store.publish([("eve", b"no profile")], sequence=0, fold=lambda _, profile, __: profile)
    questions = [*QUESTIONS[:2], {"customer_id": "eve", "intent": "for_you"}]
    told = at_once(app, questions)
    assert [status for status, _ in told] == [200, 200, 500]
