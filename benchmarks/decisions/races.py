"""Races: 10,000 decisions at once through a real service of four workers, against contact limits, a budget and stock, on each store.

Eight decisions a customer, asked for side by side, so that workers race for her ledger and for the last tokens. In the first half some e-mails
are told as not sent, which opens limits and pools again; some decisions are asked for twice at once, under one id of the caller. Pools have no
pacing, so nobody may be turned away while a token is left. What came of it is read from the answers, the ledgers and the pools, each for itself:
they must agree, and nothing may be above its limit or left unused.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from benchmarks.decisions.agreement import Asked, Found, compared
from benchmarks.events import serving
from benchmarks.profiles.stores import STORES, opened
from benchmarks.quality.rows import timed
from service.people import facts as facts_of
from service.store import Store
from service.store.open import open_store

DECISIONS, EACH = 10_000, 8  # in all, and of a customer
WORKERS, CLIENTS = 4, 32
PATIENCE_S, WAIT_S = 60.0, 0.1
NOT_SENT, TWICE = 5, 20  # every fifth e-mail of the first half is not sent; every twentieth decision is asked for twice
CHANNELS = ("website", "email", "agent")
POOL_SHARE = 10  # one customer in ten can have a voucher, and one in ten a gift
CATALOGUE = """
[learning]
exploration = "thompson"
[policy]
pacing = 0.0
fatigue = 0.0
[[limits]]
contacts = 2
days = 7
[[limits]]
contacts = 1
days = 7
channel = "email"
[[limits]]
contacts = 1
days = 7
group = "gifts"
[[budgets]]
name = "vouchers"
amount = {pool}
days = 3650
pacing = 0.0
"""
ACTIONS: Mapping[str, str] = {
    "voucher": 'group = "vouchers"\nclass = "growth"\nvalue = 100\npropensity = 0.5\ncost = 1\nbudget = "vouchers"',
    "gift": 'group = "gifts"\nclass = "retention"\nvalue = 90\npropensity = 0.5\nstock = {pool}',
    "news": 'group = "news"\nclass = "growth"\nvalue = 10\npropensity = 0.5',
    "parcel": 'group = "parcels"\nclass = "service"\nvalue = 1\npropensity = 0.5',
}


@dataclass
class Crowd:
    """What all clients share: the questions still to be asked, and the answers so far."""

    port: int
    questions: Iterator[tuple[dict[str, Any], bool]]
    answers: list[Asked] = field(default_factory=list)
    again: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Ask until nothing is left to ask."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        while (asking := self._next()) is not None:
            question, unsent = asking
            answer = self._answered(connection, "/next-best-action", question)
            asked = Asked(question["customer_id"], question["channel"], answer)
            self.answers.append(self._not_sent(connection, asked) if unsent else asked)
        connection.close()

    def _next(self) -> tuple[dict[str, Any], bool] | None:
        with self.lock:
            return next(self.questions, None)

    def _not_sent(self, connection: http.client.HTTPConnection, asked: Asked) -> Asked:
        """Tell that this e-mail was not sent, where there was one."""
        about = asked.answer["decision_id"]
        rows = [{"decision_id": about, "action_id": name, "outcome": "not_sent"} for name in asked.actions]
        self._answered(connection, "/outcomes", rows)
        return replace(asked, unsent=True)

    def _answered(self, connection: http.client.HTTPConnection, path: str, document: object) -> dict[str, Any]:
        """The whole answer, asked for again while the service has too much to do, or the store is too slow for it."""
        while True:
            status, answer = _post(connection, path, document)
            if status == http.HTTPStatus.OK and not answer.get("degraded") and not answer.get("refused"):
                return answer
            if status not in (http.HTTPStatus.OK, http.HTTPStatus.SERVICE_UNAVAILABLE):
                raise RuntimeError(f"{path}: {status} {answer}")
            self.again += 1
            time.sleep(WAIT_S)


def _post(connection: http.client.HTTPConnection, path: str, document: object) -> tuple[int, dict[str, Any]]:
    connection.request("POST", path, orjson.dumps(document), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    body: dict[str, Any] = orjson.loads(answer.read())
    return answer.status, body


def questions(decisions: int) -> Iterator[tuple[dict[str, Any], bool]]:
    """Who asks for what, in the order in which it is asked, and whether it will be told as not sent."""
    for number in range(decisions):
        channel, twice = CHANNELS[number % len(CHANNELS)], number % TWICE == 0
        asked = {"customer_id": f"c{number // EACH}", "channel": channel, "n": 1, "explain": "none"}
        if twice:
            yield {**asked, "decision_id": f"own{number}"}, False
            yield {**asked, "decision_id": f"own{number}"}, False
        else:
            yield asked, channel == "email" and number % NOT_SENT == 0 and number < decisions // 2


def run(url: str, folder: Path, *, decisions: int = DECISIONS, clients: int = CLIENTS) -> tuple[Found, int, float]:
    """Ask so many decisions of a service on this store: what it then holds, questions asked again, seconds."""
    customers = [f"c{number}" for number in range(-(-decisions // EACH))]
    pool = len(customers) // POOL_SHARE
    store = open_store(url)
    assert store is not None
    _allow(store, customers)
    with serving(url, folder, "--config", str(_settings(folder, pool)), workers=WORKERS) as (port, _), timed() as clock:
        crowd = Crowd(port, questions(decisions))
        threads = [threading.Thread(target=crowd.run) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = compared(crowd.answers, store, customers, pool=pool)
    store.close()
    return found, crowd.again, clock.seconds


def _allow(store: Store, customers: Iterable[str]) -> None:
    """Everybody says yes to e-mail."""
    yes = {"purpose": "marketing", "channel": "email", "status": "granted", "at": int(time.time()) - 1}
    document = facts_of.dump(facts_of.with_consents(facts_of.load(None), [yes]))
    for customer_id in customers:
        store.change(customer_id, "facts", lambda _: document)


def _settings(folder: Path, pool: int) -> Path:
    """A valet.toml, with the catalogue beside it."""
    forms = "".join(f'[[actions.treatments]]\nchannel = "{channel}"\n' for channel in CHANNELS)
    actions = "".join(f'[[actions]]\nid = "{name}"\nissue = "i"\n{said}\n{forms}' for name, said in ACTIONS.items())
    text = (CATALOGUE + actions).format(pool=pool)
    (folder / "actions.toml").write_text(text, encoding="utf-8")
    (folder / "valet.toml").write_text("", encoding="utf-8")
    return folder / "valet.toml"


HEAD = "  store  decisions  contacts  above limits  differ  tokens above  left unused  adrift  again  seconds"


def line(name: str, found: Found, again: int, seconds: float) -> str:
    """A line of the table."""
    return (
        f"{name:>7} {found.decisions:>10,} {found.contacts:>9,} {found.over_limits:>13} {found.differ:>7} {found.over:>13} "
        f"{found.left:>12} {found.adrift:>7} {again:>6} {seconds:>8.1f}"
    )


def main(*, decisions: int = DECISIONS, names: Sequence[str] = STORES) -> int:
    """Run on each store and print; 1 where anything was exceeded, left or told otherwise."""
    print(HEAD)
    holds = True
    for name in names:
        with TemporaryDirectory(prefix="valet-races-") as scratch:
            folder = Path(scratch)
            with opened(name, folder) as url:
                found, again, seconds = run(url, folder, decisions=decisions)
        holds &= found.holds
        print(line(name, found, again, seconds), flush=True)
    return 0 if holds else 1
