from pathlib import Path

import pytest

from benchmarks.quality.__main__ import main, table
from benchmarks.quality.rows import Row, peak_mb, timed


def test_a_row_shows_values_intervals_cost_and_whether_it_is_ours():
    plain, ours = table(
        [
            Row("shop", "popularity", {"ndcg@20": 0.1}),
            Row("shop", "blend", {"ndcg@20": 0.2}, True, 1.25, 100.4, {"ndcg@20": (0.15, 0.25)}, "as found"),
        ]
    )
    assert plain.split() == ["shop", "popularity", "ndcg@20", "0.1000"]
    assert ours.split()[0] == "*"
    assert "0.2000 [0.1500, 0.2500]" in ours
    assert ours.endswith("as found")
    assert "1.2 s" in ours
    assert "100 MB" in ours


@pytest.mark.parametrize(
    "name",
    [
        "gowalla",
        "baskets",
        "complements",
        "carts",
        "next_purchases",
        "diversity",
        "trending",
        "cdnow",
        "open_bandit",
        "hillstrom",
    ],
)
def test_a_missing_data_set_is_said_and_fails(name, tmp_path: Path, capsys):
    assert main([name, "--data", str(tmp_path)]) == 2
    assert f"{name}: its files are not in {tmp_path}" in capsys.readouterr().err


def test_an_unknown_data_set_names_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        main(["movielens"])
    assert "known are gowalla, baskets" in capsys.readouterr().err


def test_a_block_is_timed_and_memory_is_counted():
    with timed() as clock:
        sum(range(1000))
    assert 0 < clock.seconds < 5
    assert 10 < peak_mb() < 100_000


def test_a_data_set_is_named_by_task_too(tmp_path: Path, capsys):
    assert main(["--task", "complements", "--task", "cdnow", "--data", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "complements: its files" in said
    assert "cdnow: its files" in said
    assert "gowalla" not in said
