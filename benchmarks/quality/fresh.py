"""Events after training: Online Retail, both years; what was bought in the 28 days after training is folded in, or not; the 28 days after that
should be foretold. NDCG@20 and Recall@20 of the same customers, through the product's own fold, taste and lists.

With repeats (all items may be shown) and new items only; what she owns by then is hidden from both lists, so that only what the events say of
her taste makes the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from benchmarks.quality.measure import lead, row
from benchmarks.quality.next_purchases import FILES
from benchmarks.quality.rows import Row, timed
from models.bundle import Models
from models.profile import EMPTY, Profile, fold
from models.settings import DAY_S, Settings
from service.lists.recommend import recommend
from service.lists.request import Request
from service.lists.taste import taste
from training import learn
from training.history import PURCHASE, History
from training.learn import Terms
from training.metrics import NOTHING, rank_hits
from training.profile_rows import Rows, rows_of
from training.profiles import Names, events_of
from training.read import read
from training.split import cut

DATASET = "fresh"
SHOWN = ("recall", "ndcg")
K, FRESH_DAYS, TEST_DAYS = 20, 28, 28
TASKS = {"": True, "new ": False}  # how the metrics are called -> whether she may be shown what she owns


@dataclass(frozen=True)
class Case:
    """A customer who bought before training's end, in the fresh days, and after them."""

    before: Profile
    after: Profile
    relevant: frozenset[int]  # rows bought in the test days
    owned: frozenset[int]  # rows bought until then


def run(data: Path, *, threads: int = 1) -> list[Row]:
    """The rows of the table; none where the data set is not there."""
    paths = [str(data / name) for name in FILES]
    if not all(Path(path).exists() for path in paths):
        return []
    settings = Settings()
    history = read(paths, columns={}, settings=settings.history, shop=settings.shop, now=2**40, threads=threads).history
    parts = cut(history, days=FRESH_DAYS + TEST_DAYS)
    trained_at = parts.at or 0
    now = trained_at + FRESH_DAYS * DAY_S
    terms = Terms(settings, trained_at, threads=threads)
    with timed() as fitting:
        models = learn.learn(parts.train, learn.choose(parts.train, terms), terms)
    cases = list(_cases(parts.train, parts.test, now))
    return [line for called in TASKS for line in _compared(cases, models, called, now, fitting.seconds)]


def _compared(cases: list[Case], models: Models, called: str, now: int, seconds: float) -> Iterator[Row]:
    repeats = TASKS[called]
    wanted = [case.relevant if repeats else case.relevant - case.owned for case in cases]
    asked = [(case, rows) for case, rows in zip(cases, wanted, strict=True) if rows]
    relevant = _matrix([rows for _, rows in asked], len(models.catalogue))
    folded, stale = (
        rank_hits(np.array([_list(case, models, now, folded=folded, repeats=repeats) for case, _ in asked]), relevant)
        for folded in (True, False)
    )
    yield row(
        DATASET,
        "events folded in",
        folded,
        SHOWN,
        prefix=called,
        ours=True,
        seconds=seconds,
        note=f"{len(asked)} customers",
    )
    low, high = lead(folded, stale)
    yield row(
        DATASET,
        "as training left her",
        stale,
        SHOWN,
        prefix=called,
        note=f"the events add {low:+.4f} to {high:+.4f} ndcg",
    )


def _list(case: Case, models: Models, now: int, *, folded: bool, repeats: bool) -> list[int]:
    """The product's list, rows padded with NOTHING."""
    own = taste(case.after if folded else case.before, models, now=now)
    exclude = () if repeats else tuple(models.catalogue.items.texts(sorted(case.owned)))
    request = Request(intent="for_you", n=K, exclude_owned=not repeats, exclude=exclude)
    picks = recommend(request, models=models, taste=own, now=now).picks
    rows = [pick.row for pick in picks if pick.row is not None]
    return rows + [NOTHING] * (K - len(rows))


def _cases(train: History, later: History, now: int) -> Iterator[Case]:
    """In the order of customers; their purchases and returns are folded event by event, as the service would."""
    fresh, test = later.where(later.at <= now), later.where((later.at > now) & (later.event == PURCHASE))
    old, new, future = _by_customer(train), _by_customer(fresh), _by_customer(test)
    then, since = rows_of(train, now=now), rows_of(fresh, now=now)
    names = Names.of(then)
    for customer in sorted(old.keys() & new.keys() & future.keys()):
        before = reduce(fold, events_of(_hers(then, customer), names), EMPTY)
        after = reduce(fold, events_of(_hers(since, customer), names), before)
        owned = {*train.item[old[customer]].tolist(), *fresh.item[new[customer]].tolist()}
        yield Case(before, after, frozenset(test.item[future[customer]].tolist()), frozenset(owned))


def _hers(rows: Rows, customer: int) -> Rows:
    """The rows of one customer."""
    first, last = rows.customer.searchsorted((customer, customer + 1)).tolist()
    return rows.between(first, last)


def _by_customer(history: History) -> Mapping[int, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The rows of each known customer, by time."""
    order = np.argsort(history.customer, kind="stable")
    customers, starts = np.unique(history.customer[order], return_index=True)
    rows = np.split(order, starts[1:])
    return {customer: mine for customer, mine in zip(customers.tolist(), rows, strict=True) if customer >= 0}


def _matrix(wanted: list[frozenset[int]], items: int) -> csr_matrix:
    rows = np.repeat(np.arange(len(wanted)), [len(rows) for rows in wanted])
    columns = np.array([item for rows in wanted for item in sorted(rows)])
    return csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), (len(wanted), items))
