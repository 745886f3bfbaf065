"""Backup and restore as docs/ops.md says, of both stores: what was acknowledged before the backup is there after the restore."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from service.store.open import open_store
from tests.conftest import PATIENCE_MS, start_redis
from tests.service.store.conftest import event, fold, folded


def test_a_sqlite_backup_made_while_it_is_written_to_is_whole_and_can_be_put_back(tmp_path: Path) -> None:
    path, backup = tmp_path / "valet.db", tmp_path / "backup.db"
    store = open_store(f"sqlite:///{path}")
    assert store is not None
    store.record([event("ann", "before")], fold)
    with sqlite3.connect(path) as source, sqlite3.connect(backup) as target:
        store.record([event("ann", "meanwhile")], fold)
        source.backup(target)
    source.close()
    target.close()
    store.record([event("ann", "after")], fold)
    store.close()
    shutil.copy(backup, path)
    for left in ("valet.db-wal", "valet.db-shm"):
        (tmp_path / left).unlink(missing_ok=True)
    restored = open_store(f"sqlite:///{path}")
    assert restored is not None
    assert folded(restored, "ann") == ["before", "meanwhile"]
    assert restored.record([event("ann", "after")], fold) == ["accepted"]
    restored.close()


def test_a_copy_of_redis_append_only_files_can_be_put_back(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    with start_redis(old, options={"appendfsync": "always"}) as server:
        store = open_store(f"{server.url}?timeout_ms={PATIENCE_MS}")
        assert store is not None
        store.record([event("ann", "before")], fold)
        shutil.copytree(old, new)
        store.record([event("ann", "after")], fold)
        store.close()
    _restored(new)


def test_a_redis_snapshot_can_be_put_back(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    program = shutil.which("redis-cli")
    if program is None:
        pytest.skip("redis-cli is not installed")
    with start_redis(old, options={"repl-diskless-sync-delay": "0"}) as server:
        store = open_store(f"{server.url}?timeout_ms={PATIENCE_MS}")
        assert store is not None
        store.record([event("ann", "before")], fold)
        command = [program, "-p", str(server.port), "--rdb", str(new / "dump.rdb")]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        store.close()
    _restored(new, {"appendonly": "no"})


def _restored(folder: Path, options: dict[str, str] | None = None) -> None:
    with start_redis(folder, options=options) as server:
        store = open_store(f"{server.url}?timeout_ms={PATIENCE_MS}")
        assert store is not None
        assert folded(store, "ann") == ["before"]
        assert store.record([event("ann", "after")], fold) == ["accepted"]
        store.close()
