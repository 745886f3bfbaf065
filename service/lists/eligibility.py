"""Eligibility: which items may stand in a list. Applied before the best are taken, so that a list is full whenever the catalogue can fill it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from models.catalogue import NO_PRICE, Catalogue
from models.filters import column, mask, minor
from service.lists.question import Mask, Rows
from service.lists.request import Request
from service.lists.taste import Taste
from service.lists.trace import Trace

NO_ROWS = np.zeros(0, dtype=np.int32)
MOST_KEPT = 16  # masks of a catalogue


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
    adult = request.adult == "always" or (request.adult == "beside" and bool(catalogue.adult[rows].any()))
    standing = Standing.of(request, adult=adult)
    allowed = _kept(standing, catalogue).copy() if trace is None else np.ones(len(catalogue), dtype=np.bool_)
    masks = chain(
        () if trace is None else standing.narrow(allowed, catalogue),
        _narrow(allowed, request, catalogue, rows, taste, hidden),
    )
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


class Standing(NamedTuple):
    """What a request asks of items whoever it is for: placements and pages ask for the same again and again."""

    adult: bool
    need_image: bool
    category: tuple[str, ...]
    brand: tuple[str, ...]
    price_min: float | None
    price_max: float | None

    @classmethod
    def of(cls, request: Request, *, adult: bool) -> Standing:
        """What this request asks; `adult`: whether adult items may stand in its list."""
        prices = request.price_min, request.price_max
        return cls(adult, request.need_image, request.category, request.brand, *prices)

    def narrow(self, allowed: Mask, catalogue: Catalogue) -> Iterator[str]:
        """Narrow `allowed` in place, mask by mask; yields the name of each when it is done."""
        allowed &= catalogue.available
        yield "out_of_stock"
        if not self.adult:
            allowed &= ~catalogue.adult
            yield "adult"
        if self.need_image:
            allowed &= catalogue.pictured
            yield "no_image"
        if self.category:
            allowed &= catalogue.within(self.category)
            yield "category"
        if self.brand:
            allowed &= catalogue.brand.are(self.brand)
            yield "brand"
        if self.price_min is not None:
            allowed &= (catalogue.price != NO_PRICE) & (catalogue.price >= minor(self.price_min))
            yield "price"
        if self.price_max is not None:
            allowed &= (catalogue.price != NO_PRICE) & (catalogue.price <= minor(self.price_max))
            yield "price"


def _kept(standing: Standing, catalogue: Catalogue) -> Mask:
    """bool[items]: what stands there, made once a catalogue."""
    kept = catalogue.kept_masks
    mask = kept.get(standing)
    if mask is None:
        mask = np.ones(len(catalogue), dtype=np.bool_)
        deque(standing.narrow(mask, catalogue), maxlen=0)
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[standing] = mask
    return mask


def _narrow(
    allowed: Mask, request: Request, catalogue: Catalogue, rows: Rows, taste: Taste, hidden: Mask | None
) -> Iterator[str]:
    """As `Standing.narrow`, by what the shop hides here, the request's filter, its items and its customer."""
    if hidden is not None:
        allowed &= ~hidden
        yield "hidden"
    if request.filter is not None:
        allowed &= mask(request.filter, catalogue)
        yield "filter"
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


def _without(allowed: Mask, request: Request, catalogue: Catalogue, rows: Rows, taste: Taste) -> Iterator[str]:
    """What is asked about, excluded, in the cart, refused or owned stays out."""
    allowed[rows] = False
    yield "asked_about"
    if request.exclude:
        allowed[known(catalogue, request.exclude)[0]] = False
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
    if not item_ids:
        return NO_ROWS, ()
    ids = tuple(dict.fromkeys(item_ids))
    rows = catalogue.items.rows(ids)
    return rows[rows >= 0], tuple(item_id for item_id, row in zip(ids, rows, strict=True) if row < 0)
