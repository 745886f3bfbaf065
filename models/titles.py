"""Titles: the words of an item's name, its colour and the word that says what it is. English and Thai, pure text, no learning.

    "Women's black pumps with bow"   words women, black, pump, with, bow · colour black · head pump
    "รองเท้าส้นสูงสีดำ"                words รองเท้า, ส้นสูง, สีดำ           · colour black · head รองเท้า

An English noun phrase ends with its head (before "with", "in", "of" …), a Thai one begins with it. Thai is written without spaces:
the longest known word is taken, what lies between known words is a word of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

MOST_WORDS = 16  # of a title; what comes after says little
_ENGLISH: Mapping[str, str] = {
    "black": "black jet ebony",
    "white": "white",
    "grey": "grey gray charcoal slate",
    "silver": "silver",
    "gold": "gold golden",
    "red": "red scarlet crimson",
    "burgundy": "burgundy maroon wine oxblood bordeaux",
    "pink": "pink fuchsia magenta blush",
    "orange": "orange coral rust",
    "yellow": "yellow mustard lemon",
    "green": "green emerald mint sage",
    "olive": "olive khaki",
    "turquoise": "turquoise teal aqua",
    "blue": "blue cobalt",
    "navy": "navy",
    "indigo": "indigo",
    "purple": "purple violet lilac lavender plum mauve",
    "brown": "brown chocolate chestnut",
    "tan": "tan camel cognac",
    "beige": "beige nude taupe sand",
    "cream": "cream ivory ecru",
    "multicolour": "multicolour multicolor multicoloured multicolored multi",
}
_THAI = {
    "ดำ": "black", "ขาว": "white", "เทา": "grey", "เงิน": "silver", "ทอง": "gold", "แดง": "red", "เลือดหมู": "burgundy",
    "ชมพู": "pink", "ส้ม": "orange", "เหลือง": "yellow", "เขียว": "green", "เขียวมะกอก": "olive", "ฟ้า": "blue", "น้ำเงิน": "blue",
    "กรมท่า": "navy", "คราม": "indigo", "ม่วง": "purple", "น้ำตาล": "brown", "เบจ": "beige", "ครีม": "cream",
}  # fmt: skip
THAI_NAMES: Mapping[str, str] = {
    colour: f"สี{word}" for word, colour in reversed(_THAI.items())
}  # the first word of each
COLOURS: Mapping[str, str] = {
    **{word: colour for colour, words in _ENGLISH.items() for word in words.split()},
    **_THAI,
    **{f"สี{word}": colour for word, colour in _THAI.items()},
}
# What Thai titles of shops are made of, so that they can be cut into words.
_SHOP_THAI = """
    รองเท้าส้นสูง รองเท้าผ้าใบ รองเท้าแตะ รองเท้าบูท รองเท้า เดรส กระโปรง กางเกงยีนส์ กางเกง เสื้อยืด เสื้อเชิ้ต เสื้อกันหนาว เสื้อคลุม เสื้อ
    แจ็คเก็ต ชุดเดรส ชุดนอน ชุด กระเป๋าสะพาย กระเป๋าสตางค์ กระเป๋า เข็มขัด หมวก ผ้าพันคอ ถุงเท้า สร้อยคอ สร้อย ต่างหู แหวน กำไล นาฬิกา
    แว่นตา ถุงมือ ร่ม แก้ว จาน ชาม ช้อน ผ้าปู หมอน ผ้าห่ม ผ้าเช็ดตัว เทียน โคมไฟ เก้าอี้ โต๊ะ ชา กาแฟ สบู่ แชมพู ครีมกันแดด วิตามิน
    ผู้หญิง ผู้ชาย เด็ก ส้นสูง แขนยาว แขนสั้น คอกลม คอวี ผ้าฝ้าย ผ้าไหม ผ้าลินิน หนังแท้ หนัง ลายดอก ลายทาง ลาย พร้อม แบบ ขนาด
"""
_JOINS = "with in of for by on from to at and or w per plus the a an & + / - , ( | : พร้อม สำหรับ"  # phrases end there
_MEASURES = """
    set pack pair box size piece pc small medium large mini assorted design new men women lady girl boy kid
"""  # "pack of 6 bowls" is bowls, "candle bowl, small" too
JOINS, MEASURES = frozenset(_JOINS.split()), frozenset(_MEASURES.split())
_TOKEN = re.compile(r"[\u0e00-\u0e7f]+|[^\W_\u0e00-\u0e7f]+(?:['’][^\W_\u0e00-\u0e7f]+)*|[&+/,(|:]| - ")
_THAI_RUN = re.compile(r"[\u0e00-\u0e7f]+")


def words(title: str) -> tuple[str, ...]:
    """The distinct words of a title in their order, small letters, English plurals and possessives without their s."""
    return tuple(dict.fromkeys(word for word in tokens(title) if word[0].isalnum()))[:MOST_WORDS]


@lru_cache(maxsize=1 << 16)
def tokens(title: str) -> tuple[str, ...]:
    """The words of a title and the marks that divide it, in their order."""
    found: list[str] = []
    for token in _TOKEN.findall(_thai_apart(unicodedata.normalize("NFC", title).lower())):
        found.append(singular(token.strip().replace("’", "'")))
    return tuple(found)


def singular(word: str) -> str:
    """A plural noun without its s: "pumps" pump, "dresses" dress, "accessories" accessory; "dress" and "women's" lose nothing but 's."""
    word = word.removesuffix("'s")
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if plural else word


def colour(text: str) -> str | None:
    """The first colour that a text names, by its usual English name; None where it names none."""
    return next((COLOURS[word] for word in tokens(text) if word in COLOURS), None)


def heads(title: str) -> tuple[str, ...]:
    """What could say what the item is, the likeliest first: phrase by phrase, each from its end, in Thai from its start.

    Colours, measures, numbers and single letters say no kind of thing.
    """
    phrases: list[list[str]] = [[]]
    for token in tokens(title):
        if token in JOINS:
            phrases.append([])
        elif _names(token):
            phrases[-1].append(token)
    thai = [bool(phrase) and _THAI_RUN.match(phrase[0]) for phrase in phrases]
    ordered = [phrase if is_thai else phrase[::-1] for phrase, is_thai in zip(phrases, thai, strict=True)]
    return tuple(dict.fromkeys(word for phrase in ordered for word in phrase))


def _names(token: str) -> bool:
    return len(token) > 1 and token not in COLOURS and token not in MEASURES and not any(map(str.isdigit, token))


def _thai_apart(text: str) -> str:
    return _THAI_RUN.sub(lambda run: f" {' '.join(_segments(run.group()))} ", text)


def _segments(run: str) -> list[str]:
    """A run of Thai, cut at the known words; the longest known one counts."""
    found, rest, at = [], "", 0
    while at < len(run):
        known = next((word for word in _by_length() if run.startswith(word, at)), None)
        if known is None:
            rest, at = rest + run[at], at + 1
            continue
        found += [rest, known] if rest else [known]
        rest, at = "", at + len(known)
    return [*found, rest] if rest else found


@lru_cache(maxsize=1)
def _by_length() -> Sequence[str]:
    thai = {word for word in COLOURS if _THAI_RUN.fullmatch(word) and word.startswith("สี")} | set(_SHOP_THAI.split())
    return sorted(thai, key=lambda word: (-len(word), word))
