import os
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service.live import Live, versions
from tests.waiting import SOON_S, until
from tests.worlds import save, switch, tiny_models


def wait_for(live: Live, version: str) -> None:
    until(lambda: live_version(live) == version)


def live_version(live: Live) -> str | None:
    bundle = live.bundle()
    return bundle.version if bundle else None


def test_there_is_no_bundle_until_there_is_one(tmp_path: Path) -> None:
    live = Live(tmp_path / "models", poll_s=0.02)
    assert live.bundle() is None
    save(tmp_path / "models", "first", tiny_models())
    wait_for(live, "first")
    live.stop()


def test_a_new_bundle_is_swapped_in_and_the_old_one_back(tmp_path: Path) -> None:
    save(tmp_path, "one", tiny_models())
    live = Live(tmp_path, poll_s=0.02)
    save(tmp_path, "two", tiny_models())
    wait_for(live, "two")
    switch(tmp_path, "one")
    wait_for(live, "one")
    live.stop()


@pytest.mark.parametrize("damage", ["array", "manifest", "gone"])
def test_a_bundle_that_is_not_whole_leaves_the_old_one_and_is_reported_once(tmp_path: Path, damage: str) -> None:
    save(tmp_path, "good", tiny_models())
    live = Live(tmp_path, poll_s=1_000)
    bad = save(tmp_path, "bad", tiny_models())
    if damage == "array":
        file = bad / "popularity.score.npy"
        file.write_bytes(file.read_bytes()[:-1] + b"\x99")
    elif damage == "manifest":
        (bad / "manifest.json").write_text("{")
    else:
        (bad / "manifest.json").unlink()
    with capture_logs() as logs:
        assert not live.refresh()
        assert not live.refresh()
    assert [entry["event"] for entry in logs] == ["bundle refused"]
    assert live_version(live) == "good"
    live.stop()


def test_a_link_to_nowhere_leaves_the_old_bundle(tmp_path: Path) -> None:
    save(tmp_path, "good", tiny_models())
    live = Live(tmp_path, poll_s=1_000)
    switch(tmp_path, "nowhere")
    assert not live.refresh()
    assert live_version(live) == "good"
    live.stop()


def test_a_forked_worker_watches_for_itself(tmp_path: Path) -> None:
    save(tmp_path, "one", tiny_models())
    live = Live(tmp_path, poll_s=0.02)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        live.watch()
        deadline = time.monotonic() + SOON_S
        while live_version(live) != "two" and time.monotonic() < deadline:
            time.sleep(0.01)
        os.write(writing, (live_version(live) or "").encode())
        os._exit(0)
    save(tmp_path, "two", tiny_models())
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"two"


def test_versions_of_a_directory_that_is_not_there_are_none(tmp_path: Path) -> None:
    assert versions(tmp_path / "nothing") == []


def test_a_bundle_that_cannot_be_read_for_now_is_told_once_and_taken_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, "one", tiny_models())
    live = Live(tmp_path, poll_s=1_000)
    save(tmp_path, "two", tiny_models())

    def none_left(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as scarce, capture_logs() as logs:
        scarce.setattr("service.live.load_verified", none_left)
        assert [live.refresh(), live.refresh()] == [False, False]
    assert [(entry["event"], entry["error"]) for entry in logs] == [("bundle cannot be read", "MemoryError")]
    assert (live_version(live), live.refused) == ("one", "two")
    assert live.refresh()
    assert (live_version(live), live.refused) == ("two", None)
    live.stop()
