"""What a title tells, English and Thai."""

import pytest

from models import titles


@pytest.mark.parametrize(
    ("title", "colour", "kind"),
    [
        ("Women's black pumps with bow", "black", "pump"),
        ("Embossed zip front heeled boots, black", "black", "boot"),
        ("PACK OF 72 RETROSPOT CAKE CASES", None, "case"),
        ("SET/5 RED RETROSPOT LID GLASS BOWLS", "red", "bowl"),
        ("Dresses", None, "dress"),
        ("Gray silk dress for girls", "grey", "dress"),
        ("รองเท้าส้นสูงสีดำ", "black", "รองเท้าส้นสูง"),
        ("เดรสผ้าไหมสีกรมท่า", "navy", "เดรส"),
        ("", None, None),
    ],
)
def test_a_title_says_its_colour_and_what_it_names(title: str, colour: str | None, kind: str | None) -> None:
    assert titles.colour(title) == colour
    assert next(iter(titles.heads(title)), None) == kind


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("pumps", "pump"),
        ("dresses", "dress"),
        ("boxes", "box"),
        ("accessories", "accessory"),
        ("women's", "women"),
        ("dress", "dress"),
        ("plus", "plus"),
        ("tennis", "tennis"),
        ("bus", "bus"),
    ],
)
def test_plurals_and_possessives_are_one_word_with_their_noun(plural: str, one: str) -> None:
    assert titles.singular(plural) == one


def test_words_are_distinct_and_few() -> None:
    assert titles.words("Tea for tea, TEAS & more") == ("tea", "for", "more")
    assert len(titles.words(" ".join(f"w{number}" for number in range(100)))) == titles.MOST_WORDS


def test_thai_is_cut_at_the_words_it_is_made_of() -> None:
    assert titles.words("รองเท้าผ้าใบผู้หญิงสีขาว") == ("รองเท้าผ้าใบ", "ผู้หญิง", "สีขาว")


def test_a_later_phrase_says_what_it_is_where_the_first_does_not() -> None:
    assert titles.heads("For women: ankle boots") == ("boot", "ankle")
