"""The report's part on decisions: there where something was decided, with tables, a plot, and refusals in words."""

from pathlib import Path

import pytest

from service.store.open import open_store
from tests.training.decisions import DAY, NOW, fill, write
from tests.training.histories import history
from training.decision_report import decisions
from training.run import main

BOUGHT = history(("nobody", "A", NOW / DAY))


@pytest.fixture
def store(tmp_path: Path):
    found = open_store(f"sqlite:///{tmp_path / 'valet.db'}?timeout_ms=5000")
    yield found
    found.close()


def test_the_standing_policies_and_the_catalogue_without_each_action_are_valued(store):
    fill(store, 1_000)
    told, _ = decisions(store, BOUGHT, now=NOW)
    assert [one["policy"] for one in told["policies"]] == [
        "logged", "uniform", "likeliest", "without sale", "without news", "without rare",
    ]  # fmt: skip
    assert all(one["values"] or one["refusals"] for one in told["policies"])
    assert told["uplift"]["refusal"] is not None


def test_where_nothing_was_decided_there_is_no_such_part(store):
    assert decisions(store, BOUGHT, now=NOW) == (None, None)
    assert decisions(None, BOUGHT, now=NOW) == (None, None)


def test_the_page_shows_what_was_valued_what_was_refused_and_the_curve(tmp_path, store):
    fill(store, 600)
    days = [f"{day:02}" for day in range(1, 29)]
    rows = [f"h{nth:04},A{nth % 7},2026-0{1 + nth % 3}-{days[nth % 28]},{nth},9.5" for nth in range(300)]
    for nth in range(300):
        arm = "holdout" if nth % 2 else "full"
        write(store, f"h{nth:04}", f"h{nth}", taken=None, arm=arm, tier="gold", at=1_768_000_000)
    till = tmp_path / "till.csv"
    till.write_text("\n".join(["customer_id,item_id,date,order_id,price", *rows]))
    url = f"sqlite:///{tmp_path / 'valet.db'}?timeout_ms=5000"
    flags = ["--history", str(till), "--store", url, "--models-dir", str(tmp_path / "models"), "--no-evaluate"]
    assert main(flags) == 0
    page = (tmp_path / "models" / "current" / "report.html").read_text(encoding="utf-8")
    assert "What other decisions would have brought" in page
    assert "<td>without sale</td>" in page
    assert "What deciding is worth" in page
    assert "Qini coefficient" in page
    assert "gained by deciding for the best-scored share" in page
