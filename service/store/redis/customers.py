"""What is kept of customers: a string each, written by compare and set of its stamp."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from service.store import KEY_TTL_S, TOMBSTONE, Customer, Entry, Join, Part
from service.store.redis import keys
from service.store.redis.events import of as logged
from service.store.redis.keys import BUCKET, DIGEST, MOVED
from service.store.redis.server import RedisServer, Script, attempts

BATCH = 50  # customers a script: half a millisecond of the server

# Write customers, and log events of theirs: each if she is still the one that was read, and none of her events is known. For each 1, or 0
# where that is not so.
# KEYS sequence
# ARGV new stamp, seconds a key is known, then for each her id, her stamp as read, her sequence where nothing is logged, her parts ('' as they
#      are), what is put behind her profile then, how many events, then for each of those the digests of its keys in one, and the event
COMMIT = Script(f"""
local sequence, bucket, logged = tonumber(redis.call('GET', KEYS[1]) or 0), 0, {{}}
local function write_log()
  if #logged > 0 then
    redis.call('HSET', 'log:' .. bucket, unpack(logged))
    redis.call('SET', KEYS[1], string.format('%d', sequence))
    logged = {{}}
  end
end
local function log(event)
  if math.floor(sequence / {BUCKET}) ~= bucket then write_log() end
  bucket, sequence = math.floor(sequence / {BUCKET}), sequence + 1
  logged[#logged + 1] = string.format('%d', sequence)
  logged[#logged + 1] = event
end
local function keys_of(digests)
  local keys = {{}}
  for i = 1, #digests, {DIGEST} do keys[#keys + 1] = 'event:' .. string.sub(digests, i, i + {DIGEST - 1}) end
  return keys
end
local function is_known(first, last)
  for i = first + 6, last, 2 do
    for _, key in ipairs(keys_of(ARGV[i])) do
      if redis.call('EXISTS', key) == 1 then return true end
    end
  end
end
local function parts_of(document, more)
  local length, facts, ledger = struct.unpack('<i4i4i4', document, 17)
  local lengths, rest = struct.pack('<i4i4i4', length + #more, facts, ledger), 28 + length
  return lengths .. string.sub(document, 29, rest) .. more .. string.sub(document, rest + 1)
end
local first, answer = 3, {{}}
while first <= #ARGV do
  local customer, parts, last = 'customer:' .. ARGV[first], ARGV[first + 3], first + 5 + 2 * ARGV[first + 5]
  local document = redis.call('GETRANGE', customer, 0, parts == '' and -1 or 7)
  local done = string.sub(document, 1, 8) == ARGV[first + 1] and not is_known(first, last)
  if done then
    if parts == '' then parts = parts_of(document, ARGV[first + 4]) end
    for i = first + 6, last, 2 do
      log(ARGV[i + 1])
      redis.call('RPUSH', 'history:' .. ARGV[first], struct.pack('<I8', sequence) .. ARGV[i])
      for _, key in ipairs(keys_of(ARGV[i])) do redis.call('SET', key, 1, 'EX', ARGV[2]) end
    end
    local newest = first + 5 < last and sequence or ARGV[first + 2]
    redis.call('SET', customer, ARGV[1] .. struct.pack('<I8', newest) .. parts)
  end
  answer[#answer + 1] = done and 1 or 0
  first = last + 1
end
write_log()
return answer
""")

# Make a name another name of a customer, with its events and documents, if both are still what was read. 1, or 0 where they are not.
# KEYS customer: name, known; history: name, known; papers: name, known; names: name, known, of whom the name was one before; sequence;
#      finds: name, known
# ARGV stamp of the name and of the known one as read, new stamp, her sequence where no event moves, her parts, the name, her id,
#      then for each event its old sequence, the digests of its keys in one, and the event
MERGE = Script(f"""
if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] or redis.call('GETRANGE', KEYS[2], 0, 7) ~= ARGV[2] then return 0 end
local sequence = ARGV[4]
local function bucket(number) return 'log:' .. math.floor((number - 1) / {BUCKET}) end
for i = 8, #ARGV, 3 do
  redis.call('HDEL', bucket(tonumber(ARGV[i])), ARGV[i])
  sequence = redis.call('INCR', KEYS[10])
  redis.call('HSET', bucket(sequence), sequence, ARGV[i + 2])
  redis.call('RPUSH', KEYS[4], struct.pack('<I8', sequence) .. ARGV[i + 1])
end
redis.call('ZUNIONSTORE', KEYS[6], 2, KEYS[5], KEYS[6], 'AGGREGATE', 'MAX')
local moved = ARGV[3] .. struct.pack('<I8i4i4i4', 0, {MOVED}, -1, -1) .. ARGV[7]
for _, name in ipairs(redis.call('SMEMBERS', KEYS[7])) do
  redis.call('SET', 'customer:' .. name, moved)
  redis.call('SADD', KEYS[8], name)
end
redis.call('SREM', KEYS[9], ARGV[6])
redis.call('SADD', KEYS[8], ARGV[6])
redis.call('SET', KEYS[1], moved)
for _, digest in ipairs(redis.call('SMEMBERS', KEYS[11])) do
  redis.call('SREM', 'found:' .. digest, ARGV[6])
  redis.call('SADD', 'found:' .. digest, ARGV[7])
  redis.call('SADD', KEYS[12], digest)
end
redis.call('DEL', KEYS[3], KEYS[5], KEYS[7], KEYS[11])
redis.call('SET', KEYS[2], ARGV[3] .. struct.pack('<I8', sequence) .. ARGV[5])
return 1
""")

# Remove a customer, her events with their keys, her documents, and her other names. The number of records, keys and names not counted.
# KEYS customer, history, papers, names, finds    ARGV the id, then for each document that is left its key, and itself
ERASE = Script(f"""
local document, count = redis.call('GET', KEYS[1]), redis.call('DEL', KEYS[1])
for i = 2, #ARGV, 2 do redis.call('SET', ARGV[i], ARGV[i + 1]) end
if document and struct.unpack('<i4', document, 17) == {MOVED} then
  redis.call('SREM', 'names:' .. string.sub(document, 29), string.sub(KEYS[1], {len("customer:") + 1}))
  return 0
end
for _, name in ipairs(redis.call('SMEMBERS', KEYS[4])) do redis.call('DEL', 'customer:' .. name) end
redis.call('DEL', KEYS[4])
for _, event in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  local sequence = struct.unpack('<I8', event)
  count = count + redis.call('HDEL', 'log:' .. math.floor((sequence - 1) / {BUCKET}), sequence)
  for i = 9, #event, {DIGEST} do redis.call('DEL', 'event:' .. string.sub(event, i, i + {DIGEST - 1})) end
end
for _, document in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do count = count + redis.call('DEL', document) end
for _, digest in ipairs(redis.call('SMEMBERS', KEYS[5])) do redis.call('SREM', 'found:' .. digest, ARGV[1]) end
redis.call('DEL', KEYS[2], KEYS[3], KEYS[5])
return count
""")


def read(
    server: RedisServer, customer_ids: Iterable[str], digests: Iterable[bytes] = ()
) -> tuple[dict[str, tuple[bytes, Customer]], set[bytes]]:
    """The customers with their stamps, and which of the events' keys are known; one round trip."""
    ids, asked = list(customer_ids), list(digests)
    if not ids:
        return {}, set()
    found: list[Any] = server.call("MGET", *(keys.key("customer", name) for name in ids), *map(keys.event_key, asked))
    known = {digest for digest, seen in zip(asked, found[len(ids) :], strict=True) if seen is not None}
    return loaded(server, ids, found[: len(ids)]), known


def loaded(
    server: RedisServer, ids: Sequence[str], documents: Sequence[bytes | None]
) -> dict[str, tuple[bytes, Customer]]:
    """The customers in these documents with their stamps; who is kept under another name is asked for."""
    customers = {name: keys.load_customer(name, document) for name, document in zip(ids, documents, strict=True)}
    owners = {
        name: owner
        for name, document in zip(ids, documents, strict=True)
        if (owner := keys.moved_to(document)) is not None
    }
    if owners:
        kept = read(server, set(owners.values()))[0]
        customers |= {name: kept[owner] for name, owner in owners.items()}
    return customers


def one(server: RedisServer, customer_id: str) -> tuple[bytes, Customer]:
    """A customer with her stamp; NEW and nothing of whom nothing is kept."""
    return read(server, [customer_id])[0][customer_id]


class Write(NamedTuple):
    """A customer as she should stand, with the stamp that was read; an event is the digests of its keys, and itself.

    more  the customer is as she was read, and this comes behind her profile: a tenth of the bytes on their way
    """

    stamp: bytes
    customer: Customer
    events: Sequence[tuple[bytes, bytes]] = ()
    more: bytes | None = None


def commit(server: RedisServer, writes: Iterable[Write], *, key_ttl_s: int = KEY_TTL_S) -> list[bool]:
    """Which were made; one round trip, and the server writes some of them while others are made."""
    left = iter(writes)
    pages = iter(lambda: list(islice(left, BATCH)), [])
    calls = (
        ((keys.SEQUENCE,), (os.urandom(8), key_ttl_s, *chain.from_iterable(map(_writing, page)))) for page in pages
    )
    return [bool(done) for answer in server.run(COMMIT, calls) for done in answer]


def _writing(write: Write) -> Sequence[Any]:
    stamp, customer, events, more = write
    parts = keys.dump_parts(customer) if more is None else b""
    head = (keys.utf8(customer.customer_id), stamp, customer.sequence, parts, more or b"", len(events))
    return (*head, *chain.from_iterable(events))


def change(
    server: RedisServer, customer_id: str, part: Part, change: Callable[[bytes | None], bytes | None]
) -> bytes | None:
    """See service.store.Store.change."""
    for _ in attempts():
        stamp, customer = one(server, customer_id)
        stands: bytes | None = getattr(customer, part)
        changed = change(stands)
        if changed is None:
            return stands
        if all(commit(server, [Write(stamp, Customer(**(customer._asdict() | {part: changed})))])):
            break
    return changed


def merge(server: RedisServer, anonymous: str, known: str, join: Join) -> bool:
    """See service.store.Store.merge."""
    for _ in attempts():
        document: bytes | None = server.call("GET", keys.key("customer", anonymous))
        before = keys.moved_to(document)
        stamp, hers = one(server, known)
        if hers.customer_id in (anonymous, before):
            return False
        mark, other = keys.load_customer(anonymous, document)
        parts = join(hers, other if before is None else Customer(anonymous))
        events = list(logged(server, anonymous))
        call = _merging(anonymous, mark, parts._replace(customer_id=hers.customer_id), stamp, before, events)
        if server.run(MERGE, [call], bulk=True)[0]:
            break
    return True


def _merging(
    name: str, mark: bytes, customer: Customer, stamp: bytes, before: str | None, events: Sequence[Entry]
) -> tuple[Sequence[bytes], Sequence[Any]]:
    """Keys and arguments of MERGE."""
    known = customer.customer_id
    names = [keys.key(kind, whose) for kind in keys.OF_HER[:3] for whose in (name, known)]
    names += [
        keys.key("names", name),
        keys.key("names", known),
        keys.key("names", known if before is None else before),
        keys.SEQUENCE,
        keys.key("finds", name),
        keys.key("finds", known),
    ]
    head = (mark, stamp, os.urandom(8), customer.sequence, keys.dump_parts(customer), keys.utf8(name), keys.utf8(known))
    moved = [
        (event.sequence, b"".join(map(keys.digest, event.keys)), keys.dump_entry(event._replace(customer_id=known)))
        for event in events
    ]
    return names, (*head, *chain(*moved))


def erase(server: RedisServer, customer_id: str, leaving: Mapping[str, bytes]) -> int:
    """Remove all that is hers, and leave tombstones; how many records went."""
    hers = [keys.key(kind, customer_id) for kind in keys.OF_HER]
    left = [(keys.document_key(TOMBSTONE, key), document) for key, document in leaving.items()]
    arguments = (keys.utf8(customer_id), *chain(*left))
    return int(server.run(ERASE, [(hers, arguments)], bulk=True)[0])
