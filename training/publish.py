"""Publishing: a bundle appears whole or not at all. One run at a time; killed at any moment, `current` still names a whole bundle."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from models import bundle
from models.bundle import CURRENT, MANIFEST, Models, disk_errors, switching, versions
from models.errors import InputError, LockedError

UNFINISHED = ".new-"


@contextmanager
def lock(models_dir: Path) -> Iterator[None]:
    """Hold the models directory for one run; what a killed run left behind is swept. Raises LockedError, DiskError, InputError."""
    with disk_errors(models_dir):
        try:
            models_dir.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
            raise InputError(f"--models-dir {models_dir}: {error.strerror}. Name a directory.") from error
        file = (models_dir / ".lock").open("w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LockedError(
                f"another training run is writing to {models_dir}. Wait for it, or give this one its own --models-dir."
            ) from error
        for left in models_dir.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left)
        yield


def write(
    models_dir: Path, models: Models, manifest: Mapping[str, Any], *, created_at: int, files: Mapping[str, str]
) -> Path:
    """Write a new version beside the others and give its directory; `files` are texts that stand beside the arrays (the report).

    Raises DiskError; nothing of an unfinished version remains then.
    """
    version = _version(models_dir, manifest, created_at)
    unfinished = models_dir / f"{UNFINISHED}{version}"
    with disk_errors(models_dir):
        try:
            unfinished.mkdir()
            for name, text in files.items():
                (unfinished / name).write_text(text, encoding="utf-8")
            bundle.save(unfinished, models, {"version": version, **manifest})
            unfinished.rename(models_dir / version)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    return models_dir / version


def live(models_dir: Path) -> Path | None:
    """The directory of the version that is served; None where there is none."""
    link = models_dir / CURRENT
    return link.resolve() if (link / MANIFEST).exists() else None


def prune(models_dir: Path, keep: int) -> list[str]:
    """Remove the oldest versions beyond `keep`, never the live one; the names of those removed."""
    with switching(models_dir):
        served = live(models_dir)
        names = reversed(versions(models_dir)[keep:])
        old = [path for name in names if (path := models_dir / name).resolve() != served]
        for path in old:
            (path / MANIFEST).unlink()  # first: what has no manifest is no bundle, should we be killed in the middle
            shutil.rmtree(path)
    return [path.name for path in old]


def _version(models_dir: Path, manifest: Mapping[str, Any], created_at: int) -> str:
    stamp = datetime.fromtimestamp(created_at, UTC).strftime("%Y%m%dT%H%M%S")
    digest = blake2b(repr(sorted(manifest.items())).encode(), digest_size=2).hexdigest()
    version, again = f"{stamp}-{digest}", 1
    while (models_dir / version).exists():
        again += 1
        version = f"{stamp}-{digest}-{again}"
    return version
