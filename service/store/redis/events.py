"""The log of events, and the history of each customer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from service.store import Entry
from service.store.redis import keys
from service.store.redis.keys import BUCKET
from service.store.redis.server import PAGE, RedisServer, Script, by_name

BATCH = 100  # events a script

# Take events out of the log and out of their customers' histories; how many were there.
# ARGV for each event its sequence, the key of the history, the event as it stands there
DROP = Script(f"""
local count = 0
for i = 1, #ARGV, 3 do
  if redis.call('HDEL', 'log:' .. math.floor((tonumber(ARGV[i]) - 1) / {BUCKET}), ARGV[i]) == 1 then
    redis.call('LREM', ARGV[i + 1], 1, ARGV[i + 2])
    count = count + 1
  end
end
return count
""")


def newest(server: RedisServer) -> int:
    """The sequence of the newest event; 0 for none."""
    return int(server.call("GET", keys.SEQUENCE) or 0)


def every(server: RedisServer, after: int) -> Iterator[Entry]:
    """Events above `after`, in the order of their sequence."""
    for bucket in range(after // keys.BUCKET, -(-newest(server) // keys.BUCKET)):
        [row] = server.calls([("HGETALL", keys.log_key(bucket))], bulk=True)
        found = by_name(row)
        for sequence in sorted(int(field) for field in found):
            if sequence > after:
                yield keys.load_entry(sequence, found[b"%d" % sequence])


def of(server: RedisServer, customer_id: str, after: int = 0) -> Iterator[Entry]:
    """Those of whom is kept under this very id."""
    [found] = server.calls([("LRANGE", keys.key("history", customer_id), 0, -1)], bulk=True)
    sequences = [sequence for sequence in map(keys.load_sequence, found) if sequence > after]
    for start in range(0, len(sequences), PAGE):
        page = sequences[start : start + PAGE]
        reads = [("HGET", keys.log_key((sequence - 1) // keys.BUCKET), sequence) for sequence in page]
        for sequence, document in zip(page, server.calls(reads, bulk=True), strict=True):
            if document is not None:
                yield keys.load_entry(sequence, document)


def blocks(server: RedisServer) -> dict[int, int]:
    """How many events each block holds."""
    found: dict[int, int] = {}
    numbers = range(-(-newest(server) // BUCKET))
    for start in range(0, len(numbers), PAGE):
        page = numbers[start : start + PAGE]
        counts = server.calls([("HLEN", keys.log_key(block)) for block in page], bulk=True)
        found |= {block: int(count) for block, count in zip(page, counts, strict=True) if count}
    return found


def drop(server: RedisServer, entries: Sequence[Entry]) -> int:
    """Take events out of the log; how many were there."""
    rows = [(one.sequence, keys.key("history", one.customer_id), keys.dump_history(one)) for one in entries]
    pages = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    calls: list[tuple[Sequence[Any], Sequence[Any]]] = [((), tuple(itertools.chain(*page))) for page in pages]
    return sum(map(int, server.run(DROP, calls, bulk=True))) if calls else 0
