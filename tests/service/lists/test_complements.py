"""What goes with this: a dress that came in this morning gets shoes of its colour too, and the list says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from models import bundle
from models.bundle import Models
from models.changes import Change, lay
from service.lists.recommend import Answer, recommend
from service.lists.request import Request
from service.lists.taste import NONE
from tests.wardrobe import CATALOGUE, EACH, learnt, matrix_of, shop
from tests.worlds import NOW, tiny_models
from training.fit import neighbours

BLENDED = shop(together=1.0, complements=0.5)


def ask(models: Models, *item_ids: str, **more: object) -> Answer:
    request = Request(item_ids=item_ids, intent="complementary", **more).at(None)  # type: ignore[arg-type]
    return recommend(request, models=models, taste=NONE, now=NOW)


def ids(answer: Answer) -> list[str]:
    return [pick.item_id for pick in answer.picks]


def newcomers(models: Models, **titles: str) -> Models:
    changes = {item_id: Change({"title": title}) for item_id, title in titles.items()}
    return models.over(lay(changes, over=models.catalogue, base=models.catalogue, currency=None))


@pytest.mark.parametrize("models", [shop(), shop(together=1.0), BLENDED])
def test_a_dress_that_nobody_bought_yet_gets_shoes_of_its_colour(models: Models) -> None:
    answer = ask(models, "dress-black-5", n=EACH, strict=True)
    assert len(answer.picks) == EACH
    assert all(item_id.startswith("shoe-black") for item_id in ids(answer))
    assert {pick.source for pick in answer.picks} == {"complements"}


def test_where_baskets_say_little_the_list_goes_on_with_what_fits() -> None:
    answer = ask(shop(together=1.0), "dress-black-0", n=EACH, strict=True)
    assert all(item_id.startswith("shoe-black") for item_id in ids(answer))
    assert "shoe-black-5" in ids(answer)
    assert answer.fallback is None


def test_no_substitute_completes_and_one_fills_only_as_a_fallback() -> None:
    strict = ids(ask(BLENDED, "dress-black-0", n=50, strict=True))
    assert not any(item_id.startswith("dress") for item_id in strict)
    answer = ask(BLENDED, "dress-black-0", n=50)
    first_dress = next(place for place, item_id in enumerate(ids(answer)) if item_id.startswith("dress"))
    assert first_dress >= len(strict)
    assert answer.fallback is not None


def test_two_dresses_bought_together_do_not_make_one_complete_the_other() -> None:
    both = [int(CATALOGUE.items.row(name)) for name in ("dress-black-0", "dress-red-0")]
    models = replace(BLENDED, together=neighbours.fit(matrix_of([both] * 5)))
    assert "dress-red-0" not in ids(ask(models, "dress-black-0", n=20, strict=True))


def test_cups_of_a_set_complete_one_another() -> None:
    assert all(item_id.startswith("cup") for item_id in ids(ask(BLENDED, "cup-red-0", n=8, strict=True)))


def test_an_item_put_in_a_second_ago_is_asked_about_and_recommended_by_what_it_is() -> None:
    models = newcomers(BLENDED, **{"NEW-D": "Red summer dress", "NEW-S": "Red shoe", "NEW-B": "Blue shoe"})
    asked = ids(ask(models, "NEW-D", n=8, strict=True))
    assert "NEW-S" in asked
    assert "NEW-B" not in asked
    assert all(item_id.startswith(("shoe-red", "NEW-S")) for item_id in asked[:EACH])
    assert "NEW-S" in ids(ask(models, "dress-red-0", n=2 * EACH, strict=True))


@pytest.mark.parametrize(
    ("lang", "text"), [("en", "Goes with Black dress fff: black with black"), ("th", "เข้ากับ Black dress fff: สีดำกับสีดำ")]
)
def test_the_reason_is_the_attribute_pair_that_carried_the_score(lang: str, text: str) -> None:
    for pick in ask(BLENDED, "dress-black-5", n=3, lang=lang).picks:
        assert pick.reason is not None
        assert (pick.reason.code, pick.reason.because, pick.reason.text) == ("attributes", ("dress-black-5",), text)


def test_the_reason_is_the_baskets_where_they_carried_the_score() -> None:
    often = [int(CATALOGUE.items.row(name)) for name in ("dress-black-0", "shoe-red-0")]
    models = replace(shop(complements=1.0), complements=learnt(extra=[often] * 100))
    pick = ask(models, "dress-black-0", n=1).picks[0]
    assert pick.reason is not None
    assert (pick.item_id, pick.reason.code) == ("shoe-red-0", "bought_together")


def test_the_anchor_of_a_cart_is_the_item_that_called_for_it() -> None:
    for pick in ask(BLENDED, "dress-black-5", "cup-red-0", n=8, strict=True).picks:
        assert pick.reason is not None
        expected = "dress-black-5" if pick.item_id.startswith("shoe") else "cup-red-0"
        assert pick.reason.because == (expected,)


def test_a_bundle_is_saved_and_loaded_with_its_complements_and_an_older_one_without(tmp_path: Path) -> None:
    for name, models in (("new", BLENDED), ("old", tiny_models())):
        (tmp_path / name).mkdir()
        bundle.save(tmp_path / name, models, {})
    document = orjson.loads((tmp_path / "old" / bundle.MANIFEST).read_bytes())
    del document["models"]["complements"]
    (tmp_path / "old" / bundle.MANIFEST).write_bytes(orjson.dumps(document))
    assert bundle.load(tmp_path / "old").models.complements is None
    assert ids(ask(bundle.load(tmp_path / "new").models, "dress-red-5", n=5)) == ids(ask(BLENDED, "dress-red-5", n=5))
