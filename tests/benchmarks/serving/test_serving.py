"""The harness measures what it says: real servers, the same bytes from both, every question answered, and rows with what is asked of them."""

import re
from pathlib import Path

import pytest

from benchmarks.serving import decide, drive, inside, lists, soak
from benchmarks.serving.__main__ import main
from benchmarks.serving.actions import ACTIONS, conditions
from benchmarks.serving.beside import AnsweredWrongError, compared
from benchmarks.serving.rows import Bound, Row, line, table
from benchmarks.serving.server import bare, valet
from benchmarks.serving.world import customer_id, item_id, profiles, shop, world
from models.profile import load

ITEMS = 300
SMALL = ["--items", str(ITEMS), "--factors", "8", "--stores", "sqlite", "--workers", "1", "--seconds", "0.2"]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worlds")
    world(folder, ITEMS, factors=8)
    return folder


@pytest.fixture
def own_client(monkeypatch):
    monkeypatch.setattr(drive.shutil, "which", lambda program: None)


def test_the_bare_view_returns_the_bytes_of_ours(worlds, tmp_path):
    question = drive.get(f"/recommend?item_id={item_id(7)}&n=10")
    with valet(tmp_path, world(worlds, ITEMS, factors=8).models_dir, f"sqlite:///{tmp_path / 'valet.db'}") as ours:
        status, answer = ours.ask(question)
        assert (status, answer.count(b'"title"')) == (200, 10)
        with bare(tmp_path, answer) as other:
            assert other.ask(question) == other.ask(drive.post("/any/path", {"what": "ever"})) == (200, answer)
        assert len(ours.workers) == 1
        with pytest.raises(AnsweredWrongError, match="422"):
            compared(ours, [drive.get("/recommend?n=0")], tmp_path, seconds=0.1)


def test_rows_are_printed_with_what_is_asked_of_them(worlds, own_client, capsys):
    code = main(["complementary", *SMALL, "--worlds", str(worlds)])
    row, summary, *short = capsys.readouterr().out.strip().splitlines()
    assert row.startswith("complementary")
    assert all(f"  {name} " in row for name in ("a second", "bare a second", "CPU µs", "p99 ms", "bare p50 ms"))
    assert re.search(r"of bare [\d.]+ \(≥ 0.7!?\)", row)
    assert summary == f"{len(short)} of 2 figures fall short"
    assert code == (1 if short else 0)


def test_the_tail_at_half_load_stands_beside_that_of_the_bare_view(worlds, own_client, capsys, monkeypatch):
    monkeypatch.setattr(lists, "CUSTOMERS", 40)
    main(["for_you", *SMALL, "--worlds", str(worlds)])
    row = capsys.readouterr().out.splitlines()[0]
    assert re.search(r"p99 ms at half load [\d.]+ \(≤ 10!?\)  bare p99 ms at that rate [\d.]+", row)


def test_a_mailing_and_the_models_alone_are_measured_too(worlds, own_client, capsys, monkeypatch):
    monkeypatch.setattr(lists, "CUSTOMERS", 40)
    monkeypatch.setattr(inside, "CUSTOMERS", 20)
    main(["batch", "in_process", *SMALL, "--worlds", str(worlds)])
    printed = capsys.readouterr().out
    assert re.search(r"customers a second and core [\d,]+", printed)
    assert "recall@10 1 (≥ 0.98)" in printed


def test_a_soak_asks_all_kinds_and_tells_what_memory_became(worlds, own_client, capsys, monkeypatch):
    monkeypatch.setattr(lists, "CUSTOMERS", 40)
    monkeypatch.setattr(soak, "CUSTOMERS", 40)
    main(["soak", *SMALL, "--soak", "0.02", "--worlds", str(worlds)])
    assert re.search(
        r"MB grown -?[\d.e-]+ \(≤ 10!?\)  MB [\d.]+  requests [\d,]+  failed 0 \(≤ 0\)", capsys.readouterr().out
    )


def test_decisions_are_measured_in_process_and_over_http(worlds, own_client, capsys, monkeypatch):
    monkeypatch.setattr(decide, "CUSTOMERS", 10)
    monkeypatch.setattr(decide, "ROUNDS", 1)
    monkeypatch.setattr(decide, "SERVED", 10)
    main(["--task", "decide", *SMALL, "--worlds", str(worlds)])
    inside_row, http_row, *_ = capsys.readouterr().out.strip().splitlines()
    assert re.search(r"p50 ms [\d.]+ \(≤ 0.5!?\) .*p99 ms [\d.]+ \(≤ 2!?\)", inside_row)
    assert re.search(r"of bare [\d.]+ \(≥ 0.3!?\)", http_row)


def test_the_catalogue_that_decisions_are_measured_with_is_not_an_easy_one(worlds):
    actions, learnt = decide.catalogue_of_200(), decide.learnt_of(world(worlds, ITEMS, factors=8))
    assert (len(actions.actions), sum(map(len, actions.conditions.values()))) == (ACTIONS, 200)
    assert len(set(conditions())) == 200
    people = [(decide.request(n), decide.regular(n, decide.told(actions))) for n in range(20)]
    reach = decide.reach(people, actions, learnt)
    assert reach["asked"] > 0.75 * ACTIONS
    assert 0.4 * reach["asked"] < reach["met"] < 0.6 * reach["asked"]
    assert reach["passed"] > 0.3 * ACTIONS


def test_an_unknown_task_is_named(capsys):
    assert main(["flying"]) == 2
    assert "flying is no task; known are complementary" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [[], ["--quick"]])  # what is said stands, however quick
def test_what_measures_nothing_is_no_success(tmp_path, capsys, flags):
    assert main(["soak", *flags, "--workers", "2", "--worlds", str(tmp_path)]) == 2
    assert "--workers 1" in capsys.readouterr().err


def test_a_figure_that_falls_short_is_marked_and_named():
    row = Row("speed", "here", {"of bare": 0.5, "ms": 3.0}, {"of bare": Bound(least=0.7), "ms": Bound(most=3)})
    assert "of bare 0.5 (≥ 0.7!)" in line(row)
    assert "ms 3 (≤ 3)" in line(row)
    assert table([row])[1:] == ["1 of 2 figures fall short", "speed · here: of bare"]


def test_a_pace_is_kept_and_late_answers_count_from_when_they_were_due(worlds, tmp_path):
    with bare(tmp_path, b"{}") as server:
        driven = drive.paced(server.port, [drive.get("/")], seconds=1.0, rate=40)
    assert driven.failed == 0
    assert 0 < driven.count <= 48  # hundreds without a pace


def test_a_shop_is_the_same_each_time_and_its_customers_did_fifty_things():
    one, other = shop(ITEMS, factors=8), shop(ITEMS, factors=8)
    assert one.factors is not None
    assert (one.factors.item_factors == other.factors.item_factors).all()
    (name, profile), *_ = profiles(one, 3)
    assert (name, len(load(profile).items)) == (customer_id(0), 50)


def test_worlds_are_found_again(worlds):
    before = {file: file.stat().st_mtime_ns for file in Path(worlds).rglob("*.npy")}
    world(worlds, ITEMS, factors=8)
    assert {file: file.stat().st_mtime_ns for file in Path(worlds).rglob("*.npy")} == before
