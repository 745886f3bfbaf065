"""The whole job, from files to a served bundle, in real processes where a process matters."""

import gzip
import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models import bundle
from models.changes import Changed
from service import items
from service.live import Live
from service.overlay import Overlay
from service.store.open import open_store
from tests.training.runs import command, live, train
from tests.training.till import write_till
from training import evaluate, picks, run, segments, simulate

NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("no_plots")  # those of `trained` are drawn before


def test_learns_what_goes_together(trained):
    models = live(trained).models
    items = models.catalogue.items
    row = items.row("S1-04")
    best = models.together.indices[models.together.indptr[row]]
    assert items.text(best) == "S1-05"


def test_the_report_and_the_manifest_say_what_was_read_and_reached(trained):
    manifest = live(trained).manifest
    assert manifest["reading"]["rows"] == manifest["reading"]["kept"] == 150 * 8 * 2
    assert manifest["evaluation"]["metrics"]["ndcg"] > 0.2
    assert manifest["gate"]["passed"]
    report = (trained / "models" / "current" / "report.html").read_text(encoding="utf-8")
    assert "<svg" in report
    assert not re.search(r"""(src|href)=["']?http|url\(["']?http|@import""", report)  # nothing from elsewhere


@pytest.mark.parametrize("price", ["9.90", ""])
def test_items_of_which_nothing_differs_are_learnt_all_the_same(tmp_path, price):
    bought = [(basket, f"i{(7 * basket + 3 * basket % 11 * nth) % 40}") for basket in range(600) for nth in range(3)]
    rows = [f"c{basket % 150},{item},o{basket},{NEW_YEAR + timedelta(hours=basket)},{price}" for basket, item in bought]
    export = tmp_path / "export.csv"
    export.write_text("\n".join(("customer_id,item_id,order_id,time,price", *rows)))
    assert train(tmp_path, "--history", str(export), "--store", "none") == 0
    assert len(live(tmp_path).models.catalogue) == 40


def test_the_bundle_holds_no_customer(trained):
    directory = (trained / "models" / "current").resolve()
    for file in directory.iterdir():
        assert b"C17" not in file.read_bytes(), file.name


def test_the_same_input_and_seed_give_the_same_arrays(tmp_path, till, trained):
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run(command(tmp_path, "--history", till), check=True, env=environment, capture_output=True)
    assert live(tmp_path).manifest["files"] == live(trained).manifest["files"]


def test_a_bundle_that_this_version_cannot_read_is_replaced(tmp_path, trained, till, capsys):
    shutil.copytree(trained / "models", tmp_path / "models", symlinks=True)
    manifest = tmp_path / "models" / "current" / "manifest.json"
    manifest.write_text(manifest.read_text().replace(f'"format": {bundle.FORMAT}', '"format": 1'))
    assert train(tmp_path, "--history", till) == 0
    assert live(tmp_path).manifest["gate"]["passed"]
    assert "cannot be compared" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.csv", b"", "empty.csv"),
        ("header.csv", b"customer_id,item_id,time\n", "header.csv"),
        ("garbage.csv", bytes(range(256)) * 40, "garbage.csv"),
        ("no_item.csv", b"customer_id,time\nc1,2026-01-01\n", "item_id"),
        ("refused.csv", b"customer_id,item_id,time\nc1,i1,yesterday\nc2,i2,soon\n", "unparsable time"),
        ("half.csv.gz", gzip.compress(b"customer_id,item_id\nc1,i1\n" * 9999, mtime=0)[:60], "half.csv.gz"),
    ],
)
def test_unusable_input_exits_2_and_names_the_place(tmp_path, capsys, name, content, says):
    (tmp_path / name).write_bytes(content)
    assert train(tmp_path, "--history", str(tmp_path / name)) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
    assert not (tmp_path / "models" / "current").exists()


def test_an_empty_folder_and_a_missing_file_exit_2(tmp_path, capsys):
    (tmp_path / "till").mkdir()
    assert train(tmp_path, "--history", str(tmp_path / "till")) == 2
    assert train(tmp_path, "--history", str(tmp_path / "nowhere.csv")) == 2
    assert "nowhere.csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    "rows",
    [
        ["c1,i1,2026-01-01"],
        ["c1,i1,2026-01-01", "c1,i2,2026-01-05", "c1,i1,2026-02-05"],
        [f"c{customer},i1,2026-01-{customer + 1:02d}" for customer in range(20)],
    ],
    ids=["one row", "one customer", "one item"],
)
def test_a_history_of_almost_nothing_is_learnt_twice_without_harm(tmp_path, rows):
    (tmp_path / "till.csv").write_text("\n".join(["customer_id,item_id,time", *rows]))
    assert train(tmp_path, "--history", str(tmp_path / "till.csv")) == 0
    assert train(tmp_path, "--history", str(tmp_path / "till.csv")) == 0


def test_odd_ids_survive(tmp_path):
    odd = ["a b", "a/b", "ก่อน", "👗", "x" * 1000, "007", 'say "hi"', "a,b"]
    quoted = ['"' + item.replace('"', '""') + '"' for item in odd]
    rows = [f"{customer},{item},2026-01-{day:02d}" for day, item in enumerate(quoted, 1) for customer in quoted[:4]]
    (tmp_path / "till.csv").write_text("\n".join(["customer_id,item_id,time", *rows]), encoding="utf-8")
    assert train(tmp_path, "--history", str(tmp_path / "till.csv")) == 0
    items = live(tmp_path).models.catalogue.items
    assert sorted(items.texts(range(len(items)))) == sorted(odd)


def test_data_without_times_or_orders_is_learnt_too_and_what_was_not_understood_is_named(tmp_path, capsys):
    rows = [f"u{user},i{item},1.2.26,x" for user in range(60) for item in range(40) if (user + item) % 4 == 0]
    (tmp_path / "pairs.csv").write_text("\n".join(["user_id,item_id,bought the,till", *rows]))
    assert train(tmp_path, "--history", str(tmp_path / "pairs.csv")) == 0
    said = capsys.readouterr().out
    assert "not read: bought the, till" in said
    assert "--columns time=HEADER" in said
    assert "--store sqlite:///valet.db" in said
    assert (
        train(tmp_path, "--history", str(tmp_path / "pairs.csv"), "--columns", "time=bought the", "--no-publish") == 0
    )
    said = capsys.readouterr().out
    assert "not read: till" in said
    assert "warning: no column" not in said
    manifest = live(tmp_path).manifest
    assert manifest["as_of"] is None
    assert manifest["reading"]["files"][0]["unread"] == ["bought the", "till"]
    assert "not read: bought the, till" in (tmp_path / "models" / "current" / "report.html").read_text(encoding="utf-8")
    assert "10% of each customer's items" in manifest["evaluation"]["held_out"]


def test_what_the_shop_told_the_service_of_its_items_is_in_the_bundle_and_not_laid_over_it_again(tmp_path, till):
    (tmp_path / "items.csv").write_text("item_id,title,price\nS1-04,Cup,5\nS1-05,Saucer,4\nS1-06,Spoon,3\n")
    url = f"sqlite:///{tmp_path / 'valet.db'}"
    store = open_store(url)
    items.put([{"item_id": "new", "title": "New", "price": 9}, {"item_id": "gone"}], store=store, currency=None)
    items.patch("S1-04", {"price": 7.5}, known={}, store=store, currency=None)
    for item_id in ("gone", "S1-06"):
        assert items.delete(item_id, known={}, store=store)
    assert train(tmp_path, "--history", till, "--items", str(tmp_path / "items.csv"), "--store", url) == 0
    catalogue = live(tmp_path).models.catalogue
    rows = catalogue.items.rows(["new", "S1-04", "S1-06", "gone", "S1-05"])
    assert catalogue.price[rows[[0, 1, 4]]].tolist() == [900, 750, 400]
    assert catalogue.fields(rows[1])["title"] == "Cup"
    assert catalogue.available[rows[:3]].tolist() == [True, True, False]
    assert rows[3] == -1
    assert live(tmp_path).manifest["items"] == {"store": items.name(store), "version": 4}
    served = Overlay(Live(tmp_path / "models"), store)
    assert not isinstance(served.bundle().models.catalogue, Changed)
    items.patch("new", {"price": 1}, known=None, store=store, currency=None)
    served.refresh()
    assert served.bundle().models.catalogue.fields(rows[0])["price"] == 100
    store.close()


def test_a_test_file_is_measured_and_never_learnt(tmp_path, till, trained):
    test = write_till(tmp_path / "test.csv", customers=40, orders=3, seed=5)
    assert train(tmp_path, "--history", till, "--test", str(test)) == 0
    manifest = live(tmp_path).manifest
    assert (
        manifest["files"] == live(trained).manifest["files"]
        or manifest["parameters"] != live(trained).manifest["parameters"]
    )
    assert manifest["window"]["purchases"] == live(trained).manifest["window"]["purchases"]
    assert manifest["evaluation"]["held_out"] == "the file test.csv"


class TestTheGate:
    """A bundle is served; then a run with one neighbour and one factor learns from the same files, and does clearly worse."""

    @pytest.fixture(scope="class")
    @classmethod
    def shop(cls, tmp_path_factory):
        folder = tmp_path_factory.mktemp("gate")
        till = str(write_till(folder / "till.csv"))
        test = str(write_till(folder / "test.csv", orders=3, seed=9))
        (folder / "weak.toml").write_text("[training]\nneighbours = 1\nfactors = 1\niterations = 1\n")
        assert train(folder, "--history", till, "--test", test) == 0
        return folder, ("--history", till, "--test", test, "--config", str(folder / "weak.toml"))

    def test_keeps_the_old_bundle_and_says_why(self, shop, capsys):
        folder, weaker = shop
        before = live(folder).version
        assert train(folder, *weaker) == 3
        assert live(folder).version == before
        assert "below the live bundle's" in capsys.readouterr().out

    def test_exits_as_it_is_told(self, shop):
        folder, weaker = shop
        assert train(folder, *weaker, "--gate-exit", "0") == 0

    def test_no_publish_writes_and_does_not_switch(self, shop):
        folder, weaker = shop
        before = live(folder).version
        assert train(folder, *weaker, "--no-publish") == 0
        assert live(folder).version == before

    def test_gives_way_to_force(self, shop):
        folder, weaker = shop
        before = live(folder).version
        assert train(folder, *weaker, "--force") == 0
        assert live(folder).version != before

    def test_is_skipped_without_evaluation(self, shop):
        folder, weaker = shop
        assert train(folder, *weaker, "--no-evaluate") == 0
        assert live(folder).manifest["not_evaluated"] == "--no-evaluate"


def test_refusals_are_counted_with_examples_that_never_show_a_customer(tmp_path, till):
    lines = Path(till).read_text(encoding="utf-8").splitlines()
    bad = ["SECRET,o,S0-00,not a time,1,5", "SECRET,o,,2026-02-01,1,5", "SECRET,o,S0-00,2026-02-01,1,-5"]
    (tmp_path / "till.csv").write_text("\n".join([*lines, *bad]), encoding="utf-8")
    assert train(tmp_path, "--history", str(tmp_path / "till.csv")) == 0
    manifest = live(tmp_path).manifest
    counts = {refusal["reason"]: refusal["count"] for refusal in manifest["reading"]["refusals"]}
    assert counts == {"unparsable time": 1, "missing item": 1, "negative or zero price": 1}
    assert "not a time" in json.dumps(manifest)
    assert "SECRET" not in json.dumps(manifest)
    assert "SECRET" not in (tmp_path / "models" / "current" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--seed", "-1"], "--seed -1: write a whole number"),
        (["--threads", "-3"], "--threads -3: write a whole number"),
        (["--models-dir", "a.file"], "--models-dir a.file: File exists. Name a directory."),
        (["--models-dir", "a.file/models"], "--models-dir a.file/models: Not a directory. Name a directory."),
    ],
)
def test_flags_that_cannot_be_used_exit_2(tmp_path, till, capsys, monkeypatch, flags, says):
    monkeypatch.chdir(tmp_path)
    Path("a.file").touch()
    assert run.main(["--history", str(till), "--store", "none", *flags]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(says)


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        (evaluate, ["--k", "-1"]),
        (segments, ["--size", "0"]),
        (simulate, ["--sample", "-5"]),
        (picks, ["--threads", "0"]),
    ],
)
def test_numbers_that_mean_nothing_exit_2(capsys, command, flags):
    with pytest.raises(SystemExit) as ended:
        command.main(flags)
    assert ended.value.code == 2
    assert f"{flags[1]!r}: write a whole number from" in capsys.readouterr().err


def test_settings_that_do_not_parse_exit_2(tmp_path, till, capsys):
    (tmp_path / "valet.toml").write_text("[tiers]\nwindow_dys = 3\n")
    assert train(tmp_path, "--history", till, "--config", str(tmp_path / "valet.toml")) == 2
    assert "line 2: tiers.window_dys" in capsys.readouterr().err


def test_a_pair_that_too_few_baskets_hold_is_no_pair(tmp_path, till):
    (tmp_path / "valet.toml").write_text("[training]\nminimum_support = 9999\n")
    assert train(tmp_path, "--history", till, "--config", str(tmp_path / "valet.toml"), "--no-evaluate") == 0
    assert len(live(tmp_path).models.together.indices) == 0
