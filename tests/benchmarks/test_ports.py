"""Ports on which tests and measurements let servers listen."""

from pathlib import Path

import pytest

from benchmarks.ports import free_port

GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")


@pytest.mark.skipif(not GIVEN.exists(), reason="this system does not say which ports it gives to who connects")
def test_a_free_port_is_none_that_somebody_who_connects_may_be_given_meanwhile() -> None:
    first, last = map(int, GIVEN.read_text().split())
    assert not any(first <= free_port() <= last for _ in range(50))
