"""Whatever is sent, the answer is a list or says what is wrong with it: seeded, on the real app, over every field of the schemas."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from flask.testing import FlaskClient

from models.filters import FIELDS, OPS
from service.http.schemas import PageBody, RankBody, RecommendBody, RecommendQuery
from service.lists.request import INTENTS
from tests.service.http.apps import tiny_client
from tests.worlds import STRANGE

NESTED: dict[str, Any] = {"not": {"field": "colour", "value": "red"}}
for _ in range(40):
    NESTED = {"not": NESTED}
NASTY: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.5, -0.0, 1e308, 10**18, 10**40, "", " ", "x", "ก" * 50, "x" * 5_000, "\0", "NaN", "inf", "1e999",
    "2026-01-01", STRANGE, "DR-001", "DR-001,DR-002", "../../etc/passwd", "' OR 1=1 --", [], {}, [[]], [None], [1], ["DR-001"],
    ["DR-001", "DR-001"], ["x"] * 1_001, [f"i{n}" for n in range(25_000)], [""], ["\0"], [{}], {"x": 1}, {"": ""}, {"field": "price"}, NESTED,
    {"all": []}, {"any": [NESTED] * 30}, {"field": "price", "op": "between", "value": [3, 1]}, {"field": "price", "op": "lt", "value": "x"},
    {"field": "colour", "op": "in", "value": "red"}, {"field": "size", "value": 1}, {"field": "price", "op": "eq", "value": None},
    [{"filter": NESTED, "weight": 2}], [{"filter": {"field": "colour", "value": "red"}, "weight": 1e300}], [{"weight": 1}],
    [{"name": "p", "percent": 50, "filter": {"field": "colour", "value": "red"}}], [{"name": "p", "percent": -1, "filter": {}}],
)  # fmt: skip
RAW = (
    b"", b"null", b"[]", b'"x"', b"5", b"{", b'{"n": NaN}', b'{"price_min": Infinity}', b'{"n": 1e999}', b'{"n": 1, "n": 2}', b"\xff\xfe",
    b'{"customer_id": "\\ud800"}', b'{"item_ids": ["\\udfff"]}', b"[" * 5_000, b'{"filter": ' + b'{"not": ' * 900 + b"1" + b"}" * 901,
    b'{"context": {"a": {"b": 1}}}', b'{"exclude": [' + b'"x",' * 30_000 + b'"x"]}', b"\xef\xbb\xbf{}", b'{"n": "5"}', b'{"n": "\xd9\xa3"}',
)  # fmt: skip
LIKELY = {
    "intent": INTENTS,
    "item_ids": (["DR-001"], ["DR-001", "VT-001"]),
    "customer_id": ("c", STRANGE),
    "n": (1, 5, 100),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    client = tiny_client(tmp_path_factory.mktemp("shop"))
    client.application.testing = False  # an error is a 500, as it would be for a shop
    events = [
        {"event": name, "customer_id": "c", "item_id": item_id}
        for name in ("purchase", "view_item", "dislike", "view_item_list", "add_to_cart")
        for item_id in ("DR-001", "VT-001", "gone")
    ]
    assert client.post("/events", json=events).status_code == 200
    return client


def lawful(answer: Any) -> None:
    """A list, or a problem that says what is wrong."""
    assert answer.status_code in (200, 400, 413, 415, 422), answer.get_data(as_text=True)[:500]
    if answer.status_code != 200:
        assert answer.content_type == "application/problem+json"
    if answer.status_code == 422:
        assert answer.get_json()["errors"]


def a_body(rng: random.Random, names: list[str]) -> dict[str, Any]:
    """A document of some known fields; most hold what they might, some what they must not."""
    body = {name: rng.choice(LIKELY[name]) for name in LIKELY if name in names and rng.random() < 0.3}
    for name in rng.sample([*names, "unknown", "color", ""], rng.choice((1, 1, 2, 3))):
        body[name] = rng.choice(NASTY)
    return body


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    ("path", "schema"), [("/recommend", RecommendBody), ("/rank", RankBody), ("/recommend/batch", PageBody)]
)
def test_no_document_breaks_it(client: FlaskClient, path: str, schema: type[RecommendBody], seed: int) -> None:
    rng = random.Random(f"{path} {seed}")
    names = [field.data_key or name for name, field in schema().fields.items()]
    of_lists = [field.data_key or name for name, field in RecommendBody().fields.items()]
    for _ in range(25):
        body = a_body(rng, names)
        if path == "/recommend/batch" and rng.random() < 0.8:
            body = {
                "requests": [a_body(rng, of_lists) for _ in range(rng.randint(1, 3))],
                "distinct": rng.random() < 0.5,
            }
        lawful(client.post(path, json=body))


@pytest.mark.parametrize("name", [field.data_key or name for name, field in RecommendBody().fields.items()])
def test_every_field_takes_every_value_or_says_no(client: FlaskClient, name: str) -> None:
    for value in NASTY:
        for intent in ("complementary", "because_you"):
            lawful(
                client.post(
                    "/recommend", json={"intent": intent, "customer_id": "c", "item_ids": ["DR-001"], name: value}
                )
            )


@pytest.mark.parametrize("path", ["/recommend", "/rank", "/recommend/batch"])
@pytest.mark.parametrize("media_type", ["application/json", "application/x-ndjson", "text/plain", ""])
def test_no_bytes_break_it(client: FlaskClient, path: str, media_type: str) -> None:
    for raw in RAW:
        answer = client.post(path, data=raw, content_type=media_type)
        if answer.content_type == "application/x-ndjson":
            assert orjson.loads(answer.data.splitlines()[-1])["done"] is True
        else:
            lawful(answer)


@pytest.mark.parametrize("seed", range(10))
def test_no_query_breaks_it(client: FlaskClient, seed: int) -> None:
    rng = random.Random(seed)
    names = [field.data_key or name for name, field in RecommendQuery().fields.items()]
    for _ in range(25):
        parts = [(rng.choice([*names, "unknown"]), str(rng.choice(NASTY[:30]))) for _ in range(rng.randint(1, 4))]
        query = "&".join(f"{name}={quote(value)}" for name, value in parts)
        lawful(client.get(f"/recommend?{query}"))
    for query in ("%ff=%fe", "item_id=%ff", "customer_id=%00", "n=%F0%9F", "&&&", "=", "item_id", "n=1&n=1"):
        lawful(client.get(f"/recommend?{query}"))


@pytest.mark.parametrize("operator", [*sorted({op for ops in OPS.values() for op in ops}), "like", ""])
@pytest.mark.parametrize("field", [*FIELDS, "size"])
def test_no_filter_breaks_it(client: FlaskClient, field: str, operator: str) -> None:
    for value in (*NASTY[:30], [1, 2], ["a", "b"], [1, "a"], [None, None]):
        lawful(client.post("/recommend", json={"filter": {"field": field, "op": operator, "value": value}}))
