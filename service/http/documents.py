"""Answers that are one JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from flask import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Document(Response):
    """Goes out as it lies: werkzeug would look once more what kind of answer it is, and how long."""

    def get_wsgi_response(self, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """Its bytes, none for HEAD, its status and its headers."""
        body: Any = () if environ["REQUEST_METHOD"] == "HEAD" else self.response
        return body, self.status, self.headers.to_wsgi_list()


def send(document: Mapping[str, Any]) -> Response:
    """A document as an answer."""
    return Document(orjson.dumps(document), content_type="application/json")
