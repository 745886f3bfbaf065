"""What a training run was asked to do: flags, then environment (`VALET_…`), then `valet.toml`, then defaults."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from models.errors import InputError
from models.settings import Settings
from models.settings_file import parse

DEFAULT_STORE = "sqlite:///valet.db"
DEFAULT_CONFIG = Path("valet.toml")


@dataclass(frozen=True)
class Options:
    """One run, fully resolved: nothing is read from flags, environment or settings files after this.

    history  paths and globs; with `demo`, the demo shop is written first and read as any other history
    as_of    seconds since 1970; None: the newest accepted event
    test     an interaction file to evaluate on; None: a cut in time
    events   the folder of events that were drained from a store which keeps few
    store    where profiles go and events come from; None: nowhere
    """

    history: tuple[str, ...]
    columns: Mapping[str, str]
    settings: Settings
    items: str | None = None
    customers: str | None = None
    events: Path = Path("events")
    demo: bool = False
    models_dir: Path = Path("models/trained")
    store: str | None = None
    as_of: int | None = None
    test: str | None = None
    evaluate: bool = True
    publish: bool = True
    force: bool = False
    gate_exit: int = 3
    seed: int = 0
    threads: int = 0


def parser() -> argparse.ArgumentParser:
    """The command line of `python -m training.run`."""
    command = argparse.ArgumentParser(
        prog="valet-train",
        description="Learn from purchase history and publish a bundle: python -m training.run --history till.csv",
        epilog="Every flag is also an environment variable VALET_…; the flag wins. "
        "Exit: 0 published, 2 unusable input, 3 the gate kept the old bundle, 4 another run holds the lock, 5 disk, 130 interrupted.",
    )
    add = command.add_argument
    add(
        "--history",
        nargs="+",
        action="extend",
        metavar="PATH",
        help="file, glob or folder; CSV TSV JSONL Parquet Excel, gzip zstd",
    )
    add("--columns", action="append", metavar="FIELD=NAME,…", help="our field = the file's header; recognised without")
    add("--items", metavar="PATH", help="the catalogue")
    add("--customers", metavar="PATH", help="customer attributes")
    add("--config", metavar="PATH", help="valet.toml (default: ./valet.toml where it exists)")
    add("--demo", action="store_true", default=None, help="train the generated demo shop")
    add("--models-dir", metavar="DIR", help="where bundles go (default: ./models/trained)")
    add(
        "--events-dir",
        metavar="DIR",
        help="where events drained from Redis go (default: history.events of the settings)",
    )
    add("--store", metavar="URL", help="sqlite:///file, redis://host, or none")
    add("--as-of", metavar="TIME", help="the run's now (default: the newest accepted event)")
    add("--test", metavar="PATH", help="evaluate on this file; it is never trained on")
    add("--no-evaluate", action="store_true", default=None, help="skip evaluation and gate")
    add("--no-publish", action="store_true", default=None, help="write the bundle but do not switch to it")
    add("--force", action="store_true", default=None, help="switch although the gate says no")
    add("--gate-exit", type=int, metavar="N", help="exit code when the gate keeps the old bundle (default 3)")
    add("--seed", type=int, metavar="N", help="default 0")
    add("--threads", type=int, metavar="N", help="0: all processors")
    return command


def resolve(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Options:
    """The options of a command line. Raises InputError for what does not parse; argparse exits with 2 for unknown flags."""
    given = _with_environment(vars(parser().parse_args(arguments)), environment)
    settings, folder = _settings(given["config"])
    demo = bool(given["demo"])
    history = tuple(given["history"] or ()) or tuple(str(folder / path) for path in settings.history.files)
    if not history and not demo:
        raise InputError(
            "no history: give --history PATH…, or list history.files in valet.toml, or try the demo shop with --demo"
        )
    return Options(
        history=history,
        columns={**settings.history.columns, **columns(given["columns"])},
        settings=settings,
        items=given["items"] or _beside(folder, settings.history.items),
        customers=given["customers"] or _beside(folder, settings.history.customers),
        events=Path(given["events_dir"] or folder / settings.history.events),
        demo=demo,
        models_dir=Path(given["models_dir"] or "models/trained"),
        store=_store(
            given["store"], bare=bool(given["history"]) and given["config"] is None and not DEFAULT_CONFIG.exists()
        ),
        as_of=None if given["as_of"] is None else parse_time(given["as_of"], settings.shop.time_zone),
        test=given["test"],
        evaluate=not given["no_evaluate"],
        publish=not given["no_publish"],
        force=bool(given["force"]),
        gate_exit=3 if given["gate_exit"] is None else int(given["gate_exit"]),
        seed=_counted(given, "seed"),
        threads=_counted(given, "threads") or os.cpu_count() or 1,
    )


def read_settings(path: Path | None) -> Settings:
    """The settings of a file; the defaults where the path is None. Raises InputError when it cannot be read."""
    if path is None:
        return Settings()
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Give --config an existing valet.toml.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}. Save it as UTF-8.") from error


def parse_time(text: str, time_zone: str, *, flag: str = "--as-of") -> int:
    """Seconds since 1970 of an ISO 8601 time; without an offset it is the shop's own time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{flag} {text!r} is no time; write 2026-11-20 or 2026-11-20T18:00:00+07:00") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(time_zone))).timestamp())


def with_demo(options: Options, history: Sequence[Path], items: Path, customers: Path, config: Path) -> Options:
    """The options with the demo shop's files in the places of the shop's own."""
    settings = read_settings(config)
    return replace(
        options,
        history=tuple(map(str, history)),
        items=str(items),
        customers=str(customers),
        settings=settings,
        columns=settings.history.columns,
    )


FLAGS = ("demo", "no_evaluate", "no_publish", "force")
NUMBERS = ("gate_exit", "seed", "threads")


def _with_environment(given: dict[str, object], environment: Mapping[str, str]) -> dict[str, Any]:
    """Fill what the command line left open from VALET_…; lists are separated by the path separator, flags are 1 or 0."""
    filled: dict[str, Any] = dict(given)
    for name, value in given.items():
        variable = f"VALET_{name.upper()}"
        text = environment.get(variable, "")
        if value is not None or not text:
            continue
        filled[name] = _from_environment(name, text, variable)
    return filled


def _from_environment(name: str, text: str, variable: str) -> object:
    if name == "history":
        return text.split(os.pathsep)
    if name == "columns":
        return [text]
    if name in FLAGS:
        if text.lower() not in ("0", "1", "false", "true"):
            raise InputError(f"{variable}={text!r}: write 1 or 0")
        return text.lower() in ("1", "true")
    if name in NUMBERS:
        try:
            return int(text)
        except ValueError as error:
            raise InputError(f"{variable}={text!r} is no whole number") from error
    return text


def _settings(config: str | None) -> tuple[Settings, Path]:
    path = Path(config) if config is not None else (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    return read_settings(path), (path.parent if path else Path())


def whole(least: int) -> Callable[[str], int]:
    """What argparse reads as a whole number, from the least on."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r}: write a whole number from {least} on")
        return int(text)

    return read


def columns(given: Sequence[str] | None) -> dict[str, str]:
    """Our fields with their headers, as --columns says them. Raises InputError for what is no field=name."""
    pairs = [pair for text in given or () for pair in text.split(",") if pair.strip()]
    for pair in pairs:
        if "=" not in pair:
            raise InputError(f"--columns {pair!r}: write field=name, like --columns customer_id=Kunde,item_id=Artikel")
    return {field.strip(): name.strip() for field, name in (pair.split("=", 1) for pair in pairs)}


def _counted(given: Mapping[str, Any], name: str) -> int:
    number = int(given[name] or 0)
    if number < 0:
        raise InputError(f"--{name} {number}: write a whole number from 0 on")
    return number


def _beside(folder: Path, path: str | None) -> str | None:
    return None if path is None else str(folder / path)


def _store(given: str | None, *, bare: bool) -> str | None:
    """`--history` alone is an experiment on some files: it touches no store unless one is named."""
    if given is not None:
        return None if given == "none" else given
    return None if bare else DEFAULT_STORE
