"""/r/<token>: load → target → 302."""

from __future__ import annotations

from flask import Response, redirect
from flask_smorest import Blueprint
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as Redirect

from service.http.services import services
from service.lists.links import read, target

blueprint = Blueprint("links", __name__, description="Open-time links")

HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


@blueprint.route("/r/<token>")
@blueprint.doc(responses={"302": {"description": "The page of an item in stock"}})
def follow(token: str) -> Response | Redirect:
    """To the page of the first item of an e-mail's link that is still in stock. Writes nothing: mail scanners follow links, too."""
    shop = services()
    link = read(token, secret=shop.secret)
    if link is None:
        raise NotFound("This link was not made here, or was changed.")
    bundle = shop.overlay.bundle()
    url = bundle and target(
        link, catalogue=bundle.models.catalogue, popularity=bundle.models.popularity, shop_url=shop.settings.shop.url
    )
    if not url:
        raise NotFound(
            "No product of this link has a page to go to; the catalogue's `url`, or shop.url in valet.toml, is missing."
        )
    answer = redirect(url, 302)
    answer.headers.extend(HEADERS)
    return answer
