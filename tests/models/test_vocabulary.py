import pytest

from models.vocabulary import MISSING, Vocabulary

ODD = ["a b", "a/b", "ก่อน", "👗", "x" * 1000, "0017", "17", "", " ", "\udce9"]


def test_numbers_ids_in_sorted_order_whatever_order_they_come_in():
    assert Vocabulary.of(["b", "a", "c", "a"]).texts(range(3)) == ["a", "b", "c"]


@pytest.mark.parametrize("text", ODD)
def test_finds_any_id_again(text):
    vocabulary = Vocabulary.of(ODD)
    assert vocabulary.text(vocabulary.row(text)) == text


def test_says_minus_one_for_what_it_does_not_know():
    vocabulary = Vocabulary.of(["a", "b"])
    assert vocabulary.row("c") == MISSING
    assert vocabulary.rows(["b", "c", "a"]).tolist() == [1, MISSING, 0]


def test_an_empty_vocabulary_knows_nothing():
    assert len(Vocabulary.of([])) == 0
    assert Vocabulary.of([]).row("a") == MISSING


def test_many_ids_keep_their_own_rows():
    ids = [f"item {number}" for number in range(5000)]
    vocabulary = Vocabulary.of(ids)
    assert vocabulary.texts(vocabulary.rows(ids)) == ids


def test_new_texts_are_numbered_on_and_the_known_keep_their_rows():
    base = Vocabulary.of(["b", "a"])
    longer = base.extended(["z", "a", "ก่อน"]).extended(["c", "z"])
    assert longer.texts(range(5)) == ["a", "b", "z", "ก่อน", "c"]
    assert longer.rows(["c", "a", "z", "?"]).tolist() == [4, 0, 2, MISSING]
    assert (len(longer), len(base)) == (5, 2)
    assert longer.pool is base.pool


def test_nothing_new_is_the_same_vocabulary():
    base = Vocabulary.of(["a"])
    assert base.extended(["a"]) is base


def test_remembers_a_bounded_number_of_rows(monkeypatch):
    monkeypatch.setattr("models.vocabulary.MOST_KNOWN", 3)
    vocabulary = Vocabulary.of([*map(str, range(10)), "x" * 1000])
    for _ in range(2):
        assert vocabulary.rows(vocabulary.texts(range(11))).tolist() == list(range(11))
        assert len(vocabulary._known) <= 3
    assert vocabulary.row("unheard of") == MISSING
    assert "unheard of" not in vocabulary._known
