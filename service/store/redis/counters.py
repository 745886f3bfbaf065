"""What is counted: the sums of outcomes."""

from __future__ import annotations

from service.store import COUNTERS
from service.store.redis import keys
from service.store.redis.server import PAGE, RedisServer


def since(server: RedisServer, version: int) -> tuple[int, dict[str, tuple[float, float]]]:
    """(The version, the sums of what was added to after a version)."""
    newest, names = server.calls(
        [("HGET", keys.VERSIONS, COUNTERS), ("ZRANGEBYSCORE", keys.COUNTED_LAST, f"({version}", "+inf")], bulk=True
    )
    sums: dict[str, tuple[float, float]] = {}
    for start in range(0, len(names), PAGE):
        page = names[start : start + PAGE]
        [found] = server.calls([("HMGET", keys.COUNTED, *page)], bulk=True)
        pairs = (pair.split() for pair in found)
        sums |= {name.decode(): (float(n), float(p)) for name, (n, p) in zip(page, pairs, strict=True)}
    return int(newest or 0), sums
