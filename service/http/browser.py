"""The shop's pages: /valet.js, and which origins may call what from a browser.

A browser says where a page is from (`Origin`). From the origins of `[browser]` in valet.toml, with a public key where there is one
(service.http.access), a page may post events and ask for lists; from others it is refused, because a browser would send its request
even if the page may not read the answer. Who names no origin, a server, is no page. Everything is sent without a preflight: events as
text/plain, lists as a plain GET.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, request
from flask_smorest import Blueprint

from models.settings import Browser
from service.http.access import PAGE, caller
from service.http.problems import problem
from service.http.services import services

blueprint = Blueprint("browser", __name__, description="For the shop's pages")

SCRIPT = (Path(__file__).parent.parent / "pages" / "valet.js").read_bytes()
AT = "/valet.js"
OPEN = ("/events", "/recommend")  # routes that a page may call
HOUR_S = 3_600
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": str(24 * HOUR_S),
}


@blueprint.route(AT)
@blueprint.doc(responses={"200": {"description": "JavaScript", "content": {"text/javascript": {}}}})
def script() -> Response:
    """The script for a shop's pages: events, lists, consent."""
    answer = Response(SCRIPT, content_type="text/javascript; charset=utf-8")
    answer.cache_control.public = True
    answer.cache_control.max_age = HOUR_S
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def admit(app: Flask, settings: Browser) -> None:
    """Let pages of the shop's origins call this app, and no others; where none are named, nobody looks where a page is from."""
    if settings.origins:
        app.before_request(_refuse)
        app.after_request(_answer)


def _refuse() -> Response | None:
    """A problem for a page that may not call; None for all others."""
    browser = services().settings.browser
    origin = request.headers.get("Origin")
    if origin is None or _own(origin) or request.path == AT:  # which tells nothing of anybody
        return None
    if origin not in browser.origins or not _open():
        return problem(
            403,
            f"Pages of this origin may not call {request.path}; browser.origins in valet.toml names those that may.",
        )
    if request.method == "OPTIONS":  # a preflight never has the key
        return Response(status=204, headers=PREFLIGHT)
    if browser.key is not None and caller() is PAGE:
        return problem(403, "The public key is wrong or missing; send browser.key of valet.toml as ?key=….")
    return None


def _answer(response: Response) -> Response:
    """Tell the browser that the page may read the answer, problems too."""
    if _open():
        response.vary.add("Origin")
        if (origin := request.headers.get("Origin")) in services().settings.browser.origins:
            response.headers["Access-Control-Allow-Origin"] = origin
    return response


def _open() -> bool:
    return request.path in OPEN


def _own(origin: str) -> bool:
    """Whether the page came from this service itself, /docs for example."""
    return origin == request.host_url.rstrip("/")
