"""Every operation of our own OpenAPI document, with what it says it takes and with what it does not: no 500, no hang, no answer outside
its schema. `make fuzz` asks each 1,000 times or more, the suite 20 times, always the same ones; test_schemathesis.py asks besides."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.service.http.apps import tiny_client
from tests.service.http.openapi import JUNK, TEXTS, Document, objects, offences, types, values

CASES = int(os.environ.get("VALET_FUZZ", "20"))
OFTEN = settings(
    max_examples=CASES, deadline=None, database=None, derandomize=CASES <= 50, suppress_health_check=list(HealthCheck)
)
LONGEST_S = 10.0
REFUSED = {400, 401, 403, 404, 405, 412, 413, 414, 415, 422, 429}
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    client = tiny_client(tmp_path_factory.mktemp("shop"), agent_key=b"a-key-of-an-agent")
    client.application.testing = False  # an error is a 500, as it would be for a shop
    return client


@pytest.fixture(scope="module")
def document(client: FlaskClient) -> Document:
    found: Document = client.get("/openapi.json").get_json()
    return found


def operations() -> Iterator[tuple[str, str]]:
    """Every method and path of the document."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        paths = tiny_client(Path(folder), store="none").get("/openapi.json").get_json()["paths"]
    for path, calls in sorted(paths.items()):
        yield from ((method, path) for method in METHODS if method in calls)


@st.composite
def requests(draw: st.DrawFn, method: str, path: str, document: Document) -> dict[str, Any]:
    """A request of this operation, or nearly one."""
    call, common = document["paths"][path][method], document["paths"][path].get("parameters", [])
    query: list[tuple[str, str]] = []
    for one in (*common, *call.get("parameters", [])):
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", quote(draw(TEXTS.filter(bool)), safe=""))
        elif one.get("required") or draw(st.booleans()):
            value = draw(values(one["schema"], document))
            parts = value if isinstance(value, list) and "array" in types(one["schema"]) else [value]
            query += [(one["name"], str(part)) for part in parts]
    asked: dict[str, Any] = {"method": method.upper(), "path": path, "query_string": query}
    if "requestBody" in call:
        contents = call["requestBody"]["content"]
        kind = draw(st.sampled_from(sorted(contents)))
        likely = [objects(_resolved(contents[kind]["schema"], document), document)] * 4 if contents[kind] else []
        asked |= {"data": orjson.dumps(_sendable(draw(st.one_of(*likely, JUNK)))), "content_type": kind}
    return asked


def _resolved(schema: Document, document: Document) -> Document:
    return document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def _sendable(value: Any) -> Any:
    """The value as JSON can say it: no lone surrogates, integers of 64 bits."""
    if isinstance(value, dict):
        return {_sendable(name): _sendable(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_sendable(part) for part in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return float(value) if isinstance(value, int) and abs(value) >= 1 << 63 else value


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")  # of long texts in a failing case's picture
@pytest.mark.parametrize(("method", "path"), list(operations()))
def test_every_operation_answers_as_it_says_whatever_it_is_asked(
    client: FlaskClient, document: Document, method: str, path: str
) -> None:
    @OFTEN
    @given(requests(method, path, document))
    def ask(asked: dict[str, Any]) -> None:
        began = time.monotonic()
        answer = client.open(
            **asked, headers={"Authorization": "Bearer a-key-of-an-agent"} if path == "/customers" else {}
        )
        assert time.monotonic() - began < LONGEST_S
        lawful(answer, document["paths"][path][method]["responses"], document)

    ask()


def lawful(answer: TestResponse, responses: Document, document: Document) -> None:
    """The status is one of those that are documented, or says what is wrong with the request; the content is as its schema says."""
    status = str(answer.status_code)
    assert status in responses or answer.status_code in REFUSED, (status, answer.text[:300])
    content = responses.get(status, {}).get("content", {})
    if answer.mimetype in content and "schema" in content[answer.mimetype]:
        assert offences(orjson.loads(answer.data), content[answer.mimetype]["schema"], document) == []
    elif answer.status_code >= 400:
        assert answer.mimetype == "application/problem+json"
        assert offences(answer.get_json(force=True), {"$ref": "#/components/schemas/Problem"}, document) == []


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ("x", {"type": "integer"}),
        (None, {"type": "string"}),
        ({}, {"type": "object", "required": ["a"]}),
        ({"a": [1, "x"]}, {"properties": {"a": {"type": "array", "items": {"type": "number"}}}}),
        ("red", {"type": "string", "enum": ["blue"]}),
        (0, {"type": "integer", "minimum": 1}),
        ("yesterday", {"type": "string", "format": "date-time"}),
        ({"a": 1}, {"type": "object", "additionalProperties": {"type": "string"}}),
        (5, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ],
)
def test_the_judge_finds_what_is_outside_a_schema(value: Any, schema: Document) -> None:
    assert offences(value, schema, {}) != []
