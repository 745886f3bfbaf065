"""A changed catalogue valued on the log of another: real decisions, taken up at rates that are known."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path

import numpy as np
import orjson
import pytest

from models.action_catalogue import parse
from models.settings import Settings
from service.decisions import ledger as ledger_of
from service.decisions import record as record_of
from service.decisions.decide import next_best_action
from service.decisions.shelf import Shelf, known
from service.decisions.situation import Learnt, Request
from service.store.open import open_store
from tests.service.decisions.worlds import DAY, NOW, SILENCE, action
from training import off_policy
from training.recast import Recast

EXPLORING = '[learning]\nexploration = "thompson"\n'
RATES = {"sale": 0.5, "news": 0.1}
SALE, NEWS = action("sale", value=10, propensity=0.3), action("news", value=10, propensity=0.3)
LIVE = EXPLORING + SALE + NEWS + SILENCE
CUSTOMERS = 300


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store of decisions between two actions that seemed equal, answered at RATES."""
    url = f"sqlite:///{tmp_path_factory.mktemp('recast') / 'valet.db'}?timeout_ms=5000"
    store = open_store(url)
    assert store is not None
    live, rng = parse(LIVE, "actions.toml"), np.random.default_rng(1)
    Shelf(live, store, known=known(Settings()))
    for number in range(CUSTOMERS):
        request = Request(f"c{number}", "website")
        made = next_best_action(
            request,
            store=store,
            actions=live,
            learnt=Learnt(attach=lambda *_: []),
            now=NOW - 10 * DAY,
            new_id=f"d{number}",
        )
        taken = made["actions"][0]["action_id"]
        told = ["shown", *(["clicked"] if rng.random() < RATES[taken] else [])]

        def answered(
            document: bytes | None, key: str = f"d{number}", taken: str = taken, told: list[str] = told
        ) -> bytes:
            ledger = ledger_of.load(document)
            for outcome in told:
                ledger = ledger_of.answer(ledger, key, taken, outcome, NOW - 10 * DAY)
            return ledger_of.dump(ledger)

        store.change(f"c{number}", "ledger", answered)
    store.close()
    return url


def valued(url: str, folder: Path, changed: str, *, code: int = 0) -> dict:
    (folder / "new.toml").write_text(changed, encoding="utf-8")
    flags = ["--store", url, "--actions", str(folder / "new.toml"), "--json", str(folder / "found.json")]
    assert off_policy.main(flags) == code
    return orjson.loads((folder / "found.json").read_bytes())


def test_the_same_catalogue_is_worth_what_was_done(log, tmp_path):
    found = valued(log, tmp_path, LIVE)
    assert found["decisions"] == CUSTOMERS
    assert found["gain"]["value"] == pytest.approx(0, abs=1e-9)
    assert found["values"]["IPS"]["value"] == pytest.approx(found["as_it_was"]["value"], abs=1e-9)


@pytest.mark.parametrize(
    ("changed", "truth"),
    [
        (LIVE.replace('id = "news"\n', 'id = "news"\nstate = "paused"\n'), 0.5),
        (LIVE.replace('id = "sale"\n', 'id = "sale"\nlever = -90.0\n'), 0.1),
        (EXPLORING + NEWS + SILENCE, 0.1),
        (LIVE.replace('id = "news"\n', 'id = "news"\nneeds = { "orders" = [1] }\n'), 0.5),
    ],
)
def test_what_a_changed_catalogue_would_bring_holds_the_truth(log, tmp_path, changed, truth):
    found = valued(log, tmp_path, changed)
    assert found["refusals"] == []
    for name in ("IPS", "SNIPS", "DR"):
        low, high = found["values"][name]["interval"]
        assert low - 0.02 <= truth <= high + 0.02, name
    assert (found["gain"]["interval"][0] > 0) is (truth > 0.3)


def test_what_was_never_tried_is_refused_with_the_reason(log, tmp_path, capsys):
    found = valued(log, tmp_path, LIVE + action("gift", value=1_000, propensity=0.3), code=3)
    assert found["values"] == {}
    assert "never had a chance in this log" in capsys.readouterr().out


def test_what_a_record_cannot_say_again_stays_stopped_and_an_unknown_catalogue_is_no_recast(log):
    store = open_store(log)
    assert store is not None
    record = record_of.load(store.get(record_of.KIND, "d0") or b"")
    store.close()
    live = parse(LIVE, "actions.toml")
    changed = parse(LIVE.replace("value = 10\n", 'value = 10\npurpose = "letters"\n'), "actions.toml")
    shelf = {live.version: live}.get
    assert set(Recast(changed, shelf)(record) or {}) == {"sale", "news"}
    stopped = {**record, "dropped": {"CONSENT": "1"}, "passed": "6"}  # bits: sale, news, silence
    stopped["belief"] = b64encode(b64decode(record["belief"])[5:]).decode()
    assert set(Recast(changed, shelf)(stopped) or {}) == {"news"}
    assert set(Recast(changed, shelf)({**stopped, "dropped": {"STATE": "1"}}) or {}) == {"sale", "news"}
    assert Recast(changed, lambda _: None)(record) is None
    assert Recast(changed, shelf)({**record, "form": 0}) is None
