"""`valet-serve keys`: make, list, rotate and revoke API keys in the store. A running service knows of it within a second."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from models.errors import InputError, StoreUnavailable
from service.keys import SCOPES, Key, listed, make, revoke
from service.settings import from_environment
from service.store import Store
from service.store.open import open_store

UNUSABLE, AWAY = 2, 1
OVERLAP_S = 86_400


def main(arguments: Sequence[str], *, now: int) -> int:
    """Do what is asked; the exit code. Keys go to standard output, all else to standard error."""
    asked = _parser().parse_args(arguments)
    try:
        store = open_store(asked.store or from_environment(os.environ).store)
        if store is None:
            raise InputError("a service without a store keeps no keys: set VALET_SERVER_KEY, VALET_PUBLIC_KEY, …")
        asked.do(store, asked, now)
    except InputError as error:
        return _failed(UNUSABLE, error)
    except StoreUnavailable as error:
        return _failed(AWAY, error)
    return 0


def _create(store: Store, asked: argparse.Namespace, now: int) -> None:
    key, text = make(store, asked.scope, name=asked.name, now=now)
    _say(f"{text}\n", f"{key.key_id}, scope {key.scope}: keep it now, nobody can show it again\n")


def _list(store: Store, asked: argparse.Namespace, now: int) -> None:
    for key in listed(store):
        _say(f"{key.key_id}  {key.scope:6}  made {_day(key.created_at)}  {_state(key, now):26}  {key.name}\n")


def _revoke(store: Store, asked: argparse.Namespace, now: int) -> None:
    revoke(store, asked.key_id, at=now + asked.after)
    _say("", f"{asked.key_id} stops working {f'in {asked.after} s' if asked.after else 'now'}\n")


def _rotate(store: Store, asked: argparse.Namespace, now: int) -> None:
    """Another key like this one, which works on for a while: nothing is down in between."""
    old = next((key for key in listed(store) if key.key_id == asked.key_id), None)
    if old is None:
        raise InputError(f"there is no key {asked.key_id!r}; valet-serve keys list names them all")
    if old.ends_at is not None and old.ends_at <= now:
        raise InputError(f"{old.key_id} is revoked already, nobody uses it; valet-serve keys create makes another")
    key, text = make(store, old.scope, name=old.name, now=now)
    revoke(store, old.key_id, at=now + asked.overlap)
    _say(f"{text}\n", f"{key.key_id} replaces {old.key_id}, which works for another {asked.overlap} s\n")


def _init(store: Store, asked: argparse.Namespace, now: int) -> None:
    """A key of each scope in a file of its own, where there is none yet: for compose.yaml, run before the service."""
    known = {key.scope for key in listed(store) if key.ends_at is None}
    asked.folder.mkdir(parents=True, exist_ok=True)
    for scope in SCOPES:
        file = asked.folder / scope
        if scope in known:
            if not file.exists():
                _say(
                    "",
                    f"a key of scope {scope} is there, its text is not in {file}: valet-serve keys create makes another\n",
                )
        else:
            _, text = make(store, scope, name="made at the first start", now=now)
            file.touch(mode=0o600)
            file.write_text(f"{text}\n", encoding="ascii")
            _say("", f"a key of scope {scope} is in {file}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="valet-serve keys", description="Who may call what.")
    parser.add_argument("--store", help="where the service keeps what it knows; VALET_STORE by default")
    commands = parser.add_subparsers(required=True)
    create = commands.add_parser("create", help="make a key and print it, once")
    create.add_argument("--scope", required=True, choices=SCOPES, help="public: pages; server; agent: the call centre")
    create.add_argument("--name", default="", help="whose it is, for the list")
    create.set_defaults(do=_create)
    commands.add_parser("list", help="all keys, without their texts").set_defaults(do=_list)
    stop = commands.add_parser("revoke", help="let a key stop working")
    stop.add_argument("key_id")
    stop.add_argument("--after", type=_seconds, default=0, metavar="SECONDS", help="0 by default: now")
    stop.set_defaults(do=_revoke)
    rotate = commands.add_parser("rotate", help="make another key like this one, and let this one stop after a while")
    rotate.add_argument("key_id")
    rotate.add_argument("--overlap", type=_seconds, default=OVERLAP_S, metavar="SECONDS", help="a day by default")
    rotate.set_defaults(do=_rotate)
    init = commands.add_parser("init", help="make a key of each scope that has none, into files")
    init.add_argument("--folder", type=Path, required=True)
    init.set_defaults(do=_init)
    return parser


def _seconds(text: str) -> int:
    seconds = int(text)
    if not 0 <= seconds <= 366 * 86_400:
        raise ValueError(text)
    return seconds


def _state(key: Key, now: int) -> str:
    if key.ends_at is None:
        return "works"
    return f"{'revoked' if key.ends_at <= now else 'works until'} {_day(key.ends_at)}"


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _say(result: str, note: str = "") -> None:
    sys.stdout.write(result)
    sys.stdout.flush()
    sys.stderr.write(note)


def _failed(code: int, error: Exception) -> int:
    sys.stderr.write(f"{error}\n")
    return code
