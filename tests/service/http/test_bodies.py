import socket
from pathlib import Path

import orjson
import pytest
from marshmallow import Schema, ValidationError, fields, validate

from service.http.app import MOST_BYTES
from service.http.bodies import loading
from service.http.schemas import RecommendBody
from tests.service.http.apps import tiny_client
from tests.service.serving import Serving, call
from tests.waiting import PATIENCE_S


class Asked(Schema):
    who = fields.String(required=True, validate=validate.Length(1, 5))
    n = fields.Integer(data_key="count", validate=validate.Range(1, 9))
    where = fields.String()


@pytest.mark.parametrize(
    "document",
    [
        {"who": "ann"},
        {"who": "ann", "count": 3, "where": "home"},
        {"who": "ann", "count": 30},
        {"count": 3},
        {"who": "ann", "n": 3},
        {"who": 1, "else": 2},
        {},
        [],
        None,
    ],
)
def test_a_document_is_loaded_or_refused_as_by_the_whole_schema(document):
    def said(load):
        try:
            return load(document)
        except ValidationError as error:
            return error.normalized_messages()

    assert said(loading(Asked)) == said(Asked().load)


@pytest.mark.parametrize("name", ["item_ids", "exclude", "boost", "promotions"])
def test_a_list_too_long_is_refused_for_its_length_and_not_for_each_thing_in_it(name: str) -> None:
    with pytest.raises(ValidationError, match="Longer than maximum length") as refused:
        RecommendBody().load({name: [None] * 20_001})
    assert len(refused.value.messages[name]) == 1


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("application/vnd.shop+json", 200),
        ("application/jsonlines", 415),
        ("text/plain", 415),
        (None, 415),
    ],
)
def test_a_body_is_read_whatever_the_way_its_type_is_written(
    tmp_path: Path, content_type: str | None, status: int
) -> None:
    client = tiny_client(tmp_path)
    assert client.post("/recommend", data=b'{"n": 1}', content_type=content_type).status_code == status


def test_a_body_as_long_as_the_app_allows_is_read_and_a_longer_one_is_not(tmp_path: Path) -> None:
    client = tiny_client(tmp_path)
    longest = b'{"n": 1}'.ljust(MOST_BYTES)
    assert client.post("/recommend", data=longest, content_type="application/json").status_code == 200
    assert client.post("/recommend", data=longest + b" ", content_type="application/json").status_code == 413
    assert client.post("/recommend", data=b'{"n": 1', content_type="application/json").status_code == 400


ACTION = b"""
[[actions]]
id = "a%d"
issue = "i"
group = "g"
class = "service"
treatments = [{ channel = "website" }]
"""
LINE = b'{"customer_id": "ann", "channel": "website"}\n'


@pytest.mark.parametrize("framed", [b"Content-Length: 900000", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize(
    ("asked", "media_type", "came"),
    [
        (b"PUT /actions", b"application/toml", ACTION % 1 + ACTION % 2),
        (b"PUT /actions", b"application/json", b'{"actions": []}'),
        (b"POST /next-best-action/batch", b"application/x-ndjson", LINE * 50),
        (b"POST /recommend/batch", b"application/x-ndjson", b"{}\n" * 50),
        (b"PUT /items", b"application/json", b'{"items": [{"item_id": "DR-001", "stock": 0}]}'),
    ],
)
def test_a_body_that_ends_before_it_is_all_there_is_refused_and_changes_nothing(
    service: Serving, asked: bytes, media_type: bytes, came: bytes, framed: bytes
) -> None:
    before = service.get("/actions"), service.get("/items/DR-001")
    part = came if framed.startswith(b"Content") else b"%x\r\n%s\r\n" % (len(came), came)
    with socket.create_connection(("127.0.0.1", service.port), PATIENCE_S) as client:
        client.sendall(
            b"%s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\n%s\r\n\r\n%s" % (asked, media_type, framed, part)
        )
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(1 << 16), b""))
    assert answer.split()[1] in (b"400", b"408")
    assert (service.get("/actions"), service.get("/items/DR-001")) == before


DEEP = b"[" * 1_000 + b"]" * 1_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/recommend", b'{"session_id": "s", "x": %s}' % DEEP),
        ("/recommend", b'{"session_id": "s", "context": {"x": %s}}' % DEEP),
        ("/next-best-action", b'{"customer_id": "c", "channel": "website", "x": %s}' % DEEP),
        ("/outcomes", b'{"outcome": %s}' % DEEP),
        ("/outcomes", b'{"outcome": "shown", "recommendation_id": "r", "value": "1e-99999999999999999999"}'),
        ("/events", b'{"event": "purchase", "session_id": "s", "value": "1e-99999999999999999999"}'),
        ("/events", b'{"event": "view_item", "session_id": "s", "item_id": %s}' % DEEP),
    ],
)
def test_what_is_nested_as_deep_as_it_can_be_read_or_too_small_to_be_said_is_refused(
    tmp_path: Path, path: str, body: bytes
) -> None:
    answer = tiny_client(tmp_path).post(path, data=body, content_type="application/json")
    assert answer.status_code == 422, answer.json


def test_an_item_of_such_a_price_is_refused_alone(tmp_path: Path) -> None:
    rows = [{"item_id": "DR-001", "price": "1e-99999999999999999999"}, {"item_id": "DR-002", "price": "9"}]
    answer = tiny_client(tmp_path).put("/items", json={"items": rows}).get_json()
    assert [row["status"] for row in answer["results"]] == ["refused", "accepted"]
    assert list(answer["results"][0]["errors"]) == ["price"]


@pytest.mark.parametrize("bad", [0, 100])
def test_a_line_that_is_nested_too_deep_harms_no_other(tmp_path: Path, bad: int) -> None:
    lines = [b'{"customer_id": "ann", "n": 1}'] * 200
    lines[bad] = b'{"customer_id": "ann", "x": %s}' % DEEP
    answer = tiny_client(tmp_path).post("/recommend/batch", data=b"\n".join(lines), content_type="application/x-ndjson")
    *said, done = map(orjson.loads, answer.data.splitlines())
    assert done == {"done": True, "count": 200}
    assert [line["line"] for line in said if "error" in line] == [bad + 1]


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"a = " + b"[" * 5_000 + b"]" * 5_000, "application/toml"),
        (b"a = " + b"{ a = " * 5_000 + b"1" + b"}" * 5_000, "application/toml"),
        (b'{"actions": %s}' % DEEP, "application/json"),
    ],
)
def test_a_catalogue_that_is_nested_too_deep_is_refused(tmp_path: Path, body: bytes, media_type: str) -> None:
    answer = tiny_client(tmp_path).put("/actions", data=body, content_type=media_type)
    assert answer.status_code == 422, answer.json


@pytest.mark.parametrize("path", ["//[x%2Fy", "//]%25", "http://x/y%2Fz"])
def test_a_path_that_no_route_has_is_not_found_however_it_begins(service: Serving, path: str) -> None:
    assert service.get(path)[0] == 404


def test_an_id_with_a_slash_is_found_under_an_address_with_a_host_and_not_below_another_path(service: Serving) -> None:
    with service.connect() as connection:
        assert call(connection, "PUT", "/items", b'{"items": [{"item_id": "a/b"}]}')[0] == 200
    assert service.get("http://x/items/a%2Fb")[0] == 200
    assert service.get("//x/items/a%2Fb")[0] == 404
