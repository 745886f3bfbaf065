"""Allotment: what is scarce goes to whom it is worth most, whoever comes first, and nobody is left without what a lower priority has."""

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from service.decisions.allotment import Bid, Closed, allot


def bidders(wishes: list[list[tuple[str, float]]]):
    """Lines that bid one token for the first of their wishes that is not closed, the dearest first."""

    def bids(closed: Closed, lines: frozenset[int] | None) -> Iterator[tuple[int, list[Bid]]]:
        for line, wanted in enumerate(wishes):
            if lines is None or line in lines:
                own = sorted(
                    (wish for wish in wanted if wish[0] not in closed.get(line, ())), key=lambda wish: -wish[1]
                )
                yield line, [Bid(pool, 1, priority) for pool, priority in own[:1]]

    return bids


def given_to(wishes: list[list[tuple[str, float]]], room: dict[str, int]) -> dict[int, str]:
    closed = allot(bidders(wishes), room)
    return {line: bids[0].pool for line, bids in bidders(wishes)(closed, None) if bids}


def test_the_highest_priorities_are_served_whatever_the_order_of_lines():
    wishes = [[("a", float(priority))] for priority in (1, 5, 3, 4, 2)]
    assert given_to(wishes, {"a": 2}) == {1: "a", 3: "a"}


def test_who_is_turned_away_gets_her_next_best_and_may_outbid_another_there():
    wishes = [[("a", 9.0), ("b", 5.0)], [("a", 8.0), ("b", 7.0)], [("b", 6.0)]]
    assert given_to(wishes, {"a": 1, "b": 1}) == {0: "a", 1: "b"}


def test_where_there_is_room_for_all_nothing_is_closed():
    assert allot(bidders([[("a", 1.0)]] * 3), {"a": 3}) == {}


def test_equal_priorities_are_served_in_the_order_of_lines():
    assert given_to([[("a", 1.0)]] * 4, {"a": 2}) == {0: "a", 1: "a"}


@settings(deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 10)), max_size=3), max_size=12),
    st.fixed_dictionaries({pool: st.integers(0, 4) for pool in "abc"}),
)
def test_no_pool_gives_more_than_it_has_and_nobody_envies_a_lower_priority(wishes, room):
    had = given_to(wishes, room)
    assert all(sum(pool == other for other in had.values()) <= room[pool] for pool in room)
    for line, wanted in enumerate(wishes):
        own = max((priority for pool, priority in wanted if pool == had.get(line)), default=-1.0)
        for pool, priority in wanted:
            if priority > own:
                others = [max(p for q, p in wishes[other] if q == pool) for other, held in had.items() if held == pool]
                assert len(others) == room[pool]
                assert all(priority <= other for other in others)
