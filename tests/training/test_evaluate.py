"""Evaluation on a tiny till, where the right lists are known."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from models import bundle
from models.vocabulary import Vocabulary
from tests.training.till import write_till
from training import evaluate, run
from training.evaluate import BOUGHT_MOST, OURS, POPULARITY, translated
from training.queries import Queries
from training.scoring import carts


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """(bundle directory, history, test)"""
    folder = tmp_path_factory.mktemp("shop")
    till, test = write_till(folder / "till.csv"), write_till(folder / "test.csv", orders=3, seed=5)
    assert run.main(["--history", str(till), "--models-dir", str(folder / "models"), "--threads", "1"]) == 0
    return str(folder / "models" / "current"), str(till), str(test)


def measured(capsys, *arguments):
    assert evaluate.main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_prints_what_the_contract_says(shop, capsys):
    directory, till, test = shop
    told = measured(capsys, "--bundle", directory, "--test", test, "--history", till, "--k", "5")
    assert set(told) == {"k", "customers", "model", "metrics"}
    assert set(told["metrics"]) == {"recall", "ndcg", "hr", "mrr", "coverage", "novelty"}
    assert (told["k"], told["customers"], told["model"]) == (5, 150, OURS)


@pytest.mark.parametrize("intent", [["for_you", "--exclude-seen"], ["complementary"]])
def test_the_blend_beats_popularity_where_there_is_something_to_learn(shop, capsys, intent):
    directory, till, test = shop
    common = ["--bundle", directory, "--test", test, "--history", till, "--intent", *intent]
    ours = measured(capsys, *common)["metrics"]["ndcg"]
    assert ours > 1.5 * measured(capsys, *common, "--model", POPULARITY)["metrics"]["ndcg"]


def test_without_what_she_has_there_is_nothing_she_bought_most(shop, capsys):
    directory, till, test = shop
    common = ["--bundle", directory, "--test", test, "--history", till, "--model", BOUGHT_MOST]
    assert measured(capsys, *common, "--exclude-seen")["metrics"]["recall"] == 0
    assert measured(capsys, *common)["metrics"]["recall"] > 0.5


def test_popular_needs_no_history_and_personal_intents_say_that_they_do(shop, capsys):
    directory, _, test = shop
    assert measured(capsys, "--bundle", directory, "--test", test, "--intent", "popular")["model"] == POPULARITY
    assert evaluate.main(["--bundle", directory, "--test", test]) == 2
    assert "needs --history" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"--bundle": "/nowhere"}, "is not a bundle"),
        ({"--test": "/nowhere.csv"}, "nowhere.csv"),
        ({"--model": "magic"}, "--model magic"),
    ],
)
def test_what_cannot_be_used_exits_2_and_says_why(shop, capsys, changed, says):
    directory, till, test = shop
    given = {"--bundle": directory, "--test": test, "--history": till, **changed}
    assert evaluate.main([part for pair in given.items() for part in pair]) == 2
    assert says in capsys.readouterr().err


def test_the_settings_of_the_shop_say_what_its_columns_are(shop, capsys, tmp_path, monkeypatch):
    directory, till, test = shop
    usual = measured(capsys, "--bundle", directory, "--test", test, "--history", till)
    for name, path in (("till.csv", till), ("test.csv", test)):
        head, _, rows = Path(path).read_text(encoding="utf-8").partition("\n")
        (tmp_path / name).write_text(f"{head.replace('item_id', 'Ware')}\n{rows}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    asked = ["--bundle", directory, "--test", "test.csv", "--history", "till.csv"]
    assert evaluate.main(asked) == 2
    Path("valet.toml").write_text('[history]\ncolumns = { item_id = "Ware" }\n', encoding="utf-8")
    assert measured(capsys, *asked) == usual


def test_the_run_wrote_the_same_under_evaluation(shop):
    told = bundle.read_manifest(Path(shop[0]))["evaluation"]
    first = told["tables"][0]
    assert told["metrics"] == next(row["metrics"] for row in first["rows"] if row["model"] == OURS)
    assert told["customers"] == first["cases"]
    assert {POPULARITY, BOUGHT_MOST} <= {row["model"] for row in first["rows"]}


class TestTranslated:
    """Rows of one vocabulary as rows of another."""

    ASKED = Vocabulary.of(["a", "b", "c", "d"])
    QUERIES = Queries(
        carts(np.array([0, 3], dtype=np.int32), 4), csr_matrix([[0, 1, 1, 0], [1, 0, 0, 0]], dtype=np.float32)
    )

    def test_the_same_vocabulary_changes_nothing(self):
        assert translated(self.QUERIES, self.ASKED, self.ASKED) is self.QUERIES

    def test_ids_keep_their_meaning_and_what_is_unknown_can_never_be_found(self):
        known = Vocabulary.of(["0", "b", "d"])
        moved = translated(self.QUERIES, self.ASKED, known)
        assert moved.histories.items == 3
        assert [moved.histories.of(0, 1).rows.tolist(), moved.histories.of(1, 2).rows.tolist()] == [[], [2]]
        assert moved.relevant[0].indices.tolist() == [1, 4]  # b, and c as a row beyond every model's
        assert moved.relevant[1].indices.tolist() == [3]  # a likewise
