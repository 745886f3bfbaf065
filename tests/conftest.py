"""What many tests lean on: a real Redis server, a store of each kind, and the real data where it lies."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NotThere

from benchmarks.ports import free_port
from service.store import Store
from service.store.open import open_store
from tests.service.http.apps import stop_watching, tell

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_MS = 5_000
LONGEST = (  # files that take over ten seconds; what begins last ends last, and other processors wait for it
    "test_run_stopped.py",
    "test_run.py",
    "test_schemathesis.py",
    "test_faults.py",
    "test_slow_clients.py",
    "test_requests.py",
    "test_stop.py",
    "test_worker.py",
    "test_serving.py",
    "test_deploy.py",
    "test_recommend_fuzz.py",
    "test_serve.py",
    "test_picks.py",
    "test_freshness.py",
    "test_rights.py",
)


@dataclass(frozen=True)
class RedisProcess:
    """A running redis-server: where it listens, and its process, to be stopped or killed."""

    url: str
    port: int
    process: subprocess.Popen[bytes]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """No two tests share an id: workers beside each other would run one of them, and say nothing. The longest files come first."""
    if shared := [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]:
        raise pytest.UsageError(f"several tests share an id: {', '.join(shared)}")
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(autouse=True, scope="session")
def no_power_cut() -> Iterator[None]:
    """Whoever is killed, what was written is there: nobody waits for the disk to have it, as a bundle does for each of 50 files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(autouse=True)
def told() -> Iterator[None]:
    """What apps have to tell is told before the test ends, and goes where its output goes."""
    yield
    tell()


@pytest.fixture(scope="session")
def valet_data() -> Callable[[str], Path]:
    """`valet_data("cdnow/cdnow_sample.txt")` is that file of the real data; the test is skipped where it is not there."""
    folder = Path(os.environ.get("VALET_DATA") or ROOT.parent / "shared" / "data")

    def path(name: str) -> Path:
        if not (folder / name).exists():
            pytest.skip(f"{folder / name} is missing; VALET_DATA names the folder of the real data")
        return folder / name

    return path


@pytest.fixture(params=["sqlite", "redis"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store, of each kind in turn; patient, as the machine may be busy with other tests."""
    if request.param == "redis":
        url: str = request.getfixturevalue("redis_url")
        return f"{url}?timeout_ms={PATIENCE_MS}"
    return f"sqlite:///{tmp_path / 'valet.db'}?timeout_ms={PATIENCE_MS}"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store, of each kind in turn."""
    opened = open_store(store_url)
    assert opened is not None
    yield opened
    opened.close()


@pytest.fixture
def redis_url(redis_process: RedisProcess) -> Iterator[str]:
    """The session's Redis server, emptied; no app of this test watches it any longer when the next one has it."""
    with Redis.from_url(redis_process.url) as client:
        client.flushall()
    yield redis_process.url
    stop_watching(redis_process.url)


@pytest.fixture(scope="session")
def redis_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    """The session's Redis server, which tests leave running as it was; see `redis_url`."""
    with start_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@contextmanager
def start_redis(
    folder: Path, *, port: int | None = None, options: Mapping[str, str] | None = None
) -> Iterator[RedisProcess]:
    """A real redis-server (on a free port) with an append-only file in `folder`. Where none is installed: skipped, in CI failed."""
    program = shutil.which("redis-server")
    if program is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "redis-server is not installed (Debian: apt-get install redis-server)"
        )
    port = port or free_port()
    usual = {"port": port, "bind": "127.0.0.1", "dir": folder, "appendonly": "yes", "appendfsync": "no", "save": ""}
    given = usual | dict(options or {})
    command = [program, *itertools.chain.from_iterable((f"--{name}", str(value)) for name, value in given.items())]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait(f"redis://127.0.0.1:{port}/0", folder / "log")
            yield RedisProcess(f"redis://127.0.0.1:{port}/0", port, process)
        finally:
            process.kill()


def _wait(url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with Redis.from_url(url, retry=None) as client:
                client.ping()
            return
        except NotThere:
            time.sleep(0.02)
    pytest.fail(f"redis-server did not come up: {log.read_text()}")
