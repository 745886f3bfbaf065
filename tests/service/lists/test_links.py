from urllib.parse import parse_qs, urlsplit

import pytest

from models.catalogue import Catalogue
from models.popularity import Popularity
from service.lists.links import Link, page, path, read, target
from service.lists.tokens import Token, sign, verify
from tests.worlds import catalogue_with, tiny_models

SECRET = b"tiny"
SHOP = "https://shop.example"


def followed(catalogue: Catalogue, *item_ids: str) -> str | None:
    popularity: Popularity = tiny_models().popularity
    return target(Link(item_ids, "rid"), catalogue=catalogue, popularity=popularity, shop_url=SHOP)


def test_a_link_opens_as_it_was_made_and_a_changed_one_does_not() -> None:
    made = path(["SH-014", "ร"], "rid", secret=SECRET)
    assert made is not None
    token = made.removeprefix("/r/")
    assert read(token, secret=SECRET) == Link(("SH-014", "ร"), "rid")
    assert read(token[:-1] + ("A" if token[-1] != "A" else "B"), secret=SECRET) is None
    assert read(token, secret=b"other") is None
    assert [read(text, secret=SECRET) for text in ("", "x", "ร", "A" * 3_000)] == [None] * 4


def test_a_recommendation_id_is_no_link_and_a_link_no_recommendation_id() -> None:
    signed = sign(Token(None, None, None, 1), SECRET)
    assert read(signed, secret=SECRET) is None
    assert verify((path(["x"], "rid", secret=SECRET) or "").removeprefix("/r/"), SECRET) is None


def test_a_link_is_short_enough_for_every_mail_programme() -> None:
    assert len(path(["ร" * 100] * 5, "r" * 200, secret=SECRET) or "") < 2_000
    assert path(["x" * 4_000], "rid", secret=SECRET) is None


def test_leads_to_the_first_item_in_stock_that_has_a_page() -> None:
    catalogue = catalogue_with(
        {"SH-016": "/boots", "SH-014": "/shoes?size=38#top", "DR-001": "https://other.example/d"}
    )
    assert followed(catalogue, "SH-016", "SH-014") == f"{SHOP}/shoes?size=38&valet=rid#top"  # boots are sold out
    assert followed(catalogue, "DR-002", "DR-001") == "https://other.example/d?valet=rid"


def test_where_all_are_gone_it_leads_to_the_best_seller_beside_them_and_never_to_adult_items() -> None:
    catalogue = catalogue_with({"SH-015": "/red", "DR-001": "/dress", "NE-001": "/adult"})
    assert followed(catalogue, "SH-016") == f"{SHOP}/red?valet=rid"
    assert followed(catalogue, "gone") == f"{SHOP}/dress?valet=rid"
    assert followed(catalogue_with({"NE-001": "/adult"}), "SH-016") is None
    assert followed(catalogue_with({}), "SH-016") is None


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("/p/1", f"{SHOP}/p/1"),
        ("https://cdn.example/p", "https://cdn.example/p"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("http://[", None),
        ("", None),
        (7, None),
        ("/p\r\nSet-Cookie: x", f"{SHOP}/pSet-Cookie: x"),
    ],
)
def test_only_pages_that_a_browser_opens_are_pages(url: object, whole: str | None) -> None:
    catalogue = catalogue_with({"SH-014": url})
    assert page(catalogue, catalogue.items.row("SH-014"), SHOP) == whole


def test_a_short_address_without_the_shop_s_own_is_no_page() -> None:
    catalogue = catalogue_with({"SH-014": "/p/1"})
    assert page(catalogue, catalogue.items.row("SH-014"), None) is None


def test_what_the_link_says_of_the_list_is_one_parameter_whatever_it_holds() -> None:
    catalogue = catalogue_with({"SH-014": "/p"})
    url = target(Link(("SH-014",), "a&b=c #d"), catalogue=catalogue, popularity=tiny_models().popularity, shop_url=SHOP)
    assert parse_qs(urlsplit(url or "").query) == {"valet": ["a&b=c #d"]}
