"""Eligibility: which items may stand in a list. Applied before the best are taken, so that a list is full whenever the catalogue can fill it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.catalogue import NO_PRICE, Catalogue
from models.filters import column, mask, minor
from service.request import Request
from service.taste import Taste

Mask = NDArray[np.bool_]
Rows = NDArray[np.int32]


def eligible(request: Request, *, catalogue: Catalogue, rows: Rows, taste: Taste) -> Mask:
    """bool[items]: available, passing every filter of the request, and neither asked about, excluded, refused nor (if so asked) owned.

    rows  int32  the items that the request is about
    """
    allowed = catalogue.available & _asked_for(request, catalogue)
    if not catalogue.adult[rows].any():
        allowed &= ~catalogue.adult
    for field in request.same:
        allowed &= _same(catalogue, field, rows)
    for field in request.different:
        allowed &= ~_like(catalogue, field, rows)
    if request.intent == "complementary":
        allowed &= ~_like(catalogue, "group_id", rows)  # another size of the dress completes nothing
    for left_out in (
        rows,
        catalogue.items.rows(request.exclude),
        taste.disliked,
        taste.owned if request.without_owned else rows,
    ):
        allowed[left_out[left_out >= 0]] = False
    return allowed


def _asked_for(request: Request, catalogue: Catalogue) -> Mask:
    """What the request's own filters leave."""
    passed = np.ones(len(catalogue), dtype=np.bool_)
    if request.category:
        passed &= catalogue.within(request.category)
    if request.brand:
        passed &= catalogue.brand.are(request.brand)
    if request.price_min is not None:
        passed &= (catalogue.price != NO_PRICE) & (catalogue.price >= minor(request.price_min))
    if request.price_max is not None:
        passed &= (catalogue.price != NO_PRICE) & (catalogue.price <= minor(request.price_max))
    if request.filter is not None:
        passed &= mask(request.filter, catalogue)
    return passed


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
