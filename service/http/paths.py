"""Ids in paths: opaque, any characters, percent-encoded by the caller, so that `a/b` (written a%2Fb) is one id and no two segments.

WSGI decodes a path before it is routed. Here an encoded slash or percent sign stays encoded until the converter has its segment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, unquote_to_bytes

from flask import Flask
from werkzeug.routing import UnicodeConverter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = re.compile("(?:[^:/?#]+://[^/?#]*)?([^?#]*)")  # RFC 3986, appendix B; //x is no host here, as for the server


class IdConverter(UnicodeConverter):
    """One segment, decoded."""

    def to_python(self, value: str) -> str:
        """The id that a segment writes."""
        return unquote(value)

    def to_url(self, value: Any) -> str:
        """The segment that writes an id."""
        return quote(quote(str(value), safe=""), safe="")


class Segments:
    """WSGI around an app: `%2F` and `%25` reach the router as they were sent."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Route by the path as it was sent, where the server tells it."""
        sent = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
        raw = PATH.match(sent)[1] if "%2" in sent else ""  # type: ignore[index]  # it matches anything
        if "%2F" in raw.upper() or "%25" in raw:
            kept = raw.replace("%25", "%2525").replace("%2F", "%252F").replace("%2f", "%252F")
            environ["PATH_INFO"] = unquote_to_bytes(kept).decode("latin-1")
        return self.app(environ, start_response)


def install(app: Flask) -> None:
    """Give an app the `<id:…>` of paths, once."""
    if "id" not in app.url_map.converters:
        app.url_map.converters["id"] = IdConverter
        app.wsgi_app = Segments(app.wsgi_app)  # type: ignore[method-assign]
