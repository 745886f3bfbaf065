"""Documents under (kind, key), some of them a customer's, some of them until they expire."""

from __future__ import annotations

from collections.abc import Iterator

from service.store import Paper
from service.store.redis import keys
from service.store.redis.keys import MOVED
from service.store.redis.server import PAGE, RedisServer, Script

# Keep a document of a customer's, and note whose it is; `expires` in seconds, '' never.
PAPER = """
local function keep(key, document, expires, whose)
  if expires == '' then redis.call('SET', key, document) else redis.call('SET', key, document, 'EX', expires) end
  if whose then
    local now, papers = tonumber(redis.call('TIME')[1]), 'papers:' .. whose
    redis.call('ZREMRANGEBYSCORE', papers, '-inf', now - 1)
    redis.call('ZADD', papers, expires == '' and '+inf' or now + expires + 1, key)
  end
end
"""

# Keep a document unless one stands there, and note whose it is. 1 when it was new, else 0.
# KEYS document, customer (or none)    ARGV document, seconds until it expires ('' never), id of the customer
PUT = Script(f"""{PAPER}
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local whose = KEYS[2] and ARGV[3]
local document = KEYS[2] and redis.call('GET', KEYS[2])
if document and struct.unpack('<i4', document, 17) == {MOVED} then whose = string.sub(document, 29) end
keep(KEYS[1], ARGV[1], ARGV[2], whose)
return 1
""")


def put(server: RedisServer, paper: Paper, customer_id: str | None) -> bool:
    """Keep a document unless one stands in its place; whether it is new."""
    whose = [] if customer_id is None else [keys.key("customer", customer_id)]
    arguments = (paper.document, "" if paper.expires_s is None else paper.expires_s, keys.utf8(customer_id or ""))
    return bool(server.run(PUT, [((keys.document_key(paper.kind, paper.key), *whose), arguments)])[0])


def of(server: RedisServer, customer_id: str) -> list[tuple[str, str, bytes]]:
    """(kind, key, document) of a customer's, sorted."""
    owner = keys.moved_to(server.call("GET", keys.key("customer", customer_id))) or customer_id
    [names] = server.calls([("ZRANGE", keys.key("papers", owner), 0, -1)], bulk=True)
    found: list[tuple[str, str, bytes]] = []
    for start in range(0, len(names), PAGE):
        page = names[start : start + PAGE]
        [documents] = server.calls([("MGET", *page)], bulk=True)
        kept = ((name, document) for name, document in zip(page, documents, strict=True) if document is not None)
        found += [(*keys.load_document_key(name), document) for name, document in kept]
    return sorted(found)


def keys_of(server: RedisServer, kind: str) -> list[str]:
    """The keys of a kind."""
    prefix = keys.document_key(kind, "")
    return [keys.load_name(prefix, name) for name in set(server.named(prefix))]


def every(server: RedisServer, kind: str) -> Iterator[tuple[str, bytes]]:
    """(key, document) of a kind."""
    prefix = keys.document_key(kind, "")
    names = sorted(set(server.named(prefix)))
    for start in range(0, len(names), PAGE):
        page = names[start : start + PAGE]
        [found] = server.calls([("MGET", *page)], bulk=True)
        yield from (
            (keys.load_name(prefix, name), document)
            for name, document in zip(page, found, strict=True)
            if document is not None
        )
