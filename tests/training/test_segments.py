"""An audience for one item."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.clusters import FEATURES, Clusters
from service.items import put
from service.store.open import open_store
from tests.training.mailing import BOUGHT, a_shop, say
from tests.worlds import STRANGE, save, tiny_models
from training.segments import main


@pytest.fixture
def shop(tmp_path: Path, store_url: str) -> tuple[Path, str]:
    return a_shop(tmp_path, store_url)


def audience(shop: tuple[Path, str], *flags: str) -> list[dict[str, str]]:
    folder, url = shop
    out = folder / "audience.csv"
    assert (
        main(["--models-dir", str(folder / "models"), "--store", url, "--out", str(out), "--soft-opt-in", *flags]) == 0
    )
    with out.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_likeliest_come_first_and_who_owns_it_or_shows_no_sign_of_wanting_it_not_at_all(
    shop: tuple[Path, str],
) -> None:
    members = audience(shop, "--item", "SH-014", "--name", "black shoes")
    assert members[0]["customer_id"] == "ann"  # who has the black dress
    assert not {member["customer_id"] for member in members} & {"dan", "cid", "session:1"}
    assert [member["rank"] for member in members] == [str(nth) for nth in range(1, len(members) + 1)]
    scores = [float(member["score"]) for member in members]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert {member["segment"] for member in members} == {"black shoes"}


def test_it_holds_so_many_at_most_and_nobody_who_refused(shop: tuple[Path, str]) -> None:
    everybody = [member["customer_id"] for member in audience(shop, "--item", STRANGE)]
    assert len(everybody) > 1
    assert [member["customer_id"] for member in audience(shop, "--item", STRANGE, "--size", "1")] == everybody[:1]
    store = open_store(shop[1])
    assert store is not None
    say(store, everybody[0], "denied")
    store.close()
    assert [member["customer_id"] for member in audience(shop, "--item", STRANGE)] == everybody[1:]


def test_what_is_said_of_the_soft_opt_in_is_true_of_a_short_list_too(
    shop: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(audience(shop, "--item", STRANGE, "--size", "1")) == 1
    said = capsys.readouterr().out
    assert f"let in {len(BOUGHT)} who never said yes or no" in said


def test_an_item_that_nobody_knows_is_named(shop: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    folder, url = shop
    flags = ["--models-dir", str(folder / "models"), "--store", url, "--out", str(folder / "a.csv")]
    assert main([*flags, "--item", "??"]) == 2
    assert "--item ??: the bundle one does not know it" in capsys.readouterr().err


def test_an_item_of_this_morning_is_for_who_has_what_is_like_it(shop: tuple[Path, str]) -> None:
    store = open_store(shop[1])
    assert store is not None
    red = {
        "item_id": "DR-900",
        "category": "Women > Dresses",
        "product_type": "dress",
        "colour": "red",
        "brand": "Nara",
    }
    assert put([red], store=store, currency="THB")[0].status == "accepted"
    store.close()
    members = audience(shop, "--item", "DR-900")
    assert [member["customer_id"] for member in members][:2] == [
        "bob",
        "ann",
    ]  # who have the red dress and the black one
    assert "cid" not in [member["customer_id"] for member in members]  # vitamins have nothing in common with it
    assert all(0 < float(member["score"]) <= 1 for member in members)


def test_a_named_segment_is_listed_whole(shop: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = shop
    config = folder / "valet.toml"
    config.write_text('[[segments]]\nname = "buyers"\nwhen = "customer.orders > 0"\n')
    members = audience(shop, "--name", "buyers", "--config", str(config))
    names = [member["customer_id"] for member in members]
    assert "ann" in names
    assert names == sorted(names)
    assert {(member["segment"], member["score"]) for member in members} == {("buyers", "1.0")}
    flags = ["--models-dir", str(folder / "models"), "--store", shop[1], "--config", str(config)]
    assert main([*flags, "--out", str(folder / "b.csv"), "--name", "lapsing"]) == 2
    assert "known here: buyers" in capsys.readouterr().err


def test_a_list_holds_who_said_yes_and_says_how_many_members_it_leaves_out(
    shop: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, url = shop
    store = open_store(url)
    assert store is not None
    say(store, "ann", "granted")
    say(store, "bob", "denied")
    store.close()
    config = folder / "valet.toml"
    config.write_text('[[segments]]\nname = "buyers"\nwhen = "customer.orders > 0"\n')
    command = ["--models-dir", str(folder / "models"), "--store", url, "--config", str(config)]
    command += ["--out", str(folder / "a.jsonl")]
    assert main([*command, "--name", "buyers"]) == 0
    assert (folder / "a.jsonl").read_text().count("\n") == 1
    said = capsys.readouterr().out
    assert f"left out: {len(BOUGHT) - 2} who never said yes to marketing on email, 1 who said no" in said
    assert main([*command, "--item", STRANGE]) == 0
    assert "bob" not in (folder / "a.jsonl").read_text()


def test_a_cluster_is_listed_by_its_name(shop: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = shop
    width = len(FEATURES)
    found = Clusters(["frequent, new", "few orders"], np.zeros(width), np.ones(width), np.eye(width)[:2] * [[9], [0]])
    save(folder / "models", "two", replace(tiny_models(), clusters=found))
    bundle = ["--bundle", str(folder / "models" / "two")]
    lists = [[row["customer_id"] for row in audience(shop, *bundle, "--name", name)] for name in found.names]
    assert sorted(lists[0] + lists[1]) == sorted(BOUGHT)  # who bought is in one of them, nobody else in any
    flags = ["--models-dir", str(folder / "models"), "--store", shop[1], *bundle]
    assert main([*flags, "--out", str(folder / "b.csv"), "--name", "lapsing"]) == 2
    assert "known here: frequent, new; few orders" in capsys.readouterr().err
