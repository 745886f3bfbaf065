"""Reasons: why an item stands in a list, as a code, the item that truly carried its score, and a sentence in the customer's language.

The source that gave most to the score names the reason; the anchor is the item of the history that gave most to that source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import orjson

from models import likeness
from models.bundle import Models
from models.catalogue import Catalogue
from models.complements import Complements
from models.factors import Factors
from models.linear import Linear
from models.sessions import Sessions
from models.titles import THAI_NAMES
from service.lists.question import Rows, Scores, Stage

NOBODY = -1  # no item of the history carried it
LANGUAGES = ("en", "th")
TEXTS: Mapping[str, Mapping[str, str]] = {
    "bought_together": {"en": "Often bought with {anchor}", "th": "มักซื้อคู่กับ {anchor}"},
    "also_bought": {"en": "Customers who bought {anchor} also bought this", "th": "ลูกค้าที่ซื้อ {anchor} ซื้อสิ่งนี้ด้วย"},
    "completes_cart": {"en": "Completes your cart with {anchor}", "th": "เติมตะกร้าให้ครบคู่กับ {anchor}"},
    "seen_together": {"en": "Often chosen along with {anchor}", "th": "มักเลือกพร้อมกับ {anchor}"},
    "similar": {"en": "Similar to {anchor}", "th": "คล้ายกับ {anchor}"},
    "attributes": {"en": "Goes with {anchor}", "th": "เข้ากับ {anchor}"},
    "goes_with": {"en": "Goes with {anchor}", "th": "เข้ากับ {anchor}"},
    "because_you_viewed": {"en": "Because you looked at {anchor}", "th": "เพราะคุณได้ดู {anchor}"},
    "buy_again": {"en": "Time to buy it again", "th": "ถึงเวลาซื้ออีกครั้ง"},
    "recently_viewed": {"en": "You looked at this recently", "th": "คุณเพิ่งดูสินค้านี้"},
    "trending": {"en": "Selling faster than usual", "th": "กำลังมาแรง"},
    "exploration": {"en": "Something new to try", "th": "ลองอะไรใหม่ ๆ"},
    "popular": {"en": "Popular right now", "th": "กำลังเป็นที่นิยม"},
    "for_you": {"en": "Chosen for you", "th": "คัดสรรเพื่อคุณ"},
    "cart": {"en": "In your cart", "th": "อยู่ในตะกร้าของคุณ"},
    "last_order": {"en": "From your last order", "th": "จากคำสั่งซื้อล่าสุดของคุณ"},
    "wish_drops": {"en": "On your wish list, and cheaper now", "th": "อยู่ในรายการโปรดของคุณ และราคาลดลงแล้ว"},
    "viewed_low_stock": {"en": "You looked at it; only a few are left", "th": "คุณเคยดูสินค้านี้ และเหลือเพียงไม่กี่ชิ้น"},
}
CODES = {
    "together": "bought_together",
    "alike": "also_bought",
    "factors": "goes_with",
    "repeat": "buy_again",
    "ease": "completes_cart",
    "sessions": "seen_together",
    "attributes": "similar",
    "complements": "attributes",
    "seen": "recently_viewed",
    "trending": "trending",
}
NAMED = ("colour", "type")  # attributes that a customer would name, in this order
PAIRS = {"en": "{its} with {theirs}", "th": "{its}กับ{theirs}"}
ALONE = ("repeat", "seen", "trending")  # sources that no other item carries


class Reason(NamedTuple):
    """A code of TEXTS, the ids of the items that carried the score, and the sentence."""

    code: str
    because: tuple[str, ...]
    text: str


def strongest(shares: Mapping[str, Scores]) -> list[str]:
    """For each row of the shares the source that gave most."""
    names = list(shares)
    return [names[place] for place in np.array([*shares.values()]).argmax(axis=0).tolist()]


def reasons(stage: Stage, rows: Rows, sources: list[str], *, models: Models, bought: Rows, lang: str) -> list[Reason]:
    """One reason for each of `rows`, whose strongest sources are `sources`.

    bought  the rows of what the customer owns: the others of her history she only looked at
    """
    anchors: dict[int, int] = {}
    for source in set(sources):
        chosen = rows[[name == source for name in sources]]
        anchors |= zip(chosen.tolist(), _anchors(stage, source, chosen, models), strict=True)
    owned = frozenset(bought.tolist())
    found = [
        (code_of(stage.intent, source, row, anchors[row], owned), row, anchors[row])
        for row, source in zip(rows.tolist(), sources, strict=True)
    ]
    together = _together(found, models)
    found = [("bought_together" if (anchor, row) in together else code, row, anchor) for code, row, anchor in found]
    return [
        _of_attributes(reason, row, anchor, models, lang) if reason.code == CODES["complements"] else reason
        for reason, (_, row, anchor) in zip(told(found, models.catalogue, lang), found, strict=True)
    ]


def _together(found: Sequence[tuple[str, int, int]], models: Models) -> set[tuple[int, int]]:
    """(anchor, row) of what complements an anchor because baskets held both, where they carried the score."""
    complements = models.complements
    pairs = [(anchor, row) for code, row, anchor in found if code == CODES["complements"]]
    if complements is None or not pairs:
        return set()
    targets = {anchor: np.array([row for one, row in pairs if one == anchor], dtype=np.int32) for anchor, _ in pairs}
    return {(anchor, row) for anchor, rows in targets.items() for row in complements.bought(anchor, rows)}


def plain(code: str, lang: str) -> Reason:
    """Of an item that no other carries, like one that stands there to be tried out ("exploration")."""
    return Reason(code, (), TEXTS[code][lang])


def title(catalogue: Catalogue, row: int, lang: str) -> str:
    """What the item is called in this language; its id where nobody has named it."""
    body = orjson.loads(catalogue.json(row))
    return str((lang == "th" and body.get("title_th")) or body.get("title") or catalogue.items.text(row))


def told(found: Iterable[tuple[str, int, int]], catalogue: Catalogue, lang: str) -> list[Reason]:
    """The reason of each (code, row, anchor): the row of the history that carried this row; NOBODY or the row itself: no other did."""
    kinds = [(code, NOBODY if anchor == row else anchor) for code, row, anchor in found]
    reasons = {kind: _reason(*kind, catalogue, lang) for kind in set(kinds)}
    return [reasons[kind] for kind in kinds]


def _reason(code: str, anchor: int, catalogue: Catalogue, lang: str) -> Reason:
    if anchor == NOBODY:
        return plain(code, lang)
    text = TEXTS[code][lang].format_map({"anchor": title(catalogue, anchor, lang)})
    return Reason(code, (catalogue.items.text(anchor),), text)


def _of_attributes(reason: Reason, row: int, anchor: int, models: Models, lang: str) -> Reason:
    """The reason why an item completes the anchor that it was not bought with, and the attributes that most speak for it."""
    complements = models.complements
    assert complements is not None  # noqa: S101  (it is the source)
    alike = complements.alike(anchor, row)
    pair = next((alike[name] for name in NAMED if name in alike), None)
    if pair is None:
        return reason
    theirs, its = (THAI_NAMES.get(value, value) if lang == "th" else value for value in pair)
    return reason._replace(text=f"{reason.text}: {PAIRS[lang].format_map({'theirs': theirs, 'its': its})}")


def code_of(intent: str, source: str, row: int, anchor: int, owned: frozenset[int]) -> str:
    """The code of a row in the list of this intent that this source, and of the history this row gave most to."""
    if source in ALONE:
        return CODES[source]
    if anchor == NOBODY:
        return "popular" if source == "popularity" else "for_you"
    if anchor == row:
        return "buy_again" if row in owned else "recently_viewed"
    if intent == "for_you" and anchor not in owned:
        return "because_you_viewed"
    return "similar" if intent == "similar" else CODES[source]


def _anchors(stage: Stage, source: str, targets: Rows, models: Models) -> list[int]:
    """For each target the row of the history item that gave most to this source; NOBODY where none did."""
    if not len(stage.rows) or (carried := _carried(stage, source, targets, models)) is None:
        return [NOBODY] * len(targets)
    anchors: list[int] = np.where(carried.max(axis=1) > 0, stage.rows[carried.argmax(axis=1)], NOBODY).tolist()
    return anchors


def _carried(stage: Stage, source: str, targets: Rows, models: Models) -> Scores | None:
    """float32[targets, history]: what each item of the history gave to this source; None where no item did."""
    if source == "attributes":
        return likeness.carried(models.catalogue, stage.rows, stage.weights, targets)
    model = getattr(models, source, None)
    if not isinstance(model, Linear | Sessions | Complements | Factors):
        return None
    if len(stage.rows) == 1:  # all of it
        return stage.sources[source][targets, None]
    known = stage.carried.get(source)
    return model.carried(stage.rows, stage.weights, targets) if known is None else known(targets)
