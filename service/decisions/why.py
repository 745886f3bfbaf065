"""Why an action was chosen, in sentences that a shop assistant can say; English and Thai."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from models.actions import Texts
from service.people.picture import UNKNOWN, Picture

if TYPE_CHECKING:
    from service.decisions.arbitration import Candidate
    from service.decisions.situation import Explain


SENTENCES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "tier": "Tier {tier}, life cycle {lifecycle}.",
        "lifecycle": "Life cycle {lifecycle}.",
        "orders": "{orders} orders, the last one {days_since_order} days ago.",
        "factors": "Chance {propensity:.1%} × value {value:g} × context {context:g} × lever {lever:g} × fatigue {fatigue:.2f} "
        "× recency {recency:.2f} − cost {cost:g}.",
    },
    "th": {
        "tier": "ระดับสมาชิก {tier} สถานะลูกค้า {lifecycle}",
        "lifecycle": "สถานะลูกค้า {lifecycle}",
        "orders": "สั่งซื้อแล้ว {orders} ครั้ง ครั้งล่าสุดเมื่อ {days_since_order} วันก่อน",
        "factors": "โอกาส {propensity:.1%} × มูลค่า {value:g} × บริบท {context:g} × น้ำหนัก {lever:g} × ความล้า {fatigue:.2f} "
        "× ความสดใหม่ {recency:.2f} − ต้นทุน {cost:g}",
    },
}


class _Words(dict[str, str]):
    """The words of a picture; one that is not known is a dash."""

    def __missing__(self, _: str) -> str:
        return UNKNOWN


def say(texts: Texts, picture: Picture, lang: str) -> str | None:
    """The text in this language, else in English, else in whatever there is, with its {words} filled in; None without texts."""
    text = texts.get(lang, texts.get("en", next(iter(texts.values()), None)))
    return None if text is None else text.format_map(_Words(picture.words))


def why(candidate: Candidate, picture: Picture, *, explain: Explain, lang: str) -> list[str]:
    """none: nothing · top: the action's own reason and what we know of her · full: the factors of the priority too."""
    if explain == "none":
        return []
    sentences = SENTENCES.get(lang, SENTENCES["en"])
    own = say(candidate.action.why, picture, lang)
    said = [own] if own else []
    if picture.lifecycle is not None:
        said.append(sentences["tier" if "tier" in picture.words else "lifecycle"].format_map(_Words(picture.words)))
    if "days_since_order" in picture.words:
        said.append(sentences["orders"].format_map(_Words(picture.words)))
    if explain == "full":
        said.append(sentences["factors"].format(**candidate.factors._asdict()))
    return said
