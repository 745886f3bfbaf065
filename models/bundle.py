"""A bundle is what one training run learnt: a directory of .npy arrays and a manifest.json. The only I/O of `models`.

<models-dir>/<version>/manifest.json     what it is, how to repeat it, the checksum of every array
<models-dir>/<version>/<model>.<field>.npy
<models-dir>/current                     a link to the version that is served

No code is ever loaded: arrays are mapped with allow_pickle=False, everything else is JSON. The link is all that is switched: by a training, and
by `activate`, which waits for none.
"""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import functools
import hashlib
import json
import os
import time
import tokenize
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any

import numpy as np

from models.blend import Blend
from models.catalogue import Catalogue
from models.clusters import Clusters
from models.complements import Complements
from models.errors import BundleError, DiskError, InputError, LockedError
from models.factors import Factors
from models.intent import Intent
from models.lifetime import Lifetime
from models.linear import Linear
from models.neighbours import Neighbours
from models.popularity import Popularity
from models.repeat import Repeat
from models.response import Response
from models.sessions import Sessions
from models.tiers import Tiers
from models.trending import Trending

FORMAT = 2
MANIFEST = "manifest.json"
CURRENT = "current"
SWITCHING = ".switching"  # the file whose lock is held while a version is made live, or removed
PATIENCE_S, LOOK_S = 5.0, 0.01
_hints: Callable[[Any], dict[str, Any]] = functools.cache(typing.get_type_hints)
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}


@dataclass(frozen=True)
class Models:
    """Everything that training learns. A model the data could not teach is None, and its users do without.

    together  what is bought in one basket       alike     what the same people buy
    ease      what completes a whole cart        sessions  what visits like this one held besides
    response  who takes up which action
    complements  what goes with what, by what was bought together and by what items are
    """

    catalogue: Catalogue
    popularity: Popularity
    blend: Blend
    tiers: Tiers
    together: Neighbours | None = None
    alike: Neighbours | None = None
    factors: Factors | None = None
    repeat: Repeat | None = None
    lifetime: Lifetime | None = None
    trending: Trending | None = None
    ease: Linear | None = None
    sessions: Sessions | None = None
    complements: Complements | None = None
    intent: Intent | None = None
    clusters: Clusters | None = None
    response: Response | None = None

    @functools.cached_property
    def kept_grounds(self) -> dict[Any, Any]:
        """What is said of some of the items to everybody, kept by those who ask for it again and again."""
        return {}

    def over(self, catalogue: Catalogue) -> Models:
        """The same models over a catalogue with changes and newcomers, of which they know nothing but what they are; no large array of pairs is
        copied."""
        items = len(catalogue)
        if items == len(self.catalogue):
            return dataclasses.replace(self, catalogue=catalogue)
        return dataclasses.replace(
            self,
            catalogue=catalogue,
            popularity=self.popularity.longer(items),
            trending=self.trending and self.trending.longer(items),
            together=self.together and self.together.longer(items),
            alike=self.alike and self.alike.longer(items),
            repeat=self.repeat and self.repeat.longer(items),
            ease=self.ease and self.ease.longer(items),
            sessions=self.sessions and self.sessions.longer(items),
            complements=self.complements
            and self.complements.longer([catalogue.fields(row) for row in range(len(self.catalogue), items)]),
        )


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle: the models mapped read-only, the manifest, and its version ("" where nothing is learnt yet)."""

    version: str
    manifest: Mapping[str, Any]
    models: Models


def save(directory: Path, models: Models, manifest: Mapping[str, Any]) -> None:
    """Write a bundle into an empty directory and make it durable; the manifest is written last, so half a bundle has none."""
    files: dict[str, str] = {}
    plain: dict[str, Any] = {}
    for field in dataclasses.fields(models):
        model = getattr(models, field.name)
        plain[field.name] = None if model is None else _save_model(directory, field.name, model, files)
    document = {**manifest, "format": FORMAT, "models": plain, "files": files}
    _write_durably(directory / MANIFEST, json.dumps(document, indent=1, ensure_ascii=False).encode())
    _sync_directory(directory)


def load(path: Path, *, verify: bool = True) -> Bundle:
    """Map the bundle at `path` (a version's directory or the `current` link, resolved once, first).

    Raises BundleError where the directory is not a whole bundle of this format.
    """
    directory = path.resolve()
    manifest = read_manifest(directory)
    try:
        if verify:
            _verify(directory, manifest)
        models = _load_models(directory, manifest["models"], manifest["files"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BundleError(
            f"{directory / MANIFEST} describes no whole bundle: {error!r}. Train again, or activate another version."
        ) from error
    return Bundle(version=directory.name, manifest=manifest, models=models)


def read_manifest(directory: Path) -> dict[str, Any]:
    """The manifest of a bundle; raises BundleError where there is none or its format is another."""
    try:
        manifest: dict[str, Any] = json.loads((directory / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise BundleError(
            f"{directory} is not a bundle: it has no {MANIFEST}. Train one: python -m training.run"
        ) from error
    except (OSError, ValueError) as error:
        raise BundleError(
            f"{directory / MANIFEST} cannot be read: {error}. Train again: python -m training.run"
        ) from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise BundleError(f"{directory} has format {found}, this version reads {FORMAT}. Train again.")
    return manifest


def checksum(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- which version is served ------------------------------------------------------------------------------------------------------------


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
        load(models_dir / version, verify=True)
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


# --- files ------------------------------------------------------------------------------------------------------------------------------


def _save_model(directory: Path, name: str, model: Any, files: dict[str, str]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for field in dataclasses.fields(model):
        value = getattr(model, field.name)
        path = f"{name}.{field.name}"
        if isinstance(value, np.ndarray):
            file = directory / f"{path}.npy"
            with file.open("wb") as stream:
                np.lib.format.write_array(stream, np.ascontiguousarray(value), allow_pickle=False)
                stream.flush()
                os.fsync(stream.fileno())
            files[file.name] = checksum(file)
        elif dataclasses.is_dataclass(value):
            plain[field.name] = _save_model(directory, path, value, files)
        else:
            plain[field.name] = value
    return plain


def _load_models(directory: Path, plain: Mapping[str, Any], files: Collection[str]) -> Models:
    built = {
        field.name: _load_model(directory, field.name, _model_class(field.name), plain[field.name], files)
        for field in dataclasses.fields(Models)
        if plain.get(field.name) is not None
    }
    return Models(**built)


def _load_model(directory: Path, name: str, cls: type[Any], plain: Mapping[str, Any], files: Collection[str]) -> Any:
    """The model of this class; `files` are the arrays that the manifest names."""
    hints = _hints(cls)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        path = f"{name}.{field.name}"
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint):
            values[field.name] = _load_model(directory, path, typing.cast(type[Any], hint), plain[field.name], files)
        elif field.name in plain:
            values[field.name] = plain[field.name]
        elif field.default is not dataclasses.MISSING and f"{path}.npy" not in files:
            continue  # of a bundle from before there was such a field
        else:
            values[field.name] = _map(directory / f"{path}.npy")
    return cls(**values)


def _map(file: Path) -> np.ndarray[Any, Any]:
    try:
        return np.asarray(np.lib.format.open_memmap(file, mode="r"))  # a plain view: np.memmap slows every slice down
    except (OSError, ValueError, SyntaxError, tokenize.TokenError) as error:  # the last two of a header that is none
        raise BundleError(f"{file} cannot be mapped: {error}. Train again, or activate another version.") from error


def _verify(directory: Path, manifest: Mapping[str, Any]) -> None:
    for name, wanted in manifest["files"].items():
        try:
            found = checksum(directory / name)
        except OSError as error:
            raise BundleError(f"{directory / name} is missing. Train again, or activate another version.") from error
        if found != wanted:
            raise BundleError(
                f"{directory / name} was changed after it was written. Train again, or activate another version."
            )


def _model_class(name: str) -> type[Any]:
    hint = _hints(Models)[name]
    if isinstance(hint, UnionType):
        return next(part for part in typing.get_args(hint) if part is not type(None))  # type: ignore[no-any-return]
    return hint  # type: ignore[no-any-return]


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
