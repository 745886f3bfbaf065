import socket
from pathlib import Path

import pytest
from marshmallow import Schema, ValidationError, fields, validate

from service.http.app import MOST_BYTES
from service.http.bodies import loading
from service.http.schemas import RecommendBody
from tests.service.http.apps import tiny_client
from tests.service.serving import PATIENCE_S, Serving


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
