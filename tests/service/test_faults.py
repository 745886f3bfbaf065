"""Whatever breaks, lists and decisions are answered: real server, store and fault. What was acknowledged is kept, the rest refused."""

from __future__ import annotations

import dataclasses
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from datetime import datetime
from http.client import HTTPException
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import psutil
import pytest
from redis import Redis

from models.popularity import Popularity
from service.keys import KEYS, REVOKED, make, revoke
from service.store.open import open_store
from tests.conftest import RedisProcess, start_redis
from tests.service.serving import Serving, call, serving
from tests.waiting import until
from tests.worlds import NOW, save, switch, tiny_models

HERS = "/recommend?customer_id=ann&n=3"
JSON = {"Content-Type": "application/json"}
STORE = "sqlite:///valet.db?timeout_ms=500"
BUSY_STORE = "sqlite:///valet.db?timeout_ms=10000"
IN_TIME_S = 10.0  # an answer, on a machine that is busy with other things; it would wait for ever
HURRIED = {"VALET_BUDGET_MS": "250"}
ACTIONS = """
[learning]
exploration = "none"

[[actions]]
id = "sell"
issue = "i"
group = "g"
class = "growth"
value = 10

[[actions.treatments]]
channel = "website"

[[actions]]
id = "help"
issue = "i"
group = "h"
class = "service"
value = 1

[[actions.treatments]]
channel = "website"
"""


class Said(NamedTuple):
    """A row of the table in docs/ops.md: whether lists, decisions and events go on as ever; None: each in good time, one way or the other."""

    lists: bool | None
    decisions: bool | None
    events: bool | None


AS_EVER = Said(True, True, True)
UNWRITTEN = Said(True, False, False)  # the store can be read
AWAY = Said(False, False, False)
EITHER = Said(None, None, None)


def shop(folder: Path) -> Path:
    """A folder to serve from, with a bundle, and actions of which one serves and one sells; its models."""
    (folder / "actions.toml").write_text(ACTIONS)
    save(folder / "models", "1", tiny_models())
    return folder / "models"


def answers(service: Serving, times: int = 8) -> list[dict[str, Any]]:
    """Lists, whatever is broken, each in good time."""
    found = []
    for _ in range(times):
        began = time.monotonic()
        status, answer = service.get(HERS)
        assert (status, len(answer["items"])) == (200, 3)
        assert time.monotonic() - began < IN_TIME_S
        found.append(answer)
    return found


def event(number: int) -> bytes:
    return orjson.dumps({"event": "view_item", "customer_id": "ann", "item_id": "DR-002", "event_id": f"e{number}"})


def tell(service: Serving, number: int) -> bool:
    """Whether an event is taken; one that is not is refused with the time after which to send it again."""
    with service.connect() as connection:
        connection.request("POST", "/events", event(number), JSON)
        answer = connection.getresponse()
        answer.read()
    assert (answer.status, answer.getheader("Retry-After")) in ((200, None), (503, "1"))
    return answer.status == 200


def listed(service: Serving) -> bool:
    """Whether a list is hers; there is one in any case."""
    [answer] = answers(service, times=1)
    return not answer["degraded"]


def decided(service: Serving) -> bool:
    """Whether all actions are decided about; without the store there are service messages in any case."""
    asked = orjson.dumps({"customer_id": "ann", "channel": "website", "n": 2})
    with service.connect() as connection:
        status, answer = call(connection, "POST", "/next-best-action", asked)
    actions = {one["action_id"] for one in answer["actions"]}
    assert (status, actions) == (200, {"help"} if answer["degraded"] else {"sell", "help"})
    return not answer["degraded"]


def holds(service: Serving, said: Said, *, first: int = 1, times: int = 4) -> set[int]:
    """What the table says, each answer in good time; the numbers of the events that were taken, of some from the `first` on."""
    found: list[tuple[bool, bool, bool]] = []
    for number in range(first, first + times):
        for ask in (listed, listed, decided):
            began = time.monotonic()
            ask(service)
            assert time.monotonic() - began < IN_TIME_S
        found.append((listed(service), decided(service), tell(service, number)))
    for told, promised in zip(zip(*found, strict=True), said, strict=True):
        assert promised is None or set(told) == {promised}
    return {first + nth for nth, (_, _, taken) in enumerate(found) if taken}


def recovered(service: Serving) -> None:
    """All is as ever again, in this worker and soon."""
    for ask in (listed, decided, lambda service: tell(service, 1_000)):
        until(lambda ask=ask: ask(service))


def sent(service: Serving, number: int) -> None:
    """An event is sent until it is taken."""
    until(lambda: tell(service, number))


def logged(service: Serving) -> Counter[str]:
    """How often each of her events stands in the log."""
    while (found := service.get("/customers/ann/export"))[0] == 503:  # of a store that has 50 ms to answer
        time.sleep(0.05)
    return Counter(one["event_id"] for one in found[1]["events"])


# --- Redis ------------------------------------------------------------------------------------------------------------------------------


Fault = Callable[[RedisProcess, Path, ExitStack], AbstractContextManager[None]]  # `after`: what lasts when it is over


@contextmanager
def killed(server: RedisProcess, folder: Path, after: ExitStack) -> Iterator[None]:
    server.process.kill()
    server.process.wait()
    yield
    after.enter_context(start_redis(folder, port=server.port))


@contextmanager
def paused(server: RedisProcess, folder: Path, after: ExitStack) -> Iterator[None]:
    server.process.send_signal(signal.SIGSTOP)
    yield
    server.process.send_signal(signal.SIGCONT)


@contextmanager
def slow(server: RedisProcess, folder: Path, after: ExitStack) -> Iterator[None]:
    """Every command waits for one that takes 200 ms."""
    stop = threading.Event()

    def hold() -> None:
        with Redis(port=server.port) as client:
            while not stop.is_set():
                client.execute_command("DEBUG", "SLEEP", "0.2")

    thread = threading.Thread(target=hold)
    thread.start()
    yield
    stop.set()
    thread.join()


@contextmanager
def without_memory(server: RedisProcess, folder: Path, after: ExitStack) -> Iterator[None]:
    with Redis(port=server.port) as client:
        client.config_set("maxmemory", "1")
        yield
        client.config_set("maxmemory", "0")


@pytest.mark.parametrize(
    ("fault", "said", "timeout_ms"),
    [(killed, AWAY, 1_000), (paused, AWAY, 50), (slow, EITHER, 50), (without_memory, UNWRITTEN, 1_000)],
)
def test_what_redis_cannot_do_is_told_the_rest_goes_on_and_all_is_well_when_it_can(
    tmp_path: Path, fault: Fault, said: Said, timeout_ms: int
) -> None:
    shop(tmp_path)
    after = ExitStack()
    with after, start_redis(tmp_path, options={"enable-debug-command": "local"}) as server:
        flags = ("--models-dir", "models", "--store", f"{server.url}?timeout_ms={timeout_ms}")
        with serving(tmp_path, *flags, environment=HURRIED if said is EITHER else None) as service:
            recovered(service)
            with fault(server, tmp_path, after):
                taken = holds(service, said)
                assert service.get("/readyz")[0] == 200
            recovered(service)
            assert all(logged(service)[f"e{number}"] == 1 for number in taken)
            for number in range(1, 5):  # sent again, also what was refused and what came all the same
                sent(service, number)
            assert logged(service) == Counter(["e1", "e2", "e3", "e4", "e1000"])


def test_a_redis_that_restarts_empty_knows_nobody_and_everything_goes_on(tmp_path: Path) -> None:
    shop(tmp_path)
    (tmp_path / "empty").mkdir()
    with start_redis(tmp_path) as server:
        flags = ("--models-dir", "models", "--store", f"{server.url}?timeout_ms=1000")
        with serving(tmp_path, *flags) as service:
            assert holds(service, AS_EVER) == {1, 2, 3, 4}
            server.process.kill()
            server.process.wait()
            with start_redis(tmp_path / "empty", port=server.port):
                until(lambda: listed(service))
                assert service.get("/customers/ann")[0] == 404
                assert holds(service, AS_EVER) == {1, 2, 3, 4}
                assert logged(service) == Counter(["e1", "e2", "e3", "e4"])


# --- SQLite -----------------------------------------------------------------------------------------------------------------------------


def test_a_locked_file_is_read_and_its_writers_are_told_to_come_again(tmp_path: Path) -> None:
    shop(tmp_path)
    with serving(tmp_path, "--models-dir", "models", "--store", STORE) as service:
        recovered(service)
        other = sqlite3.connect(tmp_path / "valet.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert not holds(service, UNWRITTEN)
        other.execute("ROLLBACK")
        other.close()
        recovered(service)
        assert logged(service) == Counter(["e1000"])


LIMITED = """
import resource, runpy, signal, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
runpy.run_module("service.serve", run_name="__main__")
"""


def test_a_full_disk_refuses_events_loses_none_that_it_took_and_lists_go_on(tmp_path: Path) -> None:
    shop(tmp_path)
    flags = ("--models-dir", "models", "--store", STORE)
    taken, status = 0, 200
    with serving(tmp_path, *flags, command=("-c", LIMITED)) as service:
        while status == 200:
            batch = [orjson.loads(event(taken + n)) | {"note": "x" * 2_000} for n in range(20)]
            with service.connect() as connection:
                status, _ = call(connection, "POST", "/events", orjson.dumps(batch))
            taken += 20 if status == 200 else 0
            assert taken < 5_000
        assert status == 503
        assert not holds(service, UNWRITTEN, first=2_000)
    with serving(tmp_path, *flags) as service:  # there is room again
        recovered(service)
    with sqlite3.connect(tmp_path / "valet.db") as store:
        assert taken <= store.execute("SELECT count(*) FROM events").fetchone()[0] <= taken + 20 + 1
    store.close()


SMALL = "mount -t tmpfs -o size=20m none {0} && exec {1} -m service.serve --workers 2 2> {0}/log"


def test_where_nothing_can_be_kept_for_a_while_no_worker_dies_and_long_bodies_alone_are_refused(tmp_path: Path) -> None:
    program, disk = shutil.which("unshare"), tmp_path / "disk"
    disk.mkdir()
    mount = [program or "", "-rm", "mount", "-t", "tmpfs", "none", str(disk)]
    if program is None or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this user may mount nothing")
    save(tmp_path / "models", "1", tiny_models())
    start = [program, "-rm", "sh", "-c", SMALL.format(disk, sys.executable)]
    environment = {"VALET_MODELS_DIR": "models", "VALET_STORE": "none", "TMPDIR": str(disk)}
    command = ("-c", f"import os; os.execv({program!r}, {start!r})")
    lines = (b'{"intent": "popular"' + b" " * 100_000 + b"}\n") * 120

    def batch(service: Serving) -> tuple[int, bytes]:
        with service.connect() as connection:
            connection.request("POST", "/recommend/batch", lines, {"Content-Type": "application/x-ndjson"})
            answer = connection.getresponse()
            return answer.status, answer.read()

    with serving(tmp_path, command=command, environment=environment) as service:
        filler = Path(f"/proc/{service.process.pid}/root{disk}/filler")
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4_096)):
                pass
        answers(service, times=60)  # more lines than the last page of the log has room for
        assert batch(service)[0] == 507
        psutil.Process(service.process.pid).children()[0].kill()
        save(tmp_path / "models", "2", upside_down())
        until(lambda: {answer["model_version"] for answer in answers(service)} == {"2"})
        assert "valet_requests_total" in service.get("/metrics")[1]
        filler.unlink()
        status, answered = batch(service)
        assert (status, answered.count(b'"items"')) == (200, 120)


UNHEARD = """
import os, sys
os.dup2(os.open("/dev/full", os.O_WRONLY), 2)
os.execv(sys.executable, [sys.executable, "-m", "service.serve", *sys.argv[1:]])
"""


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    save(tmp_path / "models", "1", tiny_models())
    flags = ("--models-dir", "models", "--store", "none")
    with serving(tmp_path, *flags, command=("-c", UNHEARD)) as service:
        (save(tmp_path / "models", "2", upside_down()) / "popularity.score.npy").unlink()
        until(lambda: service.get("/readyz")[1]["parts"]["bundle"]["state"] == "degraded")
        save(tmp_path / "models", "3", upside_down())
        until(lambda: {answer["model_version"] for answer in answers(service)} == {"3"})


READ_ONLY = "mount --bind {0} {0} && mount -o remount,ro,bind {0} && exec {1} -m service.serve"


def test_a_file_that_cannot_be_written_refuses_events_and_lists_go_on(tmp_path: Path) -> None:
    program, disk = shutil.which("unshare"), tmp_path / "disk"
    disk.mkdir()
    if program is None or subprocess.run([program, "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this user may mount nothing")
    shop(tmp_path)
    store = f"sqlite:///{disk / 'valet.db'}"
    with serving(tmp_path, "--models-dir", "models", "--store", store) as service:
        recovered(service)
    start = ["unshare", "-m", "sh", "-c", READ_ONLY.format(disk, sys.executable)]
    environment = {"VALET_MODELS_DIR": "models", "VALET_STORE": store}
    command = ("-c", f"import os; os.execv({program!r}, {start!r})")
    with serving(tmp_path, command=command, environment=environment) as service:
        assert not holds(service, UNWRITTEN)


# --- keys -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "document", "meanwhile"),
    [(KEYS, b'{"scope": "server", "name": "", "digest": "", "created_at": 1, "later": 2}', 401), (REVOKED, b"[]", 200)],
)
def test_a_key_that_cannot_be_read_is_told_and_what_is_revoked_stops_working(
    tmp_path: Path, kind: str, document: bytes, meanwhile: int
) -> None:
    save(tmp_path / "models", "one", tiny_models())
    store = open_store(f"sqlite:///{tmp_path / 'valet.db'}")
    assert store is not None
    key, text = make(store, "server", name="", now=NOW)
    make(store, "server", name="", now=NOW)

    def comes(service: Serving, state: str, status: int) -> None:
        until(lambda: (service.get("/readyz")[1]["parts"]["keys"]["state"], calls(service)) == (state, status))

    def calls(service: Serving) -> int:
        with service.connect() as connection:
            connection.request("GET", HERS, headers={"Authorization": f"Bearer {text}"})
            return connection.getresponse().status

    with serving(tmp_path, "--models-dir", "models", "--store", "sqlite:///valet.db") as service:
        comes(service, "ready", 200)
        store.put(kind, "odd", document)
        store.bump(KEYS)
        comes(service, "degraded", 200)
        revoke(store, key.key_id, at=NOW)
        comes(service, "degraded", meanwhile)
        with closing(sqlite3.connect(tmp_path / "valet.db")) as other, other:
            assert other.execute("DELETE FROM documents WHERE key = 'odd'").rowcount == 1
        comes(service, "ready", 401)
    store.close()


# --- bundles ----------------------------------------------------------------------------------------------------------------------------


def upside_down() -> Any:
    """The same shop, taught that the least popular is the most popular."""
    models = tiny_models()
    return dataclasses.replace(
        models, popularity=Popularity(models.popularity.score.max() + 1 - models.popularity.score)
    )


def test_a_bundle_that_is_broken_or_taken_away_is_not_missed_and_a_good_one_is_taken(tmp_path: Path) -> None:
    models_dir = shop(tmp_path)
    with serving(tmp_path, "--models-dir", "models", "--store", STORE) as service:
        good = service.get("/recommend?intent=popular")[1]["items"]
        half = save(models_dir, "2-half", upside_down())
        next(half.glob("*.npy")).unlink()
        flipped = save(models_dir, "3-flipped", upside_down())
        file = flipped / "popularity.score.npy"
        file.write_bytes(file.read_bytes()[:-1] + b"\x99")
        other = save(models_dir, "4-other", upside_down())
        manifest = orjson.loads((other / "manifest.json").read_bytes()) | {"format": 999}
        (other / "manifest.json").write_bytes(orjson.dumps(manifest))
        for version in ("2-half", "3-flipped", "4-other", "nowhere"):
            switch(models_dir, version)
            time.sleep(0.7)
            assert service.get("/recommend?intent=popular")[1]["items"] == good
            holds(service, AS_EVER, times=1)
        shutil.rmtree(models_dir / "1")
        assert service.get("/recommend?intent=popular")[1]["items"] == good
        holds(service, AS_EVER, times=1)
        save(models_dir, "5", upside_down())
        until(lambda: service.get("/recommend?intent=popular")[1]["model_version"] == "5")


def emptied(version: Path) -> None:
    (version / "popularity.score.npy").write_bytes(b"")


def without_a_word(version: Path) -> None:
    (version / "manifest.json").write_bytes(b"null")


@pytest.mark.parametrize("damage", [emptied, without_a_word])
def test_a_bundle_that_is_damaged_once_it_was_verified_is_told_and_a_good_one_is_taken(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    models_dir = tmp_path / "models"

    def comes(service: Serving, version: str, state: str) -> None:
        until(lambda: of_bundle(service.get("/readyz")[1]) == (version, state))

    def of_bundle(ready: Any) -> tuple[str, str]:
        return ready["model_version"], ready["parts"]["bundle"]["state"]

    save(models_dir, "1", tiny_models())
    flags = ("--models-dir", "models", "--store", "none")
    with serving(tmp_path, *flags) as service:
        damaged = save(models_dir, "2", upside_down())
        comes(service, "2", "ready")
        switch(models_dir, "1")
        comes(service, "1", "ready")
        damage(damaged)
        switch(models_dir, "2")
        comes(service, "1", "degraded")
        assert answers(service)
        save(models_dir, "3", upside_down())
        comes(service, "3", "ready")
    switch(models_dir, "2")
    with serving(tmp_path, *flags) as service:
        assert service.get("/readyz")[0] == 503
        switch(models_dir, "3")
        comes(service, "3", "ready")


def test_bundles_published_under_load_fail_nobody_and_no_answer_mixes_two(tmp_path: Path) -> None:
    models_dir = tmp_path / "models"
    by_version = {"1": tiny_models(), "2": upside_down(), "3": tiny_models(), "4": upside_down()}
    asked = {"requests": [{"intent": "popular", "n": 5}] * 10}
    seen: list[tuple[int, Any]] = []
    save(models_dir, "1", by_version["1"])
    done = threading.Event()

    def load(service: Serving) -> None:
        with service.connect() as connection:
            while not done.is_set():
                seen.append(call(connection, "POST", "/recommend/batch", orjson.dumps(asked)))

    def latest() -> set[str]:
        return {page["results"][0]["model_version"] for _, page in seen[-10:]}

    with serving(tmp_path, "--models-dir", "models", "--store", "none", "--workers", "2") as service:
        clients = [threading.Thread(target=load, args=(service,)) for _ in range(3)]
        for client in clients:
            client.start()
        for version in ("2", "3", "4"):
            save(models_dir, version, by_version[version])
            until(lambda version=version: version in latest())
        done.set()
        for client in clients:
            client.join()
    assert {status for status, _ in seen} == {200}
    pages = [page["results"] for _, page in seen]
    assert all(len({one["model_version"] for one in page}) == 1 for page in pages)
    tops = {
        (page[0]["model_version"], tuple(item["item_id"] for item in one["items"])) for page in pages for one in page
    }
    assert len(tops) == len({version for version, _ in tops}) == 4
    assert len({ids for _, ids in tops}) == 2


# --- processes and clocks ---------------------------------------------------------------------------------------------------------------


def test_a_worker_that_is_killed_under_load_is_replaced_and_no_answer_is_an_error(tmp_path: Path) -> None:
    shop(tmp_path)
    taken: dict[int, bool] = {}
    numbers = count()
    broken: list[Exception] = []
    done = threading.Event()

    def load(service: Serving) -> None:
        while not done.is_set():
            try:
                number = next(numbers)
                taken[number] = listed(service) and tell(service, number)
            except (OSError, HTTPException) as error:  # the connections of the killed one
                broken.append(error)

    with serving(tmp_path, "--models-dir", "models", "--store", BUSY_STORE, "--workers", "2") as service:
        master = psutil.Process(service.process.pid)
        clients = [threading.Thread(target=load, args=(service,)) for _ in range(4)]
        for client in clients:
            client.start()
        time.sleep(0.5)
        killed_one = master.children()[0]
        killed_one.kill()
        until(lambda: len([one for one in master.children() if one.pid != killed_one.pid]) >= 2)
        time.sleep(0.5)
        done.set()
        for client in clients:
            client.join()
        assert set(taken.values()) == {True}
        assert {f"e{number}" for number in taken} <= logged(service).keys()
    assert len(broken) <= 2 * len(clients)


STEPPING = """
import pathlib, runpy, time
true = time.time
time.time = lambda: true() + float(pathlib.Path("steps").read_text())
runpy.run_module("service.serve", run_name="__main__")
"""


def test_a_clock_that_steps_back_fails_nothing_and_loses_nothing(tmp_path: Path) -> None:
    shop(tmp_path)
    steps = tmp_path / "steps"
    steps.write_text("0")
    flags = ("--models-dir", "models", "--store", STORE)
    with serving(tmp_path, *flags, command=("-c", STEPPING)) as service:
        for number, by_s in enumerate((0, -3_600, -90_000, -3_600, 0, -1)):
            steps.write_text(str(by_s))
            holds(service, AS_EVER, first=number, times=1)
            told = datetime.fromisoformat(service.get("/customers/ann/export")[1]["exported_at"]).timestamp()
            assert abs(time.time() + by_s - told) < 60
        assert logged(service) == Counter(f"e{number}" for number in range(6))
