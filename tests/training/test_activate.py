import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models import bundle
from tests.service.serving import serving
from tests.waiting import SOON_S
from tests.worlds import save, tiny_models
from training import publish
from training.activate import main


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    for version in ("20260101T000000-a", "20260102T000000-b"):
        save(tmp_path / "models", version, tiny_models())
    return tmp_path / "models"


def test_an_older_bundle_answers_again_within_two_seconds_and_no_request_fails(
    models_dir: Path, tmp_path: Path
) -> None:
    with serving(tmp_path, "--models-dir", str(models_dir), "--store", "none") as running:
        assert running.get("/recommend")[1]["model_version"] == "20260102T000000-b"
        command = [sys.executable, "-m", "training.activate", "20260101T000000-a", "--models-dir", str(models_dir)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        switched, found = time.monotonic(), ""
        while found != "20260101T000000-a":
            assert time.monotonic() - switched < SOON_S
            status, answer = running.get("/recommend")
            assert status == 200
            found = answer["model_version"]


def test_without_a_version_all_are_listed_newest_first(models_dir: Path, capsys) -> None:
    assert main(["--models-dir", str(models_dir)]) == 0
    assert capsys.readouterr().out.splitlines() == ["20260102T000000-b  live", "20260101T000000-a"]


def test_what_is_no_whole_bundle_is_not_switched_to(models_dir: Path, capsys) -> None:
    harmed = models_dir / "20260101T000000-a" / "popularity.score.npy"
    harmed.write_bytes(harmed.read_bytes()[:-1] + b"\x99")
    assert main(["20260101T000000-a", "--models-dir", str(models_dir)]) == 1
    assert main(["nothing", "--models-dir", str(models_dir)]) == 2
    assert main(["../models", "--models-dir", str(models_dir)]) == 2
    assert "20260102T000000-b" in capsys.readouterr().err
    live = publish.live(models_dir)
    assert live is not None
    assert live.name == "20260102T000000-b"


def test_a_training_that_runs_is_not_waited_for(models_dir: Path, capsys) -> None:
    with publish.lock(models_dir):
        assert main(["20260101T000000-a", "--models-dir", str(models_dir)]) == 0
    assert capsys.readouterr().out == "20260101T000000-a is live\n"
    shutil.rmtree(models_dir)
    assert main(["20260101T000000-a", "--models-dir", str(models_dir)]) == 2


def test_while_others_switch_or_remove_it_waits_and_says_so_at_last(models_dir: Path, monkeypatch) -> None:
    monkeypatch.setattr("models.bundle.current.PATIENCE_S", 0.05)
    with bundle.switching(models_dir):
        assert main(["20260101T000000-a", "--models-dir", str(models_dir)]) == 4
    assert main(["20260101T000000-a", "--models-dir", str(models_dir)]) == 0


def test_what_is_live_again_is_not_removed_by_the_training_that_ends(models_dir: Path) -> None:
    save(models_dir, "20260103T000000-c", tiny_models())
    bundle.activate(models_dir, "20260101T000000-a")
    assert publish.prune(models_dir, keep=1) == ["20260102T000000-b"]
    bundle.load(models_dir / "current")
