"""Current: which of the bundles of a directory is served."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.bundle.files import MANIFEST
from models.bundle.verified import load_verified
from models.errors import DiskError, InputError, LockedError

CURRENT = "current"
SWITCHING = ".switching"  # the file whose lock is held while a version is made live, or removed
PATIENCE_S, LOOK_S = 5.0, 0.01
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}


def versions(models_dir: Path) -> list[str]:
    """The names of all bundles, newest first."""
    if not models_dir.is_dir():
        return []
    named = (path for path in models_dir.iterdir() if not path.name.startswith(".") and not path.is_symlink())
    return sorted((path.name for path in named if (path / MANIFEST).exists()), reverse=True)


def activate(models_dir: Path, version: str) -> None:
    """Let a version be served, an older one most often, once it was found whole.

    Raises InputError for no bundle of this directory, BundleError for one that is not whole, LockedError where others do not come to an end,
    DiskError where the link cannot be written.
    """
    if version not in versions(models_dir):
        raise InputError(f"{models_dir / version} is no bundle; there are {', '.join(versions(models_dir)) or 'none'}")
    with switching(models_dir):
        load_verified(models_dir / version)
        switch(models_dir, version)


def switch(models_dir: Path, version: str) -> None:
    """Let `current` name this version, atomically. Raises DiskError."""
    with disk_errors(models_dir):
        fresh = models_dir / f".{CURRENT}-{os.getpid()}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(version)
        fresh.replace(models_dir / CURRENT)


@contextmanager
def switching(models_dir: Path) -> Iterator[None]:
    """Hold what is live for a moment: nobody removes the version meanwhile that is about to be. Raises LockedError, DiskError."""
    deadline = time.monotonic() + PATIENCE_S
    with disk_errors(models_dir):
        file = (models_dir / SWITCHING).open("w")
    with file:
        while not _taken(file.fileno()):
            if time.monotonic() > deadline:
                raise LockedError(f"others have been switching {models_dir} for {PATIENCE_S:g} s. Try again.")
            time.sleep(LOOK_S)
        yield


@contextmanager
def disk_errors(directory: Path) -> Iterator[None]:
    """Raise a DiskError where the disk is full or cannot be written."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DiskError(
            f"{directory}: {error.strerror}. Free space or give a writable --models-dir; the live bundle is untouched."
        ) from error


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
