"""Files: a bundle written and read. Arrays are mapped as they lie, everything else is JSON."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import tokenize
import typing
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import UnionType
from typing import Any

import numpy as np

from models.bundle.learnt import Bundle, Models
from models.errors import BundleError

FORMAT = 2
MANIFEST = "manifest.json"
_hints: Callable[[Any], dict[str, Any]] = functools.cache(typing.get_type_hints)


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
