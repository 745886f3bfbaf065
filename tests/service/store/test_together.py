"""What threads bring at the same time is made as one, and whoever broke it is told so alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from models.errors import StoreUnavailable
from service.store.together import MOST, Together
from service.store.turns import Turn

PATIENCE_S = 20.0


class Kitchen:
    """Makes words of words; the first waits until all others stand in the queue."""

    def __init__(self, others: int) -> None:
        self.made: list[list[str]] = []
        self.queue: Together[str, str] = Together()
        self._others = others

    def make(self, words: Sequence[str]) -> list[str]:
        """Raises ValueError where one is bad, StoreUnavailable where one is far."""
        self.made.append(list(words))
        if words == ["first"]:
            until = time.monotonic() + PATIENCE_S
            while len(self.queue._waiting) < self._others and time.monotonic() < until:
                time.sleep(0.001)
        if "far" in words:
            raise StoreUnavailable("it is away")
        if "bad" in words:
            raise ValueError
        return [word.upper() for word in words]

    def asked(self, words: Sequence[str]) -> dict[str, Future[str]]:
        """What came of "first" and these, asked for by a thread each."""
        with ThreadPoolExecutor(len(words) + 1) as pool:
            begun = {"first": pool.submit(self.queue.make, "first", self.make)}
            while not self.made:
                time.sleep(0.001)
            return begun | {word: pool.submit(self.queue.make, word, self.make) for word in words}


def test_those_who_wait_are_made_as_one_and_each_gets_her_own():
    kitchen = Kitchen(others=5)
    told = {word: one.result() for word, one in kitchen.asked(["a", "b", "c", "d", "e"]).items()}
    assert told == {word: word.upper() for word in ("first", "a", "b", "c", "d", "e")}
    assert [len(words) for words in kitchen.made] == [1, 5]


def test_what_one_of_them_broke_is_raised_to_her_and_made_for_the_others():
    kitchen = Kitchen(others=3)
    told = kitchen.asked(["a", "bad", "b"])
    assert isinstance(told.pop("bad").exception(), ValueError)
    assert {one.result() for one in told.values()} == {"FIRST", "A", "B"}
    assert sorted(map(len, kitchen.made)) == [1, 1, 1, 1, 3]


def test_a_store_that_is_away_is_asked_once_for_all_of_them():
    kitchen = Kitchen(others=3)
    told = kitchen.asked(["a", "far", "b"])
    assert told.pop("first").result() == "FIRST"
    assert all(isinstance(one.exception(), StoreUnavailable) for one in told.values())
    assert len(kitchen.made) == 2


def test_however_many_wait_no_more_than_a_fair_number_are_made_as_one():
    kitchen = Kitchen(others=MOST + 6)
    told = kitchen.asked([f"w{number}" for number in range(MOST + 6)])
    assert all(one.result() == word.upper() for word, one in told.items())
    assert [len(words) for words in kitchen.made] == [1, MOST, 6]


def test_who_is_alone_waits_for_nobody_and_is_told_what_she_broke():
    kitchen = Kitchen(others=0)
    assert kitchen.queue.make("a", kitchen.make) == "A"
    with pytest.raises(ValueError, match=r"^$"):
        kitchen.queue.make("bad", kitchen.make)
    assert kitchen.queue.make("b", kitchen.make) == "B"


def test_requests_of_one_thread_are_made_as_one_and_what_is_made_meanwhile_waits_for_none_of_them():
    kitchen = Kitchen(others=0)
    inner: Together[str, str] = Together()

    def make(words: Sequence[str]) -> list[str]:
        return [inner.make(word, kitchen.make) for word in words]

    turns = [Turn(kitchen.queue.make) for _ in range(3)]
    for turn, word in zip(turns, "abc", strict=True):
        turn.switch(word, make)
    assert not any(turn.dead for turn in turns)
    assert kitchen.made == []
    assert [turn.switch() for turn in turns] == ["A", "B", "C"]
    assert kitchen.made == [["a"], ["b"], ["c"]]  # within make: what waits for it could not come


def test_what_one_request_of_a_thread_broke_is_raised_to_her_and_made_for_the_others():
    kitchen = Kitchen(others=0)
    turns = {word: Turn(kitchen.queue.make) for word in ("a", "bad", "b")}
    for word, turn in turns.items():
        turn.switch(word, kitchen.make)
    assert turns["a"].switch() == "A"
    with pytest.raises(ValueError, match=r"^$"):
        turns["bad"].switch()
    assert turns["b"].switch() == "B"
    assert kitchen.made == [["a", "bad", "b"], ["a"], ["bad"], ["b"]]


def test_the_child_of_a_fork_does_not_wait_for_those_of_its_parent():
    kitchen = Kitchen(others=0)
    kitchen.queue._turn.acquire()  # as by a thread that the child does not have
    kitchen.queue._pid -= 1
    made: list[str] = []
    child = threading.Thread(target=lambda: made.append(kitchen.queue.make("a", kitchen.make)), daemon=True)
    child.start()
    child.join(PATIENCE_S)
    assert made == ["A"]
