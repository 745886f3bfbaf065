"""What an item is, from columns or from its title."""

import numpy as np
import pytest

from models.attributes import CODED, Fields, attributes
from training.fit.lexicon import fit

SHOP: list[Fields] = [
    *({"title": f"{colour} silk dress"} for colour in ("Black", "Red", "Blue", "White", "Green")),
    *({"title": f"{colour} court shoes with bow"} for colour in ("Black", "Red", "Blue", "White", "Green")),
    {"title": "Umbrella", "product_type": "Umbrellas", "colour": "Midnight", "brand": " Suan ", "gender": "Women"},
    *({"title": "Tea", "category": "Home > Teas", "price": price} for price in range(100, 2100, 100)),
]
LEXICON = fit(SHOP)


def told(fields: Fields) -> dict[str, str | int | None]:
    codes = attributes(LEXICON, [fields]).codes[:, 0].tolist()
    found: dict[str, str | int | None] = {}
    for name, vocabulary, code in zip(CODED, LEXICON.named, codes, strict=True):
        found[name] = None if code < 0 else code if vocabulary is None else vocabulary.text(code)
    return found


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title": "Grandma's black dress in wool"}, {"type": "dress", "colour": "black"}),
        ({"title": "Nothing we know"}, {"type": None, "colour": None}),
        ({"product_type": "UMBRELLA", "colour": "midnight", "brand": "SUAN"}, {"type": "umbrella", "colour": "midnight", "brand": "suan"}),
        ({"title": "Black dress", "colour": "Red / white"}, {"type": "dress", "colour": "red"}),
        ({"category": "Kitchen > Teas", "price": 100}, {"type": "tea", "price": 0}),
        ({"category": "Kitchen > Teas", "price": 2000}, {"type": "tea", "price": 4}),
        ({}, dict.fromkeys(CODED)),
    ],
)  # fmt: skip
def test_columns_say_what_an_item_is_and_the_title_says_the_rest(fields: Fields, said: dict[str, object]) -> None:
    found = told(fields)
    assert {name: found[name] for name in said} == said


def test_a_word_is_a_type_only_where_titles_name_it_as_one() -> None:
    assert LEXICON.types.row("shoe") >= 0
    assert LEXICON.types.row("silk") < 0
    assert LEXICON.types.row("bow") < 0


def test_words_that_the_lexicon_lacks_are_kept_apart_and_are_the_same_in_two_titles() -> None:
    found = attributes(LEXICON, [{"title": "Silk zzyzx"}, {"title": "A zzyzx dress"}])
    assert found.words[0, 0] == LEXICON.words.row("silk")
    assert set(found.strange[:, 0].tolist()) & set(found.strange[:, 1].tolist()) - {0}


def test_items_follow_one_another_as_if_read_at_once() -> None:
    first, second = SHOP[:3], [{"title": "A much longer title of quite unknown words"}, *SHOP[3:5]]
    both = attributes(LEXICON, first).followed_by(attributes(LEXICON, second))
    at_once = attributes(LEXICON, [*first, *second])
    for name in ("codes", "words", "strange"):
        np.testing.assert_array_equal(getattr(both, name), getattr(at_once, name))


def test_the_attributes_of_some_rows_are_theirs() -> None:
    known = attributes(LEXICON, SHOP)
    rows = np.array([4, 0], dtype=np.int32)
    np.testing.assert_array_equal(known.of(rows).codes, known.codes[:, [4, 0]])
    assert len(known.of(rows)) == 2
