"""Rate limits: as many as are allowed, one name's are not another's, and the workers of a machine count together."""

from __future__ import annotations

import os

from service.limits import Limits


def passed(limits: Limits, name: str, times: int, *, now: float, rate: float = 2.0, burst: float = 5.0) -> int:
    return sum(not limits.wait(name, rate=rate, burst=burst, now=now) for _ in range(times))


def test_a_burst_passes_and_then_as_many_a_second_as_the_rate_says() -> None:
    limits = Limits()
    assert passed(limits, "ann", 20, now=1_000.0) == 5
    assert passed(limits, "ann", 20, now=1_001.0) == 2
    assert passed(limits, "ann", 20, now=1_100.0) == 5


def test_who_waits_as_long_as_is_said_passes() -> None:
    limits = Limits()
    passed(limits, "ann", 5, now=1_000.0)
    wait = limits.wait("ann", rate=2.0, burst=5.0, now=1_000.0)
    assert wait == 0.5
    assert not limits.wait("ann", rate=2.0, burst=5.0, now=1_000.0 + wait)


def test_nobody_pays_for_others() -> None:
    limits = Limits()
    for number in range(1_000):
        passed(limits, f"busy {number}", 6, now=1_000.0)
    assert passed(limits, "quiet", 5, now=1_000.0) == 5


def test_no_rate_is_no_limit() -> None:
    assert passed(Limits(), "ann", 1_000, now=1.0, rate=0.0) == 1_000


def test_forked_workers_share_the_count() -> None:
    limits = Limits()
    child = os.fork()
    if child == 0:
        passed(limits, "ann", 3, now=1_000.0)
        os._exit(0)
    os.waitpid(child, 0)
    assert passed(limits, "ann", 5, now=1_000.0) == 2
