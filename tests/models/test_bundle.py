import json
import os
import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from models import bundle
from models.errors import BundleError
from tests.service.lists.learnt import LEARNT


def test_carts_and_visits_come_back_as_they_were_saved(tmp_path):
    bundle.save(tmp_path, LEARNT, {})
    found = bundle.load(tmp_path).models
    assert found.blend == LEARNT.blend
    for name in ("ease", "sessions"):
        for field in fields(getattr(LEARNT, name)):
            saved, loaded = getattr(getattr(LEARNT, name), field.name), getattr(getattr(found, name), field.name)
            assert np.array_equal(saved, loaded), f"{name}.{field.name}"


def test_a_bundle_that_knows_neither_carts_nor_visits_still_loads(tmp_path):
    bundle.save(tmp_path, LEARNT, {})
    manifest = json.loads((tmp_path / bundle.MANIFEST).read_text())
    del manifest["models"]["ease"], manifest["models"]["sessions"], manifest["models"]["blend"]["fade"]
    (tmp_path / bundle.MANIFEST).write_text(json.dumps(manifest))
    found = bundle.load(tmp_path).models
    assert (found.ease, found.sessions, found.blend.fade) == (None, None, 1.0)


@pytest.mark.parametrize(
    "said", [None, [], {}, {"models": None}, {"models": {}}, {"files": None}, {"files": {"\0": ""}}]
)
def test_a_manifest_that_describes_no_bundle_is_named_with_the_cure(tmp_path, said):
    bundle.save(tmp_path, LEARNT, {})
    file = tmp_path / bundle.MANIFEST
    file.write_text(json.dumps(json.loads(file.read_text()) | said if said else said))
    with pytest.raises(BundleError, match=rf"{tmp_path}.*Train again"):
        bundle.load(tmp_path)


@pytest.mark.parametrize(
    "head", [b"", b"\x93NUMPY", b"PK\x03\x04" + b" " * 200, b"\x93NUMPY\x01\x00\x04\x00((((" + b" " * 80]
)
def test_an_array_that_is_none_is_named_with_the_cure(tmp_path, head):
    bundle.save(tmp_path, LEARNT, {})
    file = tmp_path / "popularity.score.npy"
    file.write_bytes(head)
    with pytest.raises(BundleError, match=f"{file}.*activate another"):
        bundle.load(tmp_path, verify=False)


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The arrays whose checksums are counted, on a machine that has verified nothing yet."""
    (tmp_path / "marks").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "marks"))
    names: list[str] = []
    count = bundle.checksum
    monkeypatch.setattr("models.bundle.files.checksum", lambda path: names.append(path.name) or count(path))
    return names


def test_checksums_are_counted_once_a_machine_and_version(tmp_path: Path, counted: list[str]) -> None:
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        bundle.save(tmp_path / version, LEARNT, {"version": version})
    arrays = len(json.loads((tmp_path / "one" / bundle.MANIFEST).read_text())["files"])
    found = []
    for version in ("one", "one", "two", "one", "two"):
        counted.clear()
        assert bundle.load_verified(tmp_path / version).version == version
        found.append(len(counted))
    assert found == [arrays, 0, arrays, 0, 0]


def flipped(directory: Path) -> Path:
    file = directory / "popularity.score.npy"
    written = file.stat().st_mtime_ns
    file.write_bytes(file.read_bytes()[:-1] + b"\x99")
    os.utime(file, ns=(written, written))
    return directory


def emptied(directory: Path) -> Path:
    (directory / "popularity.score.npy").write_bytes(b"")
    return directory


def gone(directory: Path) -> Path:
    (directory / "popularity.score.npy").unlink()
    return directory


def copied_badly(directory: Path) -> Path:
    copy = directory.with_name("copy")
    shutil.copytree(directory, copy)  # with all times
    return flipped(copy)


@pytest.mark.parametrize("harmed", [flipped, emptied, gone, copied_badly])
def test_what_was_changed_since_it_was_verified_is_found(
    tmp_path: Path, counted: list[str], harmed: Callable[[Path], Path]
) -> None:
    (tmp_path / "one").mkdir()
    bundle.save(tmp_path / "one", LEARNT, {})
    bundle.load_verified(tmp_path / "one")
    directory = harmed(tmp_path / "one")
    for _ in range(2):
        with pytest.raises(BundleError, match=r"popularity\.score\.npy"):
            bundle.load_verified(directory)


def test_a_machine_on_which_no_mark_can_be_kept_counts_each_time(tmp_path: Path, counted: list[str]) -> None:
    bundle.save(tmp_path, LEARNT, {})
    (tmp_path / "marks" / f"valet-verified-{os.getuid()}").write_text("no directory")
    found = []
    for _ in range(2):
        counted.clear()
        bundle.load_verified(tmp_path)
        found.append(len(counted))
    assert found[0] == found[1] > 0


def test_marks_of_bundles_long_gone_are_removed(
    tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.bundle.verified.MOST_MARKS", 3)
    for version in range(5):
        (tmp_path / f"{version}").mkdir()
        bundle.save(tmp_path / f"{version}", LEARNT, {"version": version})
        bundle.load_verified(tmp_path / f"{version}")
    assert len(list((tmp_path / "marks").glob("*/*"))) == 3
    counted.clear()
    bundle.load_verified(tmp_path / "4")
    assert counted == []
