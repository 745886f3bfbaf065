"""The breaker by itself: when it opens, whom it lets through, and what closes it."""

from __future__ import annotations

from service.store.breaker import Breaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def broken(clock: Clock) -> Breaker:
    breaker = Breaker(failures=3, pause_s=1.0, clock=clock)
    for _ in range(3):
        assert breaker.admits()
        breaker.silent()
    return breaker


def test_it_opens_after_some_failures_in_a_row_and_not_after_as_many_with_an_answer_between() -> None:
    breaker = Breaker(failures=3, pause_s=1.0, clock=Clock())
    for _ in range(5):
        breaker.silent()
        breaker.silent()
        breaker.answered()
    assert breaker.admits()
    assert not broken(Clock()).admits()


def test_half_open_one_alone_may_try() -> None:
    clock = Clock()
    breaker = broken(clock)
    clock.now += 1.0
    assert [breaker.admits() for _ in range(5)] == [True, False, False, False, False]


def test_a_probe_that_is_answered_closes_it_and_one_that_is_not_opens_it_again() -> None:
    clock = Clock()
    breaker = broken(clock)
    clock.now += 1.0
    assert breaker.admits()
    breaker.silent()
    assert not breaker.admits()
    clock.now += 1.0
    assert breaker.admits()
    breaker.answered()
    assert [breaker.admits() for _ in range(5)] == [True] * 5
