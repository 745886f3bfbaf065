"""Open-time links of an e-mail: which product a click leads to is decided when it is clicked, among those chosen when the mail was made.

    GET /r/<token>  →  302 to the page of the first of these items that is still in stock, else of what sells best beside it

A token is signed. It holds item ids and the recommendation_id, no customer; the address comes from the catalogue, never from the link, so
that nobody can make us send people elsewhere. Following a link writes nothing, because mail scanners follow links too: the address gets the
recommendation_id as `valet=…`, with which the shop's page (valet.js) tells what a person does there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import numpy as np
import orjson

from models.catalogue import Catalogue
from models.popularity import Popularity
from models.ranking import top
from service.lists.tokens import opened, seal

CANDIDATES = 5
LONGEST = 1_200  # characters of ids and recommendation_id: the whole link stays below 2,000
INSTEAD = 50  # best sellers that are looked at for one with a page
PARAMETER = "valet"
PURPOSE = b"link\0"  # no other token opens as a link


@dataclass(frozen=True)
class Link:
    """What a link may lead to, best first, and the list it came from."""

    item_ids: tuple[str, ...]
    recommendation_id: str


def path(item_ids: Sequence[str], recommendation_id: str, *, secret: bytes) -> str | None:
    """The path of a link that leads to the first of these items in stock; None where the ids are too long for one."""
    fitting: list[str] = []
    left = LONGEST - len(recommendation_id)
    for item_id in item_ids[:CANDIDATES]:
        left -= len(item_id.encode("utf-8", "surrogatepass"))
        if left < 0:
            break
        fitting.append(item_id)
    return f"/r/{seal([recommendation_id, fitting], secret + PURPOSE)}" if fitting else None


def read(token: str, *, secret: bytes) -> Link | None:
    """The link of a token; None for one that was not made here, or was changed."""
    parts = opened(token, secret + PURPOSE)
    return None if parts is None else Link(tuple(parts[1]), parts[0])


def target(link: Link, *, catalogue: Catalogue, popularity: Popularity, shop_url: str | None) -> str | None:
    """The address of the first item in stock that has a page; None where the shop has none."""
    for row in _rows(link, catalogue, popularity):
        url = page(catalogue, row, shop_url)
        if url is not None:
            return _with_parameter(url, link.recommendation_id)
    return None


def page(catalogue: Catalogue, row: int, shop_url: str | None) -> str | None:
    """The address of an item's page, as the catalogue has it, in full; None where it has none that a browser can open."""
    url = orjson.loads(catalogue.json(row)).get("url")
    if not isinstance(url, str) or not url:
        return None
    try:
        whole = urlsplit(urljoin(shop_url or "", url))
    except ValueError:
        return None
    return urlunsplit(whole) if whole.scheme in ("http", "https") and whole.netloc else None


def _rows(link: Link, catalogue: Catalogue, popularity: Popularity) -> Iterator[int]:
    """The link's items in stock, then what sells best in their categories, then in all; adult items only beside adult ones."""
    rows = catalogue.items.rows(link.item_ids)
    rows = rows[rows >= 0]
    yield from rows[catalogue.available[rows]].tolist()
    shown = catalogue.available if catalogue.adult[rows].any() else catalogue.available & ~catalogue.adult
    categories = np.unique(catalogue.category.code[rows])
    alike = np.isin(catalogue.category.code, categories[categories >= 0])
    yield from top(popularity.score, shown & alike, INSTEAD).tolist()
    yield from top(popularity.score, shown, INSTEAD).tolist()


def _with_parameter(url: str, recommendation_id: str) -> str:
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode({PARAMETER: recommendation_id})) if part)
    return urlunsplit(parts._replace(query=query))
