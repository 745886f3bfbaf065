import threading
import time

import pytest

from service.http.turn import PATIENCE_S, turn


def test_one_begins_when_the_one_before_has_ended():
    inside, most = 0, 0

    def decide() -> None:
        nonlocal inside, most
        for _ in range(20):
            with turn():
                inside += 1
                most = max(most, inside)
                time.sleep(0.0001)  # lets the interpreter go, as a store does
                inside -= 1

    threads = [threading.Thread(target=decide) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_behind_one_that_is_slow_the_others_go_on_beside_it():
    with turn():
        began = time.monotonic()
        with turn():
            waited = time.monotonic() - began
        assert PATIENCE_S * 0.9 <= waited < 10 * PATIENCE_S
        with turn():  # who went on beside has not given back what was not its own
            assert time.monotonic() - began > 1.9 * PATIENCE_S


def test_a_turn_that_fails_ends():
    with pytest.raises(ZeroDivisionError), turn():
        _ = 1 / 0
    began = time.monotonic()
    with turn():
        assert time.monotonic() - began < PATIENCE_S / 2
