"""Other names of a customer, and the digests by which she is found."""

from __future__ import annotations

from collections.abc import Iterable

from service.store.redis import keys
from service.store.redis.keys import MOVED
from service.store.redis.server import RedisServer, Script

# Let a customer, whatever name is given, be found by some digests and no longer by others.
# KEYS customer    ARGV her id, how many no longer, those, the others
FINDABLE = Script(f"""
local whose, document = ARGV[1], redis.call('GET', KEYS[1])
if document and struct.unpack('<i4', document, 17) == {MOVED} then whose = string.sub(document, 29) end
for i = 3, #ARGV do
  local command = i < 3 + tonumber(ARGV[2]) and 'SREM' or 'SADD'
  redis.call(command, 'found:' .. ARGV[i], whose)
  redis.call(command, 'finds:' .. whose, ARGV[i])
end
return 1
""")


def findable(server: RedisServer, customer_id: str, digests: Iterable[str], no_longer: Iterable[str]) -> None:
    """Let her be found by some digests, and no longer by others."""
    gone = tuple(no_longer)
    arguments = (keys.utf8(customer_id), len(gone), *gone, *digests)
    server.run(FINDABLE, [((keys.key("customer", customer_id),), arguments)])


def every(server: RedisServer) -> dict[str, str]:
    """Every other name, and the id under which she is kept."""
    prefix = keys.key("names", "")
    owners = sorted({keys.load_name(prefix, name) for name in server.named(prefix)})
    return {name: owner for owner in owners for name in of(server, owner)}


def of(server: RedisServer, customer_id: str) -> list[str]:
    """The other names of a customer, sorted."""
    return sorted(name.decode() for name in server.call("SMEMBERS", keys.key("names", customer_id)))
