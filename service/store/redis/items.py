"""The items' overlay: what the shop changed since training."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

from service.store import ITEMS
from service.store.redis import keys
from service.store.redis.server import PAGE, RedisServer, Script, attempts

# Set documents of items with the next version, which is returned.
# KEYS versions, items, items:changed    ARGV name of the version, item, document, item, document…
UPSERT_ITEMS = Script("""
local version = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
for i = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  redis.call('ZADD', KEYS[3], version, ARGV[i])
end
return version
""")

# Set the document of one item with the next version, if it is still the one that was read. 1, or 0 where it is not.
# KEYS versions, items, items:changed    ARGV name of the version, item, document as read ('' none), new document
CHANGE_ITEM = Script("""
if (redis.call('HGET', KEYS[2], ARGV[2]) or '') ~= ARGV[3] then return 0 end
local version = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
redis.call('ZADD', KEYS[3], version, ARGV[2])
return 1
""")


def upsert(server: RedisServer, documents: Mapping[str, bytes]) -> int:
    """Set documents with the next version, which is returned."""
    pairs = [(keys.utf8(item_id), document) for item_id, document in documents.items()]
    names = (keys.VERSIONS, keys.ITEM_DOCUMENTS, keys.ITEMS_CHANGED)
    return int(server.run(UPSERT_ITEMS, [(names, (ITEMS, *itertools.chain(*pairs)))])[0])


def one(server: RedisServer, item_id: str) -> bytes | None:
    document: bytes | None = server.call("HGET", keys.ITEM_DOCUMENTS, keys.utf8(item_id))
    return document


def change(server: RedisServer, item_id: str, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
    """See service.store.Store.change_item."""
    names = (keys.VERSIONS, keys.ITEM_DOCUMENTS, keys.ITEMS_CHANGED)
    for _ in attempts():
        stands = one(server, item_id)
        changed = change(stands)
        if changed is None:
            return stands
        arguments = (ITEMS, keys.utf8(item_id), stands or b"", changed)
        if server.run(CHANGE_ITEM, [(names, arguments)])[0]:
            break
    return changed


def since(server: RedisServer, version: int) -> tuple[int, dict[str, bytes]]:
    """(The version, what changed after a version: what changed first comes first, changes of one version by id)."""
    # The version first: a change that comes in between is read twice, never missed.
    newest, changed = server.calls(
        [("HGET", keys.VERSIONS, ITEMS), ("ZRANGEBYSCORE", keys.ITEMS_CHANGED, f"({version}", "+inf")], bulk=True
    )
    documents: dict[str, bytes] = {}
    for start in range(0, len(changed), PAGE):
        page = changed[start : start + PAGE]
        [found] = server.calls([("HMGET", keys.ITEM_DOCUMENTS, *page)], bulk=True)
        documents |= {item_id.decode(): document for item_id, document in zip(page, found, strict=True)}
    return int(newest or 0), documents
