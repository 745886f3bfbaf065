"""What threads bring at the same time is made as one, and whoever broke it is told so alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from models.errors import StoreUnavailable
from service.store.together import MOST, Together

PATIENCE_S = 20.0


class Kitchen:
    """Makes words of words; the first waits until all others stand in the queue."""

    def __init__(self, others: int, gather_s: float = 0.0) -> None:
        self.made: list[list[str]] = []
        self.queue: Together[str, str] = Together(gather_s=gather_s)
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


def busy(gather_s: float) -> Kitchen:
    """One in which five were made as one two times in a row, and which waited for none of them."""
    kitchen = Kitchen(others=5)
    for _ in range(2):
        kitchen.made.clear()
        kitchen.asked(["a", "b", "c", "d", "e"])
        assert [len(words) for words in kitchen.made] == [1, 5]
    kitchen.made.clear()
    kitchen.queue._gather_s = gather_s
    return kitchen


def test_under_load_those_who_were_there_before_are_waited_for():
    kitchen = busy(gather_s=PATIENCE_S)
    with ThreadPoolExecutor(5) as pool:
        early = pool.submit(kitchen.queue.make, "f", kitchen.make)
        time.sleep(0.05)
        assert not kitchen.made
        late = [pool.submit(kitchen.queue.make, word, kitchen.make) for word in "ghij"]
    assert [one.result() for one in (early, *late)] == list("FGHIJ")
    assert [len(words) for words in kitchen.made] == [5]


def test_who_does_not_come_again_is_waited_for_once_and_not_for_long():
    kitchen = busy(gather_s=0.01)
    began = time.monotonic()
    assert kitchen.queue.make("f", kitchen.make) == "F"
    waited = time.monotonic() - began
    kitchen.queue._gather_s = PATIENCE_S
    assert kitchen.queue.make("g", kitchen.make) == "G"
    assert 0.04 <= waited < PATIENCE_S


def test_one_crowd_is_no_load():
    kitchen = Kitchen(others=5, gather_s=PATIENCE_S)
    kitchen.asked(["a", "b", "c", "d", "e"])
    assert min(kitchen.queue._there) == 5
    kitchen.queue._there = 1, 5  # one was alone before them
    assert kitchen.queue.make("f", kitchen.make) == "F"


def test_the_child_of_a_fork_does_not_wait_for_those_of_its_parent():
    kitchen = Kitchen(others=0)
    kitchen.queue._turn.acquire()  # as by a thread that the child does not have
    kitchen.queue._pid -= 1
    made: list[str] = []
    child = threading.Thread(target=lambda: made.append(kitchen.queue.make("a", kitchen.make)), daemon=True)
    child.start()
    child.join(PATIENCE_S)
    assert made == ["A"]
