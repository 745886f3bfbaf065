"""What comes in, as plain documents: JSON bodies and query strings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import orjson
from flask import Request, request
from marshmallow import Schema, ValidationError, fields
from werkzeug.exceptions import BadRequest, ClientDisconnected, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.wsgi import get_content_length

from service.http import plains
from service.http.services import this_request

JSON = "application/json"
COPY = 1 << 16
PUBLIC_KEY = "key"  # the parameter by which a page says which shop it is of


def json_body(*, most: int | None = None, plain: bool = False) -> Any:
    """The JSON document of this request; 415 for another media type, 400 for what does not parse, 413 for too much.

    most   bytes that are taken; None: what the app allows
    plain  whether text/plain is taken too: what a page sends as it is left (sendBeacon) can have no other type
    """
    asked = this_request()
    kind = asked.environ.get("CONTENT_TYPE")
    if kind != JSON:  # which is nearly always all of it
        kind = asked.mimetype
        if not (kind == JSON or kind.endswith("+json") or (plain and kind == "text/plain")):
            raise UnsupportedMediaType("Send the body as application/json.")
    if most is not None:
        asked.max_content_length = most
    return parse(whole(asked))


def whole(asked: Request) -> bytes:
    """The body; 413 where it is longer than the app allows. Raises ClientDisconnected where it ends before it is all there."""
    length = get_content_length(asked.environ)
    if length is None:
        return b"".join(parts(asked))
    if asked.max_content_length is not None and length > asked.max_content_length:
        raise RequestEntityTooLarge
    body = asked.input_stream.read(length)
    if len(body) < length:  # the server takes an end for the end
        raise ClientDisconnected
    return body


def parts(asked: Request) -> Iterator[bytes]:
    """The same in parts; 413 also where it comes in chunks and does not say first how long it is."""
    left = get_content_length(asked.environ) or 0
    while part := asked.stream.read(COPY):  # which raises at the limit, get_data() just stops there
        left -= len(part)
        yield part
    if left > 0:
        raise ClientDisconnected


def parse(body: bytes) -> Any:
    """A JSON document; 400 where the bytes are none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error


def query(schema: Schema) -> dict[str, Any]:
    """The query string as a document for `schema`: list fields collect every repetition, empty values count as absent."""
    known = {field.data_key or name: field for name, field in schema.fields.items()}
    document: dict[str, Any] = {}
    for name, values in request.args.lists():
        if name == PUBLIC_KEY:
            continue  # looked at before, see service.http.browser
        given = [value for value in values if value]
        if isinstance(known.get(name), fields.List):
            document[name] = given
        elif len(given) > 1:
            raise ValidationError({name: ["Given more than once."]})
        elif given:
            document[name] = given[0]
        elif name not in known:
            document[name] = ""  # unknown, and said so
    return document


def without_nulls(document: Any) -> Any:
    """An object without its nulls: null says the same as leaving a field out."""
    return (
        {name: value for name, value in document.items() if value is not None}
        if isinstance(document, dict)
        else document
    )


def loading(kind: type[Schema]) -> Callable[[Any], dict[str, Any]]:
    """Loads documents by the fields that are there or must be: marshmallow looks at every field that there could be, and takes three times
    as long. Of a document with other fields, the whole schema, which says so. What it would copy as it stands is copied without it.
    """
    whole = kind()
    names = {field.data_key or name: name for name, field in whole.fields.items()}
    required = {name for name in names if whole.fields[names[name]].required}
    plain = None if plains.hooked(whole) else {name: plains.of(whole.fields[of]) for name, of in names.items()}

    @lru_cache(maxsize=256)
    def schema(asked: frozenset[str]) -> Schema:
        return kind(only=[names[name] for name in sorted(asked)]) if asked else whole

    def load(document: Any) -> dict[str, Any]:
        known = isinstance(document, dict) and document.keys() <= names.keys()
        if known and plain and required <= document.keys() and all(plain[name](document[name]) for name in document):
            return dict(document)
        found: dict[str, Any] = (schema(frozenset(document.keys() | required)) if known else whole).load(document)
        return found

    return load
