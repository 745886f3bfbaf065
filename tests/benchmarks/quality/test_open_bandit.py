"""Open Bandit: the published values of the Thompson policy on the random log."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.open_bandit import LOG, PRIOR, RANDOM, THOMPSON, read, run, seen_by, thompson_policy
from models.off_policy import effective_size, ips, snips


def test_the_random_log_values_the_thompson_policy_as_published(valet_data):
    prior = thompson_policy(valet_data(f"open_bandit/{PRIOR}"))
    log = read(valet_data(f"open_bandit/{LOG.format(RANDOM)}"))
    seen = seen_by(prior, log, np.full_like(prior, 1 / 34))
    assert ips(seen).value == pytest.approx(0.00453356, abs=1e-8)
    assert snips(seen).value == pytest.approx(0.00460423, abs=1e-8)
    assert effective_size(seen.weight) == pytest.approx(2467, abs=1)
    assert log.click.mean() == pytest.approx(0.0046)
    assert read(valet_data(f"open_bandit/{LOG.format(THOMPSON)}")).click.mean() == pytest.approx(0.0069)


def write(data: Path, *, clicks: int) -> None:
    """Two items: 0 is shown by the Thompson policy nearly always, and clicked in each tenth round where it stands."""
    folder = data / "open_bandit"
    for policy, chances in ((RANDOM, (0.5, 0.5)), (THOMPSON, (0.9, 0.1))):
        path = folder / LOG.format(policy)
        path.parent.mkdir(parents=True)
        shown = [int(nth // 2 % 10 >= 10 * chances[0]) for nth in range(1_000)]  # the same in both halves
        lines = [
            f"{item},1,{int(item == 0 and nth // 2 % 10 < clicks)},{chances[item]}" for nth, item in enumerate(shown)
        ]
        path.write_bytes(gzip.compress("\n".join(["item_id,position,click,propensity_score", *lines]).encode()))
    (folder / PRIOR).write_text("item_id,alpha,beta\n0,900,100\n1,100,900\n")


def test_a_log_as_plain_as_that_is_valued_right(tmp_path: Path):
    write(tmp_path, clicks=1)
    rows = {row.method: row.values for row in run(tmp_path)}
    assert rows["random, as it ran"]["value"] == pytest.approx(0.1)
    assert rows["random log → Thompson, IPS"]["value"] == pytest.approx(0.2)
    assert rows["random log → Thompson, DR"]["value"] == pytest.approx(0.2, abs=0.01)


def test_a_log_without_clicks_is_refused_in_words(tmp_path: Path):
    write(tmp_path, clicks=0)
    notes = [row.note for row in run(tmp_path) if row.ours]
    assert notes[0] == "refused: 0 rounds had a reward (at least 10): wait for outcomes"


def test_without_the_files_there_are_no_rows(tmp_path: Path):
    assert run(tmp_path) == []
