import subprocess
import sys
from pathlib import Path

import pytest

from models import bundle
from models.errors import BundleError, InputError, LockedError
from tests.worlds import tiny_models
from training import publish

NOW = 1_780_000_000


def written(models_dir: Path, created_at: int = NOW) -> str:
    return publish.write(
        models_dir, tiny_models(), {"seed": 0}, created_at=created_at, files={"report.html": "<p>"}
    ).name


def test_a_bundle_comes_back_as_it_was_written(tmp_path):
    version = written(tmp_path)
    bundle.switch(tmp_path, version)
    loaded = bundle.load(tmp_path / "current")
    assert loaded.version == version == loaded.manifest["version"]
    assert loaded.models.catalogue.items.texts(range(3)) == tiny_models().catalogue.items.texts(range(3))
    assert (publish.live(tmp_path) / "report.html").read_text() == "<p>"


def test_a_version_that_is_not_switched_to_is_not_live(tmp_path):
    first = written(tmp_path)
    bundle.switch(tmp_path, first)
    second = written(tmp_path, NOW + 1)
    assert publish.live(tmp_path).name == first != second


def test_two_bundles_of_the_same_second_have_their_own_names(tmp_path):
    assert written(tmp_path) != written(tmp_path)


def test_a_second_run_is_told_to_wait_and_the_lock_is_free_afterwards(tmp_path):
    with publish.lock(tmp_path), pytest.raises(LockedError, match="another training run"), publish.lock(tmp_path):
        pass
    with publish.lock(tmp_path):
        pass


def test_what_a_killed_run_left_behind_is_swept_by_the_next(tmp_path):
    (tmp_path / ".new-20260101T000000-abcd").mkdir()
    with publish.lock(tmp_path):
        assert not list(tmp_path.glob(".new-*"))


def test_keeps_the_newest_versions_and_always_the_live_one(tmp_path):
    versions = [written(tmp_path, NOW + second) for second in range(4)]
    bundle.switch(tmp_path, versions[0])
    assert publish.prune(tmp_path, keep=2) == [versions[1]]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir() and not path.is_symlink()) == [
        versions[0],
        *versions[2:],
    ]


FILLS_THE_DISK = """
import resource, sys
from pathlib import Path
from training import publish
from models.errors import DiskError
from tests.worlds import tiny_models
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))  # every file ends after 200 bytes: what a full disk looks like to a writer
try:
    publish.write(Path(sys.argv[1]), tiny_models(), {"seed": 0}, created_at=1, files={})
except DiskError as error:
    print(error)
    sys.exit(5)
"""


def test_a_full_disk_leaves_the_old_bundle_and_no_rubbish(tmp_path):
    bundle.switch(tmp_path, written(tmp_path))
    before = sorted(tmp_path.iterdir())
    process = subprocess.run(
        [sys.executable, "-c", FILLS_THE_DISK, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert process.returncode == 5, process.stderr
    assert "the live bundle is untouched" in process.stdout
    assert sorted(tmp_path.iterdir()) == before
    bundle.load(tmp_path / "current")


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Name a directory"), publish.lock(tmp_path / "file" / "models"):
        pass


@pytest.mark.parametrize("harm", ["flip", "cut", "remove", "manifest", "format"])
def test_a_harmed_bundle_is_not_loaded(tmp_path, harm):
    directory = tmp_path / written(tmp_path)
    file = next(path for path in directory.glob("*.npy") if path.stat().st_size > 200)
    match harm:
        case "flip":
            content = bytearray(file.read_bytes())
            content[-1] ^= 1
            file.write_bytes(content)
        case "cut":
            file.write_bytes(file.read_bytes()[:-8])
        case "remove":
            file.unlink()
        case "manifest":
            (directory / "manifest.json").unlink()
        case "format":
            manifest = directory / "manifest.json"
            manifest.write_text(manifest.read_text().replace('"format": 2', '"format": 99'))
    with pytest.raises(BundleError):
        bundle.load(directory)
