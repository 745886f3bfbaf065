"""Pools of tokens over both stores: never overdrawn, all or nothing with the ledger, and back when nobody was shown what they were for."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from models.budgets import FULL, Level, Pool, price
from service.store import Move, Paper, PaperTakenError, Settlement, Settling, Store
from service.store.open import open_store
from tests.fakes import FakeStore

NOW = 1_000_000
STOCK = Pool("stock:x", 3)
PACED = Pool("budget:b", 100, ends=NOW + 1_000, step=0.5)


@pytest.fixture(params=["real", "fake"])
def any_store(request: pytest.FixtureRequest, store: Store) -> Store:
    """Both stores, and the fake that other tests lean on."""
    return store if request.param == "real" else FakeStore()


def take(pool: Pool = STOCK, holder: str = "h", tokens: int = 1, **fields) -> Move:
    return Move("take", pool, holder, tokens, **{"bid": 1e9, **fields})


def settle(store: Store, *moves: Move, now: int = NOW, ledger: bytes = b"[]", who: str = "ann") -> list[str]:
    return store.settle(who, lambda _: Settlement(ledger, moves), now=now)


def level(store: Store, pool: Pool = STOCK, now: int = NOW) -> Level:
    return store.levels([pool.name], now=now)[pool.name]


def test_tokens_are_drawn_until_none_is_left(any_store: Store) -> None:
    assert level(any_store) == FULL
    assert [settle(any_store, take(holder=str(n))) for n in range(5)] == [[], [], [], ["stock:x"], ["stock:x"]]
    assert level(any_store).used == 3


def test_what_is_refused_writes_nothing_of_the_rest(any_store: Store) -> None:
    other = Pool("other", 5)
    settle(any_store, take(tokens=3), ledger=b"first")
    assert settle(any_store, take(other), take(), ledger=b"second") == ["stock:x"]
    assert level(any_store, other) == FULL
    customer = any_store.customer("ann")
    assert customer is not None
    assert customer.ledger == b"first"


def test_two_takes_of_one_call_count_together(any_store: Store) -> None:
    assert settle(any_store, take(tokens=2), take(tokens=2)) == ["stock:x"]
    assert settle(any_store, take(tokens=2), take(tokens=1)) == []


def test_what_was_held_and_not_kept_comes_back_by_itself(any_store: Store) -> None:
    settle(any_store, take(tokens=3, until=NOW + 60))
    assert [level(any_store, now=NOW + seconds).used for seconds in (0, 59, 60, 100)] == [3, 3, 0, 0]
    assert settle(any_store, take(), now=NOW + 59) == ["stock:x"]
    assert settle(any_store, take(), now=NOW + 60) == []
    assert level(any_store, now=NOW + 100).used == 1


@pytest.mark.parametrize(("kept_at", "used"), [(30, 2), (90, 2)])
def test_what_is_kept_stays_drawn_and_is_drawn_again_where_it_had_come_back(any_store, kept_at, used):
    settle(any_store, take(tokens=2, until=NOW + 60))
    settle(any_store, Move("keep", STOCK, "h", 2), now=NOW + kept_at)
    assert level(any_store, now=NOW + 1_000).used == used


@pytest.mark.parametrize(
    ("until", "held", "at", "used"), [(None, False, 10, 0), (60, True, 10, 0), (60, True, 90, 0), (None, True, 10, 2)]
)
def test_what_is_given_back_is_given_back_once(any_store, until, held, at, used):
    settle(any_store, take(tokens=2, until=None if until is None else NOW + until))
    settle(any_store, Move("back", STOCK, "h", 2, held=held), now=NOW + at)
    assert level(any_store, now=NOW + 1_000).used == used


def test_moves_of_a_pool_that_is_forgotten_change_nothing(any_store: Store) -> None:
    assert settle(any_store, Move("back", STOCK, "h", 2), Move("keep", STOCK, "h", 2)) == []
    assert level(any_store) == FULL


def test_the_price_rises_with_draws_falls_with_time_and_turns_low_bids_away(any_store: Store) -> None:
    settle(any_store, take(PACED, tokens=20))
    risen = level(any_store, PACED)
    assert (risen.used, risen.price, price(PACED, risen, now=NOW)) == (20, 10.0, 10.0)
    assert settle(any_store, take(PACED, bid=9.99)) == ["budget:b"]
    assert settle(any_store, take(PACED, bid=10.0)) == []
    later = level(any_store, PACED, now=NOW + 500)
    assert price(PACED, later, now=NOW + 500) == 0.0
    assert settle(any_store, take(PACED, bid=0.0), now=NOW + 500) == []


def test_both_stores_reckon_the_same_price(any_store: Store) -> None:
    for at, tokens in ((0, 5), (3, 7), (40, 1), (41, 20)):
        settle(any_store, take(PACED, tokens=tokens), now=NOW + at)
    fake = FakeStore()
    for at, tokens in ((0, 5), (3, 7), (40, 1), (41, 20)):
        settle(fake, take(PACED, tokens=tokens), now=NOW + at)
    assert level(any_store, PACED).price == pytest.approx(level(fake, PACED).price, rel=1e-12)


def test_none_changes_nothing(any_store: Store) -> None:
    settle(any_store, ledger=b"stands")
    assert any_store.settle("ann", lambda _: None, now=NOW) == []
    assert any_store.customer("ann").ledger == b"stands"


def test_of_many_threads_as_many_are_served_as_there_are_tokens(store: Store) -> None:
    pool, served = Pool("stock:y", 50), Counter[bool]()

    def work(name: int) -> None:
        for n in range(20):
            served[not settle(store, take(pool, holder=f"{name}/{n}"), who=f"c{name}-{n}")] += 1

    threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert served == {True: 50, False: 70}
    assert level(store, pool).used == 50


def test_another_process_sees_what_was_drawn(store: Store, store_url: str) -> None:
    settle(store, take(tokens=2, until=NOW + 60))
    other = open_store(store_url)
    assert other is not None
    assert level(other).used == 2
    other.close()


PAPERS = (Paper("answer", "d1", b"the answer", 60), Paper("decision", "d1", b"the record", 60))


def test_what_is_settled_may_bring_papers_of_hers_with_it_that_go_when_she_is_erased(store: Store) -> None:
    assert store.settle("ann", lambda _: Settlement(b"[1]", papers=PAPERS), now=NOW) == []
    assert store.get("decision", "d1") == b"the record"
    assert store.customer("ann").ledger == b"[1]"
    store.erase("ann")
    assert store.get_many("answer", ["d1"]) == [None] == store.get_many("decision", ["d1"])


def test_papers_may_come_without_a_ledger(any_store: Store) -> None:
    settle(any_store, ledger=b"stands")
    any_store.settle("ann", lambda _: Settlement(None, papers=PAPERS), now=NOW)
    any_store.settle("bob", lambda _: Settlement(None, papers=(Paper("decision", "d2", b"his"),)), now=NOW)
    assert any_store.customer("ann").ledger == b"stands"
    assert any_store.customer("bob") is None
    assert any_store.get("decision", "d2") == b"his"


def test_where_one_of_the_papers_stands_nothing_is_written(any_store: Store) -> None:
    any_store.put("decision", "d1", b"stands")
    with pytest.raises(PaperTakenError):
        any_store.settle("ann", lambda _: Settlement(b"[1]", (take(),), {"c": (1.0, 0.0)}, PAPERS), now=NOW)
    assert any_store.customer("ann") is None
    assert any_store.get("answer", "d1") is None
    assert any_store.get("decision", "d1") == b"stands"
    assert level(any_store, STOCK).used == 0
    assert any_store.counters()[1] == {}


def test_a_pool_that_refuses_keeps_the_papers_out(any_store: Store) -> None:
    settle(any_store, take(tokens=3))
    refused = any_store.settle("ann", lambda _: Settlement(b"[1]", (take(holder="other"),), papers=PAPERS), now=NOW)
    assert refused == ["stock:x"]
    assert any_store.get("decision", "d1") is None


def test_a_customer_is_read_with_how_pools_stand_by_any_of_her_names(any_store: Store) -> None:
    assert any_store.customers_with(["ann"], [STOCK.name], now=NOW)[0][:2] == (None, {STOCK.name: FULL})
    settle(any_store, take(), ledger=b"[1]")
    nobody, found = any_store.customers_with(["bob", "ann"], [STOCK.name, PACED.name], now=NOW)
    assert nobody.customer is None
    assert found.customer == any_store.customer("ann")
    assert found.levels == {STOCK.name: level(any_store), PACED.name: FULL}
    assert any_store.customers_with(["ann"], [], now=NOW)[0].levels == {}


def test_a_customer_is_read_with_how_pools_stand_by_another_name(store: Store) -> None:
    settle(store, ledger=b"[1]")
    store.merge("s1", "ann", lambda known, _: known)
    found = store.customers_with(["s1", "ann"], [STOCK.name], now=NOW)
    assert found[0].customer == found[1].customer == store.customer("ann")
    settling = Settling("s1", lambda _: Settlement(b"[2]", papers=PAPERS), found[0])
    assert store.settle_all([settling], now=NOW) == [[]]
    assert store.customer("ann").ledger == b"[2]"
    assert [kind for kind, _, _ in store.papers("ann")] == ["answer", "decision"]


@pytest.mark.parametrize("before", [None, b"1"])
@pytest.mark.parametrize("faster", [None, b"2"])
def test_what_was_read_is_settled_unless_somebody_was_faster(
    store: Store, before: bytes | None, faster: bytes | None
) -> None:
    if before:
        settle(store, ledger=before)
    [found] = store.customers_with(["ann"], [], now=NOW)
    store.change("ann", "profile", lambda _: b"what happened since")
    if faster:
        settle(store, ledger=faster)
    settling = Settling("ann", lambda stands: Settlement((stands or b"") + b"+"), found)
    assert store.settle_all([settling], now=NOW) == [[]]
    assert store.customer("ann")[1:4] == (b"what happened since", None, (faster or before or b"") + b"+")


def test_what_is_settled_side_by_side_is_each_settled_or_not_for_itself(any_store: Store) -> None:
    any_store.put("decision", "d2", b"stands")
    asked = {
        "ann": Settlement(b"[1]", (take(holder="a", tokens=2),), papers=PAPERS),
        "bob": Settlement(b"[1]", (take(holder="b", tokens=2),)),
        "eve": Settlement(b"[1]", (take(holder="e"),), papers=(Paper("decision", "d2", b"hers"),)),
        "joe": Settlement(b"[1]", (take(holder="j"),)),
        "amy": None,
    }
    found = any_store.customers_with(list(asked), [], now=NOW)
    several = [
        Settling(who, lambda _, s=settled: s, hers) for (who, settled), hers in zip(asked.items(), found, strict=True)
    ]
    came = any_store.settle_all(several, now=NOW)
    assert [came[0], came[1], came[3], came[4]] == [[], [STOCK.name], [], []]
    assert isinstance(came[2], PaperTakenError)
    assert [who for who in asked if any_store.customer(who)] == ["ann", "joe"]
    assert level(any_store).used == 3
