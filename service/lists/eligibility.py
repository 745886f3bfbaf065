"""Eligibility: which items may stand in a list. Applied before the best are taken, so that a list is full whenever the catalogue can fill it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from models.catalogue import NO_PRICE, Catalogue
from models.filters import column, mask, minor
from service.lists.request import Request
from service.lists.taste import Taste
from service.lists.trace import Trace

Mask = NDArray[np.bool_]
Rows = NDArray[np.int32]


def eligible(
    request: Request,
    *,
    catalogue: Catalogue,
    rows: Rows,
    taste: Taste,
    early: Rows | None = None,
    hidden: Mask | None = None,
    trace: Trace | None = None,
) -> Mask:
    """bool[items]: available, passing every filter of the request, and neither asked about, excluded, refused nor (if so asked) owned.

    rows    int32  the items that the request is about
    early   int32  of her own items those that `buy_again` holds back as long as another of them may stand there
    hidden  bool[items]  what the shop hides in this list; None: nothing
    trace   is told what each mask removed
    """
    allowed = np.ones(len(catalogue), dtype=np.bool_)
    if hidden is not None:
        allowed &= ~hidden
    masks = chain(("hidden",), _narrow(allowed, request, catalogue, rows, taste))
    if early is not None and request.intent == "buy_again":
        masks = chain(masks, _without_early(allowed, taste, early))
    if trace is None:
        deque(masks, maxlen=0)  # runs them
        return allowed
    trace.items = left = len(catalogue)
    for name in masks:
        before, left = left, int(np.count_nonzero(allowed))
        trace.masked(name, before - left)
    return allowed


def _narrow(allowed: Mask, request: Request, catalogue: Catalogue, rows: Rows, taste: Taste) -> Iterator[str]:
    """Narrow `allowed` in place, mask by mask; yields the name of each when it is done."""
    allowed &= catalogue.available
    yield "out_of_stock"
    if request.adult == "never" or (request.adult == "beside" and not catalogue.adult[rows].any()):
        allowed &= ~catalogue.adult
        yield "adult"
    if request.need_image:
        allowed &= catalogue.pictured
        yield "no_image"
    yield from _asked_for(allowed, request, catalogue)
    for field in request.same:
        allowed &= _same(catalogue, field, rows)
        yield "same"
    for field in request.different:
        allowed &= ~_like(catalogue, field, rows)
        yield "different"
    if request.intent == "complementary":
        allowed &= ~_like(catalogue, "group_id", rows)  # another size of the dress completes nothing
        yield "variants"
    yield from _without(allowed, request, catalogue, rows, taste)


def _asked_for(allowed: Mask, request: Request, catalogue: Catalogue) -> Iterator[str]:
    """What the request's own filters leave."""
    if request.category:
        allowed &= catalogue.within(request.category)
        yield "category"
    if request.brand:
        allowed &= catalogue.brand.are(request.brand)
        yield "brand"
    if request.price_min is not None:
        allowed &= (catalogue.price != NO_PRICE) & (catalogue.price >= minor(request.price_min))
        yield "price"
    if request.price_max is not None:
        allowed &= (catalogue.price != NO_PRICE) & (catalogue.price <= minor(request.price_max))
        yield "price"
    if request.filter is not None:
        allowed &= mask(request.filter, catalogue)
        yield "filter"


def _without(allowed: Mask, request: Request, catalogue: Catalogue, rows: Rows, taste: Taste) -> Iterator[str]:
    """What is asked about, excluded, in the cart, refused or owned stays out."""
    excluded = catalogue.items.rows(request.exclude)
    allowed[rows] = False
    yield "asked_about"
    allowed[excluded[excluded >= 0]] = False
    yield "exclude"
    allowed[taste.disliked] = False
    yield "disliked"
    if request.intent != "recently_viewed":  # she may look at what lies in her cart again
        allowed[taste.in_cart] = False
        yield "in_cart"
    if request.without_owned:
        allowed[taste.owned] = False
        yield "owned"


def _without_early(allowed: Mask, taste: Taste, early: Rows) -> Iterator[str]:
    """What is too early to be bought again stays out, unless nothing else is left of what she owns."""
    if allowed[np.setdiff1d(taste.owned, early)].any():
        allowed[early] = False
        yield "too_early"


def _same(catalogue: Catalogue, field: str, rows: Rows) -> Mask:
    """Items with the value that one of `rows` has; all where none of them has one, because then nothing can be the same."""
    if not (_codes(catalogue, field, rows) >= 0).any():
        return np.ones(len(catalogue), dtype=np.bool_)
    return _like(catalogue, field, rows)


def _like(catalogue: Catalogue, field: str, rows: Rows) -> Mask:
    """Items with the value that one of `rows` has; none where none of them has one."""
    codes = _codes(catalogue, field, rows)
    code = column(catalogue, field).code
    found = np.zeros(len(code), dtype=np.bool_)
    for value in np.unique(codes[codes >= 0]):
        found |= code == value
    return found


def _codes(catalogue: Catalogue, field: str, rows: Rows) -> Rows:
    return column(catalogue, field).code[rows]


def known(catalogue: Catalogue, item_ids: Sequence[str]) -> tuple[Rows, tuple[str, ...]]:
    """The rows of the ids that the catalogue knows, once each, and the ids that it does not know."""
    ids = tuple(dict.fromkeys(item_ids))
    rows = catalogue.items.rows(ids)
    return rows[rows >= 0], tuple(item_id for item_id, row in zip(ids, rows, strict=True) if row < 0)
